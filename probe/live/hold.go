// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"falconet/engine/event"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Origin is where the object of a call comes from that is gone when the call returns, or out of reach.
type Origin string

// The origins, from the best to the worst.
const (
	FromFunction Origin = "function"  // a hook at a function of the kernel, which no other call runs through
	FromEntry    Origin = "sys_enter" // a hook that every call of the machine runs through
	FromArgument Origin = "argument"  // there is no hook: what was passed to the call is all there is
)

// atFunctions is false in tests of what there is without.
var atFunctions = true

// benches is how many calls can be held at a time: those that are under way on a processor, and those that sleep in the middle.
const benches = 256

// point is a function of the kernel and the program that holds there. older is another function that sees the same, for kernels that let no
// program be attached to the first.
type point struct{ function, older, program string }

// insides are the functions that see what the kernel has found for the paths of a call.
var insides = func() map[string][]point {
	at := func(function, program string) []point { return []point{{function: function, program: program}} }
	unlink, rmdir := at("security_path_unlink", "hold_entry"), at("security_path_rmdir", "hold_entry")
	rename, link := at("security_path_rename", "hold_rename"), at("security_path_link", "hold_link")
	mkdir, mknod, symlink := at("security_path_mkdir", "hold_entry"), at("security_path_mknod", "hold_entry"), at("security_path_symlink", "hold_entry")
	chmod, umount := at("security_path_chmod", "hold_path"), at("security_sb_umount", "hold_mount")
	// 5.10 attaches to no function that takes a structure by value
	chown := []point{{function: "security_path_chown", older: "chown_common", program: "hold_path"}}
	return map[string][]point{
		"unlink": unlink, "unlinkat": slices.Concat(unlink, rmdir), "rmdir": rmdir, "rename": rename, "renameat": rename, "renameat2": rename,
		"link": link, "linkat": link, "symlink": symlink, "symlinkat": symlink, "mkdir": mkdir, "mkdirat": mkdir, "mknod": mknod, "mknodat": mknod,
		"chmod": chmod, "fchmodat": chmod, "chown": chown, "lchown": chown, "fchownat": chown, "umount": umount, "umount2": umount,
	}
}()

// pointsOf are the functions that together see every call of a row.
func pointsOf(row *event.Row) []point {
	if !row.AtEntry() {
		return insides[row.Name]
	}
	var list []point
	if len(row.NR64) > 0 {
		list = append(list, point{function: "__x64_sys_" + row.Name, program: "hold_call"})
	}
	if len(row.NR32) > 0 {
		list = append(list, point{function: "__ia32_sys_" + row.Name, program: "hold_call"})
	}
	return list
}

// sysEnter is the tracepoint that every call of the machine runs through.
const sysEnter = "sys_enter"

// holder is a program that holds.
type holder struct {
	prog    *ebpf.Program
	again   *ebpf.Map // where it jumps to itself; the kernel empties a program array that nobody but programs has open
	at      string
	program string // its name in the object
	raw     bool   // a raw tracepoint, and no function
	link    link.Link
}

// serves reports whether what is held of a row, with this origin, comes from here.
func (h *holder) serves(row *event.Row, from Origin) bool {
	if h.at == sysEnter {
		return from == FromEntry
	}
	return from == FromFunction && slices.ContainsFunc(pointsOf(row), func(p point) bool {
		return p.program == h.program && (p.function == h.at || p.older == h.at)
	})
}

func (h *holder) attach() (err error) {
	if h.raw {
		h.link, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.at, Program: h.prog})
	} else {
		h.link, err = link.AttachTracing(link.TracingOptions{Program: h.prog})
	}
	if err != nil {
		return fmt.Errorf("attach %s: %w", h.at, err)
	}
	return nil
}

func (h *holder) close() {
	if h == nil {
		return
	}
	h.detach()
	_ = h.prog.Close()
	_ = h.again.Close()
}

func (h *holder) detach() {
	if h.link != nil {
		_ = h.link.Close()
		h.link = nil
	}
}

// holdAll finds for every row that a plan holds the best origin that this kernel allows, and holds.
func (p *Probe) holdAll(o *loader, plan *plan) (list []*holder) {
	p.origins, p.lost = make(map[string]Origin), nil
	p.holds.set(&plan.holds)
	wanted := make(map[point]bool)
	for _, row := range plan.held {
		for _, at := range pointsOf(row) {
			wanted[at] = true
		}
	}
	holders, errs := o.holders(wanted)
	var entry error // why one of the calls that need it has no function
	for _, row := range plan.held {
		why := errs.of(row)
		switch {
		case row.AtEntry():
			entry = errors.Join(entry, why)
			p.origins[row.Name] = FromFunction
		case why != nil:
			p.origins[row.Name] = FromArgument
			p.lost = append(p.lost, Loss{row.Name, why})
		default:
			p.origins[row.Name] = FromFunction
		}
	}
	for at, h := range holders {
		if entry != nil && at.program == "hold_call" {
			h.close()
			continue
		}
		list = append(list, h)
	}
	if entry != nil {
		list = append(list, p.holdAtEntry(o, plan)...)
	}
	return list
}

