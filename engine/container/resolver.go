// SPDX-License-Identifier: Apache-2.0

package container

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Key names a cgroup by the ids that every record's header carries.
type Key struct {
	V2 uint64 // kernfs id in the v2 hierarchy
	V1 uint64 // kernfs id in the first v1 controller in use, 0 without one
}

// Stats counts what a Resolver had to do. Every count only grows but Entries.
type Stats struct {
	Entries   uint64 // cgroups known now
	Misses    uint64 // cgroups that no record had told of
	Walks     uint64 // walks of the cgroup filesystem
	Evictions uint64
}

// Resolver finds the container of a process by its cgroup ids. A kernfs id is never given twice in the life of a
// kernel, so what is known of one stays true. Learn and Lookup belong to one goroutine; Stats may be called from any.
type Resolver struct {
	proc, cgroup string // where the two filesystems are mounted
	on           Enabled
	store        *Store          // nil: only identities are known
	told         map[string]*Box // by ID, of a recording; nil for this host
	max          int
	bytes        int // for the store
	known        map[Key]*entry
	order        []Key // the keys of known, the oldest first, from head on
	head         int
	lastWalk     time.Time
	now          func() time.Time

	entries, misses, walks, evictions atomic.Uint64
}

type entry struct {
	info  Info
	in    bool
	box   *Box // nil without a store
	found bool // false: nothing was found, look again after retry
	retry time.Time
}

const (
	maxCgroups  = 8192
	retryAfter  = 5 * time.Second
	walkEvery   = 2 * time.Second
	maxWalkDirs = 20000
	maxDepth    = 16
)

// NewResolver returns a resolver for the host whose root directory is seen at root ("" for this one).
func NewResolver(root string) *Resolver {
	return &Resolver{
		proc: filepath.Join("/", root, "proc"), cgroup: filepath.Join("/", root, "sys/fs/cgroup"),
		on: allEnabled, max: maxCgroups, known: make(map[Key]*entry), now: time.Now,
	}
}

// Use makes the resolver tell containers of some runtimes only, and has the store find out about them.
func (r *Resolver) Use(s *Store) {
	r.store, r.on = s, s.opts.Enabled
	if r.bytes > 0 {
		s.limit(r.max/2, r.bytes)
	}
}

// Limit says how many containers are known at most, in twice as many cgroups, and how many bytes the store may keep of what is known of them.
// It is for before Use.
func (r *Resolver) Limit(containers, bytes int) { r.max, r.bytes = 2*containers, bytes }

// Stats returns the counters.
func (r *Resolver) Stats() Stats {
	return Stats{r.entries.Load(), r.misses.Load(), r.walks.Load(), r.evictions.Load()}
}

// StoreStats returns the counters of the store in use.
func (r *Resolver) StoreStats() StoreStats {
	if r.store == nil {
		return StoreStats{}
	}
	return r.store.Stats()
}

// Learn takes the cgroup paths that a record carries ("controller=path", each followed by NUL) for the cgroup of its header.
func (r *Resolver) Learn(k Key, cgroups []byte) {
	if e := r.known[k]; k == (Key{}) || e != nil && e.found || !bytes.ContainsRune(cgroups, '=') {
		return
	}
	info, in := r.on.MatchList(string(cgroups))
	r.put(k, entry{info: info, in: in, found: true})
}

// Lookup returns the container that cgroup k belongs to; in is false for a process of the host. sameProcess tells whether pid
// is still the process of the event, and is asked only when /proc is read because k is not known. It allocates nothing
// for a cgroup that is known.
func (r *Resolver) Lookup(k Key, pid uint32, sameProcess func() bool) (info Info, in bool) {
	e := r.known[k]
	if e == nil || !e.found && r.now().After(e.retry) {
		e = r.resolve(k, pid, sameProcess)
	}
	return e.info, e.in
}

// Box returns what is found out about the container of cgroup k, which Lookup has found; nil for the host, and without a store.
func (r *Resolver) Box(k Key) *Box {
	e := r.known[k]
	if e != nil && e.in && r.told != nil {
		return r.recorded(e.info)
	}
	if e == nil || e.box == nil {
		return nil
	}
	if e.box.refused || e.box.dropped {
		e.box = r.store.Box(e.info)
	}
	e.box.used = true
	return e.box
}

// Await waits a moment, see Store.
func (r *Resolver) Await(b *Box) {
	if r.store != nil {
		r.store.Await(b)
	}
}

