// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"reflect"
	"testing"

	"falconet/engine/config"
	"falconet/engine/rules"
)

func TestAppendOutput(t *testing.T) {
	conf := &config.Config{Rules: config.Rules{Append: []config.Append{
		{SuggestedOutput: true},
		{Match: config.AppendMatch{Source: "syscall", Tags: []string{"a"}, Rule: "R"}, ExtraOutput: "x=%evt.num", SuggestedOutput: true},
		{ExtraFields: []any{"proc.name", map[string]any{"b": "is %proc.pid", "a": 1}, "evt.num"}},
	}}}
	const suggested = "container_id=%container.id container_name=%container.name container_image_repository=%container.image.repository container_image_tag=%container.image.tag k8s_ns_name=%k8s.ns.name k8s_pod_name=%k8s.pod.name"
	want := []rules.Append{
		{Output: suggested},
		{Source: "syscall", Tags: []string{"a"}, Rule: "R", Output: "x=%evt.num " + suggested},
		{Fields: []rules.Extra{{Name: "proc.name"}, {Name: "a", Text: "1"}, {Name: "b", Text: "is %proc.pid"}, {Name: "evt.num"}}},
	}
	if got := ruleOptions(conf, "").Append; !reflect.DeepEqual(got, want) {
		t.Errorf("append_output becomes\n%+v\nwant\n%+v", got, want)
	}
}
