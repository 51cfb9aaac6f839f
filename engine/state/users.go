// SPDX-License-Identifier: Apache-2.0

package state

import (
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// User is one entry of the host's passwd file.
type User struct {
	Name, Home, Shell string
}

// Users names the host's users and groups. It belongs to one goroutine.
type Users struct {
	passwd, group accountFile
	users         map[uint32]User
	groups        map[uint32]string
	checked       time.Time
}

type accountFile struct {
	path  string
	stamp stamp
}

// stamp tells whether a file has changed.
type stamp struct {
	ino, dev    uint64
	mtime, size int64
}

const (
	maxAccountFile = 4 << 20
	maxAccounts    = 1 << 16
)

// NewUsers reads the users and groups of the host whose root directory is seen at root ("" for this one).
func NewUsers(root string) *Users {
	u := &Users{
		passwd: accountFile{path: filepath.Join("/", root, "etc/passwd")},
		group:  accountFile{path: filepath.Join("/", root, "etc/group")},
	}
	u.Refresh(time.Now())
	return u
}

// Refresh reads the files again if they have changed. It looks at most once a second, however often it is called.
func (u *Users) Refresh(now time.Time) {
	if !u.checked.IsZero() && now.Sub(u.checked) < time.Second && !now.Before(u.checked) {
		return
	}
	u.checked = now
	if b, ok := u.passwd.changed(); ok {
		u.users = make(map[uint32]User)
		accounts(b, 7, func(w []string, id uint32) {
			if _, ok := u.users[id]; !ok {
				u.users[id] = User{w[0], w[5], w[6]}
			}
		})
	}
	if b, ok := u.group.changed(); ok {
		u.groups = make(map[uint32]string)
		accounts(b, 4, func(w []string, id uint32) {
			if _, ok := u.groups[id]; !ok {
				u.groups[id] = w[0]
			}
		})
	}
}

// changed returns the file's content if it is not what was read last. A file that is missing or is no regular file has none.
func (f *accountFile) changed() (string, bool) {
	var st syscall.Stat_t
	now := stamp{}
	if syscall.Stat(f.path, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFREG {
		now = stamp{st.Ino, st.Dev, st.Mtim.Nano(), st.Size}
	}
	if now == f.stamp {
		return "", false
	}
	f.stamp = now
	b, _ := readFile(f.path, make([]byte, min(max(now.size, 0)+1, maxAccountFile)))
	return string(b), true
}

// accounts calls add for each line of n fields whose third is a number.
func accounts(file string, n int, add func(w []string, id uint32)) {
	count := 0
	for line := range strings.Lines(file) {
		w := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(w) < n || w[0] == "" || w[0][0] == '#' {
			continue
		}
		id, err := strconv.ParseUint(w[2], 10, 32)
		if err != nil {
			continue
		}
		if count++; count > maxAccounts {
			return
		}
		add(w, uint32(id))
	}
}

// root is what the superuser is called where no file names it.
var root = User{Name: "root", Home: "/root", Shell: ""}

// User returns the user with that id; ok is false when the host knows none.
func (u *Users) User(uid uint32) (user User, ok bool) {
	if user, ok = u.users[uid]; ok || uid != 0 {
		return user, ok
	}
	return root, true
}

// Group returns the name of the group with that id; ok is false when the host knows none.
func (u *Users) Group(gid uint32) (name string, ok bool) {
	if name, ok = u.groups[gid]; ok || gid != 0 {
		return name, ok
	}
	return "root", true
}