// Changed has an element when more has become known of some container; it is nil without a store.
func (r *Resolver) Changed() <-chan struct{} {
	if r.store == nil {
		return nil
	}
	return r.store.Changed()
}

func (r *Resolver) resolve(k Key, pid uint32, sameProcess func() bool) *entry {
	r.misses.Add(1)
	if k == (Key{}) { // a kernel without cgroups
		return r.put(k, entry{found: true})
	}
	if list, ok := r.ofProcess(pid); ok && sameProcess() && r.is(k, list) {
		info, in := r.on.MatchList(list)
		return r.put(k, entry{info: info, in: in, found: true})
	}
	if now := r.now(); now.Sub(r.lastWalk) >= walkEvery && k.V2 != 0 {
		r.lastWalk = now
		r.walk()
		if e := r.byV2(k); e != nil {
			return e
		}
	}
	return r.put(k, entry{retry: r.now().Add(retryAfter)})
}

// ofProcess reads the cgroups of a process as entries of MatchList.
func (r *Resolver) ofProcess(pid uint32) (string, bool) {
	f, err := os.OpenFile(r.proc+"/"+strconv.FormatUint(uint64(pid), 10)+"/cgroup", os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", false
	}
	defer func() { _ = f.Close() }()
	buf := make([]byte, 16<<10)
	n, _ := f.Read(buf)
	var b strings.Builder
	for line := range strings.Lines(string(buf[:n])) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		names, path, ok := strings.Cut(rest, ":")
		if ok {
			b.WriteString(names + "=" + path + "\x00")
		}
	}
	return b.String(), b.Len() > 0
}

// is reports whether the v2 path of list is cgroup k as far as that can be told: the process may have moved since the event.
func (r *Resolver) is(k Key, list string) bool {
	root, ok := r.unified()
	for entry := range strings.SplitSeq(list, "\x00") {
		path, v2 := strings.CutPrefix(entry, "=")
		var st syscall.Stat_t
		if v2 && ok && k.V2 != 0 && syscall.Lstat(root+path, &st) == nil {
			return st.Ino == k.V2
		}
	}
	return true
}

// unified returns where the v2 hierarchy is mounted.
func (r *Resolver) unified() (string, bool) {
	for _, dir := range [...]string{r.cgroup, r.cgroup + "/unified"} {
		if _, err := os.Lstat(dir + "/cgroup.procs"); err == nil {
			return dir, true
		}
	}
	return "", false
}

// walk learns every cgroup of the v2 hierarchy, up to a bound.
func (r *Resolver) walk() {
	r.walks.Add(1)
	root, ok := r.unified()
	if !ok {
		return
	}
	dirs := 0
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // gone meanwhile, or one of the files of a cgroup
		}
		if dirs++; dirs > maxWalkDirs {
			return filepath.SkipAll
		}
		var st syscall.Stat_t
		if syscall.Lstat(path, &st) != nil {
			return nil
		}
		name := strings.TrimPrefix(path, root)
		info, in := r.on.Match(name)
		// With a v1 hierarchy beside it the container's id is there too: what v2 alone says is only good if it says something.
		if k := (Key{V2: st.Ino}); in || name == "" || r.pure(root) {
			if e := r.known[k]; e == nil || !e.found {
				r.put(k, entry{info: info, in: in, found: true})
			}
		}
		if strings.Count(name, "/") >= maxDepth {
			return filepath.SkipDir
		}
		return nil
	})
}

func (r *Resolver) pure(root string) bool { return root == r.cgroup }

// byV2 finds what a walk has learned: it does not know the v1 ids.
func (r *Resolver) byV2(k Key) *entry {
	e := r.known[Key{V2: k.V2}]
	if e == nil || !e.found {
		return nil
	}
	if k.V1 != 0 {
		if !e.in {
			return nil // the v1 hierarchies may know better
		}
		return r.put(k, *e)
	}
	return e
}

func (r *Resolver) put(k Key, e entry) *entry {
	if e.in && r.store != nil {
		e.box = r.store.Box(e.info)
	}
	if old := r.known[k]; old != nil {
		*old = e
		return old
	}
	for len(r.known) >= r.max {
		delete(r.known, r.order[r.head])
		r.head++
		r.evictions.Add(1)
	}
	if r.head > r.max {
		r.order = append(r.order[:0], r.order[r.head:]...)
		r.head = 0
	}
	r.known[k] = &e
	r.order = append(r.order, k)
	r.entries.Store(uint64(len(r.known)))
	return &e
}
