// SPDX-License-Identifier: Apache-2.0

// Command soak starts very many short processes, and containers between them, under a falconet: it shows how much memory and time falconet
// takes as they go by, and that what it says of a sample of them is right.
//
//	go run ./build/bench/soak [-bin build/bin/falconet] [-processes 2000000] [-containers 5000] [-samples 2000] [-table 0] [-budget 0]
//
// A process is as cheap as can be, see tinyProgram. A sample is a shell that starts a shell that starts such a program; a container is such
// a program in a cgroup of its own, named as docker names them, with docker's files about it on the disk. It exits with 1 when falconet
// was wrong about one of them or did not report it, or when a table was larger than it was allowed to be.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	var p plan
	bin := flag.String("bin", "build/bin/falconet", "the falconet to run")
	flag.IntVar(&p.processes, "processes", 2_000_000, "how many processes to start")
	flag.IntVar(&p.containers, "containers", 5000, "how many of them are containers")
	flag.IntVar(&p.samples, "samples", 2000, "how many of them are looked at closely")
	flag.IntVar(&p.threads, "threads", 4, "how many are started at a time")
	var lim limits
	flag.IntVar(&lim.table, "table", 0, "falco_libs.thread_table_size, 0 for the default")
	flag.IntVar(&lim.budget, "budget", 0, "memory.budget_mb, 0 for the default")
	flag.Parse()
	if err := soak(*bin, p, lim); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(bin string, p plan, lim limits) (err error) {
	if p.processes < 1 || p.containers < 0 || p.samples < 0 || p.containers+p.samples > p.processes || p.threads < 1 {
		return errors.New("there must be more processes than containers and samples together")
	}
	if bin, err = filepath.Abs(bin); err != nil {
		return err
	}
	s, err := newStorm(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	without, err := s.rate(p.processes / 20) // before and after: the machine may change its speed
	if err != nil {
		return err
	}
	w, err := watch(bin, s.dir, lim)
	if err != nil {
		return err
	}
	first, err := w.look(0)
	if err != nil {
		return errors.Join(err, w.Stop())
	}
	rows := newTable(w, first)
	begin := time.Now()
	truth, err := s.run(p.processes, rows.progress)
	took := time.Since(begin)
	if err == nil {
		err = w.Sync()
	}
	last, lookErr := w.look(p.processes)
	if err = errors.Join(err, lookErr, rows.err, w.Stop()); err != nil {
		return err
	}
	rows.print(last)
	after, err := s.rate(p.processes / 20)
	if err != nil {
		return err
	}
	with := float64(p.processes) / took.Seconds()
	fmt.Printf("processes a second: %.0f with, %.0f and %.0f without (before and after)\n", with, without, after)
	fmt.Printf("falconet: %.1f s of CPU, %.0f us a process; %.0f events lost\n", last.cpu-first.cpu, (last.cpu-first.cpu)*1e6/float64(p.processes), last.lost)
	fmt.Printf("memory: %.1f MB resident before, %.1f MB after the first twentieth, %.1f MB after the last, at most %.1f MB\n",
		first.rss, rows.early().rss, last.rss, last.peak)
	alerts, err := w.alerts()
	if err != nil {
		return err
	}
	return verify(truth, alerts)
}
