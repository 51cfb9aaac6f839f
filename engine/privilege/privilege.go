// SPDX-License-Identifier: Apache-2.0

// Package privilege gives up what a running falconet does not need.
package privilege

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"falconet/engine/config"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// Set is a set of capabilities.
type Set uint64

// Of returns the set of the given capabilities.
func Of(caps ...int) (s Set) {
	for _, c := range caps {
		s |= 1 << c
	}
	return s
}

// Has reports whether all of o are in s.
func (s Set) Has(o Set) bool { return s&o == o }

var names = map[int]string{
	unix.CAP_DAC_OVERRIDE: "DAC_OVERRIDE", unix.CAP_DAC_READ_SEARCH: "DAC_READ_SEARCH", unix.CAP_KILL: "KILL", unix.CAP_NET_BIND_SERVICE: "NET_BIND_SERVICE",
	unix.CAP_SYS_PTRACE: "SYS_PTRACE", unix.CAP_SYS_ADMIN: "SYS_ADMIN", unix.CAP_PERFMON: "PERFMON", unix.CAP_BPF: "BPF",
}

// String names the capabilities that Needed may return.
func (s Set) String() string {
	var list []string
	for c := range 64 {
		if s&(1<<c) == 0 {
			continue
		}
		name := names[c]
		if name == "" {
			name = fmt.Sprint(c)
		}
		list = append(list, name)
	}
	return strings.Join(list, " ")
}

// Need is what a run needs from now on.
type Need struct {
	Keep Set
	// Children is set where programs are started that are to have what falconet was started with.
	Children bool
}

// Needed returns what a configuration needs once everything is opened: to load programs of the probe and attach them at a reload, to look at
// processes, and to read files wherever they are; to write files, if writes or the configuration says so, and listen where that is configured.
// have is what there is.
func Needed(conf *config.Config, writes bool, have Set) Need {
	n := Need{Keep: Of(unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH)}
	if !have.Has(Of(unix.CAP_BPF, unix.CAP_PERFMON)) { // it stands for both
		n.Keep |= Of(unix.CAP_SYS_ADMIN)
	}
	out := &conf.Outputs
	// files may be in directories of others, and made anew by others
	if writes || conf.Capture.Enabled || out.File.Enabled || out.Program.Enabled && out.Program.Spool.Path != "" || out.HTTP.Enabled && out.HTTP.Spool.Path != "" || conf.Metrics.Enabled && conf.Metrics.OutputFile != "" {
		n.Keep |= Of(unix.CAP_DAC_OVERRIDE)
	}
	if conf.Web.Enabled && conf.Web.ListenPort < firstFreePort {
		n.Keep |= Of(unix.CAP_NET_BIND_SERVICE)
	}
	if out.Program.Enabled {
		n.Keep |= Of(unix.CAP_KILL)
		n.Children = true
	}
	n.Keep &= have
	return n
}

// firstFreePort is the first that everybody may listen on.
const firstFreePort = 1024

// Have returns the capabilities that this process may use.
func Have() (Set, error) {
	var d [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &d[0]); err != nil {
		return 0, fmt.Errorf("read capabilities: %w", err)
	}
	return Set(d[0].Permitted) | Set(d[1].Permitted)<<32, nil
}

// Reduce gives up what a run with this configuration does not need any more, and returns what it keeps. writes is set where files are written of
// which the configuration knows nothing.
func Reduce(conf *config.Config, writes bool) (Set, error) {
	have, err := Have()
	if err != nil {
		return 0, err
	}
	n := Needed(conf, writes, have)
	return n.Keep, Drop(n)
}

// Drop gives up everything else, in every thread and for ever: also what a program that is started would get back, unless children are to have
// it.
func Drop(n Need) error {
	if !n.Children {
		if err := dropBounds(n.Keep); err != nil {
			return err
		}
		if err := all("forbid new privileges", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
	}
	if err := all("clear ambient capabilities", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	low, high := uint32(n.Keep), uint32(n.Keep>>32)
	d := &[2]unix.CapUserData{{Effective: low, Permitted: low}, {Effective: high, Permitted: high}}
	var pin runtime.Pinner // every thread reads them
	defer pin.Unpin()
	pin.Pin(head)
	pin.Pin(d)
	return all("give up capabilities", unix.SYS_CAPSET, uintptr(unsafe.Pointer(head)), uintptr(unsafe.Pointer(d)), 0, 0, 0)
}

// dropBounds takes out of the bounding set what is not kept. Who may not do that has no more than was given.
func dropBounds(keep Set) error {
	have, err := Have()
	if err != nil || !have.Has(Of(unix.CAP_SETPCAP)) {
		return err
	}
	for c := range uintptr(64) {
		bound, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) { // the last one that the kernel knows was before
			return nil
		}
		if err != nil {
			return fmt.Errorf("read bounding set: %w", err)
		}
		if bound == 0 || keep&(1<<c) != 0 {
			continue
		}
		if err := all("narrow bounding set", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			return err
		}
	}
	return nil
}

// all makes a system call in every thread.
func all(what string, nr, a, b, c, d, e uintptr) error {
	if _, _, errno := psx.Syscall6(nr, a, b, c, d, e, 0); errno != 0 {
		return fmt.Errorf("%s: %w", what, errno)
	}
	return nil
}
