// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// spelling is one way of writing a hook's programs. A program array holds programs of one kind only, so that all programs
// of a hook are of the first spelling that the kernel takes for all of them.
type spelling string

const (
	tracingBTF    spelling = "_btf" // BTF tracepoint
	rawTracepoint spelling = "_raw" // raw tracepoint
)

var spellings = []spelling{tracingBTF, rawTracepoint}

// hook is a place in the kernel: the dispatcher that is attached there and the programs it jumps to.
type hook struct {
	tracepoint string
	dispatcher string
	programs   []program
	// loses says what is not seen when the kernel refuses the hook; "" means that the probe is useless without it.
	loses string
	// late hooks make events that have no route to wait behind: they are attached when events are let through.
	late bool
	// raw hooks are raw tracepoints everywhere.
	raw bool
}

type program struct {
	name string
	// loses says what is not seen when the kernel refuses the program; "" means that the probe is useless without it.
	loses string
	// older names the program that does the same on kernels that refuse this one.
	older string
	// hot programs run for every event of a busy machine.
	hot bool
}

const (
	captureCall     = "capture_call"
	captureData     = "capture_data"
	captureMessages = "capture_messages"
	captureProcess  = "capture_process"
	captureImage    = "capture_image"
	capturePoll     = "capture_poll"
	captureHeld     = "capture_held"

	requestSubmit      = "request_submit"
	requestComplete    = "request_complete"
	requestOverflow    = "request_overflow"
	requestFailed      = "request_failed"
	captureRequest     = "capture_request"
	captureRequestData = "capture_request_data"
)

// requestHookList are the hooks of io_uring. They share the programs that capture, which are loaded with one of them.
var requestHookList = []hook{
	{dispatcher: requestSubmit, loses: "requests of io_uring", late: true, raw: true},
	{dispatcher: requestComplete, loses: "requests of io_uring", late: true, raw: true, programs: []program{
		{name: captureRequest}, {name: captureRequestData, loses: "requests of io_uring that move data"}}},
	{dispatcher: requestOverflow, loses: "requests of io_uring that are completed while its queue is full", late: true, raw: true},
	{dispatcher: requestFailed, loses: "requests of io_uring that fail before they are submitted", late: true, raw: true},
}

func isRequestHook(dispatcher string) bool {
	return slices.ContainsFunc(requestHookList, func(h hook) bool { return h.dispatcher == dispatcher })
}

// hookList are the hooks of io_uring that this kernel has.
func (r *requestHooks) hookList() (list []hook) {
	for _, h := range requestHookList {
		if h.tracepoint = r.tracepoints[h.dispatcher]; h.tracepoint != "" {
			list = append(list, h)
		}
	}
	return list
}

// hooks are the places that a plan needs. Signals and page faults have hooks only when they were asked for: a machine has many.
func (p *plan) hooks() []hook {
	list := []hook{
		{tracepoint: "sched_process_exec", dispatcher: "process_exec", programs: []program{{name: captureImage}}},
		{tracepoint: "sched_process_fork", dispatcher: "process_fork"},
		{tracepoint: "sched_process_exit", dispatcher: "process_exit"},
		{tracepoint: "sys_exit", dispatcher: "sys_exit", programs: []program{
			{name: captureCall, hot: true}, {name: captureData, hot: true, loses: "events of calls that move data"},
			{name: captureMessages, older: "capture_messages_by_turns", hot: true, loses: "events of calls that move several messages"},
			{name: captureProcess, loses: "clone and failed execve events"}, {name: capturePoll, loses: "poll and ppoll events"},
			{name: captureHeld, loses: "calls whose objects are gone at their end"},
		}},
	}
	if p.roles {
		list = append(list, hook{tracepoint: "inet_sock_set_state", dispatcher: "sock_state", loses: "the roles of connected sockets"})
	}
	if p.signal {
		list = append(list, hook{tracepoint: "signal_deliver", dispatcher: "signal_delivered", loses: "signals", late: true})
	}
	if p.pageFault {
		list = append(list, hook{tracepoint: "page_fault_user", dispatcher: "page_fault_user", loses: "page faults of programs", late: true},
			hook{tracepoint: "page_fault_kernel", dispatcher: "page_fault_kernel", loses: "page faults in the kernel", late: true})
	}
	return list
}

