// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"falconet/engine/alert"
	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/state"
)

// context is an event of process 2097152: name, and the path of its file.
func context(t testing.TB, nr uint16, path string) *field.Ctx {
	t.Helper()
	h := event.Header{Event: event.ByNumber(int(nr), false), NR: nr, Ret: 5, PID: 1 << 21, TID: 1 << 21, TS: 1}
	f := event.FileFacts{Ino: 7, Kind: uint8(event.KindFile)}
	var r event.Record
	err := r.Reset(event.Encode(nil, h, event.Piece{Kind: event.PartName, Data: []byte(path)}, event.Piece{Kind: event.PartPath, Data: []byte(path)},
		event.Piece{Kind: event.PartFile, Data: event.BytesOf(&f)}))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	c := field.NewCtx(&field.Host{
		Name: "host", Procs: state.NewTable(state.Options{Root: root}), Users: state.NewUsers(root), Addrs: state.NewAddrs(),
		Containers: container.NewResolver(root),
	})
	c.Begin(&r, 1)
	return c
}

const (
	nrOpenat  = 257
	nrConnect = 42
	nrSync    = 162
	nrGetpid  = 39
)

func ruleText(name, condition string, more ...string) string {
	return fmt.Sprintf("- rule: %s\n  desc: d\n  condition: %s\n  output: '%s %%fd.name'\n  priority: INFO\n%s", name, condition, name, strings.Join(more, ""))
}

func matches(s *Set, c *field.Ctx) string {
	var names []string
	s.Match(c, func(r *Rule) { names = append(names, r.Name) })
	return strings.Join(names, " ")
}

func TestMatch(t *testing.T) {
	text := ruleText("A", "evt.type = openat and fd.name = /x") + ruleText("B", "evt.type in (openat, sync)") +
		ruleText("C", "evt.type != openat") + ruleText("D", "evt.num = 1", "  enabled: false\n") + ruleText("E", "fd.name startswith /", "  tags: [e]\n")
	f := func(o Options, nr uint16, want string) {
		t.Helper()
		s := mustLoad(t, o, text)
		if got := matches(s, context(t, nr, "/x")); got != want {
			t.Errorf("%s matches %q, want %q", event.SyscallName(int(nr), false), got, want)
		}
	}
	f(Options{}, nrOpenat, "A")
	f(Options{Matching: All}, nrOpenat, "A B E")
	f(Options{Matching: All}, nrSync, "B C")
	f(Options{Matching: All}, nrGetpid, "C")
	f(Options{Matching: All}, nrConnect, "C")
	on, off := Selection{Enable: true, Rule: "D"}, Selection{Rule: "A"}
	f(Options{Matching: All, Select: []Selection{on}}, nrOpenat, "A B E D")
	f(Options{Matching: All, Select: []Selection{off, {Enable: true, Rule: "A"}}}, nrOpenat, "B E A")
	f(Options{Select: []Selection{{Rule: "A*"}, {Rule: "B"}, {Tag: "e"}}}, nrOpenat, "")
}

