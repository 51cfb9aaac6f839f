// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"

	"falconet/engine/filter"
	"falconet/engine/format"
)

// output makes the template of the rule's output, with what the options add to it. It is nil, and the reason noted, when that means nothing.
func (b *builder) output(r *rule) *format.Template {
	t, err := b.template(r)
	if err != nil {
		if !b.skips(r, err) {
			p := Problem{Code: ErrCompileOutput, Message: err.Error()}
			in, ok := err.(*format.Error) // of the output itself, not of a field that the options add
			if ok {
				p.Snippet = (&filter.Error{Pos: filter.Pos{Off: in.Off}, Len: in.Len}).Snippet(b.withAppended(r))
			} else {
				in = &format.Error{}
			}
			p.File, p.Where = r.outputPlace(in)
			r.item.file.result.Errors = append(r.item.file.result.Errors, p)
		}
		return nil
	}
	for _, ref := range t.Reads() {
		if ref.Def == nil {
			r.item.file.warn(UnknownFilter, fmt.Sprintf("output field %s prints as %s: %s", ref.Text, format.Missing, ref.Why), r.item.where())
		}
	}
	for _, w := range t.Warnings() {
		file, where := r.outputPlace(&w)
		r.item.file.result.Warnings = append(r.item.file.result.Warnings, Problem{Code: CompileCondition, Message: "output: " + w.Msg, File: file, Where: where})
	}
	return t
}

// withAppended is the text of the rule's output with what the options append to it.
func (b *builder) withAppended(r *rule) string {
	text := joined(r.output)
	for i := range b.opts.Append {
		if a := &b.opts.Append[i]; a.Output != "" && a.matches(r) {
			text += " " + a.Output
		}
	}
	return b.opts.Suffix.Apply(text)
}

func (b *builder) template(r *rule) (*format.Template, error) {
	t, err := format.Parse(b.withAppended(r))
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

// outputPlace finds an error of the output in its file. One in what the options add is said to be where the output begins.
func (r *rule) outputPlace(e *format.Error) (file string, where []Location) {
	off := e.Off
	text := joined(r.output)
	if info := strings.Index(text, format.ContainerInfo); off >= len(text) || info >= 0 && off >= info {
		off = 0
	}
	part, off := partOf(r.output, off)
	if part.file == r.item.file {
		where = append(where, r.item.where())
	}
	return part.file.Name, append(where, part.where("rule output", r.name, off))
}
