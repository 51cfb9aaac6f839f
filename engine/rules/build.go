// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"falconet/engine/alert"
	"falconet/engine/field"
	"falconet/engine/filter"
	"falconet/engine/format"
)

// builder turns a collection into a rule set.
type builder struct {
	*collection
	opts     Options
	compiler *filter.Compiler
	macroAST map[string]filter.Expr
	busy     map[string]bool // macros being expanded, to find cycles
	expanded int             // members of lists that were put somewhere
	texts    []written       // by filter.Pos.Src
}

// written is the text of one condition and where it stands.
type written struct {
	kind, name string
	item       *item
	text       string
	parts      []segment
	extra      int // bytes in front that nobody wrote
	refs
	nodes, depth int // with macros in it
}

// refs are the macros and lists that a text names itself.
type refs struct{ macros, lists []string }

func (r *refs) add(to *[]string, name string) {
	if !slices.Contains(*to, name) {
		*to = append(*to, name)
	}
}

// where finds a place of a condition in its file.
func (w *written) where(p filter.Pos) Location {
	return locate(w.kind, w.name, w.parts, max(0, p.Off-w.extra))
}

func (b *builder) build() *Set {
	set := &Set{compiler: b.compiler, matching: b.opts.Matching}
	for _, m := range b.macros { // those that no rule uses as well: a mistake in them is a mistake
		used := m.used
		if _, err := b.macro(m); err != nil {
			b.conditionFailed(nil, err)
		}
		m.used = used
	}
	for _, l := range b.lists {
		used := l.used
		_, _ = b.members(l) // a condition that names the list says what is wrong with it
		l.used = used
	}
	for _, r := range b.rules {
		if r.unknownSource {
			continue
		}
		if made := b.rule(r); made != nil {
			made.Index = len(set.Rules)
			set.Rules = append(set.Rules, made)
			if made.below = !r.priority.AtLeast(b.opts.MinPriority); r.enabled {
				set.enable(made, true)
			}
		}
	}
	b.warnNever()
	b.warnUnused()
	return set
}

func (b *builder) warnUnused() {
	for _, m := range b.macros {
		if !m.used {
			m.item.file.warn(UnusedMacro, "macro is not used by a rule or macro", m.item.where())
		}
	}
	for _, l := range b.lists {
		if !l.used {
			l.item.file.warn(UnusedList, "list is not used by a rule, macro or list", l.item.where())
		}
	}
}

// manyTypes is how many event types are worth a warning.
const manyTypes = 50

// rule compiles one rule. It returns nil for a rule that is left out, and notes why.
func (b *builder) rule(r *rule) *Rule {
	text, err := r.text()
	if err != nil {
		r.item.fail(ErrValidate, err.Error())
		return nil
	}
	extra := 0
	if strings.HasPrefix(text, "(") && text != joined(r.condition) {
		extra = 1 // the parenthesis that exceptions put around what was written
	}
	src := len(b.texts)
	e, err := b.parse(written{kind: "condition", name: r.name, item: r.item, text: text, parts: r.condition, extra: extra})
	if err != nil {
		b.conditionFailed(r, err)
		return nil
	}
	r.tree, r.src = e, src
	there := b.there(r, e)
	if there == nil {
		return nil
	}
	program, warnings, err := b.compiler.Compile(there)
	if err != nil {
		b.conditionFailed(r, err)
		return nil
	}
	for _, w := range warnings {
		from := &b.texts[w.Pos.Src]
		from.item.file.warn(CompileCondition, w.Msg, r.item.where(), from.where(w.Pos))
	}
	output, err := b.output(r)
	if err != nil {
		if !b.skips(r, err) {
			r.item.file.fail(ErrCompileOutput, err.Error(), r.item.where(), at("rule output", r.name, r.outputNode))
		}
		return nil
	}
	for _, ref := range output.Reads() {
		if ref.Def == nil {
			r.item.file.warn(UnknownFilter, fmt.Sprintf("output field %s prints as %s: %s", ref.Text, format.Missing, ref.Why), r.item.where())
		}
	}
	made := &Rule{
		Name: r.name, Desc: strings.TrimSpace(r.desc), Source: alert.SourceSyscall, Condition: joined(r.condition), Compiled: filter.Print(e),
		Priority: r.priority, Tags: r.tags, Output: output, Events: filter.EventTypes(there), fields: filter.Fields(e), program: program,
		operators: filter.Operators(e), output: r.output, refs: b.texts[src].refs, exceptions: r.exceptions,
	}
	for _, f := range made.fields {
		// evt.dir is in nearly every rule of Falco and does no harm
		if f.Def.Flags&field.Deprecated != 0 && f.Def.Name != "evt.dir" {
			r.item.file.warn(DeprecatedItem, fmt.Sprintf("field %s never has a value: %s", f.Text, f.Def.Desc), r.item.where())
		}
	}
	switch {
	case !r.warnTypes:
	case made.Events.All():
		r.item.file.warn(NoEventType, "condition names no event type: every event of the machine has to be looked at", r.item.where())
	case made.Events.Except || len(made.Events.Names) > manyTypes:
		r.item.file.warn(NoEventType, "condition holds for very many event types: the events of all of them have to be looked at", r.item.where())
	case made.Events.Empty():
		r.item.file.warn(NoEventType, "condition asks for more than one event type at once: it never holds", r.item.where())
	}
	r.made = made
	return made
}

