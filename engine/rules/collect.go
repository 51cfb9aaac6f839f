// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"fmt"
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
	sources []*source
	refused []*source // files that could not be read to their end
}

type list struct {
	item  *item
	name  string
	items []string // as written
	flat  []string // with the members of other lists in place of their names
	busy  bool     // flat is being made
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
	output        []segment
	desc          string
	priority      alert.Priority
	source        string
	enabled       bool
	warnTypes     bool
	skipUnknown   bool
	tags          []string
	exceptions    []*exception
	unknownSource bool
	recording
	tree filter.Expr // the condition with lists, macros and exceptions in it, nil before it is made
	src  int         // its text
	made *Rule       // nil for a rule that is left out
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
	ok := false
	switch it.kind {
	case "required_engine_version":
		ok = c.checkEngine(it)
	case "required_plugin_versions":
		ok = c.checkPlugins(it)
	case "list":
		ok = c.addList(it)
	case "macro":
		ok = c.addMacro(it)
	default:
		ok = c.addRule(it)
	}
	if ok {
		it.warnUnknown(it.inOrder(), keysOf[it.kind], it.kind)
	}
	return ok
}

// warnUnknown warns of labels that are no keys of what.
func (it *item) warnUnknown(labels []*yaml.Node, known []string, what string, where ...Location) {
	for _, l := range labels {
		if !slices.Contains(known, l.Value) {
			msg := fmt.Sprintf("key '%s' is not known in %s %s: it is ignored%s", l.Value, article(what), what, didYouMean(l.Value, known))
			it.file.warn(UnknownKey, msg, append(append([]Location{it.where()}, where...), at("key", l.Value, l))...)
		}
	}
}

func article(word string) string {
	if strings.IndexByte("aeiou", word[0]) >= 0 {
		return "an"
	}
	return "a"
}

// mayDefine reports whether a file that was not read to its end could have defined the name.
func (c *collection) mayDefine(name string) bool {
	return slices.ContainsFunc(c.refused, func(s *source) bool { return s.Err != nil || bytes.Contains(s.Data, []byte(name)) })
}

// failNoPrevious notes that there is nothing to change, unless what there was is in a file that was refused: then that is enough to say.
func (c *collection) failNoPrevious(it *item, names []string) bool {
	if !c.mayDefine(it.name) {
		it.fail(ErrValidate, fmt.Sprintf("there is no %s of this name to append to or override%s", it.kind, didYouMean(it.name, names)))
	}
	return false
}

func (c *collection) addList(it *item) bool {
	if !it.has("items") {
		it.fail(ErrYAMLValidate, "list has no 'items'")
		return false
	}
	items, ok := it.strings("items")
	if !ok {
		return false
	}
	if !listName.MatchString(it.name) {
		it.file.warn(InvalidListName, "the name of a list is one word without ( ) , = and quotes", at("list", it.name, it.keys["list"]))
	}
	ch, ok := it.changes([]string{"items"}, []string{"items"})
	if !ok {
		return false
	}
	old := c.listOf[it.name]
	if old == nil {
		if ch["items"] == "append" {
			return c.failNoPrevious(it, names(c.lists))
		}
		old = &list{name: it.name}
		c.listOf[it.name] = old
		c.lists = append(c.lists, old)
	}
	if ch["items"] == "append" {
		old.items = append(old.items, items...)
	} else {
		old.items = items
	}
	old.item = it
	return true
}

func (c *collection) addMacro(it *item) bool {
	text, ok := it.text("condition")
	if !ok {
		return false
	}
	if !macroName.MatchString(it.name) {
		it.file.warn(InvalidMacroName, "the name of a macro is letters, digits and _, a letter first: no condition can name this one", at("macro", it.name, it.keys["macro"]))
	}
	ch, ok := it.changes([]string{"condition"}, []string{"condition"})
	if !ok {
		return false
	}
	part := segment{text, it.keys["condition"], it}
	old := c.macroOf[it.name]
	if old == nil {
		if ch["condition"] == "append" {
			return c.failNoPrevious(it, names(c.macros))
		}
		old = &macro{name: it.name}
		c.macroOf[it.name] = old
		c.macros = append(c.macros, old)
	}
	if ch["condition"] == "append" {
		old.condition = append(old.condition, part)
	} else {
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

func (l *list) called() string  { return l.name }
func (m *macro) called() string { return m.name }
func (r *rule) called() string  { return r.name }

func names[T interface{ called() string }](of []T) []string {
	out := make([]string, len(of))
	for i, x := range of {
		out[i] = x.called()
	}
	return out
}
