// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"slices"
	"strings"
)

// fixed are the keys, each with all below it, that take effect when the program starts and not before: sizes of what is there already, and
// who writes messages.
var fixed = []string{
	"engine", "capture", "falco_libs", "memory", "container_engines", "outputs_queue", "log_stderr", "log_syslog", "log_level", "log_format",
}

// Fixed returns the keys of next whose values differ from those of c and that a program which runs with c cannot take over.
func (c *Config) Fixed(next *Config) (keys []string) {
	old := make(map[string]any)
	c.Each(func(key string, v reflect.Value) { old[key] = v.Interface() })
	next.Each(func(key string, v reflect.Value) {
		within := slices.ContainsFunc(fixed, func(f string) bool { return key == f || strings.HasPrefix(key, f+".") })
		if within && !reflect.DeepEqual(old[key], v.Interface()) {
			keys = append(keys, key)
		}
	})
	slices.Sort(keys)
	return keys
}

// Each calls fn for every key that has a value of its own.
func (c *Config) Each(fn func(key string, v reflect.Value)) { each(reflect.ValueOf(c).Elem(), "", fn) }

func each(v reflect.Value, prefix string, fn func(string, reflect.Value)) {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("koanf"), ",")
		switch f := v.Field(i); {
		case options == "squash":
			each(f, prefix, fn)
		case name == "-" || name == "":
		case f.Kind() == reflect.Struct:
			each(f, prefix+name+".", fn)
		default:
			fn(prefix+name, f)
		}
	}
}
