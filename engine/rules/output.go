// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"

	"falconet/engine/field"
	"falconet/engine/filter"
	"falconet/engine/format"
)

// output makes the template of the rule's output, with what the options add to it. It is nil, and the reason noted, when that means
// nothing.
func (b *builder) output(r *rule) *format.Template {
	t, err := b.template(r)
	if err == nil {
		err = b.checkStaticOutput(t)
	}
	if err == nil {
		return t
	}
	if b.skips(r, err) {
		return nil
	}
	it, where := r.outputPlace(err)
	it.file.fail(ErrCompileOutput, err.Error(), where...)
	return nil
}

func (b *builder) template(r *rule) (*format.Template, error) {
	text := joined(r.output)
	for i := range b.opts.Append {
		if a := &b.opts.Append[i]; a.Output != "" && a.matches(r) {
			text += " " + a.Output
		}
	}
	t, err := format.Parse(b.opts.Suffix.Apply(text))
	if err != nil {
		return nil, err
	}
	for i := range b.opts.Append {
		a := &b.opts.Append[i]
		if !a.matches(r) {
			continue
		}
		for _, f := range a.Fields {
			if t, err = addField(t, f); err != nil {
				return nil, fmt.Errorf("extra field %s: %w", f.Name, err)
			}
		}
	}
	return t, nil
}

func addField(t *format.Template, f Extra) (*format.Template, error) {
	if f.Text == "" {
		return t.WithField(f.Name)
	}
	made, err := format.Parse(f.Text)
	if err != nil {
		return nil, err
	}
	return t.WithText(f.Name, made), nil
}

// outputPlace finds an error of the output.
func (r *rule) outputPlace(err error) (it *item, where []Location) {
	if in, ok := err.(*format.Error); ok { // of the output itself, not of a field that the options add
		return r.outputWhere(in.Off, in.Len)
	}
	return r.outputWhere(0, 0)
}

// outputWhere finds n bytes of the rule's output in its file. What the options add is said to be where the output begins.
func (r *rule) outputWhere(off, n int) (it *item, where []Location) {
	w := written{kind: "rule output", name: r.name, item: r.item}
	w.condition("", r.output)
	if info := strings.Index(w.text, format.ContainerInfo); n == 0 || off >= len(w.text) || info >= 0 && off >= info+len(format.ContainerInfo) {
		off, n = 0, len(w.text)
	}
	return w.where(filter.Pos{Off: off}, n)
}

// warnOutput warns of what a rule's output prints in vain, or otherwise than it looks.
func (b *builder) warnOutput(r *rule, t *format.Template) {
	text := joined(r.output)
	warn := func(code Code, name, msg string) {
		it, where := r.outputWhere(max(0, strings.Index(text, name)), len(name))
		it.file.warn(code, msg, where...)
	}
	for _, ref := range t.Refs() {
		if ref.Def != nil && ref.Def.Flags&field.Deprecated != 0 {
			warn(DeprecatedItem, ref.Text, fmt.Sprintf("field %s is deprecated: in an output it says nothing", ref.Text))
		}
	}
	for _, ref := range t.Reads() {
		if ref.Def == nil {
			warn(NotSupported, ref.Text, fmt.Sprintf("field %s prints as %s: %s", ref.Text, format.Missing, ref.Why))
		}
	}
	if strings.Contains(text, format.ContainerInfo) {
		warn(DeprecatedItem, format.ContainerInfo, format.ContainerInfo+" is deprecated: name the fields that should be there")
	}
	for _, w := range t.Warnings() {
		it, where := r.outputWhere(w.Off, w.Len)
		it.file.warn(Dubious, w.Msg, where...)
	}
}
