// SPDX-License-Identifier: Apache-2.0

// Package running starts a falconet for benchmarks and tells when it has reported what happened.
package running

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Options say what runs.
type Options struct {
	Bin    string   // the program
	Dir    string   // where its files are written
	Files  []string // of rules, or the word embedded
	Rules  string   // more of them
	Config string   // more of the configuration
	Env    []string
	Line   func(line string) // takes every line of output but those of our own rule, from one goroutine
}

// Falconet is one that runs.
type Falconet struct {
	PID int

	cmd    *exec.Cmd
	canary string // a file that our own rule reports
	heard  atomic.Int64
	closed chan struct{} // its output has ended
}

const canaryRule = "Bench canary"

// Start starts a falconet and returns when it has reported an event.
func Start(o Options) (*Falconet, error) {
	f := &Falconet{canary: filepath.Join(o.Dir, "canary"), closed: make(chan struct{})}
	own, conf := filepath.Join(o.Dir, "bench.yaml"), filepath.Join(o.Dir, "falconet.yaml")
	rules := fmt.Sprintf("- rule: %s\n  desc: Tells that falconet runs.\n  condition: evt.type in (open, openat) and fd.name = %s\n  output: %s\n  priority: DEBUG\n",
		canaryRule, f.canary, canaryRule)
	text := fmt.Sprintf("rules_files: [%s]\nconfig_files: []\nwatch_config_files: false\nrule_matching: all\n", strings.Join(append(o.Files, own), ", "))
	if err := errors.Join(os.WriteFile(own, []byte(rules+o.Rules), 0o644), os.WriteFile(conf, []byte(text+o.Config), 0o644)); err != nil {
		return nil, err
	}
	f.cmd = exec.Command(o.Bin, "-c", conf)
	f.cmd.Dir, f.cmd.Stderr, f.cmd.Env = o.Dir, os.Stderr, append(os.Environ(), o.Env...)
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start falconet: %w", err)
	}
	f.PID = f.cmd.Process.Pid
	go f.read(out, o.Line)
	if err := f.Sync(); err != nil {
		return nil, errors.Join(err, f.Stop())
	}
	return f, nil
}

// read takes the output to its end.
func (f *Falconet) read(out io.Reader, take func(string)) {
	defer close(f.closed)
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if strings.Contains(line, canaryRule) {
			f.heard.Add(1)
		} else if take != nil {
			take(line)
		}
	}
}

// Sync returns when falconet has reported a file that was opened after the call, and with it everything before.
func (f *Falconet) Sync() error {
	from := f.heard.Load()
	// One that was heard may have been sung before; until the probe is attached none is.
	for end := time.Now().Add(2 * time.Minute); f.heard.Load() == from; time.Sleep(10 * time.Millisecond) {
		select {
		case <-f.closed:
			return errors.New("falconet has ended")
		default:
		}
		if time.Now().After(end) {
			return errors.New("falconet reports no event")
		}
		if err := os.WriteFile(f.canary, nil, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends falconet and returns when its probe is gone.
func (f *Falconet) Stop() error {
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-f.closed
	if err := f.cmd.Wait(); err != nil {
		return fmt.Errorf("end of falconet: %w", err)
	}
	return nil
}