// ProgramError says that the kernel refused a program, with the last words of its verifier.
type ProgramError struct {
	Program string
	Err     error
	Log     []string
}

// verifierLines is how much of a verifier's log an error shows: the refusal and the instructions before it.
const verifierLines = 6

func programError(name string, err error) *ProgramError {
	e := &ProgramError{Program: name, Err: err}
	var ve *ebpf.VerifierError
	if errors.As(err, &ve) {
		e.Err, e.Log = ve.Cause, ve.Log
		if len(e.Log) > verifierLines {
			e.Log = e.Log[len(e.Log)-verifierLines:]
		}
	}
	return e
}

func (e *ProgramError) Error() string {
	if len(e.Log) == 0 && errors.Is(e.Err, unix.EPERM) {
		return fmt.Sprintf("load program %s: %v: %s", e.Program, unix.EPERM, privileges)
	}
	if len(e.Log) == 0 {
		return fmt.Sprintf("load program %s: %v", e.Program, e.Err)
	}
	return fmt.Sprintf("load program %s: %v; verifier: %s", e.Program, e.Err, strings.Join(e.Log, " | "))
}

func (e *ProgramError) Unwrap() error { return e.Err }

// loaded is a hook whose programs the kernel has taken.
type loaded struct {
	hook
	spelling spelling
	progs    map[string]*ebpf.Program // by name without spelling
	tried    map[string]bool          // the same, and those that the kernel refused
	refused  []error                  // programs that the probe can do without
	link     link.Link                // nil while it is not attached
}

// loader loads programs of one object that share maps and the kernel's type information, which takes longer to decode than most
// programs take to verify.
type loader struct {
	spec  *ebpf.CollectionSpec
	maps  map[string]*ebpf.Map
	types *btf.Cache
	wants func(program string) bool // of the programs that the probe can do without
	hot   map[string]*ebpf.Map      // maps for hot programs where the kernel lets them read its objects directly, else nil

	logLevel ebpf.LogLevel

	noFunctions atomic.Bool // the kernel lets no program be attached to its functions
}

// allowDirectReads prepares constants of their own for the hot programs on kernels that give programs typed pointers from addresses
// (bpf_rdonly_cast, 6.2): reading the kernel's objects is then a load instead of a call. The other programs run seldom, and calls
// are less work for the verifier.
func (o *loader) allowDirectReads() (*ebpf.Map, error) {
	kernel, err := o.types.Kernel()
	if err != nil {
		return nil, fmt.Errorf("read kernel types: %w", err)
	}
	var fn *btf.Func
	if kernel.TypeByName("bpf_rdonly_cast", &fn) != nil {
		return nil, nil
	}
	spec := o.spec.Copy()
	if err := spec.Variables["direct_reads"].Set(true); err != nil {
		return nil, fmt.Errorf("set option direct_reads: %w", err)
	}
	c, err := ebpf.NewCollection(&ebpf.CollectionSpec{
		Maps: map[string]*ebpf.MapSpec{constants: spec.Maps[constants]}, Variables: onlyIn(spec, constants), Types: spec.Types, ByteOrder: spec.ByteOrder,
	})
	if err != nil {
		return nil, fmt.Errorf("create map: %w", err)
	}
	defer c.Close()
	hot := c.DetachMap(constants)
	o.readDirectly(hot)
	return hot, nil
}

// constants is the section of the constants that are set before programs are loaded.
const constants = ".rodata"

// readDirectly gives the hot programs constants of their own, unless there are none.
func (o *loader) readDirectly(hot *ebpf.Map) {
	if hot != nil {
		o.hot = maps.Clone(o.maps)
		o.hot[constants] = hot
	}
}

func onlyIn(spec *ebpf.CollectionSpec, section string) map[string]*ebpf.VariableSpec {
	out := make(map[string]*ebpf.VariableSpec)
	for name, v := range spec.Variables {
		if v.SectionName == section {
			out[name] = v
		}
	}
	return out
}

