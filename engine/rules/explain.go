// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"slices"
	"strings"

	"falconet/engine/event"
	"falconet/engine/filter"
)

// ExplainOptions say what an explanation has to know beside the files.
type ExplainOptions struct {
	Options
	// NotCaptured are event types that the configuration does not let be captured, and why.
	NotCaptured map[string]string
}

// Explanation is what became of a rule.
type Explanation struct {
	Rule       string               `json:"rule"`
	Place      Place                `json:"place"`
	Desc       string               `json:"description"`
	Source     string               `json:"source"`
	Priority   string               `json:"priority"`
	Tags       []string             `json:"tags"`
	Enabled    bool                 `json:"enabled"`
	EnabledBy  string               `json:"enabled_by"`
	LeftOut    string               `json:"left_out,omitempty"` // why the rule is not used at all
	Written    []WrittenText        `json:"written"`
	Compiled   string               `json:"condition_compiled"`
	Events     ExplainedEvents      `json:"events"`
	FoundBy    []Found              `json:"found_by"`
	Clauses    []ExplainedClause    `json:"clauses"`
	Macros     []Definition         `json:"macros"`
	Lists      []Definition         `json:"lists"`
	Exceptions []ExplainedException `json:"exceptions"`
	Output     string               `json:"output"`
	Fields     []ExplainedField     `json:"output_fields"`
	Warnings   []string             `json:"warnings"`

	tree filter.Expr
}

// WrittenText is a piece of a condition and where it was written.
type WrittenText struct {
	Text  string `json:"text"`
	Place Place  `json:"place"`
}

// ExplainedEvents are the event types of a rule: those with a row of the event table, and system calls without one.
type ExplainedEvents struct {
	All         bool       `json:"all"`
	Except      []string   `json:"except,omitempty"` // with All: all but these
	Rows        []string   `json:"rows"`
	Calls       []string   `json:"calls"`
	NotReported []Reasoned `json:"not_reported,omitempty"` // asked for, and of no event
	NotCaptured []Reasoned `json:"not_captured,omitempty"`
}

// Reasoned is a name and why.
type Reasoned struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Found says by what the rule is looked up in events of some types; without fields it is asked for each of these.
type Found struct {
	Fields []string `json:"fields"`
	Events []string `json:"events"`
}

// Reads is what something needs of an event.
type Reads struct {
	Pieces     []string `json:"pieces"`     // what the probe captures
	Parameters []string `json:"parameters"` // of the event's row
	From       []string `json:"from"`       // what is at hand without the probe's capturing anything
}

// ExplainedClause is one comparison.
type ExplainedClause struct {
	Text    string  `json:"text"`
	Negated bool    `json:"negated"`
	Place   Place   `json:"place"`
	Reads   Reads   `json:"reads"`
	Class   string  `json:"cost"`
	Cost    float64 `json:"cost_ns"`
	LookUp  bool    `json:"look_up"` // events find the rule by it
	Lacks   string  `json:"lacks,omitempty"`

	check *filter.Check
}

// Definition is a macro or list that a condition uses.
type Definition struct {
	Name    string `json:"name"`
	Place   Place  `json:"place"`
	By      string `json:"by,omitempty"` // the macro that names it, where it is not the condition
	Members int    `json:"members,omitempty"`
}

// ExplainedException is an exception of the rule.
type ExplainedException struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
	Comps  []string `json:"comps"`
	Values int      `json:"values"`
}

// ExplainedField is a field of the output.
type ExplainedField struct {
	Text  string `json:"field"`
	Reads Reads  `json:"reads"`
	Lacks string `json:"lacks,omitempty"`
}

// Explain says what becomes of the named rule when the files are loaded. Without an explanation and an error the results say what is
// wrong with the files.
func Explain(o ExplainOptions, name string, files ...File) (*Explanation, []*Result, error) {
	in := inspect(o.Options, files)
	if in.set == nil {
		return nil, in.results, nil
	}
	r, err := in.rule(name)
	if err != nil {
		return nil, in.results, err
	}
	return in.explain(r, o.NotCaptured), in.results, nil
}

