// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"falconet/engine/alert"
)

var (
	appendable  = []string{"condition", "output", "desc", "tags", "exceptions"}
	replaceable = append([]string{"priority", "enabled", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration"}, appendable...)
)

func (c *collection) addRule(it *item) bool {
	source, ok := it.ruleSource()
	if !ok {
		return false
	}
	appends, ok := it.boolean("append", false)
	if !ok {
		return false
	}
	ch, ok := it.changes(appendable, replaceable)
	if !ok {
		return false
	}
	old := c.ruleOf[it.name]
	switch {
	case len(ch) > 0 || appends:
		return c.changeRule(old, it, ch, source, appends)
	case !it.has("condition") && !it.has("output") && !it.has("desc") && !it.has("priority"):
		return c.toggleRule(old, it)
	}
	return c.defineRule(old, it, source)
}

// ruleSource returns the source that a rule names, "" for none. Only what changes a rule may leave it empty.
func (it *item) ruleSource() (string, bool) {
	n := it.keys["source"]
	if n == nil || notScalar(n) == "is empty" {
		return "", true
	}
	return it.text("source")
}

func (c *collection) defineRule(old *rule, it *item, source string) bool {
	r := &rule{first: it, item: it, name: it.name, enabled: true, warnTypes: true, source: source}
	for _, k := range []string{"condition", "output", "desc", "priority"} {
		if !it.has(k) {
			it.fail(ErrYAMLValidate, "rule has no '"+k+"'")
			return false
		}
	}
	switch {
	case it.has("source") && source == "":
		it.failKey(ErrYAMLValidate, "source", "'source' is empty")
		return false
	case source == "":
		r.source = alert.SourceSyscall
	case source != alert.SourceSyscall:
		msg := fmt.Sprintf("source '%s' is not known: the rule is left out%s", source, didYouMean(source, []string{alert.SourceSyscall}))
		it.file.warn(UnknownSource, msg, it.where(), at("source", "", it.keys["source"]))
		r.unknownSource = true
	}
	all := change{}
	for k := range it.keys {
		all[k] = "replace"
	}
	if !r.set(it, all) {
		return false
	}
	if old != nil {
		if !old.sameSource(it, r.source) {
			return false
		}
		*old = *r
		return true
	}
	c.ruleOf[it.name] = r
	c.rules = append(c.rules, r)
	return true
}

// sameSource checks that a rule is not said to be of another source than before. An item need not name one.
func (r *rule) sameSource(it *item, source string) bool {
	if source == "" || source == r.source {
		return true
	}
	where := []Location{it.where()}
	if it.has("source") {
		where = append(where, at("source", "", it.keys["source"]))
	}
	it.file.fail(ErrValidate, fmt.Sprintf("the rule was defined with source '%s', here it has '%s'", r.source, source), where...)
	return false
}

// toggleRule is a rule with nothing but enabled.
func (c *collection) toggleRule(old *rule, it *item) bool {
	if !it.has("enabled") {
		it.fail(ErrYAMLValidate, "rule has no 'condition', 'output', 'desc' and 'priority', nor 'enabled' alone")
		return false
	}
	on, ok := it.boolean("enabled", true)
	if !ok {
		return false
	}
	it.file.warn(DeprecatedItem, "'enabled' alone is deprecated: write override: {enabled: replace}", it.where(), at("enabled", "", it.labels["enabled"]))
	it.warnNoEffect(append([]string{"source"}, without(replaceable, "enabled")...), "has no effect where 'enabled' stands alone")
	if old == nil {
		return c.failNoPrevious(it, names(c.rules))
	}
	old.enabled = on
	return true
}

func (c *collection) changeRule(old *rule, it *item, ch change, source string, appends bool) bool {
	switch {
	case old == nil:
		return c.failNoPrevious(it, names(c.rules))
	case (appends || ch["condition"] != "") && !old.sameSource(it, source):
		return false
	case !appends:
		if !it.notNamed(ch, replaceable) {
			return false
		}
	case !it.has("condition") && !it.has("exceptions"):
		it.fail(ErrValidate, "a rule that appends has a 'condition' or 'exceptions'")
		return false
	default:
		it.warnNoEffect(without(replaceable, "condition", "exceptions"), "has no effect with 'append': write override")
		for _, k := range without(appendable, "condition", "exceptions") {
			delete(ch, k)
		}
	}
	if !old.set(it, ch) {
		return false
	}
	old.item = it
	return true
}

func without(list []string, drop ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(drop, s) })
}

