// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"falconet/engine/alert"
	"falconet/engine/filter"
)

// builder turns a collection into a rule set.
type builder struct {
	*collection
	opts     Options
	compiler *filter.Compiler
	busy     map[string]bool // macros being expanded, to find cycles
	expanded int             // members of lists that were put somewhere
	texts    []written       // by filter.Pos.Src
	oddLists []*list         // whose names are no words
	warned   map[filter.Pos]bool
}

func newBuilder(c *collection, o Options) *builder {
	b := &builder{collection: c, opts: o, compiler: filter.NewCompiler(), busy: make(map[string]bool), warned: make(map[filter.Pos]bool)}
	for _, l := range c.lists {
		if !plain(l.name) {
			b.oddLists = append(b.oddLists, l)
			c.listOf[l.alias()] = l
		}
	}
	return b
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
				set.enable(made)
			}
		}
	}
	for _, w := range b.compiler.Never() { // comparisons that are in vain in every rule that they are a part of
		b.warnAt(Dubious, w.Pos, w.Len, w.Msg)
	}
	if !b.bad() { // else what is missing might use them
		b.warnUnused()
	}
	return set
}

// bad reports whether a file was refused.
func (b *builder) bad() bool {
	return slices.ContainsFunc(b.sources, func(s *source) bool { return !s.result.OK() })
}

func (b *builder) warnUnused() {
	for _, m := range b.macros {
		if !m.used {
			m.item.file.warn(UnusedMacro, "macro is not used by a rule or macro", at("macro", m.name, m.item.keys["macro"]))
		}
	}
	for _, l := range b.lists {
		if !l.used {
			l.item.file.warn(UnusedList, "list is not used by a rule, macro or list", at("list", l.name, l.item.keys["list"]))
		}
	}
}

// rule compiles one rule. It returns nil for a rule that is left out, and notes why.
func (b *builder) rule(r *rule) *Rule {
	output := b.output(r)
	w, bad := r.write()
	if bad != nil {
		bad.of.item.file.fail(bad.code, bad.msg, bad.of.item.where(), at("exception", bad.of.name, bad.node))
		return nil
	}
	e, src, err := b.parse(w)
	if err != nil {
		b.conditionFailed(r, err)
		return nil
	}
	if err := b.checkStatic(e); err != nil {
		b.conditionFailed(r, err)
		return nil
	}
	b.warnFields(e)
	b.warnUnsafe(e)
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
		code := CompileCondition
		if w.Ours {
			code = Dubious
		}
		b.warnAt(code, w.Pos, w.Len, w.Msg)
	}
	if output == nil {
		return nil
	}
	b.warnOutput(r, output)
	made := &Rule{
		Name: r.name, Desc: strings.TrimSpace(r.desc), Source: alert.SourceSyscall, Condition: joined(r.condition), Compiled: filter.Print(e),
		Priority: r.priority, Tags: r.tags, Output: output, Events: filter.EventTypes(there), fields: filter.Fields(e), program: program,
		operators: filter.Operators(e), output: joined(r.output), refs: b.texts[src].refs, exceptions: r.exceptions, hosts: hostsOf(there),
		recording: r.recording,
	}
	b.warnEvents(r, &b.texts[src], made.Events)
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
		b.warnLacks(r, "rule is left out, it uses what is not there: ", lacks)
		return nil
	case known == always:
		there = everyEvent()
	}
	b.warnLacks(r, "no comparison holds in this rule of what is not there: ", lacks)
	return there
}

// warnLacks points at the first field that is not there, unless it is in another file than the rule.
func (b *builder) warnLacks(r *rule, msg string, lacks []lack) {
	where := []Location{r.item.where()}
	if it, place := b.texts[lacks[0].at.Src].where(lacks[0].at, lacks[0].n); it.file == r.item.file {
		where = append(where, place[len(place)-1])
	}
	r.item.file.warn(NotSupported, msg+lackText(lacks), where...)
}

// skips notes that a rule is left out because of a field or event type that nobody knows, and reports whether that is so: when the
// rule asks for it, or when it is what a plugin has that a file asks for.
func (b *builder) skips(r *rule, err error) bool {
	var field, event string
	_, after, isField := strings.Cut(err.Error(), "nonexistent field '")
	field, _, _ = strings.Cut(after, "'")
	_, after, isEvent := strings.Cut(err.Error(), "unknown event type '")
	event, _, _ = strings.Cut(after, "'")
	why, code := "", NotSupported
	switch plugin := b.needs.absent(field, event); {
	case r.skipUnknown && (isField || isEvent || strings.Contains(err.Error(), "invalid formatting token")):
		why, code = "as it asks for", UnknownFilter
	case plugin != "":
		why = "it needs plugin '" + plugin + "'"
	default:
		return false
	}
	it, where, msg := b.placeOf(r, err)
	it.file.warn(code, fmt.Sprintf("rule is left out, %s: %s", why, msg), where...)
	return true
}

// placeOf finds an error of a rule's condition or output, and says what it is without the place.
func (b *builder) placeOf(r *rule, err error) (it *item, where []Location, msg string) {
	var fe *filter.Error
	if errors.As(err, &fe) {
		it, where = b.texts[fe.Pos.Src].where(fe.Pos, fe.Len)
		return it, where, messageOf(fe)
	}
	it, where = r.outputPlace(err)
	return it, where, err.Error()
}

func (b *builder) conditionFailed(r *rule, err error) {
	if r != nil && b.skips(r, err) {
		return
	}
	var me *macroError
	if errors.As(err, &me) {
		if me.told {
			return // another rule uses the same macro
		}
		me.told = true
		b.failed(me.m.item, me.err)
		return
	}
	b.failed(r.item, err)
}

// failed notes an error of a condition, in the file that holds the text at fault.
func (b *builder) failed(it *item, err error) {
	var fe *filter.Error
	if !errors.As(err, &fe) {
		it.fail(ErrValidate, err.Error())
		return
	}
	code := ErrCompileCondition
	var undefined *undefinedError
	if errors.As(err, &undefined) {
		if b.mayDefine(undefined.name) {
			return
		}
		code = ErrValidate
	}
	at, where := b.texts[fe.Pos.Src].where(fe.Pos, fe.Len)
	at.file.fail(code, messageOf(fe), where...)
}

func messageOf(e *filter.Error) string {
	if e.Hint != "" {
		return e.Msg + " (" + e.Hint + ")"
	}
	return e.Msg
}

// macroError is an error in the text of a macro.
type macroError struct {
	m    *macro
	err  error
	told bool
}

func (e *macroError) Error() string { return fmt.Sprintf("macro %s: %v", e.m.name, e.err) }
func (e *macroError) Unwrap() error { return e.err }
