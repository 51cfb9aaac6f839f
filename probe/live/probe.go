// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"falconet/engine/event"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// Options say what a probe captures and how much memory its rings take.
type Options struct {
	Object []byte        // the compiled programs
	Demand *event.Demand // what to capture; not changed
	// EventBytes is the size of each ring of events, LifeBytes that of the one of process life. They are rounded up to a power of two and at
	// least a page.
	EventBytes, LifeBytes int
	// CPUsPerRing is how many processors share a ring of events, 0 for all.
	CPUsPerRing int
	// DropFailed leaves out calls that fail, but for connections under way.
	DropFailed bool
	// Snaplen is how many bytes are kept of the data that a call moves, 65535 at most; 0 means 80.
	Snaplen int
	// Controller is the index in event.Controllers of the v1 cgroup hierarchy that Header.Cgroup1 numbers, -1 for none.
	Controller int

	requests int           // how many requests of io_uring are kept track of at one time, 0 for the usual number
	logLevel ebpf.LogLevel // of the verifier
}

// ErrBlind is returned when everything loaded and attached and the probe still does not see its own calls.
var ErrBlind = errors.New("the probe does not see the calls of its own process")

// Probe is an attached probe. Start, Widen, Narrow, Close and what tells of the kernel's refusals belong to one goroutine, Run and
// Drain to one, and the rest may be called from any.
type Probe struct {
	mu        sync.Mutex // of one who changes maps, hooks or holders, or does not belong to that goroutine
	object    []byte
	constants map[string]any
	hot       *ebpf.Map // the constants of hot programs where these have their own, else nil
	routes    *routeTable
	holds     *routeTable

	maps                    map[string]*ebpf.Map
	hooks                   []*loaded
	iter                    *ebpf.Program
	events                  []*ring
	life                    *ring
	plan                    *plan
	cookie                  uint64
	refused                 []error
	gaveUp                  map[string]bool // hooks that the kernel refuses, by dispatcher
	limits                  []string
	toldRefused, toldLimits int // of these have been logged
	holders                 []*holder
	origins                 map[string]Origin
	lost                    []Loss
	beatID                  event.ID
	loading                 time.Duration // how long the kernel took to take the programs

	requests   *requestHooks // nil when this kernel does not say enough
	noRequests error         // why
	limited    bool          // what io_uring does not tell has been said
	pending    uint32        // how many of its requests are kept track of at one time

	ringOf    []int // by processor: its ring of events
	rings     int
	eventMaps []*ebpf.Map

	beats     atomic.Uint64
	malformed atomic.Uint64
	closing   sync.Once
}

// Open loads and attaches a probe. When it returns, process life is being recorded and the probe knows its own process;
// other events come after Start. On error nothing stays loaded.
func Open(o Options) (*Probe, error) {
	if err := environment(); err != nil {
		return nil, err
	}
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(o.Object))
	if err != nil {
		return nil, fmt.Errorf("read probe object: %w", err)
	}
	p := &Probe{object: o.Object, maps: make(map[string]*ebpf.Map), gaveUp: make(map[string]bool), plan: makePlan(o.Demand), beatID: event.ByName("heartbeat")[0]}
	if err := p.open(spec, o); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Probe) open(spec *ebpf.CollectionSpec, o Options) (err error) {
	types := btf.NewCache()
	if err := p.resolveRequests(types); err != nil {
		return err
	}
	if err := p.setOptions(spec, o); err != nil {
		return err
	}
	if err := p.createMaps(spec); err != nil {
		return err
	}
	loader := &loader{spec: spec, maps: p.maps, types: types, wants: p.plan.uses, logLevel: o.logLevel}
	if p.hot, err = loader.allowDirectReads(); err != nil {
		return err
	}
	list := p.wanted(p.plan)
	began := time.Now()
	var refused []error
	if p.hooks, refused, err = loader.hooks(list); err != nil {
		return err
	}
	p.refused = append(p.refused, refused...)
	p.dropHalfRequests()
	for _, h := range p.hooks {
		p.refused = append(p.refused, h.refused...)
	}
	for _, h := range list {
		p.gaveUp[h.dispatcher] = p.hook(h.dispatcher) == nil
	}
	p.limit()
	if p.iter, err = loader.program("dump_tasks", false); err != nil {
		p.refused = append(p.refused, fmt.Errorf("running processes are read from /proc: %w", err))
	}
	p.loading = time.Since(began)
	if err := p.fillTables(); err != nil {
		return err
	}
	if err := p.fillSlots(p.plan); err != nil {
		return err
	}
	if err := p.attach(false); err != nil {
		return err
	}
	if p.plan.roles {
		p.findRoles(loader)
	}
	if err := p.learnSelf(); err != nil {
		return err
	}
	if len(p.plan.held) == 0 {
		return nil
	}
	p.holders = p.holdAll(loader, p.plan)
	if err := p.proveHolds(p.plan); err != nil {
		return err
	}
	p.holds.set(new([event.MaxSyscall]route)) // the ends of calls are not seen yet, and what is held for a call is let go at its end
	return nil
}

