// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// quiet is how long nothing may change before files are read: whoever writes several writes them together.
	quiet = 300 * time.Millisecond
	// restless is how long that may take.
	restless = 5 * time.Second
	// clockGrain is how far the time of a file's change may be behind the clock.
	clockGrain = 20 * time.Millisecond
	// maxLinks bounds how many symbolic links a path goes through, as the kernel does.
	maxLinks = 40
	// maxWatched bounds how much of a file is looked at: no file that is read is larger.
	maxWatched = 64 << 20
)

// Watcher tells when the content of files changes, or of the files in directories: by a write, by another file that takes the name, as editors
// do it, or by a symbolic link on the way that leads elsewhere, as Kubernetes does it. It watches the directories on the way, so that what
// does not exist yet may come.
type Watcher struct {
	c     chan struct{}
	dirty chan struct{}
	stop  chan struct{}
	done  sync.WaitGroup
	fd    int
	in    *os.File // of fd

	mu    sync.Mutex
	paths []string
	names map[int32]names
	seen  [sha256.Size]byte // the content that is known
}

// names are those that are of interest in a directory; nil is all.
type names map[string]bool

func (n names) has(name string) bool { return n == nil || n[name] }

// NewWatcher returns a watcher of nothing.
func NewWatcher() (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	w := &Watcher{c: make(chan struct{}, 1), dirty: make(chan struct{}, 1), stop: make(chan struct{}), fd: fd, in: os.NewFile(uintptr(fd), "inotify")}
	w.done.Go(w.read)
	w.done.Go(w.look)
	return w, nil
}

// Close ends the watch.
func (w *Watcher) Close() {
	close(w.stop)
	_ = w.in.Close()
	w.done.Wait()
}

// Changed tells that what is watched has changed since it was known. A nil Watcher tells nothing.
func (w *Watcher) Changed() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.c
}

// Set says what to watch from now on. It was read after a moment, and what has changed since then is told. An error means that not all can be
// watched.
func (w *Watcher) Set(paths []string, read time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Equal(paths, w.paths) {
		return nil
	}
	w.paths = slices.Clone(paths)
	err := w.place()
	if latest(paths).Before(read.Add(-clockGrain)) {
		w.seen = content(paths)
	} else {
		w.seen = [sha256.Size]byte{}
		notify(w.dirty)
	}
	return err
}

// Seen takes the files as they are now for known: they are about to be read.
func (w *Watcher) Seen() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = content(w.paths)
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was told already
	}
}

// place watches the directories on the way to the paths, and no others.
func (w *Watcher) place() error {
	const events = unix.IN_ONLYDIR | unix.IN_CLOSE_WRITE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_CREATE | unix.IN_DELETE |
		unix.IN_MOVE_SELF | unix.IN_DELETE_SELF
	wanted := make(map[string]names)
	for _, p := range w.paths {
		trace(p, wanted, maxLinks, true)
	}
	var errs []error
	watched := make(map[int32]names)
	for dir, of := range wanted {
		wd, err := unix.InotifyAddWatch(w.fd, dir, events)
		switch {
		case err == nil:
			add(watched, int32(wd), of) // of two names of a directory there is one watch
		case !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR):
			errs = append(errs, fmt.Errorf("watch %s: %w", dir, err))
		}
	}
	for wd := range w.names {
		if _, still := watched[wd]; !still {
			_, _ = unix.InotifyRmWatch(w.fd, uint32(wd)) // it may be gone with its directory
		}
	}
	w.names = watched
	return errors.Join(errs...)
}

// add adds names to those of a directory.
func add[K comparable](all map[K]names, dir K, of names) {
	have, ok := all[dir]
	switch {
	case of == nil || ok && have == nil:
		all[dir] = nil
	case !ok:
		all[dir] = of
	default:
		for name := range of {
			have[name] = true
		}
	}
}