func (in *inspection) explain(r *rule, notCaptured map[string]string) *Explanation {
	x := &Explanation{
		Rule: r.name, Place: r.first.place(), Desc: strings.TrimSpace(r.desc), Source: r.source, Priority: r.priority.String(), Tags: orEmpty(r.tags),
		Output: strings.TrimSpace(joined(r.output)), FoundBy: []Found{}, Clauses: []ExplainedClause{}, Macros: []Definition{}, Lists: []Definition{},
		Exceptions: []ExplainedException{}, Fields: []ExplainedField{}, Warnings: in.warningsOf(r), tree: r.tree,
	}
	x.Enabled, x.EnabledBy = in.enabledBy(r)
	for i := range r.condition {
		x.Written = append(x.Written, r.condition[i].written())
	}
	for _, e := range r.exceptions {
		x.Exceptions = append(x.Exceptions, ExplainedException{e.name, e.fields, e.comps, len(e.values)})
	}
	if r.tree == nil {
		x.LeftOut = "it asks for what is not known"
		if r.unknownSource {
			x.LeftOut = "its source '" + r.source + "' is not known"
		}
		return x
	}
	types := filter.EventTypes(r.tree)
	if r.made == nil {
		x.LeftOut = "it needs what is not there"
	} else {
		types = r.made.Events
		x.FoundBy = in.foundBy(r.made)
	}
	x.Compiled = filter.Print(r.tree)
	x.Events = explainEvents(r.tree, types, notCaptured)
	x.Clauses = in.clauses(r, types, x.FoundBy)
	for _, u := range in.uses(in.texts[r.src].refs) {
		if u.macro != nil {
			x.Macros = append(x.Macros, Definition{Name: u.macro.name, Place: u.macro.item.place(), By: u.by})
		} else {
			x.Lists = append(x.Lists, Definition{Name: u.list.name, Place: u.list.item.place(), By: u.by, Members: len(u.list.flat)})
		}
	}
	if r.made != nil {
		x.Fields = outputFields(r.made, types)
	}
	return x
}

func (g *segment) written() WrittenText {
	line, col := g.item.file.locate(g.place(0))
	return WrittenText{strings.TrimSpace(g.text), Place{g.item.file.Name, line, col}}
}

func outputFields(r *Rule, types filter.EventSet) []ExplainedField {
	out := []ExplainedField{}
	rows, _ := filter.RowsOf(types)
	for _, ref := range r.Output.Reads() {
		f := ExplainedField{Text: ref.Text, Lacks: ref.Why}
		if ref.Def != nil {
			f.Reads = readsOf([]filter.FieldRef{{Def: ref.Def, Arg: ref.Arg}}, rows)
		}
		out = append(out, f)
	}
	return out
}

func explainEvents(tree filter.Expr, types filter.EventSet, notCaptured map[string]string) ExplainedEvents {
	e := ExplainedEvents{All: types.Except, Rows: []string{}, Calls: []string{}}
	if types.Except {
		e.Except = types.Names
	}
	rows, calls := filter.RowsOf(types)
	for _, row := range rows {
		e.Rows = append(e.Rows, row.Name)
	}
	slices.Sort(e.Rows)
	e.Calls = orEmpty(calls)
	for _, name := range filter.Unreported(tree) {
		e.NotReported = append(e.NotReported, Reasoned{name, cmp.Or(filter.WhyUnreported(name), "no event has this name here")})
	}
	for _, name := range slices.Concat(e.Rows, e.Calls) {
		if why := notCaptured[name]; why != "" {
			e.NotCaptured = append(e.NotCaptured, Reasoned{name, why})
		}
	}
	return e
}

