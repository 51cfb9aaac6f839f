// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
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
	set, results := rules.Load(rules.Options{MinPriority: alert.Debug}, rules.File{Name: "r.yaml", Data: []byte(ruleText)})
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
