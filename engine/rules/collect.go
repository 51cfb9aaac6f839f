// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"falconet/engine/alert"
	"falconet/engine/filter"

	"go.yaml.in/yaml/v3"
)

// collection is what the files say, in the order in which names first appear.
type collection struct {
	items   []*item
	lists   []*list
	macros  []*macro
	rules   []*rule
	listOf  map[string]*list
	macroOf map[string]*macro
	ruleOf  map[string]*rule
	needs   requirements
}

type list struct {
	item  *item
	name  string
	items []string
	flat  []string // with the members of other lists in place of their names
	err   error    // why there is no flat, once that is known
	used  bool
}

type macro struct {
	item      *item
	name      string
	condition []segment
	used      bool
	tree      filter.Expr // with lists and macros in it
	err       error       // why there is no tree, once that is known
	refs
	nodes, depth int
}

type rule struct {
	first         *item // that defined it
	item          *item // that was the last to say something of it
	name          string
	condition     []segment
	output, desc  string
	priority      alert.Priority
	source        string
	enabled       bool
	warnTypes     bool
	skipUnknown   bool
	tags          []string
	exceptions    []*exception
	outputNode    *yaml.Node
	unknownSource bool
	tree          filter.Expr // the condition with lists, macros and exceptions in it, nil before it is made
	src           int         // its text
	made          *Rule       // nil for a rule that is left out
}

func newCollection() *collection {
	return &collection{listOf: map[string]*list{}, macroOf: map[string]*macro{}, ruleOf: map[string]*rule{}}
}

// keysOf are the keys that each kind of item may have.
var keysOf = map[string][]string{
	"list":  {"list", "items", "append", "override"},
	"macro": {"macro", "condition", "append", "override"},
	"rule": {
		"rule", "condition", "output", "desc", "priority", "source", "enabled", "warn_evttypes", "skip-if-unknown-filter", "tags",
		"exceptions", "append", "override", "capture", "capture_duration",
	},
	"required_engine_version":  {"required_engine_version"},
	"required_plugin_versions": {"required_plugin_versions"},
}

var (
	macroName = regexp.MustCompile(`^[a-zA-Z]+[a-zA-Z0-9_]*$`)
	listName  = regexp.MustCompile(`^[^()"'[:space:]=,]+$`)
)

// add takes one item. It is false, and the reason noted, when the item is not valid.
func (c *collection) add(it *item) bool {
	for _, k := range slices.Sorted(maps.Keys(it.keys)) {
		if !slices.Contains(keysOf[it.kind], k) {
			it.file.warn(UnknownKey, fmt.Sprintf("key '%s' is not known in a %s", k, it.kind), it.where(), at(k, "", it.keys[k]))
		}
	}
	switch it.kind {
	case "required_engine_version":
		return c.checkEngine(it)
	case "required_plugin_versions":
		return c.checkPlugins(it)
	case "list":
		return c.addList(it)
	case "macro":
		return c.addMacro(it)
	}
	return c.addRule(it)
}

// change says how an item changes the one of the same name: key by key, or all of it anew when it is empty.
type change map[string]string

// changes reads append and override.
func (it *item) changes(appendable, replaceable []string) (ch change, ok bool) {
	ch = change{}
	appends, ok := it.boolean("append", false)
	if !ok {
		return nil, false
	}
	n := it.keys["override"]
	if n == nil {
		if appends {
			it.file.warn(DeprecatedItem, "'append' is deprecated: write override with the keys to append", it.where())
			for _, k := range appendable {
				if it.keys[k] != nil {
					ch[k] = "append"
				}
			}
			ch[""] = "append"
		}
		return ch, true
	}
	if appends {
		it.fail(ErrValidate, "an item has either 'append' or 'override'")
		return nil, false
	}
	if n.Kind != yaml.MappingNode {
		it.file.fail(ErrYAMLValidate, "'override' is a map of keys to append or replace", it.where(), at("override", "", n))
		return nil, false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, how := n.Content[i].Value, resolve(n.Content[i+1]).Value
		switch {
		case how == "append" && slices.Contains(appendable, key), how == "replace" && slices.Contains(replaceable, key):
		default:
			it.file.fail(ErrValidate, fmt.Sprintf("key '%s' cannot be overridden by '%s'", key, how), it.where(), at("override", key, n.Content[i]))
			return nil, false
		}
		if it.keys[key] == nil {
			it.file.fail(ErrValidate, fmt.Sprintf("override names '%s', which the item does not have", key), it.where(), at("override", key, n.Content[i]))
			return nil, false
		}
		ch[key] = how
	}
	for _, k := range append(slices.Clone(replaceable), appendable...) {
		if it.keys[k] != nil && ch[k] == "" {
			it.fail(ErrValidate, fmt.Sprintf("key '%s' is not named in override", k))
			return nil, false
		}
	}
	return ch, true
}

func (c *collection) addList(it *item) bool {
	items, has, ok := it.strings("items")
	if !ok {
		return false
	}
	if !has {
		it.fail(ErrYAMLValidate, "list has no 'items'")
		return false
	}
	if !listName.MatchString(it.name) {
		it.file.warn(InvalidListName, "no condition can name this list", it.where())
	}
	ch, ok := it.changes([]string{"items"}, []string{"items"})
	if !ok {
		return false
	}
	for i, v := range items {
		items[i] = unquote(v)
	}
	old := c.listOf[it.name]
	if len(ch) > 0 && old == nil {
		it.fail(ErrValidate, "there is no list of this name to append to or override")
		return false
	}
	switch {
	case old == nil:
		old = &list{name: it.name}
		c.listOf[it.name] = old
		c.lists = append(c.lists, old)
		old.items = items
	case ch["items"] == "append":
		old.items = append(old.items, items...)
	default:
		old.items = items
	}
	old.item = it
	return true
}

// unquote takes the quotes off an item that is written with quotes of its own.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

func (c *collection) addMacro(it *item) bool {
	text, has, ok := it.text("condition")
	if !ok {
		return false
	}
	if !has || strings.TrimSpace(text) == "" {
		it.fail(ErrYAMLValidate, "macro has no 'condition'")
		return false
	}
	if !macroName.MatchString(it.name) {
		it.file.warn(InvalidMacroName, "no condition can name this macro", it.where())
	}
	ch, ok := it.changes([]string{"condition"}, []string{"condition"})
	if !ok {
		return false
	}
	part := segment{text, it.keys["condition"], it.file}
	old := c.macroOf[it.name]
	if len(ch) > 0 && old == nil {
		it.fail(ErrValidate, "there is no macro of this name to append to or override")
		return false
	}
	switch {
	case old == nil:
		old = &macro{name: it.name, condition: []segment{part}}
		c.macroOf[it.name] = old
		c.macros = append(c.macros, old)
	case ch["condition"] == "append":
		old.condition = append(old.condition, part)
	default:
		old.condition = []segment{part}
	}
	old.item = it
	return true
}

// joined is the text of segments as appending makes it.
func joined(parts []segment) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = strings.TrimSpace(p.text)
	}
	return strings.Join(texts, " ")
}
