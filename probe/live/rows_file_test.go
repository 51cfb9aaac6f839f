// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"falconet/engine/event"
)

func init() {
	maps.Copy(rowTests, map[string]func(*testing.T){
		"mkdir": calls("mkdir", "mkdir"), "mkdirat": calls("mkdirat", "mkdirat"), "rmdir": calls("rmdir", "rmdir"),
		"link": calls("link", "link"), "linkat": calls("linkat", "linkat"), "symlink": calls("symlink", "symlink"), "symlinkat": calls("symlinkat", "symlinkat"),
		"chown": calls("chown", "chown"), "lchown": calls("lchown", "chown"), "fchown": calls("fchown", "fchown"), "fchownat": calls("fchownat", "fchownat"),
		"mknod": calls("mknod", "mknod"), "mknodat": calls("mknodat", "mknodat"), "access": calls("access", "access"),
		"stat": calls("stat", "stats"), "lstat": calls("lstat", "stats"), "stat64": calls32("stat64", "stats64"), "lstat64": calls32("lstat64", "stats64"),
		"newfstatat": calls("newfstatat", "newfstatat"), "mount": calls("mount", "mount"), "umount2": calls("umount2", "umount"), "umount": calls32("umount", "umount"),
		"chdir": calls("chdir", "chdir"), "fchdir": calls("fchdir", "fchdir"), "getcwd": calls("getcwd", "getcwd"),

		"close": calls("close", "close"), "close_range": calls("close_range", "closerange"), "dup": calls("dup", "dup"), "dup2": calls("dup2", "dup2"),
		"dup3": calls("dup3", "dup3"), "fcntl": calls("fcntl", "fcntl"), "ioctl": calls("ioctl", "ioctl"), "flock": calls("flock", "flock"),
		"lseek": calls("lseek", "lseek"), "llseek": calls32("llseek", "llseek"), "fstat": calls("fstat", "fstat"), "fstat64": calls32("fstat64", "fstat64"),
		"getdents": calls("getdents", "getdents"), "getdents64": calls("getdents64", "getdents"), "open_by_handle_at": calls("open_by_handle_at", "handle"),
		"splice": calls("splice", "splice"), "sendfile": calls("sendfile", "sendfile"), "copy_file_range": calls("copy_file_range", "copyrange"),
		"pipe": calls("pipe", "pipe"), "pipe2": calls("pipe2", "pipe"), "eventfd": calls("eventfd", "eventfd"), "eventfd2": calls("eventfd2", "eventfd"),
		"timerfd_create": calls("timerfd_create", "timerfd"), "signalfd": calls("signalfd", "signalfd"), "signalfd4": calls("signalfd4", "signalfd"),
		"inotify_init": calls("inotify_init", "inotify", "eventfd"), "inotify_init1": calls("inotify_init1", "inotify"),

		"poll": calls("poll", "poll"), "ppoll": calls("ppoll", "ppoll"), "select": calls("select", "selects"), "epoll_wait": calls("epoll_wait", "epollwait"),
		"epoll_create": calls("epoll_create", "epoll"), "epoll_create1": calls("epoll_create1", "epoll"),
	})
}

// calls32 runs a trigger of a call that only the 32-bit table has.
func calls32(name, trigger string) func(*testing.T) {
	return func(t *testing.T) {
		privileged(t)
		if row := event.RowOf(event.ByName(name)[0]); len(row.NR64) != 0 {
			t.Errorf("%s has the numbers %v of the 64-bit table", name, row.NR64)
		}
		compat(t).calls(t, name, trigger)
	}
}

var kindNames = [...]string{
	event.KindFile: "file", event.KindFIFO: "fifo", event.KindIPv4: "ipv4", event.KindUnix: "unix", event.KindAnon: "anon",
}

// pollNames are the flags of a poll in the order of the schema's bits.
var pollNames = []string{
	"POLLIN", "POLLPRI", "POLLOUT", "POLLRDHUP", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDNORM", "POLLRDBAND", "POLLWRNORM", "POLLWRBAND",
}

// polled compares the descriptors of a poll.
func (k *checker) polled(what string, want []string, b []byte) {
	k.t.Helper()
	var got []string
	for i := 0; ; i++ {
		f, ok := event.Poll(b, i)
		if !ok {
			break
		}
		var names []string
		for bit, name := range pollNames {
			if f.Revents>>bit&1 != 0 {
				names = append(names, name)
			}
		}
		kind := "none"
		if f.Found != 0 {
			kind = kindNames[f.Kind]
		}
		if name, _, _ := bytes.Cut(f.Name[:], []byte{0}); len(name) > 0 {
			kind += " " + string(name)
		}
		got = append(got, fmt.Sprintf("%d %s %s", f.FD, strings.Join(names, "|"), kind))
	}
	same := func(got, want string) bool { // names are cut
		return got == want || strings.Contains(got, " anon ") && strings.HasPrefix(want, got)
	}
	if !slices.EqualFunc(got, want, same) {
		k.errorf("%s is %q instead of %q", what, got, want)
	}
}
