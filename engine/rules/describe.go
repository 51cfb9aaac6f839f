// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/filter"
)

// Description is what -L and -l print as JSON.
type Description struct {
	Lists  []ListDescription  `json:"lists,omitempty"`
	Macros []MacroDescription `json:"macros,omitempty"`
	Engine string             `json:"required_engine_version,omitempty"`
	Rules  []RuleDescription  `json:"rules"`
}

// RuleDescription is one rule of a Description.
type RuleDescription struct {
	Details RuleDetails `json:"details"`
	Info    RuleInfo    `json:"info"`
}

// RuleInfo is what the file says.
type RuleInfo struct {
	Condition   string   `json:"condition"`
	Description string   `json:"description"`
	Enabled     bool     `json:"enabled"`
	Name        string   `json:"name"`
	Output      string   `json:"output"`
	Priority    string   `json:"priority"`
	Source      string   `json:"source"`
	Tags        []string `json:"tags"`
}

// RuleDetails is what became of it.
type RuleDetails struct {
	Compiled     string   `json:"condition_compiled"`
	Fields       []string `json:"condition_fields"`
	Operators    []string `json:"condition_operators"`
	Events       []string `json:"events"`
	Lists        []string `json:"lists"`
	Macros       []string `json:"macros"`
	Output       string   `json:"output_compiled"`
	OutputFields []string `json:"output_fields"`
	Plugins      []string `json:"plugins"`
}

// MacroDescription is one macro of a Description.
type MacroDescription struct {
	Info struct {
		Condition string `json:"condition"`
		Name      string `json:"name"`
	} `json:"info"`
	Details struct {
		Used bool `json:"used"`
	} `json:"details"`
}

// ListDescription is one list of a Description.
type ListDescription struct {
	Info struct {
		Items []string `json:"items"`
		Name  string   `json:"name"`
	} `json:"info"`
	Details struct {
		Used bool `json:"used"`
	} `json:"details"`
}

// Describe describes the named rule, or everything when name is "".
func Describe(s *Set, name string) (*Description, error) {
	d := &Description{Rules: []RuleDescription{}}
	for _, r := range s.Rules {
		if name == "" || r.Name == name {
			d.Rules = append(d.Rules, r.describe(s))
		}
	}
	if name != "" {
		if len(d.Rules) == 0 {
			return nil, fmt.Errorf("there is no rule named '%s'", name)
		}
		return d, nil
	}
	d.Engine = EngineVersion
	for _, m := range s.macros {
		var out MacroDescription
		out.Info.Name, out.Info.Condition, out.Details.Used = m.name, joined(m.condition), m.used
		d.Macros = append(d.Macros, out)
	}
	for _, l := range s.lists {
		var out ListDescription
		out.Info.Name, out.Info.Items, out.Details.Used = l.name, l.items, l.used
		if out.Info.Items == nil {
			out.Info.Items = []string{}
		}
		d.Lists = append(d.Lists, out)
	}
	return d, nil
}

func (r *Rule) describe(s *Set) RuleDescription {
	out := RuleDescription{Info: RuleInfo{
		Condition: r.Condition, Description: r.Desc, Enabled: r.Enabled, Name: r.Name, Output: r.Output.String(),
		Priority: r.Priority.String(), Source: r.Source, Tags: orEmpty(r.Tags),
	}}
	det := &out.Details
	det.Compiled, det.Operators, det.Output, det.Plugins = r.Compiled, orEmpty(r.operators), r.Output.String(), []string{}
	for _, f := range r.fields {
		det.Fields = append(det.Fields, f.Text)
	}
	for _, f := range r.Output.Refs() {
		det.OutputFields = append(det.OutputFields, f.Text)
	}
	if !r.Events.Except {
		det.Events = r.Events.Names
	}
	det.Macros, det.Lists = s.names(r.Condition)
	det.Fields, det.OutputFields, det.Events = orEmpty(det.Fields), orEmpty(det.OutputFields), orEmpty(det.Events)
	return out
}

// names returns the macros and lists that a condition names itself.
func (s *Set) names(condition string) (macros, lists []string) {
	macros, lists = []string{}, []string{}
	e, err := filter.Parse(condition)
	if err != nil {
		return macros, lists
	}
	filter.Walk(e, func(e filter.Expr) bool {
		switch e := e.(type) {
		case *filter.Macro:
			if !slices.Contains(macros, e.Name) {
				macros = append(macros, e.Name)
			}
		case *filter.Check:
			for _, v := range e.Values {
				named := slices.ContainsFunc(s.lists, func(l *list) bool { return l.name == v.Text })
				if named && !slices.Contains(lists, v.Text) {
					lists = append(lists, v.Text)
				}
			}
		}
		return true
	})
	return macros, lists
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// Schema is the JSON Schema of rule files, as far as it says more than that they are sequences of maps.
var Schema = schema()

func schema() string {
	var props []string
	for _, kind := range kinds {
		for _, k := range keysOf[kind] {
			p := fmt.Sprintf("      %q: {}", k)
			if !slices.Contains(props, p) {
				props = append(props, p)
			}
		}
	}
	return `{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "rules file",
  "type": "array",
  "items": {
    "type": "object",
    "additionalProperties": false,
    "properties": {
` + strings.Join(props, ",\n") + `
    }
  }
}
`
}