// set takes the keys that ch names.
func (r *rule) set(it *item, ch change) bool {
	for _, step := range []func(*item, change) bool{r.setText, r.setPriority, r.setSwitches, r.setCapture, r.setTags, r.setExceptions} {
		if !step(it, ch) {
			return false
		}
	}
	return true
}

func (r *rule) setText(it *item, ch change) bool {
	for _, k := range []string{"condition", "output", "desc"} {
		if ch[k] == "" {
			continue
		}
		text, ok := it.text(k)
		if !ok {
			return false
		}
		switch appends := ch[k] == "append"; {
		case k == "condition" && appends:
			r.condition = append(r.condition, segment{text, it.keys[k], it})
		case k == "condition":
			r.condition = []segment{{text, it.keys[k], it}}
		case k == "output" && appends:
			r.output = append(r.output, segment{text, it.keys[k], it})
		case k == "output":
			r.output = []segment{{text, it.keys[k], it}}
		case appends:
			r.desc += " " + text
		default:
			r.desc = text
		}
	}
	return true
}

func (r *rule) setPriority(it *item, ch change) bool {
	if ch["priority"] == "" {
		return true
	}
	text, ok := it.text("priority")
	if !ok {
		return false
	}
	p, err := alert.Parse(text)
	if err != nil {
		it.failKey(ErrYAMLValidate, "priority", err.Error()+didYouMean(strings.ToLower(text), priorities()))
		return false
	}
	r.priority = p
	return true
}

func priorities() (names []string) {
	for _, p := range alert.Priorities() {
		names = append(names, strings.ToLower(p.String()))
	}
	return names
}

func (r *rule) setSwitches(it *item, ch change) bool {
	for _, s := range []struct {
		key string
		to  *bool
	}{{"enabled", &r.enabled}, {"warn_evttypes", &r.warnTypes}, {"skip-if-unknown-filter", &r.skipUnknown}} {
		if ch[s.key] == "" {
			continue
		}
		v, ok := it.boolean(s.key, *s.to)
		if !ok {
			return false
		}
		*s.to = v
	}
	return true
}

// recording is what a rule wants recorded of its events.
type recording struct {
	capture  bool
	duration uint32 // in milliseconds
}

// Capture tells whether the rule asks for the events around its alerts to be recorded, and for how long; 0 where it does not say.
func (r *recording) Capture() (on bool, window time.Duration) {
	return r.capture, time.Duration(r.duration) * time.Millisecond
}

// setCapture takes what is recorded into a file when the rule matches.
func (r *rule) setCapture(it *item, ch change) bool {
	if ch["capture"] != "" {
		on, ok := it.boolean("capture", false)
		if !ok {
			return false
		}
		r.capture = on
	}
	if ch["capture_duration"] != "" {
		text, ok := it.text("capture_duration")
		if !ok {
			return false
		}
		if r.duration, ok = parseUint(text); !ok {
			it.failKey(ErrYAMLValidate, "capture_duration", "'capture_duration' is a number of milliseconds")
			return false
		}
	}
	return true
}

func (r *rule) setTags(it *item, ch change) bool {
	if ch["tags"] == "" {
		return true
	}
	tags, ok := it.strings("tags")
	if !ok {
		return false
	}
	if ch["tags"] == "append" {
		tags = append(slices.Clone(r.tags), tags...)
	}
	slices.Sort(tags)
	r.tags = slices.Compact(tags)
	return true
}
