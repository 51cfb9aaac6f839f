// SPDX-License-Identifier: Apache-2.0

package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// fixed are the keys, each with all below it, that take effect when the program starts and not before: sizes of what is there already, and
// who writes messages.
var fixed = []string{
	"engine", "capture", "falco_libs", "memory", "container_engines", "outputs_queue", "log_stderr", "log_syslog", "log_level", "log_format", "syscall_event_timeouts",
}

// Fixed returns the keys of next whose values differ from those of c and that a program which runs with c cannot take over.
func (c *Config) Fixed(next *Config) (keys []string) {
	old, now := make(map[string]any), make(map[string]any)
	flatten(reflect.ValueOf(*c), "", old)
	flatten(reflect.ValueOf(*next), "", now)
	for _, key := range slices.Sorted(maps.Keys(now)) {
		within := slices.ContainsFunc(fixed, func(f string) bool { return key == f || strings.HasPrefix(key, f+".") })
		if within && !reflect.DeepEqual(old[key], now[key]) {
			keys = append(keys, key)
		}
	}
	return keys
}

// flatten writes the values of a structure to out, by key.
func flatten(v reflect.Value, prefix string, out map[string]any) {
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("koanf"), ",")
		switch f := v.Field(i); {
		case options == "squash":
			flatten(f, prefix, out)
		case name == "-" || name == "":
		case f.Kind() == reflect.Struct:
			flatten(f, prefix+name+".", out)
		default:
			out[prefix+name] = f.Interface()
		}
	}
}