// warningsOf returns what was said when the rule, or a macro or list that it uses, was loaded.
func (in *inspection) warningsOf(r *rule) []string {
	about := map[string]bool{"rule " + r.name: true} // several items may have had a say
	if r.tree != nil {
		for _, u := range in.uses(in.texts[r.src].refs) {
			if u.macro != nil {
				about["macro "+u.macro.name] = true
			} else {
				about["list "+u.list.name] = true
			}
		}
	}
	out := []string{}
	for _, res := range in.results {
		for i := range res.Warnings {
			if w := &res.Warnings[i]; len(w.Where) > 0 && about[w.Where[0].ItemType+" "+w.Where[0].ItemName] {
				out = append(out, w.Line())
			}
		}
	}
	return out
}

// foundBy tells by what events of each type find the rule.
func (in *inspection) foundBy(r *Rule) []Found {
	out := []Found{}
	add := func(name string, b *batch) {
		if b == nil {
			return
		}
		i := slices.Index(b.rules, r)
		if i < 0 {
			return
		}
		fields := orEmpty(in.set.compiler.FoundBy(b.group, i))
		at := slices.IndexFunc(out, func(f Found) bool { return slices.Equal(f.Fields, fields) })
		if at < 0 {
			at = len(out)
			out = append(out, Found{Fields: fields})
		}
		out[at].Events = unite(out[at].Events, name)
	}
	for id, b := range in.set.byRow {
		add(event.Rows()[id].Name, b)
	}
	for nr, b := range in.set.native {
		add(event.SyscallName(nr, false), b)
	}
	return out
}

// clauses explains the comparisons of a rule that is asked for events of the types.
func (in *inspection) clauses(r *rule, types filter.EventSet, found []Found) []ExplainedClause {
	out := []ExplainedClause{}
	for _, c := range in.compiler.Clauses(r.tree) {
		one := ExplainedClause{
			Text: filter.Print(c.Check), Negated: c.Negated, Place: in.at(c.Check.Place()), Class: c.Class, Cost: c.Cost, check: c.Check,
		}
		if l, ok := lackOf(&c.Check.Left); ok {
			one.Lacks = l.why
		} else if c.Err != nil {
			one.Lacks = c.Err.Error()
		}
		rows, _ := filter.RowsOf(types.Both(c.Types))
		one.Reads = readsOf(c.Fields, rows)
		operand := c.Check.Left.String()
		one.LookUp = !c.Negated && slices.ContainsFunc(found, func(f Found) bool { return slices.Contains(f.Fields, operand) })
		out = append(out, one)
	}
	return out
}

// atHand says where fields of a class come from that need nothing of the probe.
var atHand = map[string]string{
	"evt": "header", "fd": "header", "fs.path": "header", "process": "process table", "user": "accounts", "group": "accounts", "container": "cgroup",
}

// readsOf is what fields read of events of the rows.
func readsOf(fields []filter.FieldRef, rows []*event.Row) Reads {
	r := Reads{Pieces: []string{}, Parameters: []string{}, From: []string{}}
	var parts event.Parts
	for _, f := range fields {
		var own event.Parts
		params := len(r.Parameters)
		for _, row := range rows {
			own |= f.Def.PartsFor(row, f.Arg)
			for i := range row.Params {
				if p := &row.Params[i]; f.Def.Reads(f.Arg, i, p.Name) {
					r.Parameters = unite(r.Parameters, p.Name)
				}
			}
		}
		parts |= own
		from := atHand[f.Def.Class]
		if from == "accounts" && !f.Def.Type.IsString() {
			from = "header" // the number itself
		}
		switch {
		case from != "header":
			r.From = unite(r.From, from)
		case own == 0 && len(r.Parameters) == params && f.Def.Needs.Parts == 0:
			r.From = unite(r.From, from)
		}
	}
	for k := event.PartNone + 1; parts>>k != 0; k++ {
		if parts.Has(k) {
			r.Pieces = append(r.Pieces, k.String())
		}
	}
	return r
}