// wanted are the hooks that a plan needs and this kernel has.
func (p *Probe) wanted(plan *plan) []hook {
	list := plan.hooks()
	if p.requests != nil && plan.wantsRequests() {
		list = append(list, p.requests.hookList()...)
	}
	return list
}

// limit says what this kernel cannot tell, once somebody asks for it.
func (p *Probe) limit() {
	if !p.plan.wantsRequests() || p.limited {
		return
	}
	p.limited = true
	if p.requests == nil {
		p.refused = append(p.refused, fmt.Errorf("requests of io_uring are not seen: %w", p.noRequests))
		return
	}
	p.limits = append(p.limits, p.requests.limits...)
}

// attach attaches the hooks that are not: the late ones, or the others.
func (p *Probe) attach(late bool) error {
	for _, h := range p.hooks {
		if h.late == late {
			if err := p.attachOne(h); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Probe) attachOne(h *loaded) error {
	if h.link != nil {
		return nil
	}
	err := h.attach()
	if err == nil || h.loses == "" {
		return err
	}
	p.refused = append(p.refused, fmt.Errorf("%s are not seen: %w", h.loses, err))
	return nil
}

// resolveRequests finds what there is to know of io_uring, whether anybody asks for it now or not: some of it are constants of the programs.
func (p *Probe) resolveRequests(types *btf.Cache) error {
	kernel, err := types.Kernel()
	if err != nil {
		return fmt.Errorf("read kernel types: %w", err)
	}
	if p.requests, err = resolveRequests(kernel); err != nil {
		p.requests, p.noRequests = nil, err
	}
	return nil
}

// dropHalfRequests unloads the hooks of io_uring when one of the two that belong together was refused: what is submitted would wait for
// completions that nobody sees, or the other way round.
func (p *Probe) dropHalfRequests() {
	have := make(map[string]bool)
	for _, h := range p.hooks {
		have[h.dispatcher] = true
	}
	if have[requestSubmit] && have[requestComplete] {
		return
	}
	p.hooks = slices.DeleteFunc(p.hooks, func(l *loaded) bool {
		if !isRequestHook(l.dispatcher) {
			return false
		}
		l.close()
		return true
	})
}

// environment turns the two most common reasons for a refusal into words.
func environment() error {
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		return fmt.Errorf("this kernel does not describe its types (no /sys/kernel/btf/vmlinux): boot one that is built with CONFIG_DEBUG_INFO_BTF=y: %w", err)
	}
	// only kernels before 5.11 count maps against this limit; they name no better error than EPERM
	if err := rlimit.RemoveMemlock(); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("raise memlock limit: %w", err)
	}
	return nil
}

func (p *Probe) setOptions(spec *ebpf.CollectionSpec, o Options) error {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return fmt.Errorf("draw cookie: %w", err)
	}
	p.cookie = binary.LittleEndian.Uint64(random[:])
	p.constants = map[string]any{
		"x32_calls": x32Calls(), "cookie": p.cookie, "heartbeat_slot": p.plan.heartbeat, "v1_controller": int32(o.Controller),
		"exec_slot": p.plan.exec, "execveat_slot": p.plan.execveat, "fork_slot": p.plan.fork, "exit_slot": p.plan.exit,
		"drop_failed": o.DropFailed, "holding": true, "snaplen": uint32(cmp.Or(o.Snaplen, defaultSnaplen)),
		"signal_event": uint16(event.ByName("signaldeliver")[0]), "page_fault_event": uint16(event.ByName("page_fault")[0]),
	}
	if p.requests != nil {
		maps.Copy(p.constants, p.requests.options)
	}
	if err := p.setConstants(spec); err != nil {
		return err
	}
	if err := p.shareRings(o.CPUsPerRing); err != nil {
		return err
	}
	p.pending = uint32(cmp.Or(o.requests, int(spec.Maps["pending"].MaxEntries)))
	spec.Maps["events"].MaxEntries = uint32(len(p.ringOf))
	spec.Maps["events"].InnerMap.MaxEntries = ringSize(o.EventBytes)
	spec.Maps["life"].MaxEntries = ringSize(o.LifeBytes)
	for name, n := range p.rooms(p.plan) {
		spec.Maps[name].MaxEntries = n
	}
	for _, name := range []string{"routes", "holds"} {
		spec.Maps[name].Flags |= unix.BPF_F_MMAPABLE
	}
	return nil
}