func TestPriority(t *testing.T) {
	low := strings.Replace(ruleText("L", "evt.type = openat"), "INFO", "DEBUG", 1)
	s, results := Load(Options{MinPriority: alert.Notice, Select: []Selection{{Enable: true, Rule: "*"}}}, File{Name: "f", Data: []byte(low)})
	if s == nil || s.Enabled() != 0 || len(s.Rules) != 1 || matches(s, context(t, nrOpenat, "/x")) != "" {
		t.Errorf("a rule below the priority is enabled: %s", results[0].Text(true))
	}
	bad := strings.Replace(low, "openat", "opanat", 1)
	if s, _ := Load(Options{MinPriority: alert.Notice}, File{Name: "f", Data: []byte(bad)}); s != nil {
		t.Error("a rule below the priority is not checked")
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	var b strings.Builder
	for i := range 50 {
		b.WriteString(ruleText(fmt.Sprintf("R%d", i), fmt.Sprintf("evt.type in (open, openat) and fd.name = /none%d and not proc.name in (a, b)", i)))
	}
	s := mustLoad(t, Options{}, b.String())
	c := context(t, nrOpenat, "/x")
	n := testing.AllocsPerRun(100, func() {
		c.Begin(c.Rec, 1)
		s.Match(c, func(r *Rule) { t.Errorf("%s matches", r.Name) })
	})
	if n != 0 {
		t.Errorf("an event that no rule matches costs %v allocations", n)
	}
}

func TestDemand(t *testing.T) {
	id := func(name string) event.ID { return event.ByName(name)[0] }
	d := mustLoad(t, Options{}, ruleText("A", "evt.type = openat and evt.rawres > 0")+ruleText("B", "evt.type = sync")+ruleText("C", "evt.type = connect", "  enabled: false\n")).Demand()
	parts, wanted := d.Wants(id("openat"))
	if !wanted || parts&(1<<event.PartPath) == 0 || parts == event.AllParts {
		t.Errorf("openat is wanted: %v, with pieces %x", wanted, parts)
	}
	if _, wanted := d.Wants(id("connect")); wanted {
		t.Error("an event of a disabled rule is wanted")
	}
	if !d.WantsSyscall(nrSync, false) || d.WantsSyscall(nrGetpid, false) || d.WantsEveryThread() {
		t.Error("the wrong system calls are wanted")
	}
	d = mustLoad(t, Options{}, ruleText("A", "proc.name = x")).Demand()
	for i := range event.Rows() {
		row := &event.Rows()[i]
		if _, wanted := d.Wants(row.ID); i > 0 && !row.Internal() && row.Flags&event.Flood == 0 && !wanted {
			t.Errorf("%s is not wanted by a rule without event types", row.Name)
		}
	}
	if !d.WantsSyscall(nrGetpid, false) || !d.WantsEveryThread() {
		t.Error("a rule without event types does not want every system call")
	}
}

func TestResultJSON(t *testing.T) {
	_, results := load(t, Options{}, ruleText("R", "evt.type = open and proc.nam = x"))
	b, err := json.Marshal(results[0])
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Name       string
		Successful bool
		Warnings   []any
		Errors     []struct {
			Code    string
			Context struct {
				Locations []struct {
					ItemType string `json:"item_type"`
					Position struct{ Line, Column int }
				}
				Snippet string
			}
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	e := got.Errors[0]
	place := e.Context.Locations[1].Position
	if got.Name != "a.yaml" || got.Successful || got.Warnings == nil || e.Code != "LOAD_ERR_COMPILE_CONDITION" || place.Line != 2 || place.Column != 33 {
		t.Errorf("result is %s", b)
	}
	want := "  condition: evt.type = open and proc.nam = x\n                                 ^^^^^^^^"
	if e.Context.Snippet != want {
		t.Errorf("snippet is\n%s", e.Context.Snippet)
	}
	text := results[0].Text(true)
	if !strings.HasPrefix(text, "a.yaml: Invalid\n1 Errors:\nIn rule 'R': (a.yaml:1:3)\n    condition 'R': (a.yaml:3:34)\n------\n"+want) {
		t.Errorf("text is\n%s", text)
	}
}

// TestDemandOfProcesses: what changes of a process is asked of any call, and only where a rule reads it.
func TestDemandOfProcesses(t *testing.T) {
	d := mustLoad(t, Options{}, ruleText("A", "evt.type = sync and proc.sid = 1")+ruleText("B", "evt.type = setuid and proc.cwd = /")+ruleText("C", "evt.type = setgid")).Demand()
	generic, _ := d.Wants(event.Generic)
	if !generic.Has(event.PartNow) || generic.Has(event.PartHere) || !d.WantsSyscall(nrSync, false) {
		t.Errorf("of sync %b is asked", generic)
	}
	if p, _ := d.Wants(event.ByName("setuid")[0]); p.Has(event.PartNow) || !p.Has(event.PartHere) {
		t.Errorf("of setuid %b is asked", p)
	}
	if p, _ := d.Wants(event.ByName("setgid")[0]); p.Has(event.PartNow) || p.Has(event.PartHere) {
		t.Errorf("of setgid %b is asked", p)
	}
}
