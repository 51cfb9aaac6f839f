// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"

	"falconet/engine/event"
	"falconet/engine/filter"
)

// requirements are what files said that they need.
type requirements struct {
	engine  string
	plugins []Plugin
}

// Plugin is one requirement of a plugin, and what would do as well: in JSON a list for a requirement, and nothing for an alternative.
type Plugin struct {
	Alternatives []Plugin `json:"alternatives,omitzero"`
	Name         string   `json:"name"`
	Version      string   `json:"version"`
}

// Description is what -L and -l print as JSON: all of a set, or Rules alone. Keys are in byte order, as Falco writes them.
type Description struct {
	Lists   []ListDescription  `json:"lists,omitzero"`
	Macros  []MacroDescription `json:"macros,omitzero"`
	Engine  string             `json:"required_engine_version,omitempty"` // "0.0.0" when no file asks for one
	Plugins []Plugin           `json:"required_plugin_versions,omitzero"`
	Rules   []RuleDescription  `json:"rules"`
}

// RuleDescription is one rule of a Description.
type RuleDescription struct {
	Details RuleDetails `json:"details"`
	Info    RuleInfo    `json:"info"`
}

// RuleInfo is what the file says.
type RuleInfo struct {
	Capture     bool     `json:"capture"`
	Duration    uint32   `json:"capture_duration"`
	Condition   string   `json:"condition"`
	Description string   `json:"description"`
	Enabled     bool     `json:"enabled"`
	Name        string   `json:"name"`
	Output      string   `json:"output"`
	Priority    string   `json:"priority"`
	Source      string   `json:"source"`
	Tags        []string `json:"tags"`
}

// RuleDetails is what became of it. Macros and Lists are those that the condition names itself; the rest is of the whole condition. Extra
// are the fields of alerts that the options add under a name of their own.
type RuleDetails struct {
	Compiled           string            `json:"condition_compiled"`
	Fields             []string          `json:"condition_fields"`
	Operators          []string          `json:"condition_operators"`
	Events             []string          `json:"events"`
	ExceptionFields    []string          `json:"exception_fields"`
	ExceptionNames     []string          `json:"exception_names"`
	ExceptionOperators []string          `json:"exception_operators"`
	Extra              map[string]string `json:"extra_output_formatted_fields,omitempty"`
	Lists              []string          `json:"lists"`
	Macros             []string          `json:"macros"`
	Output             string            `json:"output_compiled"`
	OutputFields       []string          `json:"output_fields"`
	Plugins            []string          `json:"plugins"`
}

// MacroDescription is one macro of a Description.
type MacroDescription struct {
	Details struct {
		Compiled  string   `json:"condition_compiled"`
		Fields    []string `json:"condition_fields"`
		Operators []string `json:"condition_operators"`
		Events    []string `json:"events"`
		Lists     []string `json:"lists"`
		Macros    []string `json:"macros"`
		Plugins   []string `json:"plugins"`
		Used      bool     `json:"used"`
	} `json:"details"`
	Info struct {
		Condition string `json:"condition"`
		Name      string `json:"name"`
	} `json:"info"`
}

// ListDescription is one list of a Description. Items are what the file has in it apart from the names of other lists, which are in Lists.
type ListDescription struct {
	Details struct {
		Compiled []string `json:"items_compiled"`
		Lists    []string `json:"lists"`
		Plugins  []string `json:"plugins"`
		Used     bool     `json:"used"`
	} `json:"details"`
	Info struct {
		Items []string `json:"items"`
		Name  string   `json:"name"`
	} `json:"info"`
}

