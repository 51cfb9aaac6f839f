// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"

	"falconet/engine/field"
	"falconet/engine/filter"
	"falconet/engine/format"
)

// knowsStatic reports whether the configuration gives a static field its value. Where there is no configuration it may.
func (b *builder) knowsStatic(name string) bool {
	_, ok := b.opts.Static[name]
	return ok || b.opts.Static == nil
}

// staticError is the error for a static field without a value.
func staticError(name string) string {
	return fmt.Sprintf("%v '%s.%s'", field.ErrUnknown, field.StaticName, name)
}

// checkStatic finds a static field of a condition that has no value.
func (b *builder) checkStatic(e filter.Expr) (err error) {
	eachField(e, func(at filter.Pos, f *field.Operand) {
		d, a, bad := field.Resolve(f.Field, f.Arg, f.HasArg)
		if err == nil && bad == nil && d.Name == field.StaticName && !b.knowsStatic(a.Key) {
			err = &filter.Error{Pos: at, Len: f.Len, Msg: staticError(a.Key), Hint: "static_fields of the configuration has no such name"}
		}
	})
	return err
}

// checkStaticOutput finds a static field of an output that has no value.
func (b *builder) checkStaticOutput(t *format.Template) error {
	for _, r := range t.Reads() {
		if r.Def != nil && r.Def.Name == field.StaticName && !b.knowsStatic(r.Arg.Key) {
			return fmt.Errorf("%s (static_fields of the configuration has no such name)", staticError(r.Arg.Key))
		}
	}
	return nil
}