// trace adds the directories that a path leads through, with the names in them that it goes by; with inside, also those that the entries of
// a directory lead through.
func trace(path string, out map[string]names, links int, inside bool) {
	path, err := filepath.Abs(path)
	if err != nil {
		return
	}
	dir, rest := "/", strings.Split(strings.Trim(path, "/"), "/")
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		add(out, dir, names{name: true})
		here := filepath.Join(dir, name)
		target, err := os.Readlink(here)
		if err != nil { // it is none
			dir = here
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		if links > 0 {
			trace(filepath.Join(append([]string{target}, rest...)...), out, links-1, inside)
		}
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil || !inside { // no directory
		return
	}
	add(out, dir, nil)
	for _, e := range entries {
		if e.Type()&os.ModeSymlink != 0 {
			trace(filepath.Join(dir, e.Name()), out, links, false)
		}
	}
}

// read waits for events and looks whether they are of interest.
func (w *Watcher) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := w.in.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			if size > len(b) {
				break
			}
			name, _, _ := strings.Cut(string(b[unix.SizeofInotifyEvent:size]), "\x00")
			of, ours := w.names[int32(binary.NativeEndian.Uint32(b))]
			// Without a name it is about the directory itself, or about events that were lost.
			if name == "" || ours && of.has(name) {
				notify(w.dirty)
			}
			b = b[size:]
		}
		w.mu.Unlock()
	}
}

// look compares the files with what is known of them when they have come to rest.
func (w *Watcher) look() {
	for {
		select {
		case <-w.stop:
			return
		case <-w.dirty:
		}
		if !w.rest() {
			return
		}
		w.mu.Lock()
		_ = w.place() // what could not be watched was said when it was set
		now := content(w.paths)
		if now != w.seen {
			w.seen = now
			notify(w.c)
		}
		w.mu.Unlock()
	}
}

// rest waits until nothing has changed for a while. It is false at the end of the watch.
func (w *Watcher) rest() bool {
	for begin := time.Now(); time.Since(begin) < restless; {
		select {
		case <-w.stop:
			return false
		case <-w.dirty:
		case <-time.After(quiet):
			return true
		}
	}
	return true
}

// content sums up what files and directories hold.
func content(paths []string) (out [sha256.Size]byte) {
	h := sha256.New()
	eachFile(paths, func(path string, info os.FileInfo) {
		fmt.Fprintf(h, "%q %t\n", path, info != nil)
		if info != nil {
			sum(h, path)
		}
	})
	return [sha256.Size]byte(h.Sum(nil))
}

func sum(h hash.Hash, path string) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	n, _ := io.Copy(h, io.LimitReader(f, maxWatched+1))
	fmt.Fprintf(h, "\n%d\n", n)
}

// latest is when the last of the files changed, or of the symbolic links on the way to them.
func latest(paths []string) (at time.Time) {
	take := func(info os.FileInfo) {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			if t := time.Unix(s.Ctim.Sec, s.Ctim.Nsec); t.After(at) {
				at = t
			}
		}
	}
	eachFile(paths, func(_ string, info os.FileInfo) {
		if info != nil {
			take(info)
		}
	})
	on := make(map[string]names)
	for _, p := range paths {
		trace(p, on, maxLinks, true)
	}
	for dir, of := range on {
		if of == nil {
			of = make(names)
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				of[e.Name()] = true
			}
		}
		for name := range of {
			if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.Mode()&os.ModeSymlink != 0 {
				take(info)
			}
		}
	}
	return at
}

// eachFile calls fn for every file, and every file of a directory; info is nil for what is not there or is neither.
func eachFile(paths []string, fn func(path string, info os.FileInfo)) {
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err == nil && info.Mode().IsRegular():
			fn(path, info)
			continue
		case err != nil || !info.IsDir():
			fn(path, nil)
			continue
		}
		entries, _ := os.ReadDir(path)
		for _, e := range entries {
			name := filepath.Join(path, e.Name())
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				fn(name, info)
			}
		}
	}
}