func (p *Probe) setConstants(spec *ebpf.CollectionSpec) error {
	for name, value := range p.constants {
		v := spec.Variables[name]
		if v == nil {
			return fmt.Errorf("probe object has no option %s", name)
		}
		if err := v.Set(value); err != nil {
			return fmt.Errorf("set option %s: %w", name, err)
		}
	}
	return nil
}

// rooms are the sizes of the maps that only some demands need: as small as can be for those that do not.
func (p *Probe) rooms(plan *plan) map[string]uint32 {
	all := map[string]uint32{
		"held": benches, "free_benches": benches, // small, and programs that never change use them
		"benches": 1, "roles": 1, "listeners": 1, "peers": 1, "wides": 1, "pending": 1, "pending_names": 1,
	}
	if len(plan.held) > 0 {
		all["benches"] = benches
	}
	if plan.roles {
		all["roles"], all["listeners"] = maxRoles, maxListeners
	}
	if plan.peers {
		all["peers"] = maxPeers
	}
	if plan.uses(captureData) || plan.uses(captureMessages) {
		all["wides"] = uint32(len(p.ringOf))
	}
	if p.requests != nil && plan.wantsRequests() {
		all["pending"], all["pending_names"] = p.pending, maxPending
	}
	return all
}

// How many sockets the probe knows something about that the kernel does not. The least recently used leave first.
const (
	maxRoles     = 1 << 16
	maxPeers     = 1 << 14
	maxListeners = 1 << 12
)

// maxPending is how many requests of io_uring may have a name of their own at one time.
const maxPending = 4096

// defaultSnaplen is Falco's.
const defaultSnaplen = 80

// privileges is said where the kernel refuses what they would allow.
const privileges = "loading a probe takes CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN; run as root"

func (p *Probe) createMaps(spec *ebpf.CollectionSpec) error {
	made, err := ebpf.NewCollection(&ebpf.CollectionSpec{Maps: spec.Maps, Variables: spec.Variables, Types: spec.Types, ByteOrder: spec.ByteOrder})
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("create maps: %w: %s", unix.EPERM, privileges)
	}
	if err != nil {
		return fmt.Errorf("create maps: %w", err)
	}
	for name := range spec.Maps {
		p.maps[name] = made.DetachMap(name)
	}
	made.Close()
	if err := p.makeRings(spec.Maps["events"].InnerMap); err != nil {
		return err
	}
	if p.life, err = mapRing(p.maps["life"]); err != nil {
		return fmt.Errorf("map life ring: %w", err)
	}
	if p.routes, err = mapRoutes(p.maps["routes"]); err != nil {
		return err
	}
	p.holds, err = mapRoutes(p.maps["holds"])
	return err
}

// uses reports whether the plan has a slot for a program.
func (p *plan) uses(program string) bool {
	if program == captureRequestData { // what goes there by call
		program = captureData
	}
	for _, c := range p.slots {
		if c.program == program {
			return true
		}
	}
	return false
}

// fillTables writes what does not change with the demand. The only route is the marker's: events wait for Start.
func (p *Probe) fillTables() error {
	if err := p.fillBenches(); err != nil {
		return err
	}
	image := p.hook("process_exec").progs[captureImage]
	if err := p.maps["exec_programs"].Put(uint32(0), image); err != nil {
		return fmt.Errorf("write program slot: %w", err)
	}
	p.routes.set(&[event.MaxSyscall]route{markNR: {Flags: routeMark}})
	return nil
}

// hook returns the loaded hook of a dispatcher, nil when there is none.
func (p *Probe) hook(dispatcher string) *loaded {
	for _, h := range p.hooks {
		if h.dispatcher == dispatcher {
			return h
		}
	}
	return nil
}

// fillSlots writes the slots of a plan and the programs behind them.
func (p *Probe) fillSlots(plan *plan) error {
	if len(plan.slots) > int(p.maps["slots"].MaxEntries()) {
		return fmt.Errorf("the demand takes %d slots, the probe has %d", len(plan.slots), p.maps["slots"].MaxEntries())
	}
	programs := make(map[string]*ebpf.Program)
	for _, h := range p.hooks {
		for name, prog := range h.progs {
			programs[name] = prog
		}
	}
	for i := range plan.slots {
		c := plan.slots[i]
		if c == (capture{}) { // of another plan, or of none
			continue
		}
		if i == int(plan.exit) && plan.everyThread {
			c.Flags |= slotThreads
		}
		if err := p.maps["slots"].Put(uint32(i), &c.slot); err != nil {
			return fmt.Errorf("write slot: %w", err)
		}
		if prog := programs[c.program]; prog != nil {
			if err := p.maps["exit_programs"].Put(uint32(i), prog); err != nil {
				return fmt.Errorf("write program slot: %w", err)
			}
		}
	}
	return p.fillRequests(plan, programs)
}

