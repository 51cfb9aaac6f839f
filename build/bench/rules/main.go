// SPDX-License-Identifier: Apache-2.0

// Command rules measures what an event costs that no rule matches: nanoseconds and allocations from the record to the quick no, with 100 and
// with 1,000 generated rules of mixed shape, with the rules inside falconet, and with rule files of yours.
//
//	go run ./build/bench/rules [-rounds 7] [FILE...]
//
// Rule sets take turns within a round, so that a machine that changes its speed changes it for all; medians and spreads are printed.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"falconet/embed"
	"falconet/engine/alert"
	"falconet/engine/rules"
)

// subject is a rule set whose misses are measured.
type subject struct {
	name  string
	set   *rules.Set
	times map[string][]float64 // nanoseconds an event, by the event's name, one a round
	alloc float64
}

func main() {
	rounds := flag.Int("rounds", 7, "how often each rule set is measured")
	flag.Parse()
	if err := measure(*rounds, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "rules:", err)
		os.Exit(1)
	}
}

func measure(rounds int, files []string) error {
	embedded := make([]rules.File, 0, 4)
	for _, a := range assets.Rules() {
		embedded = append(embedded, rules.File{Name: a.Name, Data: a.Data})
	}
	var subjects []*subject
	add := func(name string, files ...rules.File) error {
		set, results := rules.Load(rules.Options{MinPriority: alert.Debug}, files...)
		if set == nil {
			for _, r := range results {
				if !r.OK() {
					return fmt.Errorf("load rules: %s", r.Text(false))
				}
			}
		}
		subjects = append(subjects, &subject{name: name, set: set, times: make(map[string][]float64)})
		return nil
	}
	for _, n := range []int{100, 1000} {
		if err := add(fmt.Sprintf("%d generated", n), rules.File{Name: "generated", Data: generate(n)}); err != nil {
			return err
		}
	}
	if err := add("embedded", embedded...); err != nil {
		return err
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := add(name, rules.File{Name: name, Data: data}); err != nil {
			return err
		}
	}
	host, err := newHost()
	if err != nil {
		return err
	}
	defer host.close()
	for range rounds {
		for _, s := range subjects {
			if err := s.round(host); err != nil {
				return err
			}
		}
	}
	return print(subjects, host)
}

// batch is how many events one measurement takes.
const batch = 20_000

func (s *subject) round(h *host) error {
	var before, after runtime.MemStats
	var allocs, count uint64
	for _, e := range h.events {
		matched := ""
		run := func() {
			for range batch {
				h.ctx.Begin(e.record, 2)
				s.set.Match(h.ctx, func(r *rules.Rule) { matched = r.Name })
			}
		}
		run() // what is read once is read now
		runtime.ReadMemStats(&before)
		start := time.Now()
		run()
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if matched != "" {
			return fmt.Errorf("rule %q of %s matches event %q, which should match nothing", matched, s.name, e.name)
		}
		s.times[e.name] = append(s.times[e.name], float64(took.Nanoseconds())/batch)
		allocs, count = allocs+after.Mallocs-before.Mallocs, count+batch
	}
	s.alloc = max(s.alloc, float64(allocs)/float64(count))
	return nil
}

func print(subjects []*subject, h *host) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "rules\tenabled\tallocations\t")
	for _, e := range h.events {
		fmt.Fprintf(w, "%s\t", e.name)
	}
	fmt.Fprintln(w, "mean\t")
	for _, s := range subjects {
		fmt.Fprintf(w, "%s\t%d\t%.4f\t", s.name, s.set.Enabled(), s.alloc)
		sum := 0.0
		for _, e := range h.events {
			t := s.times[e.name]
			slices.Sort(t)
			sum += t[len(t)/2]
			fmt.Fprintf(w, "%.0f [%.0f..%.0f]\t", t[len(t)/2], t[0], t[len(t)-1])
		}
		fmt.Fprintf(w, "%.0f\t\n", sum/float64(len(h.events)))
	}
	fmt.Fprintln(w, "\nnanoseconds an event: median [least..most] of the rounds")
	return w.Flush()
}
