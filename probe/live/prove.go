// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"unsafe"

	"falconet/engine/event"

	"golang.org/x/sys/unix"
)

// proof makes a call that a program which holds must see and that changes nothing: of descriptors that do not exist, of modes and owners as they
// are, of names in filesystems that have no such operation, where the kernel gets as far as our hook and no farther.
type proof struct {
	nr   uintptr
	args []any // numbers and paths
}

func (p proof) run() unix.Errno {
	var a [5]uintptr
	var keep [5]*byte
	for i, v := range p.args {
		switch v := v.(type) {
		case int:
			a[i] = uintptr(v)
		case string:
			keep[i], _ = unix.BytePtrFromString(v) // none has a NUL in it
			a[i] = uintptr(unsafe.Pointer(keep[i]))
		}
	}
	_, _, errno := unix.Syscall6(p.nr, a[0], a[1], a[2], a[3], a[4], 0)
	return errno
}

// proofs are the proofs by event. What no harmless call reaches is not in it: such a program is attached as others are and taken at its word.
func proofs(memfd string) map[string]proof {
	const (
		file, other, dir = "/proc/self/comm", "/proc/self/limits", "/proc/self/task" // of a filesystem that removes and renames nothing
		place, in        = "/sys/falconet", "/sys/kernel"                            // of one where nobody makes anything
		cwd              = unix.AT_FDCWD
	)
	p := func(nr uintptr, args ...any) proof { return proof{nr, args} }
	return map[string]proof{
		"close": p(unix.SYS_CLOSE, -1), "dup2": p(unix.SYS_DUP2, -1, -1), "dup3": p(unix.SYS_DUP3, -1, -1, 0),
		"unlink": p(unix.SYS_UNLINK, file), "unlinkat": p(unix.SYS_UNLINKAT, cwd, file, 0), "rmdir": p(unix.SYS_RMDIR, dir),
		"rename": p(unix.SYS_RENAME, file, other), "renameat": p(unix.SYS_RENAMEAT, cwd, file, cwd, other), "renameat2": p(unix.SYS_RENAMEAT2, cwd, file, cwd, other, 0),
		"chmod": p(unix.SYS_CHMOD, memfd, 0o600), "fchmodat": p(unix.SYS_FCHMODAT, cwd, memfd, 0o600),
		"chown": p(unix.SYS_CHOWN, memfd, -1, -1), "fchownat": p(unix.SYS_FCHOWNAT, cwd, memfd, -1, -1, 0), "lchown": p(unix.SYS_LCHOWN, memfd, -1, -1),
		"mkdir": p(unix.SYS_MKDIR, place, 0o700), "mkdirat": p(unix.SYS_MKDIRAT, cwd, place, 0o700),
		"mknod": p(unix.SYS_MKNOD, place, unix.S_IFIFO|0o600, 0), "mknodat": p(unix.SYS_MKNODAT, cwd, place, unix.S_IFIFO|0o600, 0),
		"symlink": p(unix.SYS_SYMLINK, in, place), "symlinkat": p(unix.SYS_SYMLINKAT, in, cwd, place),
	}
}

// proveHolds triggers the programs that hold, once for each event: a program that is attached need not run.
func (p *Probe) proveHolds(plan *plan) error {
	fd, err := unix.MemfdCreate("falconet", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("make a file to try hooks on: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Fchmod(fd, 0o600); err != nil {
		return fmt.Errorf("make a file to try hooks on: %w", err)
	}
	list := proofs(fmt.Sprintf("/proc/self/fd/%d", fd))
	for _, row := range plan.held {
		call, ok := list[row.Name]
		if !ok || p.origins[row.Name] == FromArgument {
			continue
		}
		seen, err := p.proves(row, call)
		if err != nil {
			return err
		}
		if !seen {
			p.lost = append(p.lost, Loss{row.Name, fmt.Errorf("the hook for it is attached and never runs")})
			p.origins[row.Name] = FromArgument
		}
	}
	return nil
}

// proves reports whether a program saw the call, or could not because the call was refused before the kernel came to it.
func (p *Probe) proves(row *event.Row, call proof) (bool, error) {
	before, err := p.self()
	if err != nil {
		return false, err
	}
	errno := call.run()
	after, err := p.self()
	reached := row.AtEntry() || errno == 0 || errno == unix.EPERM
	return after.Held != before.Held || !reached, err
}
