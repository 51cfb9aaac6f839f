// SPDX-License-Identifier: Apache-2.0

// Replay measures how fast the binary goes through a capture: with no rules, with those inside it, and with more rule files. Each is run a few
// times, and the fastest run counts; the peak of the memory is that of the greediest.
//
//	go run ./build/bench/replay -record big.scap            write a capture of a mixed load (needs root), of -events events
//	go run ./build/bench/replay big.scap [rules.yaml...]    measure
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	bin := flag.String("bin", "build/bin/falconet", "the binary")
	record := flag.String("record", "", "write a capture to this `file`")
	events := flag.Uint64("events", 5_000_000, "how many events to record")
	runs := flag.Int("runs", 3, "how often each is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := errors.New("name a capture file, or option -record")
	switch {
	case *record != "":
		err = recordLoad(ctx, *bin, *record, *events)
	case flag.NArg() > 0:
		err = measureAll(ctx, *bin, *runs, flag.Arg(0), flag.Args()[1:])
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// result is what one run took.
type result struct {
	elapsed, cpu    time.Duration
	memory          int64 // peak, in bytes
	events, records uint64
	alerts          string
}

func measureAll(ctx context.Context, bin string, runs int, capture string, files []string) error {
	dir, err := os.MkdirTemp("", "falconet-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	none := filepath.Join(dir, "none.yaml")
	config := filepath.Join(dir, "falconet.yaml")
	for name, text := range map[string]string{
		none: "[]\n", config: "rules_files: [embedded]\nconfig_files: []\nstdout_output: {enabled: false}\nsyslog_output: {enabled: false}\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return err
		}
	}
	fmt.Printf("%-24s %12s %12s %12s %12s %8s %8s %10s\n", "rules", "recorded", "calls", "recorded/s", "calls/s", "seconds", "cpu", "memory")
	sets := [][]string{{"none", "-r", none}, {"default"}}
	for _, f := range files {
		sets = append(sets, []string{filepath.Base(f), "-r", f})
	}
	for _, set := range sets {
		var best result
		for i := range runs {
			r, err := measure(ctx, bin, append([]string{"-c", config, "-e", capture}, set[1:]...))
			if err != nil {
				return fmt.Errorf("measure %s: %w", set[0], err)
			}
			if i == 0 || r.elapsed < best.elapsed {
				r.memory = max(r.memory, best.memory)
				best = r
			}
			best.memory = max(r.memory, best.memory)
		}
		s := best.elapsed.Seconds()
		fmt.Printf("%-24s %12d %12d %12.0f %12.0f %8.2f %8.2f %7.1f MB  %s alerts\n", set[0], best.events, best.records,
			float64(best.events)/s, float64(best.records)/s, s, best.cpu.Seconds(), float64(best.memory)/1e6, best.alerts)
	}
	return nil
}

var (
	readLine   = regexp.MustCompile(`end of capture events=(\d+) records=(\d+)`)
	alertsLine = regexp.MustCompile(`Events detected: (\d+)`)
)

func measure(ctx context.Context, bin string, args []string) (r result, err error) {
	cmd := exec.CommandContext(ctx, bin, args...)
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1") // events are counted for a core
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("%w\n%s", err, strings.TrimSpace(diag.String()))
	}
	r.elapsed = time.Since(begin)
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.memory = u.Maxrss << 10
	}
	m := readLine.FindStringSubmatch(diag.String())
	a := alertsLine.FindStringSubmatch(out.String())
	if m == nil || a == nil {
		return r, fmt.Errorf("the binary does not say what it read:\n%s", diag.String())
	}
	r.events, _ = strconv.ParseUint(m[1], 10, 64)
	r.records, _ = strconv.ParseUint(m[2], 10, 64)
	r.alerts = a[1]
	return r, nil
}