// holdAtEntry lets sys_enter see what the functions of the calls themselves do not show.
func (p *Probe) holdAtEntry(o *loader, plan *plan) (list []*holder) {
	h, err := o.entryHolder()
	if err == nil {
		list = append(list, h)
	}
	for _, row := range plan.held {
		if !row.AtEntry() {
			continue
		}
		p.origins[row.Name] = FromEntry
		if err != nil {
			p.origins[row.Name] = FromArgument
			p.lost = append(p.lost, Loss{row.Name, err})
		}
	}
	return list
}

type pointErrors map[point]error

// of is why a row cannot be held at functions, nil when it can.
func (e pointErrors) of(row *event.Row) error {
	for _, at := range pointsOf(row) {
		if e[at] != nil {
			return e[at]
		}
	}
	return nil
}

// holders loads and attaches programs at functions, side by side.
func (o *loader) holders(wanted map[point]bool) (map[point]*holder, pointErrors) {
	holders, errs := make(map[point]*holder), make(pointErrors)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for at := range wanted {
		wg.Go(func() {
			h, err := o.holderAt(at.program, at.function)
			if err != nil && at.older != "" {
				if older, e := o.holderAt(at.program, at.older); e == nil {
					h, err = older, nil
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs[at] = err
				return
			}
			holders[at] = h
		})
	}
	wg.Wait()
	return holders, errs
}

// holderAt loads a program and attaches it to a function.
func (o *loader) holderAt(program, function string) (*holder, error) {
	if !atFunctions {
		return nil, fmt.Errorf("attach %s: %w", function, errors.ErrUnsupported)
	}
	var h *holder
	err := error(unix.EPERM)
	if !o.noFunctions.Load() {
		h, err = o.holder(program, function)
	}
	if errors.Is(err, unix.EPERM) { // we may load programs: it is this kind that the kernel does not let through, whatever the function
		o.noFunctions.Store(true)
		return nil, fmt.Errorf("attach %s: this kernel lets no program be attached to its functions", function)
	}
	if err != nil {
		return nil, err
	}
	if err := h.attach(); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (o *loader) entryHolder() (*holder, error) {
	h, first := o.holder("sys_enter"+string(tracingBTF), "")
	if first != nil {
		var err error
		if h, err = o.holder("sys_enter"+string(rawTracepoint), ""); err != nil {
			return nil, first
		}
		h.raw = true
	}
	h.at = sysEnter
	if err := h.attach(); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// holder loads a program to attach to a function, "" for where its section says. It goes on with its work by jumping to itself.
func (o *loader) holder(name, function string) (*holder, error) {
	const again = "again"
	spec := &ebpf.CollectionSpec{
		Maps: o.spec.Maps, Programs: map[string]*ebpf.ProgramSpec{name: o.spec.Programs[name]}, Types: o.spec.Types, ByteOrder: o.spec.ByteOrder,
	}
	spec = spec.Copy()
	if function != "" {
		spec.Programs[name].AttachTo = function
	}
	shared := make(map[string]*ebpf.Map)
	for k, m := range o.maps {
		if k != again {
			shared[k] = m
		}
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{LogLevel: o.logLevel}, MapReplacements: shared, Cache: o.types,
	})
	if err != nil {
		return nil, programError(name, err)
	}
	defer c.Close()
	if err := c.Maps[again].Put(uint32(0), c.Programs[name]); err != nil {
		return nil, fmt.Errorf("write program slot of %s: %w", name, err)
	}
	return &holder{prog: c.DetachProgram(name), again: c.DetachMap(again), at: function, program: name}, nil
}

func (p *Probe) fillBenches() error {
	for i := range uint32(benches) {
		if err := p.maps["free_benches"].Put(nil, i); err != nil {
			return fmt.Errorf("write bench: %w", err)
		}
	}
	return nil
}

// takeBack frees the benches of calls whose end is not seen: those that began while hooks were proven, or while a rule still asked for them.
func (p *Probe) takeBack() error {
	taken, err := p.taken()
	if err != nil {
		return err
	}
	for k, bench := range taken {
		err := p.maps["held"].Delete(k)
		if errors.Is(err, ebpf.ErrKeyNotExist) { // its thread has ended
			continue
		}
		if err == nil {
			err = p.maps["free_benches"].Put(nil, bench)
		}
		if err != nil {
			return fmt.Errorf("free bench: %w", err)
		}
	}
	return nil
}

// taken are the benches by the thread that each is held for.
func (p *Probe) taken() (map[[2]uint64]uint32, error) {
	out := make(map[[2]uint64]uint32)
	var thread [2]uint64
	var bench uint32
	it := p.maps["held"].Iterate()
	for it.Next(&thread, &bench) {
		out[thread] = bench
	}
	if err := it.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return nil, fmt.Errorf("read what is held: %w", err)
	}
	return out, nil
}

// Loss is an event whose object this kernel does not let be captured.
type Loss struct {
	Event string
	Why   error
}

// Origins says for each event with an object that is gone at the end of its call, and of which it was asked, where the object comes from.
func (p *Probe) Origins() map[string]Origin { return p.origins }

// Lost are the events of which the argument is all there is although more was asked, in the order of their names, and why.
func (p *Probe) Lost() []Loss {
	out := slices.Clone(p.lost)
	slices.SortFunc(out, func(a, b Loss) int {
		if a.Event < b.Event {
			return -1
		}
		return 1
	})
	return out
}
