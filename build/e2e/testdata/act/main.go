// SPDX-License-Identifier: Apache-2.0

// Command act does what the end-to-end tests want to be seen. It is static, so that it runs in an empty root directory, and it is
// built for 32 bits too.
//
//	act cat FILE...          opens files and reads them, as cat does
//	act creat FILE           creates a file with creat(2), on amd64
//	act int80 FILE           opens a file through int 0x80, from a 64-bit program too
//	act openat2 FILE         opens a file with openat2(2)
//	act rewrite A B          opens the path A, which a second thread changes to B meanwhile; they have the same length
//	act cgroup PATH CMD...   runs a program in a new cgroup of that path, in each mounted hierarchy
//	act chain DIR            see chain.go
//	act evade WAY FILE ...   opens a file in a way that hides which (evade.go)
//	act fexec FILE ARG...    runs a copy of a program from a memfd by its descriptor
//	act vfork FILE ARG...    runs a program from a process that borrows this one's memory
//	act thread-exec FILE ARG... goes on as a program from another thread than the first
//	act memfd FILE ARG...    runs a copy of a program from a memfd
//	act attach               attaches to a child with ptrace(2)
//	act attach-fail          the same to a process that is not there
//	act shell SH ARG...      starts a shell with its standard input on a TCP connection
//	act pipe-shell SH ARG... starts a shell with its standard input on a pipe
//	act loopback             makes a TCP connection to itself
//	act packet               opens a packet socket
//	act pty CMD...           runs a program on a terminal of its own
//	act talk                 sends and receives over the loopback, see talk.go
//	act talk ADDR            the same in a network of its own, where the loopback has that IPv4 address
//	act facts FILE           see facts.go
//	act nothing ARG...       ends at once
//	act wait                 waits until it is killed
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if filepath.Base(os.Args[0]) != "act" && len(os.Args) == 2 && os.Args[1] == "--chain" {
		check("chain", link())
		return
	}
	if len(os.Args) < 2 {
		check("choose what to do", fmt.Errorf("no command"))
	}
	do, ok := map[string]func(args []string) error{
		"cat":         cat,
		"creat":       creat,
		"int80":       int80,
		"openat2":     openat2,
		"rewrite":     rewrite,
		"cgroup":      inCgroup,
		"chain":       chain,
		"evade":       evade,
		"memfd":       memfd,
		"ring":        ring,
		"fexec":       fexec,
		"vfork":       vfork,
		"thread-exec": threadExec,
		"attach":      func([]string) error { return attach() },
		"attach-fail": func([]string) error { return attachFail() },
		"shell":       shell,
		"pipe-shell":  pipeShell,
		"pty":         pty,
		"talk":        talk,
		"facts":       facts,
		"loopback":    func([]string) error { return loopback() },
		"packet":      func([]string) error { return packet() },
		"nothing":     func([]string) error { return nil },
		"wait":        func([]string) error { time.Sleep(time.Hour); return nil },
	}[os.Args[1]]
	if !ok {
		check("choose what to do", fmt.Errorf("unknown command %q", os.Args[1]))
	}
	check(os.Args[1], do(os.Args[2:]))
}

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func cat(names []string) error {
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, f); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}
