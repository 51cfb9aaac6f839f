// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"testing"

	"falconet/engine/alert"
)

// TestSchemaKnowsTheKeys wants the schema to allow the keys that the loader takes, and no others.
func TestSchemaKnowsTheKeys(t *testing.T) {
	type definition struct {
		Pattern    string
		Properties map[string]json.RawMessage
	}
	var schema struct{ Definitions map[string]definition }
	if err := json.Unmarshal([]byte(Schema), &schema); err != nil {
		t.Fatal(err)
	}
	same := func(what string, got map[string]json.RawMessage, want []string) {
		t.Helper()
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: the schema has %q, the loader %q", what, keys, want)
		}
	}
	for kind, keys := range keysOf {
		name := map[string]string{"required_engine_version": "engine", "required_plugin_versions": "plugins"}[kind]
		if name == "" {
			name = kind
		}
		same(kind, schema.Definitions[name].Properties, keys)
	}
	same("exception", schema.Definitions["exception"].Properties, exceptionKeys)
	var override definition
	if err := json.Unmarshal(schema.Definitions["rule"].Properties["override"], &override); err != nil {
		t.Fatal(err)
	}
	same("override", override.Properties, replaceable)
	priority := regexp.MustCompile(schema.Definitions["anyCasePriority"].Pattern)
	for _, p := range alert.Priorities() {
		if !priority.MatchString(p.String()) {
			t.Errorf("the schema refuses priority %s", p)
		}
	}
	for name, want := range map[string]bool{"info": true, "DeBug": true, "informational": true, "loud": false, "debugs": false} {
		if priority.MatchString(name) != want {
			t.Errorf("priority %q is accepted: %v", name, !want)
		}
	}
}
