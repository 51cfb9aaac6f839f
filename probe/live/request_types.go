// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"falconet/engine/event"

	"github.com/cilium/ebpf/btf"
)

// requestHooks is what the probe must know of the running kernel's io_uring.
type requestHooks struct {
	table       [maxRequests]request
	tracepoints map[string]string // dispatcher to tracepoint; one that the kernel does not have is missing
	options     map[string]any
	limits      []string            // what cannot be told on this kernel
	calls       [maxRequests]string // by place in table
}

// errNoRequests says that the kernel's tracepoints do not name requests.
var errNoRequests = errors.New("this kernel's tracepoints do not name the request")

// resolveRequests finds where this kernel keeps what the operations need. The slots of the system calls that they stand for a plan gives, see bind.
func resolveRequests(kernel *btf.Spec) (*requestHooks, error) {
	h := &requestHooks{tracepoints: make(map[string]string), options: make(map[string]any)}
	if err := h.hooks(kernel); err != nil {
		return nil, err
	}
	types, err := os.ReadFile(kernelTypes)
	if err != nil {
		return nil, fmt.Errorf("read kernel types: %w", err)
	}
	flags, err := enumerators(types, "REQ_F_CREDS", "REQ_F_SKIP_LINK_CQES")
	if err != nil {
		return nil, err
	}
	h.options["request_creds"], h.options["request_skipped"] = flags[0], flags[1]
	for i := range operations {
		o := &operations[i]
		position := uint16(0)
		if o.positioned != "" {
			position = 3
		}
		for second, call := range []string{o.call, o.positioned} {
			if call == "" {
				continue
			}
			at := 2*int(o.code) + second
			r := &h.table[at]
			r.Position = position
			h.calls[at] = call
			if err := r.resolve(kernel, o, call); err != nil {
				return nil, fmt.Errorf("look up io_uring's %s: %w", call, err)
			}
		}
	}
	return h, nil
}

// bind gives the operations the slots of a plan.
func (h *requestHooks) bind(p *plan) {
	for i, call := range h.calls {
		if call != "" {
			h.table[i].Slot, h.table[i].NR = p.slotsOf(call)
		}
	}
}

// parameters returns the types of a tracepoint's parameters; ok is false when the kernel has no such tracepoint.
func parameters(kernel *btf.Spec, tracepoint string) (types []btf.Type, ok bool) {
	var t *btf.Typedef
	if kernel.TypeByName("btf_trace_"+tracepoint, &t) != nil {
		return nil, false
	}
	p, ok := t.Type.(*btf.Pointer)
	if !ok {
		return nil, false
	}
	f, ok := p.Target.(*btf.FuncProto)
	if !ok || len(f.Params) == 0 {
		return nil, false
	}
	for _, p := range f.Params[1:] { // the first is the tracepoint's own
		types = append(types, btf.UnderlyingType(p.Type))
	}
	return types, true
}

func isPointer(types []btf.Type, i int) bool {
	if i >= len(types) {
		return false
	}
	_, ok := types[i].(*btf.Pointer)
	return ok
}

func pointsTo(types []btf.Type, i int, structure string) bool {
	if !isPointer(types, i) {
		return false
	}
	s, ok := btf.UnderlyingType(types[i].(*btf.Pointer).Target).(*btf.Struct)
	return ok && s.Name == structure
}

// hooks finds the tracepoints and the place of the request among their parameters.
func (h *requestHooks) hooks(kernel *btf.Spec) error {
	second := func(types []btf.Type, i int) (bool, error) {
		switch {
		case pointsTo(types, i, "io_kiocb"):
			return false, nil
		case isPointer(types, i) && isPointer(types, i+1): // the ring, then the request
			return true, nil
		}
		return false, errNoRequests
	}
	submit, ok := "io_uring_submit_req", false
	var types []btf.Type
	if types, ok = parameters(kernel, submit); !ok {
		submit = "io_uring_submit_sqe"
		types, _ = parameters(kernel, submit)
	}
	var err error
	if h.options["submit_second"], err = second(types, 0); err != nil {
		return err
	}
	h.tracepoints[requestSubmit] = submit
	types, ok = parameters(kernel, "io_uring_complete")
	if !ok {
		return errNoRequests
	}
	h.tracepoints[requestComplete] = "io_uring_complete"
	byName := !isPointer(types, 1)
	h.options["complete_by_name"], h.options["complete_entry"] = byName, pointsTo(types, 2, "io_uring_cqe")
	if byName {
		h.limits = append(h.limits, "io_uring: on this kernel (before 5.18) a completion does not name its request: of requests that are under way at one time "+
			"with the same user_data, the result and the file are not always known")
	} else {
		h.tracepoints[requestOverflow] = "io_uring_cqe_overflow" // elsewhere io_uring_complete comes before
	}
	h.options["failed_third"] = false
	if types, ok = parameters(kernel, "io_uring_req_failed"); !ok || len(types) < 3 {
		h.limits = append(h.limits, "io_uring: on this kernel requests that fail before they are submitted, for an address that cannot be read or a flag that does not exist, are not seen")
		return nil
	}
	if h.options["failed_third"], err = second(types, 1); err != nil {
		return err
	}
	h.tracepoints[requestFailed] = "io_uring_req_failed"
	return nil
}