// there is the rule's condition without the fields that this program does not have, and warns of them. It is nil when the rule can
// never match without them, or asks to be left out.
func (b *builder) there(r *rule, e filter.Expr) filter.Expr {
	var lacks []lack
	there, known := withoutLacks(e, &lacks)
	switch {
	case len(lacks) == 0:
		return e
	case known == never || r.skipUnknown:
		r.item.file.warn(UnknownFilter, "rule is left out, it uses what is not there: "+lackText(lacks), r.item.where())
		return nil
	case known == always:
		there = everyEvent()
	}
	r.item.file.warn(UnknownFilter, "no comparison holds in this rule of what is not there: "+lackText(lacks), r.item.where())
	return there
}

// output is the template of the rule's output, with what the options add to it.
func (b *builder) output(r *rule) (*format.Template, error) {
	text := b.opts.Suffix.Apply(r.output)
	var fields []Extra
	for i := range b.opts.Append {
		if a := &b.opts.Append[i]; a.matches(r) {
			if a.Output != "" {
				text += " " + a.Output
			}
			fields = append(fields, a.Fields...)
		}
	}
	t, err := format.Parse(text)
	for _, f := range fields {
		if err != nil {
			return nil, err
		}
		if f.Text == "" {
			t, err = t.WithField(f.Name)
			continue
		}
		var made *format.Template
		if made, err = format.Parse(f.Text); err == nil {
			t = t.WithText(f.Name, made)
		}
	}
	return t, err
}

// text is the whole condition: what was written, and what exceptions add to it.
func (r *rule) text() (string, error) {
	text := joined(r.condition)
	except := ""
	for _, e := range r.exceptions {
		c, err := e.condition()
		if err != nil {
			return "", err
		}
		if c != "" {
			except += " and not " + c
		}
	}
	if except != "" {
		text = "(" + text + "\n)" + except
	}
	return text, nil
}

func locate(kind, name string, parts []segment, off int) Location {
	for i := range parts {
		text := strings.TrimSpace(parts[i].text)
		if off <= len(text) || i == len(parts)-1 {
			line, col := parts[i].place(strings.Index(parts[i].text, text) + min(off, len(text)))
			return Location{ItemType: kind, ItemName: name, Line: line, Col: col}
		}
		off -= len(text) + 1
	}
	return Location{ItemType: kind, ItemName: name}
}

// skips notes that a rule is left out because of a field or event type that nobody knows, and reports whether that is so: when the
// rule asks for it.
func (b *builder) skips(r *rule, err error) bool {
	name := ""
	if _, rest, ok := strings.Cut(err.Error(), "nonexistent field '"); ok {
		name, _, _ = strings.Cut(rest, "'")
	}
	if !r.skipUnknown || name == "" && !strings.Contains(err.Error(), "unknown event type") {
		return false
	}
	r.item.file.warn(UnknownFilter, fmt.Sprintf("rule is left out, as it asks for (%s)", err), r.item.where())
	return true
}

func (b *builder) conditionFailed(r *rule, err error) {
	if r != nil && b.skips(r, err) {
		return
	}
	var me *macroError
	if errors.As(err, &me) {
		b.macroFailed(me)
		return
	}
	b.failed(r.item, err)
}

// failed notes an error of a condition, in the file that holds the text at fault.
func (b *builder) failed(it *item, err error) {
	p := Problem{Code: ErrValidate, Message: err.Error(), File: it.file.Name, Where: []Location{it.where()}}
	var fe *filter.Error
	if errors.As(err, &fe) {
		from := &b.texts[fe.Pos.Src]
		if !strings.HasPrefix(fe.Msg, "Undefined macro") {
			p.Code = ErrCompileCondition
		}
		p.Message, p.Snippet = messageOf(fe), fe.Snippet(from.text)
		if p.File = from.item.file.Name; from.item != it {
			p.Where = []Location{from.item.where()}
		}
		p.Where = append(p.Where, from.where(fe.Pos))
	}
	for _, have := range it.file.result.Errors {
		if have.Line() == p.Line() {
			return // another rule uses the same macro
		}
	}
	it.file.result.Errors = append(it.file.result.Errors, p)
}

func messageOf(e *filter.Error) string {
	if e.Hint != "" {
		return e.Msg + " (" + e.Hint + ")"
	}
	return e.Msg
}

// macroError is an error in the text of a macro.
type macroError struct {
	m   *macro
	err error
}

func (e *macroError) Error() string { return fmt.Sprintf("macro %s: %v", e.m.name, e.err) }
func (e *macroError) Unwrap() error { return e.err }

func (b *builder) macroFailed(e *macroError) { b.failed(e.m.item, e.err) }