// Describe describes the named rule, or everything when name is "".
func Describe(s *Set, name string) (*Description, error) {
	d := &Description{Rules: []RuleDescription{}}
	for _, r := range s.Rules {
		if name == "" || r.Name == name {
			d.Rules = append(d.Rules, r.describe())
		}
	}
	if name != "" {
		if len(d.Rules) == 0 {
			return nil, fmt.Errorf("there is no rule named '%s': falconet -L lists the rules", name)
		}
		return d, nil
	}
	d.Lists, d.Macros, d.Plugins = []ListDescription{}, []MacroDescription{}, []Plugin{}
	if d.Engine = s.needs.engine; d.Engine == "" {
		d.Engine = "0.0.0"
	}
	for _, p := range s.needs.plugins {
		p.Alternatives = orEmpty(p.Alternatives)
		d.Plugins = append(d.Plugins, p)
	}
	for _, m := range s.macros {
		d.Macros = append(d.Macros, m.describe())
	}
	for _, l := range s.lists {
		d.Lists = append(d.Lists, s.describeList(l))
	}
	return d, nil
}

func (r *Rule) describe() RuleDescription {
	d := RuleDetails{
		Compiled: r.Compiled, Fields: texts(r.fields), Operators: orEmpty(r.operators), Events: eventNames(r.Events),
		ExceptionFields: []string{}, ExceptionNames: []string{}, ExceptionOperators: []string{}, Lists: orEmpty(r.lists), Macros: orEmpty(r.macros),
		Extra: r.Output.Texts(), Output: r.Output.String(), OutputFields: []string{}, Plugins: []string{},
	}
	for _, e := range r.exceptions {
		d.ExceptionNames = unite(d.ExceptionNames, e.name)
		d.ExceptionFields = unite(d.ExceptionFields, e.fields...)
		d.ExceptionOperators = unite(d.ExceptionOperators, e.comps...)
	}
	for _, f := range r.Output.Reads() {
		d.OutputFields = append(d.OutputFields, f.Text)
	}
	return RuleDescription{Details: d, Info: RuleInfo{
		Capture: r.capture, Duration: r.duration, Condition: r.Condition, Description: r.Desc, Enabled: r.Enabled, Name: r.Name, Output: r.output, Priority: r.Priority.String(),
		Source: r.Source, Tags: orEmpty(r.Tags),
	}}
}

func (m *macro) describe() (d MacroDescription) {
	d.Info.Condition, d.Info.Name = joined(m.condition), m.name
	d.Details.Compiled, d.Details.Fields, d.Details.Operators = filter.Print(m.tree), texts(filter.Fields(m.tree)), orEmpty(filter.Operators(m.tree))
	d.Details.Events, d.Details.Lists, d.Details.Macros = eventNames(filter.EventTypes(m.tree)), orEmpty(m.lists), orEmpty(m.macros)
	d.Details.Plugins, d.Details.Used = []string{}, m.used
	return d
}

func (s *Set) describeList(l *list) (d ListDescription) {
	d.Info.Items, d.Info.Name = []string{}, l.name
	d.Details.Compiled, d.Details.Lists, d.Details.Plugins, d.Details.Used = orEmpty(l.flat), []string{}, []string{}, l.used
	for _, it := range l.items {
		if slices.ContainsFunc(s.lists, func(o *list) bool { return o.name == it && o != l }) {
			d.Details.Lists = unite(d.Details.Lists, it)
		} else {
			d.Info.Items = append(d.Info.Items, it)
		}
	}
	return d
}

// orEmpty makes an empty list of none, so that JSON has a list.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func unite(to []string, more ...string) []string {
	for _, m := range more {
		if !slices.Contains(to, m) {
			to = append(to, m)
		}
	}
	return to
}

func texts(refs []filter.FieldRef) []string {
	out := []string{}
	for _, r := range refs {
		out = append(out, r.Text)
	}
	return out
}

// eventNames lists the event types of a set.
func eventNames(s filter.EventSet) []string {
	out := []string{}
	for i := range event.Rows() {
		row := &event.Rows()[i]
		if i > 0 && !row.Internal() && row.ID != event.Generic && s.Has(row.Name) {
			out = append(out, row.Name)
		}
	}
	event.SyscallNames(func(name string, nr64, nr32 int) bool {
		generic := nr64 >= 0 && event.ByNumber(nr64, false) == event.Generic || nr32 >= 0 && event.ByNumber(nr32, true) == event.Generic
		if generic && s.Has(name) {
			out = append(out, name)
		}
		return true
	})
	slices.Sort(out)
	return slices.Compact(out)
}
