// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// change says for each key whether an item appends to, or replaces, what the one of the same name has. It is empty for an item that
// defines anew.
type change map[string]string

// changes reads append and override.
func (it *item) changes(appendable, replaceable []string) (ch change, ok bool) {
	appends, ok := it.boolean("append", false)
	if !ok {
		return nil, false
	}
	if appends {
		it.file.warn(DeprecatedItem, "'append' is deprecated: write override with the keys to append", it.where(), at("append", "", it.labels["append"]))
	}
	ch, ok = it.overrides(appendable, replaceable)
	switch {
	case !ok:
		return nil, false
	case !appends:
		return ch, true
	case len(ch) > 0:
		it.file.fail(ErrYAMLValidate, "an item has either 'append' or 'override'", it.where(), at("override", "", it.labels["override"]))
		return nil, false
	}
	for _, k := range appendable {
		if it.has(k) {
			ch[k] = "append"
		}
	}
	return ch, true
}

// overrides reads the key override. Falco passes over one that is no map.
func (it *item) overrides(appendable, replaceable []string) (ch change, ok bool) {
	ch = change{}
	n := it.keys["override"]
	switch {
	case n == nil:
		return ch, true
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		it.failKey(ErrValidate, "override", "'override' is a map of keys to append or replace")
		return nil, false
	case n.Kind != yaml.MappingNode || len(n.Content) == 0:
		it.file.warn(NoEffect, "'override' names no key: it has no effect", it.where(), at("override", "", it.labels["override"]))
		return ch, true
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		label, value := resolve(n.Content[i]), resolve(n.Content[i+1])
		key, how := label.Value, value.Value
		if ch[key] != "" {
			it.file.warn(NoEffect, "key '"+key+"' is there twice: the first counts", it.where(), at("override", key, label))
			continue
		}
		if msg, at := it.badOverride(label, value, appendable, replaceable); msg != "" {
			it.file.fail(ErrYAMLValidate, msg, it.where(), at)
			return nil, false
		}
		ch[key] = how
	}
	return ch, true
}

// badOverride says what is wrong with one entry of override, and where.
func (it *item) badOverride(label, value *yaml.Node, appendable, replaceable []string) (string, Location) {
	key, how := label.Value, value.Value
	appends, replaces := slices.Contains(appendable, key), slices.Contains(replaceable, key)
	on := at("override", key, label)
	switch {
	case how != "append" && how != "replace":
		return fmt.Sprintf("'%s' is neither append nor replace%s", how, didYouMean(how, []string{"append", "replace"})), at("override", key, value)
	case !appends && !replaces:
		return fmt.Sprintf("key '%s' cannot be overridden%s", key, didYouMean(key, replaceable)), on
	case how == "append" && !appends:
		return fmt.Sprintf("key '%s' can only be replaced, not appended to", key), at("override", key, value)
	case !it.has(key):
		return fmt.Sprintf("override names '%s', which the item does not have", key), on
	}
	return "", on
}

// notNamed checks that every key which could be overridden is: what the others should do would not be clear.
func (it *item) notNamed(ch change, replaceable []string) bool {
	for _, l := range it.inOrder() {
		if slices.Contains(replaceable, l.Value) && ch[l.Value] == "" {
			it.file.fail(ErrYAMLValidate, fmt.Sprintf("key '%s' is not named in override", l.Value), it.where(), at("key", l.Value, l))
			return false
		}
	}
	return true
}

// warnNoEffect warns of keys that say nothing where they stand. Keys that the item does not have are left out.
func (it *item) warnNoEffect(keys []string, why string) {
	var there []string
	var first Location
	for _, l := range it.inOrder() {
		if slices.Contains(keys, l.Value) {
			if there = append(there, "'"+l.Value+"'"); len(there) == 1 {
				first = at("key", l.Value, l)
			}
		}
	}
	if len(there) > 0 {
		it.file.warn(NoEffect, strings.Join(there, ", ")+" "+why, it.where(), first)
	}
}
