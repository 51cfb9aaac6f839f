// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"falconet/engine/alert"
	"falconet/engine/event"
	"falconet/engine/rules"
)

const ruleText = `
- rule: Passwd read
  desc: d
  condition: evt.type in (open, openat) and fd.name = /etc/passwd and evt.is_open_read = true
  output: "read %fd.name by %proc.name (%evt.res)"
  priority: NOTICE
  tags: [x]
- rule: Never
  desc: d
  condition: evt.type in (open, openat) and fd.name startswith /nowhere and proc.aname in (a, b, c)
  output: "o"
  priority: NOTICE
`

type received []*alert.Alert

func (r *received) Send(a *alert.Alert) { *r = append(*r, a) }

// replay delivers records that were made before.
type replay [][]byte

func (r replay) Run(_ context.Context, handle func(*event.Record), settled func()) error {
	var rec event.Record
	for _, b := range r {
		if err := rec.Reset(b); err != nil {
			return err
		}
		handle(&rec)
	}
	settled()
	return nil
}

func newEngine(t testing.TB, out Receiver) *Engine {
	t.Helper()
	return engineWith(t, out, ruleText)
}

func engineWith(t testing.TB, out Receiver, text string) *Engine {
	t.Helper()
	set, results := rules.Load(rules.Options{MinPriority: alert.Debug, Matching: rules.All}, rules.File{Name: "r.yaml", Data: []byte(text)})
	if set == nil {
		t.Fatal(results[0].Text(true))
	}
	return New(Options{Host: NewHost("host", t.TempDir(), 0, 256<<20), Rules: set, Out: out})
}

func openOf(path string, ts uint64) []byte {
	f := event.FileFacts{Ino: 1, Kind: uint8(event.KindFile)}
	h := event.Header{Event: event.ByName("openat")[0], NR: 257, Ret: 3, TS: ts, PID: 1 << 21, TID: 1 << 21, Args: [6]uint64{^uint64(99)}}
	return event.Encode(nil, h, event.Piece{Kind: event.PartName, Data: []byte(path)}, event.Piece{Kind: event.PartPath, Data: []byte(path)},
		event.Piece{Kind: event.PartFile, Data: event.BytesOf(&f)})
}

func TestRecordsBecomeAlerts(t *testing.T) {
	var out received
	e := newEngine(t, &out)
	if err := e.Run(context.Background(), replay{openOf("/etc/hosts", 5), openOf("/etc/passwd", 6)}); err != nil {
		t.Fatal(err)
	}
	if s := e.Stats(); s.Events != 2 || s.Alerts != 1 || s.First.IsZero() {
		t.Errorf("stats are %+v", s)
	}
	if len(out) != 1 {
		t.Fatalf("%d alerts", len(out))
	}
	a := out[0]
	if a.Rule != "Passwd read" || a.Message != "read /etc/passwd by <NA> (SUCCESS)" || a.Priority != alert.Notice || a.Hostname != "host" || a.Source != alert.SourceSyscall {
		t.Errorf("alert is %+v", a)
	}
	if want := e.host.BootTime + 6; a.Time != want {
		t.Errorf("time is %d, want %d", a.Time, want)
	}
}

func TestMissAllocatesNothing(t *testing.T) {
	var out received
	e := newEngine(t, &out)
	var rec event.Record
	if err := rec.Reset(openOf("/etc/hosts", 5)); err != nil {
		t.Fatal(err)
	}
	e.Handle(&rec)
	if n := testing.AllocsPerRun(500, func() { e.Handle(&rec) }); n != 0 {
		t.Errorf("an event that no rule matches allocates %v times", n)
	}
	if len(out) != 0 {
		t.Errorf("%d alerts", len(out))
	}
}

// TestPerhapsIsSaid: an alert that depends on the unknown part of a path says so, and others of the same event do not.
func TestPerhapsIsSaid(t *testing.T) {
	const text = `
- rule: Inside
  desc: d
  condition: evt.type = openat and fd.name contains /secret/
  output: "o %fd.name"
  priority: NOTICE
- rule: Named
  desc: d
  condition: evt.type = openat and fd.name endswith /f
  output: "o"
  priority: NOTICE
- rule: Named with the mark
  desc: d
  condition: evt.type = openat and fd.name startswith /a/b/c
  output: "o %evt.is_path_unknown"
  priority: NOTICE
`
	var out received
	e := engineWith(t, &out, text)
	f := event.FileFacts{Ino: 1, Kind: uint8(event.KindFile)}
	h := event.Header{Event: event.ByName("openat")[0], NR: 257, Ret: 3, TS: 7, PID: 1 << 21, TID: 1 << 21, Args: [6]uint64{^uint64(99)}}
	deep := event.Encode(nil, h, event.Piece{Kind: event.PartName, Data: []byte("f")}, event.Piece{Kind: event.PartFile, Data: event.BytesOf(&f)},
		event.Piece{Kind: event.PartPath, Data: []byte("/a/b<UNKNOWN>/f"), Truncated: true})
	if err := e.Run(context.Background(), replay{deep, openOf("/a/f", 8)}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range out {
		marks := 0
		for _, f := range a.Fields {
			if f.Name == gapMark && f.Value == true {
				marks++
			}
		}
		got = append(got, fmt.Sprintf("%s: %s; %d", a.Rule, a.Message, marks))
	}
	want := []string{
		"Inside: o /a/b<UNKNOWN>/f (perhaps: a part of a path is not known); 1", "Named: o; 0",
		"Named with the mark: o true (perhaps: a part of a path is not known); 1", "Named: o; 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("alerts are\n%q, want\n%q", got, want)
	}
}
