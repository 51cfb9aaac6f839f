// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"falconet/engine/alert"
)

var (
	appendable  = []string{"condition", "output", "desc", "tags", "exceptions"}
	replaceable = append([]string{"priority", "enabled", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration"}, appendable...)
)

func (c *collection) addRule(it *item) bool {
	ch, ok := it.changes(appendable, replaceable)
	if !ok {
		return false
	}
	old := c.ruleOf[it.name]
	if len(ch) > 0 {
		if old == nil {
			it.fail(ErrValidate, "there is no rule of this name to append to or override")
			return false
		}
		return c.changeRule(old, it, ch)
	}
	if it.keys["condition"] == nil && it.keys["output"] == nil && it.keys["desc"] == nil && it.keys["priority"] == nil {
		return c.toggleRule(old, it)
	}
	r := &rule{first: it, item: it, name: it.name, enabled: true, warnTypes: true, source: alert.SourceSyscall}
	for _, k := range []string{"condition", "output", "desc", "priority"} {
		if it.keys[k] == nil {
			it.fail(ErrYAMLValidate, "rule has no '"+k+"'")
			return false
		}
	}
	if s, has, ok := it.text("source"); !ok {
		return false
	} else if has {
		r.source = s
	}
	if r.source != alert.SourceSyscall {
		it.file.warn(UnknownSource, fmt.Sprintf("source '%s' is not known: the rule is left out", r.source), it.where())
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
		if old.source != r.source {
			it.fail(ErrValidate, fmt.Sprintf("rule is defined again with source '%s' instead of '%s'", r.source, old.source))
			return false
		}
		*old = *r
		return true
	}
	c.ruleOf[it.name] = r
	c.rules = append(c.rules, r)
	return true
}

// toggleRule is a rule with nothing but enabled.
func (c *collection) toggleRule(old *rule, it *item) bool {
	if it.keys["enabled"] == nil {
		it.fail(ErrYAMLValidate, "rule has no 'condition', 'output', 'desc' and 'priority', nor 'enabled' alone")
		return false
	}
	it.file.warn(DeprecatedItem, "'enabled' alone is deprecated: write override: {enabled: replace}", it.where())
	if old == nil {
		it.fail(ErrValidate, "there is no rule of this name to enable or disable")
		return false
	}
	on, ok := it.boolean("enabled", true)
	old.enabled = on
	return ok
}

func (c *collection) changeRule(old *rule, it *item, ch change) bool {
	if ch[""] == "append" {
		delete(ch, "")
		if ch["condition"] == "" && ch["exceptions"] == "" {
			it.fail(ErrValidate, "a rule that appends has a 'condition' or 'exceptions'")
			return false
		}
		for k := range ch {
			if k != "condition" && k != "exceptions" {
				delete(ch, k)
			}
		}
	}
	if !old.set(it, ch) {
		return false
	}
	old.item = it
	return true
}

// set takes the keys that ch names.
func (r *rule) set(it *item, ch change) bool {
	for _, step := range []func(*item, change) bool{r.setText, r.setPriority, r.setSwitches, r.setTags, r.setExceptions} {
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
		text, has, ok := it.text(k)
		if !ok {
			return false
		}
		if (!has || strings.TrimSpace(text) == "") && k != "desc" {
			it.fail(ErrYAMLValidate, "rule has an empty '"+k+"'")
			return false
		}
		switch appends := ch[k] == "append"; {
		case k == "condition" && appends:
			r.condition = append(r.condition, segment{text, it.keys[k], it.file})
		case k == "condition":
			r.condition = []segment{{text, it.keys[k], it.file}}
		case k == "output" && appends:
			r.output += " " + text
		case k == "output":
			r.output, r.outputNode = text, it.keys[k]
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
	text, _, ok := it.text("priority")
	if !ok {
		return false
	}
	p, err := alert.Parse(text)
	if err != nil {
		it.file.fail(ErrYAMLValidate, err.Error(), it.where(), at("priority", "", it.keys["priority"]))
		return false
	}
	r.priority = p
	return true
}

func (r *rule) setSwitches(it *item, ch change) bool {
	for key, to := range map[string]*bool{"enabled": &r.enabled, "warn_evttypes": &r.warnTypes, "skip-if-unknown-filter": &r.skipUnknown} {
		if ch[key] == "" {
			continue
		}
		v, ok := it.boolean(key, *to)
		if !ok {
			return false
		}
		*to = v
	}
	return true
}

func (r *rule) setTags(it *item, ch change) bool {
	if ch["tags"] == "" {
		return true
	}
	tags, _, ok := it.strings("tags")
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
