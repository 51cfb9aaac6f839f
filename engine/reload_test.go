// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/event"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

func setOf(t testing.TB, name string) *rules.Set {
	t.Helper()
	text := strings.ReplaceAll(ruleText, "Passwd read", name)
	set, results := rules.Load(rules.Options{MinPriority: alert.Debug}, rules.File{Name: "r.yaml", Data: []byte(text)})
	if set == nil {
		t.Fatal(results[0].Text(true))
	}
	return set
}

// The new rules match from the second time on that everything is settled: what was under way when they were asked for is for the old ones.
func TestSwap(t *testing.T) {
	var out received
	e := newEngine(t, &out)
	var rec event.Record
	handle := func() string {
		if err := rec.Reset(openOf("/etc/passwd", 6)); err != nil {
			t.Fatal(err)
		}
		e.Handle(&rec)
		return out[len(out)-1].Rule
	}
	done := e.Swap(Swap{Rules: setOf(t, "Other")})
	for i, want := range []string{"Passwd read", "Passwd read", "Other", "Other"} {
		if got := handle(); got != want {
			t.Errorf("after settling %d times the rule is %s, want %s", i, got, want)
		}
		select {
		case <-done:
			if i < 2 {
				t.Error("the swap is said to be made")
			}
		default:
			if i >= 2 {
				t.Error("the swap is not said to be made")
			}
		}
		e.Settled()
	}
}

// ledger writes down what is done in a reload.
type ledger struct {
	mu   sync.Mutex
	what []string
	fail string // what goes wrong
}

func (l *ledger) add(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.what = append(l.what, text)
	if text == l.fail {
		return errors.New(text + " went wrong")
	}
	return nil
}

func (l *ledger) take() (s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s = strings.Join(l.what, ", ")
	l.what = nil
	return s
}

func (l *ledger) Widen(d *event.Demand) error  { return l.add("widen %s", demandName(d)) }
func (l *ledger) Narrow(d *event.Demand) error { return l.add("narrow %s", demandName(d)) }

func (l *ledger) Prepare(*config.Config) error                           { return l.add("prepare") }
func (l *ledger) Undo()                                                  { _ = l.add("undo") }
func (l *ledger) Follow(*config.Config, []string) error                  { return l.add("follow") }
func (l *ledger) Report(zerolog.Logger, func(events ...string) []string) { _ = l.add("report") }

// demandName tells the demands of the test apart.
func demandName(d *event.Demand) string {
	if d.WantsEveryThread() {
		return "new"
	}
	return "old"
}

func TestReload(t *testing.T) {
	old, next := &event.Demand{}, &event.Demand{}
	next.EveryThread()
	for _, tc := range []struct{ fail, want string }{
		{"", "load, prepare, widen new, narrow new, follow, report, reloaded"},
		{"load", "load, alert load went wrong"},
		{"prepare", "load, prepare, alert prepare went wrong"},
		{"widen new", "load, prepare, widen new, undo, narrow old, alert widen the probe: widen new went wrong"},
		{"follow", "load, prepare, widen new, narrow new, follow, alert follow went wrong, report, reloaded"},
		{"narrow new", "load, prepare, widen new, narrow new, follow, report, reloaded"},
	} {
		t.Run(tc.fail, func(t *testing.T) {
			var out received
			l := &ledger{fail: tc.fail}
			e := newEngine(t, &out)
			r := NewReloader(ReloadOptions{
				Engine: e, Tuner: l, Now: &Setup{Config: config.Default(), Rules: setOf(t, "Old"), Demand: old}, Log: zerolog.New(io.Discard),
				Load: func() (*Setup, error) {
					return &Setup{Config: config.Default(), Rules: setOf(t, "New"), Demand: next}, l.add("load")
				},
				Others: l,
				Alert:  func(a *alert.Alert) { _ = l.add("alert %v", a.Fields[0].Value) },
			})
			r.Now.Config.Files.Watch = false
			ctx, cancel := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			wg.Go(func() { _ = e.Run(ctx, Silent{}) })
			signals := make(chan os.Signal)
			wg.Go(func() { r.Run(ctx, signals) })
			signals <- syscall.SIGHUP
			for until := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
				if done, failed, _ := r.Counts(); done+failed > 0 || time.Now().After(until) {
					break
				}
			}
			cancel()
			wg.Wait()
			done, failed, at := r.Counts()
			if done > 0 {
				_ = l.add("reloaded")
			}
			if got := l.take(); got != tc.want {
				t.Errorf("a reload does %s\n  want %s", got, tc.want)
			}
			if done+failed != 1 || at.IsZero() == (done > 0) {
				t.Errorf("%d reloads, %d failed, at %v", done, failed, at)
			}
			want := "Old"
			if done > 0 {
				want = "New"
			}
			if name := r.Now.Rules.Rules[0].Name; name != want {
				t.Errorf("the rules in effect are %s", name)
			}
		})
	}
}

// What a reload cannot change is held against what the program was started with: it is named as long as it differs from that.
func TestReloadNamesWhatIsFixed(t *testing.T) {
	var out received
	e := newEngine(t, &out)
	var log strings.Builder
	levels := []string{"debug", "debug", "info"}
	r := NewReloader(ReloadOptions{
		Engine: e, Now: &Setup{Config: config.Default(), Rules: setOf(t, "Old")}, Log: zerolog.New(&log), Others: &ledger{},
		Load: func() (*Setup, error) {
			conf := config.Default()
			conf.Log.Level = levels[0]
			levels = levels[1:]
			return &Setup{Config: conf, Rules: setOf(t, "New")}, nil
		},
		Alert: func(a *alert.Alert) { t.Errorf("%v", a.Fields[0].Value) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.Run(ctx, Silent{}) })
	for i, want := range []int{1, 2, 2} {
		if err := r.reload(ctx, "test"); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "log_level: a reload cannot change this"); n != want {
			t.Errorf("after reload %d the key has been named %d times, want %d", i, n, want)
		}
	}
	cancel()
	wg.Wait()
}