// hooks loads the hooks side by side: verification is most of the time that a start takes, and the kernel verifies
// programs of privileged loaders in parallel. It returns also why the kernel refuses hooks that the probe can do without.
func (o *loader) hooks(list []hook) (out []*loaded, refused []error, err error) {
	out, errs := make([]*loaded, len(list)), make([]error, len(list))
	var wg sync.WaitGroup
	for i, h := range list {
		wg.Go(func() { out[i], errs[i] = o.hook(h) })
	}
	wg.Wait()
	for i, h := range list {
		if errs[i] != nil && h.loses != "" {
			refused = append(refused, fmt.Errorf("%s are not seen: %w", h.loses, errs[i]))
			errs[i] = nil
		}
	}
	out = slices.DeleteFunc(out, func(l *loaded) bool { return l == nil })
	for _, err := range errs {
		if err != nil {
			for _, l := range out {
				l.close()
			}
			return nil, nil, err
		}
	}
	return out, refused, nil
}

// hook tries the spellings in turn. The error is the first spelling's: the others fail for want of the same thing, or for
// being older.
func (o *loader) hook(h hook) (*loaded, error) {
	var first error
	for _, s := range spellings {
		if h.raw && s != rawTracepoint {
			continue
		}
		l, err := o.inSpelling(h, s)
		if err == nil {
			return l, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func (o *loader) inSpelling(h hook, s spelling) (*loaded, error) {
	list := []program{{name: h.dispatcher, hot: true}}
	for _, p := range h.programs {
		if p.loses == "" || o.wants(p.name) {
			list = append(list, p)
		}
	}
	l := &loaded{hook: h, spelling: s, tried: make(map[string]bool)}
	for _, p := range list {
		l.tried[p.name] = true
	}
	var err error
	if l.progs, l.refused, err = o.programs(list, s); err != nil {
		return nil, err
	}
	return l, nil
}

// programs loads programs of one spelling side by side. It returns also why the kernel refuses those that the probe can do without.
func (o *loader) programs(list []program, s spelling) (loaded map[string]*ebpf.Program, refused []error, err error) {
	progs, errs := make([]*ebpf.Program, len(list)), make([]error, len(list))
	var wg sync.WaitGroup
	for i, p := range list {
		wg.Go(func() {
			progs[i], errs[i] = o.program(p.name+string(s), p.hot)
			if errs[i] != nil && p.older != "" {
				progs[i], errs[i] = o.program(p.older+string(s), p.hot)
			}
		})
	}
	wg.Wait()
	loaded = make(map[string]*ebpf.Program)
	for i, p := range list {
		switch {
		case errs[i] != nil && p.loses != "":
			refused = append(refused, fmt.Errorf("%s are not seen: %w", p.loses, errs[i]))
		case errs[i] != nil && err == nil:
			err = errs[i]
		case progs[i] != nil:
			loaded[p.name] = progs[i]
		}
	}
	if err != nil {
		closeAll(loaded)
		return nil, nil, err
	}
	return loaded, refused, nil
}

func (o *loader) program(name string, hot bool) (*ebpf.Program, error) {
	p := o.spec.Programs[name]
	if p == nil {
		return nil, &ProgramError{Program: name, Err: errors.New("not in the probe object")}
	}
	one := &ebpf.CollectionSpec{
		Maps: o.spec.Maps, Programs: map[string]*ebpf.ProgramSpec{name: p}, Types: o.spec.Types, ByteOrder: o.spec.ByteOrder,
	}
	attempts := []map[string]*ebpf.Map{o.maps}
	if hot && o.hot != nil {
		attempts = []map[string]*ebpf.Map{o.hot, o.maps}
	}
	var err error
	for _, m := range attempts {
		var c *ebpf.Collection
		if c, err = ebpf.NewCollectionWithOptions(one.Copy(), ebpf.CollectionOptions{
			Programs: ebpf.ProgramOptions{LogLevel: o.logLevel}, MapReplacements: m, Cache: o.types,
		}); err == nil {
			defer c.Close()
			return c.DetachProgram(name), nil
		}
	}
	return nil, programError(name, err)
}

func (l *loaded) attach() (err error) {
	prog := l.progs[l.dispatcher]
	if l.spelling == tracingBTF {
		l.link, err = link.AttachTracing(link.TracingOptions{Program: prog})
	} else {
		l.link, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: l.tracepoint, Program: prog})
	}
	if err != nil {
		l.link = nil
		return fmt.Errorf("attach %s: %w", l.tracepoint, err)
	}
	return nil
}

func (l *loaded) detach() {
	if l.link != nil {
		_ = l.link.Close()
		l.link = nil
	}
}

func (l *loaded) close() {
	if l == nil {
		return
	}
	l.detach()
	for _, p := range l.progs {
		_ = p.Close()
	}
}
