// SPDX-License-Identifier: Apache-2.0

// Command vm boots a Linux kernel in a throw-away virtual machine whose file system is made of the files it is given, runs
// programs in it as root and reports how each ended.
//
// One program, its output on stdout, its exit code as ours:
//
//	vm --kernel 5.10 -- ./program arg...
//
// Or a list of steps (a JSON array of guest.Step), one line for each on stdout, exit code 1 when one fails:
//
//	vm --kernel 6.1 --file build/bin/falconet:/bin/falconet --steps steps.json
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"falconet/build/kernels/guest"
)

type fileArg struct{ source, target string }

type options struct {
	kernel  string
	cache   string
	init    string
	steps   string
	files   []fileArg
	modules []string
	env     []string
	timeout time.Duration
	cpus    int
	memory  int
	verbose bool
	argv    []string
}

// exitMachine is the exit code for a machine that did not do what it was told: no boot, no verdict, too late.
const exitMachine = 125

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(2)
	}
	code, err := run(o)
	if err != nil {
		fmt.Fprintf(os.Stderr, "vm: kernel %s: %v\n", o.kernel, err)
		code = exitMachine
	}
	os.Exit(code)
}

func parse(args []string) (*options, error) {
	o := &options{}
	fl := flag.NewFlagSet("vm", flag.ContinueOnError)
	fl.StringVar(&o.kernel, "kernel", "", "kernel series in the cache: 5.10, 6.1 or 6.12")
	fl.StringVar(&o.cache, "cache", defaultCache(), "directory of unpacked kernels")
	fl.StringVar(&o.init, "init", "build/bin/vm-init", "static program that runs as the machine's first process")
	fl.StringVar(&o.steps, "steps", "", "JSON file with the steps to run instead of one program")
	fl.DurationVar(&o.timeout, "timeout", 5*time.Minute, "kill the machine after this long")
	fl.IntVar(&o.cpus, "cpus", 2, "processors")
	fl.IntVar(&o.memory, "memory", 1024, "memory in MiB")
	fl.BoolVar(&o.verbose, "v", false, "show the kernel's messages")
	fl.Func("file", "SOURCE[:TARGET], a file or directory to take along (repeat); TARGET is absolute, default /SOURCE's base name", func(s string) error {
		source, target, ok := strings.Cut(s, ":")
		if !ok {
			target = "/" + filepath.Base(source)
		}
		if !strings.HasPrefix(target, "/") {
			return errors.New("target is not absolute")
		}
		o.files = append(o.files, fileArg{source, target})
		return nil
	})
	fl.Func("program", "PATH of a program of this machine to take along, with the libraries that it needs (repeat)", func(s string) error {
		files, err := withLibraries(s)
		o.files = append(o.files, files...)
		return err
	})
	fl.Func("module", "kernel module to load, with those it depends on (repeat)", func(s string) error {
		o.modules = append(o.modules, s)
		return nil
	})
	fl.Func("env", "NAME=VALUE for the program (repeat)", func(s string) error {
		o.env = append(o.env, s)
		return nil
	})
	if err := fl.Parse(args); err != nil {
		return nil, err
	}
	o.argv = fl.Args()
	switch {
	case o.kernel == "":
		return nil, errors.New("--kernel is missing")
	case o.steps == "" && len(o.argv) == 0:
		return nil, errors.New("no program: give one after --, or --steps")
	case o.steps != "" && len(o.argv) != 0:
		return nil, errors.New("a program and --steps exclude each other")
	}
	return o, nil
}

func defaultCache() string {
	if dir := os.Getenv("FALCONET_KERNELS"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "falconet-kernels")
}

func run(o *options) (int, error) {
	plan := guest.Plan{Hostname: "vm-" + strings.ReplaceAll(o.kernel, ".", "-")}
	single := o.steps == ""
	if single {
		target := "/" + filepath.Base(o.argv[0])
		o.files = append(o.files, fileArg{o.argv[0], target})
		plan.Steps = []guest.Step{{Name: "program", Argv: append([]string{target}, o.argv[1:]...), Env: o.env}}
	} else {
		text, err := os.ReadFile(o.steps)
		if err != nil {
			return 0, fmt.Errorf("read steps: %w", err)
		}
		if err := json.Unmarshal(text, &plan.Steps); err != nil {
			return 0, fmt.Errorf("parse %s: %w", o.steps, err)
		}
		for i := range plan.Steps {
			plan.Steps[i].Env = append(plan.Steps[i].Env, o.env...)
		}
	}
	dir, err := os.MkdirTemp("", "falconet-vm-")
	if err != nil {
		return 0, fmt.Errorf("make a work directory: %w", err)
	}
	defer os.RemoveAll(dir)
	base := filepath.Join(o.cache, o.kernel)
	image := filepath.Join(dir, "initramfs")
	if err := writeInitramfs(image, o, filepath.Join(base, "modules"), plan); err != nil {
		return 0, err
	}
	start := time.Now()
	verdicts, bootErr := boot(o, dir, filepath.Join(base, "vmlinuz"), image)
	if single && bootErr == nil {
		for _, v := range verdicts {
			if v.Step == "program" {
				if v.Note != "" {
					fmt.Fprintln(os.Stderr, "vm:", v.Note)
				}
				return v.Code, nil
			}
			fmt.Fprintf(os.Stderr, "vm: %s: %s\n", v.Step, v.Note)
		}
		return 0, errors.New("the program left no verdict")
	}
	code := 0
	ended := map[string]bool{}
	for _, v := range verdicts {
		ended[v.Step] = true
		word := "ok  "
		if v.Code != 0 {
			word, code = "FAIL", 1
		}
		if v.Done {
			fmt.Printf("%-5s done %-40s %6.1f s with boot\n", o.kernel, v.Kernel, time.Since(start).Seconds())
			continue
		}
		fmt.Printf("%-5s %s %-40s %6.1f s %s\n", o.kernel, word, v.Step, float64(v.Millis)/1000, v.Note)
	}
	for _, s := range plan.Steps {
		if !ended[s.Name] {
			fmt.Printf("%-5s FAIL %-40s did not end\n", o.kernel, s.Name)
			code = 1
		}
	}
	return code, bootErr
}