// resolve fills in where the kernel keeps the arguments of an operation, and which pieces of its row are captured when.
func (r *request) resolve(kernel *btf.Spec, o *operation, call string) error {
	for i, a := range o.args {
		if err := r.Arg[i].resolve(kernel, &a); err != nil {
			return err
		}
		if a.own {
			r.File = uint16(i + 1)
		}
	}
	if o.direct != "" {
		m, err := findMember(kernel, o.direct)
		if err != nil {
			return err
		}
		r.Direct = m.at
	}
	r.Fixed = uint16(o.fixed)
	nr64, nr32, _ := event.SyscallNumber(call)
	for _, id := range []event.ID{event.ByNumber(nr64, false), event.ByNumber(nr32, true)} {
		for i, part := range event.RowOf(id).Parts {
			bit := uint16(1) << i
			switch {
			case part.Op == event.OpMem && int(part.Arg) < len(o.args) && o.args[part.Arg].filled:
				r.User |= bit
				r.Filled |= bit
			case part.Op == event.OpStr, part.Op == event.OpMem, part.Op == event.OpSockAddr:
				r.Early |= bit
			case !fromKernel[part.Op]:
				r.User |= bit
			}
		}
	}
	return nil
}

// fromKernel are the recipes that read no memory of user space.
var fromKernel = map[event.Op]bool{
	event.OpNone: true, event.OpFile: true, event.OpPath: true, event.OpFSPath: true, event.OpDir: true, event.OpSock: true, event.OpQueue: true,
	event.OpTask: true, event.OpCwd: true, event.OpMemory: true, event.OpChanged: true, event.OpExe: true, event.OpCgroups: true, event.OpNow: true,
}

func (a *requestArg) resolve(kernel *btf.Spec, o *operand) error {
	a.SQE, a.SQESize, a.Clear = o.entry.at, o.entry.size, o.clear
	m, err := findMember(kernel, o.member)
	if err != nil {
		return err
	}
	a.At, a.Size = m.at, m.size
	if m.name {
		a.Flags |= argName
	}
	if strings.HasPrefix(o.member, "io_kiocb.cqe.") { // the completion overwrites it
		a.Flags |= argEarly
	}
	also, err := findMember(kernel, o.also)
	if err != nil {
		return err
	}
	a.Also = also.at
	unless, err := findMember(kernel, o.unless)
	if err != nil {
		return err
	}
	if unless.found {
		a.Also, a.Flags = unless.at, a.Flags|argUnless
	}
	c, err := findMember(kernel, o.copy)
	if err == nil && c.found {
		a.Copy, a.Flags = c.at, a.Flags|argCopy
	}
	return err
}

// member is where a request has something.
type member struct {
	at    uint16
	size  uint8 // of a number; 0 for a structure
	name  bool  // a pointer to the kernel's copy of a path
	found bool
}

// findMember looks a member up in the kernel's structures. One that this kernel does not have is not found, which is no error.
func findMember(kernel *btf.Spec, names string) (m member, err error) {
	for name := range strings.SplitSeq(names, "|") {
		structure, path, ok := strings.Cut(name, ".")
		if !ok {
			continue
		}
		var s *btf.Struct
		if kernel.TypeByName(structure, &s) != nil {
			continue
		}
		at, typ, ok := descend(s, strings.Split(path, "."))
		if !ok {
			continue
		}
		if at > 1<<16-1 {
			return m, fmt.Errorf("%s is at %d", name, at)
		}
		m = member{at: uint16(at), found: true}
		switch t := btf.UnderlyingType(typ).(type) {
		case *btf.Struct, *btf.Union:
		case *btf.Pointer:
			s, ok := btf.UnderlyingType(t.Target).(*btf.Struct)
			m.size, m.name = 8, ok && s.Name == "filename"
		default:
			size, err := btf.Sizeof(t)
			if err != nil || size > 8 {
				return m, fmt.Errorf("%s is no number: %w", name, err)
			}
			m.size = uint8(size)
		}
		return m, nil
	}
	return m, nil
}

// descend follows a path of members, through those without a name.
func descend(t btf.Type, path []string) (at uint32, last btf.Type, ok bool) {
	if len(path) == 0 {
		return 0, t, true
	}
	var members []btf.Member
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		rest := path
		if m.Name == path[0] {
			rest = path[1:]
		} else if m.Name != "" {
			continue
		}
		if off, last, ok := descend(m.Type, rest); ok {
			return m.Offset.Bytes() + off, last, true
		}
	}
	return 0, nil, false
}