// fillShared writes the calls of the 32-bit table that share a number.
func (p *Probe) fillShared(plan *plan) error {
	for i := range plan.shared {
		if err := p.maps["shared_calls"].Put(uint32(i), &plan.shared[i]); err != nil {
			return fmt.Errorf("write shared call: %w", err)
		}
	}
	return nil
}

// fillRequests writes the programs that capture requests of io_uring, and the table of its operations.
func (p *Probe) fillRequests(plan *plan, programs map[string]*ebpf.Program) error {
	if p.requests == nil {
		return nil
	}
	p.requests.bind(plan)
	for i := range p.requests.table {
		for _, slot := range p.requests.table[i].Slot {
			prog := programs[captureRequest]
			if plan.slots[slot].program == captureData {
				prog = programs[captureRequestData]
			}
			if slot == 0 || prog == nil {
				continue
			}
			if err := p.maps["request_programs"].Put(uint32(slot), prog); err != nil {
				return fmt.Errorf("write program slot: %w", err)
			}
		}
	}
	for i := range p.requests.table {
		if err := p.maps["requests"].Put(uint32(i), &p.requests.table[i]); err != nil {
			return fmt.Errorf("write request: %w", err)
		}
	}
	return nil
}

// Start lets the events of the demand through.
func (p *Probe) Start() error {
	if err := p.takeBack(); err != nil {
		return err
	}
	if err := p.fillShared(p.plan); err != nil {
		return err
	}
	p.routes.set(&p.plan.routes)
	p.holds.set(&p.plan.holds)
	return p.attach(true)
}

const (
	markLearn = 1
	markBeat  = 2
)

// mark makes the call that the probe recognises: a readahead of no file, with the cookie for an offset.
func (p *Probe) mark(what uintptr) {
	_, _, _ = unix.RawSyscall(markNR, ^uintptr(0), uintptr(p.cookie), what)
}

type selfID struct {
	TGID  uint32
	Held  uint32 // calls of our own that programs which hold have seen
	Start uint64
}

// self reads what the probe knows of us.
func (p *Probe) self() (id selfID, err error) {
	b, err := p.maps[".data.self"].LookupBytes(uint32(0))
	if err != nil {
		return id, fmt.Errorf("read probe state: %w", err)
	}
	if len(b) < int(unsafe.Sizeof(id)) {
		return id, fmt.Errorf("read probe state: %w", io.ErrUnexpectedEOF)
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&id)), unsafe.Sizeof(id)), b)
	return id, nil
}

// learnSelf lets the probe learn who we are, in the numbers of the initial pid namespace, which we may not know ourselves.
func (p *Probe) learnSelf() error {
	p.mark(markLearn)
	id, err := p.self()
	if err == nil && id.TGID == 0 {
		return ErrBlind
	}
	return err
}

// Beat makes a call that the probe reports although it is ours. Beats counts the ones that came back through the ring: a probe
// that delivers answers each.
func (p *Probe) Beat() { p.mark(markBeat) }

// Beats returns how many heartbeats Run and Drain have seen.
func (p *Probe) Beats() uint64 { return p.beats.Load() }

// Refused returns what is lost because this kernel refused a program that the probe can do without.
func (p *Probe) Refused() []error { return p.refused }

// Limits returns what this kernel cannot tell, although it takes every program.
func (p *Probe) Limits() []string { return p.limits }

// Close detaches and unloads everything. The records that were not read are gone.
func (p *Probe) Close() {
	p.closing.Do(func() {
		for _, h := range p.hooks {
			h.detach()
		}
		for _, h := range p.holders {
			h.close()
		}
		for _, h := range p.hooks {
			h.close()
		}
		if p.iter != nil {
			_ = p.iter.Close()
		}
		for _, r := range p.events {
			r.close()
		}
		p.life.close()
		p.routes.close()
		p.holds.close()
		if p.hot != nil {
			_ = p.hot.Close()
		}
		for _, m := range p.eventMaps {
			_ = m.Close()
		}
		for _, m := range p.maps {
			_ = m.Close()
		}
	})
}
