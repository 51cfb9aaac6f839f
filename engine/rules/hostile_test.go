// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"
	"testing"
)

// refused loads a text that must be refused, without ado, and returns what is said of it.
func refused(t *testing.T, text string) string {
	t.Helper()
	s, results := load(t, Options{}, text)
	if s != nil || results[0].OK() {
		t.Fatalf("accepted: %.200q", text)
	}
	return results[0].Errors[0].Message
}

const head = "- rule: R\n  desc: d\n  output: o\n  priority: INFO\n"

func TestAliasesDoNotMultiply(t *testing.T) {
	// each level has ten of the level below: expanded it would be a billion scalars
	var b strings.Builder
	b.WriteString("- macro: m\n  condition: evt.num = 1\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "  a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	refused(t, b.String()+"- list: l\n  items: *a9\n")
	refused(t, b.String()+head+"  condition: evt.num = 1\n  exceptions: [{name: e, fields: proc.name, values: *a9}]\n")
	refused(t, b.String()+head+"  condition: evt.num = 1\n  exceptions: [{name: e, fields: [proc.name], comps: [in], values: *a9}]\n")
	if s, r := load(t, Options{}, b.String()+"- list: l\n  items: *a0\n"); s == nil {
		t.Error(r[0].Text(true))
	}
}

func TestExceptionsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("- list: l\n  items: &big [" + strings.Repeat("0123456789,", 9999) + "x]\n")
	b.WriteString(head + "  condition: evt.num = 1\n  exceptions:\n    - name: e\n      fields: [proc.name]\n      comps: [in]\n      values:\n")
	b.WriteString("        - &t [*big]\n" + strings.Repeat("        - *t\n", 5000))
	if msg := refused(t, b.String()); !strings.Contains(msg, "values of more than") {
		t.Error(msg)
	}
}

func TestListsOfListsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("- list: l0\n  items: [a, b]\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, "- list: l%d\n  items: [l%d, l%d]\n", i, i-1, i-1)
	}
	msg := refused(t, b.String()+head+"  condition: proc.name in (l59)\n")
	if !strings.Contains(msg, "lists that give more than") {
		t.Error(msg)
	}
}

func TestDeepNesting(t *testing.T) {
	refused(t, strings.Repeat("[", 20000))
	refused(t, strings.Repeat("- ", 20000)+"x")
	refused(t, head+"  condition: "+strings.Repeat("(", 100000)+"evt.num = 1"+strings.Repeat(")", 100000)+"\n")
	refused(t, head+"  condition: "+strings.Repeat("not ", 100000)+"evt.num = 1\n")
	refused(t, head+"  condition: \"tolower("+strings.Repeat("tolower(", 100000)+"\"\n")
}

// TestMacroChains has macros that double with each step: trees are shared, so this must not take memory for every copy.
func TestMacroChains(t *testing.T) {
	var b strings.Builder
	b.WriteString("- macro: m0\n  condition: evt.num = 1\n")
	for i := 1; i < 64; i++ {
		fmt.Fprintf(&b, "- macro: m%d\n  condition: m%d or not m%d\n", i, i-1, i-1)
	}
	refused(t, b.String()+head+"  condition: evt.type = open and m63\n")
}

func TestLongMacroChain(t *testing.T) {
	var b strings.Builder
	b.WriteString("- macro: m0\n  condition: evt.num = 1\n")
	for i := 1; i < 20000; i++ {
		fmt.Fprintf(&b, "- macro: m%d\n  condition: not m%d\n", i, i-1)
	}
	refused(t, b.String()+head+"  condition: evt.type = open and m19999\n")
}

func TestInvalidUTF8(t *testing.T) {
	s, r := load(t, Options{}, "# caf\xe9\n"+head+"  condition: evt.type = open and proc.name = caf\xe9\n")
	if s == nil || len(r[0].Warnings) != 1 || r[0].Warnings[0].Code != InvalidText {
		t.Fatal(r[0].Text(true))
	}
	if s.Rules[0].Compiled != "evt.type = open and proc.name = caf\uFFFD" {
		t.Errorf("condition is %q", s.Rules[0].Compiled)
	}
	refused(t, "\x00\x01\x02")
	refused(t, "- rule: \x07\n")
}

func TestYAMLCycles(t *testing.T) {
	refused(t, "- &a [*a]\n")
	refused(t, "- &a\n  list: l\n  items: [*a]\n")
	refused(t, "- list: l\n  items: &a [x, *a]\n")
	refused(t, head+"  condition: evt.num = 1\n  exceptions: &a [*a]\n")
	refused(t, head+"  condition: evt.num = 1\n  exceptions: [{name: e, fields: &f [*f], values: [[x]]}]\n")
	refused(t, head+"  condition: *nowhere\n")
}
