// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"slices"
	"strings"

	"falconet/engine/event"
	"falconet/engine/field"
)

// IsEvent reports whether name is the type of an event: one of the table, a system call, or one that Falco has.
func IsEvent(name string) bool {
	return isReported(eventName(name)) || unseen[name] != "" || slices.Contains(unreported, name)
}

// isReported reports whether there can be events of the type.
func isReported(name string) bool {
	for _, id := range event.ByName(name) {
		if !event.RowOf(id).Internal() {
			return true
		}
	}
	_, _, ok := event.SyscallNumber(name)
	return ok && unseen[name] == ""
}

// unseen are the system calls that never come to the hook which all others are seen by, and why: do_exit does not return, and
// restore_sigcontext (arch/x86/kernel/signal_64.c, and signal_32.c) makes the call's number -1.
var unseen = map[string]string{
	"exit": neverReturns, "exit_group": neverReturns,
	"rt_sigreturn": noNumber, "sigreturn": noNumber,
}

// WhyUnreported returns why no event has a type, "" where nothing more than that is known.
func WhyUnreported(name string) string { return unseen[name] }

const (
	neverReturns = "the call never returns; procexit reports the end of a process or thread"
	noNumber     = "the call returns where a signal interrupted the program, without its number"
)

// falcoNames are event types of Falco that are named unlike the system call, which is the type where the call has no row of its own.
var falcoNames = map[string]string{"pread": "pread64", "pwrite": "pwrite64", "llseek": "_llseek", "prlimit": "prlimit64"}

// eventName returns the name that the events have which a condition asks for by name.
func eventName(name string) string {
	if call := falcoNames[name]; call != "" && !isReported(name) {
		return call
	}
	if len(event.ByName(name)) > 0 {
		return name
	}
	nr64, nr32, ok := event.SyscallNumber(name)
	if !ok {
		return name
	}
	id := event.Generic
	if nr64 >= 0 {
		id = event.ByNumber(nr64, false)
	}
	if id == event.Generic && nr32 >= 0 {
		id = event.ByNumber(nr32, true)
	}
	if id == event.Generic {
		return name
	}
	return event.RowOf(id).Name // a row of another name, such as prlimit
}

// unreported are what Falco takes for event types, as events or as names of hooks and of other machines' system calls, and what is never
// seen here: conditions may name them and match nothing.
var unreported = strings.Fields(`asyncevent container cpu_hotplug drop group_added group_deleted groupadded groupdeleted
	infra k8s mesos notification page_fault_kernel page_fault_user pluginevent procinfo recv scapevent sched_process_exit
	sched_switch send signal_deliver switch task task_file_anon_inode task_file_directory task_file_memfd
	task_file_pipe task_file_regular task_file_socket_inet task_file_socket_inet6 task_file_socket_netlink task_file_socket_unix
	tracer user_added user_deleted useradded userdeleted multiplexer pciconfig_iobase pciconfig_read pciconfig_write
	riscv_flush_icache riscv_hwprobe rtas s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi
	spu_create spu_run subpage_prot swapcontext switch_endian sync_file_range2 sys_debug_setcontext timerfd`)

func eventNames(yield func(string) bool) {
	for i := range event.Rows() {
		if r := &event.Rows()[i]; i > 0 && !r.Internal() && !yield(r.Name) {
			return
		}
	}
	event.SyscallNames(func(name string, _, _ int) bool { return yield(name) })
}

// EventSet is a set of event types: Names, or with Except set all but Names.
type EventSet struct {
	Except bool
	Names  []string // sorted
}

// AllEvents is the set of every event type.
func AllEvents() EventSet { return EventSet{Except: true} }

// Has reports whether the set holds the type.
func (s EventSet) Has(name string) bool {
	_, found := slices.BinarySearch(s.Names, name)
	return found != s.Except
}

// All reports whether the set holds every type.
func (s EventSet) All() bool { return s.Except && len(s.Names) == 0 }

// Empty reports whether the set holds no type.
func (s EventSet) Empty() bool { return !s.Except && len(s.Names) == 0 }

func (s EventSet) not() EventSet { return EventSet{!s.Except, s.Names} }

func (s EventSet) and(o EventSet) EventSet {
	switch {
	case s.Except && o.Except:
		return EventSet{true, merge(s.Names, o.Names)}
	case s.Except:
		return o.and(s)
	}
	return EventSet{false, slices.DeleteFunc(slices.Clone(s.Names), func(n string) bool { return !o.Has(n) })}
}

func (s EventSet) or(o EventSet) EventSet { return s.not().and(o.not()).not() }

func merge(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// EventTypes returns the event types for which e can hold, as far as its tests of evt.type tell.
func EventTypes(e Expr) EventSet { return eventTypes(e, false) }

func eventTypes(e Expr, negated bool) EventSet {
	switch e := e.(type) {
	case *Not:
		return eventTypes(e.Kid, !negated)
	case *And:
		return fold(e.Kids, negated, !negated)
	case *Or:
		return fold(e.Kids, negated, negated)
	case *Check:
		if s, ok := ofCheck(e); ok {
			if negated {
				return s.not()
			}
			return s
		}
	}
	return AllEvents()
}

// fold joins the sets of kids: by `and`, or by `or`.
func fold(kids []Expr, negated, and bool) EventSet {
	all := eventTypes(kids[0], negated)
	for _, k := range kids[1:] {
		if s := eventTypes(k, negated); and {
			all = all.and(s)
		} else {
			all = all.or(s)
		}
	}
	return all
}

// typesOf returns the event types for which a comparison of evt.type holds, nil for any other comparison.
func typesOf(c *Check) *EventSet {
	s, ok := ofCheck(c)
	if !ok {
		return nil
	}
	return &s
}

func ofCheck(c *Check) (EventSet, bool) {
	if c.Left.Field == "evt.num" {
		return numberSet(c)
	}
	if c.Left.Field != "evt.type" || len(c.Left.Fns) > 0 || c.Right != nil || c.Quant != "" && c.Quant != "anyof" {
		return EventSet{}, false
	}
	names := make([]string, 0, len(c.Values))
	for _, v := range c.Values {
		names = append(names, eventName(v.Text))
	}
	s := EventSet{false, merge(names, nil)}
	switch c.Op {
	case "=", "in":
		return s, true
	case "!=":
		return s.not(), true
	}
	return EventSet{}, false
}

// FieldRef is a field as a condition uses it.
type FieldRef struct {
	Def  *field.Def
	Arg  field.Arg
	Text string // as written, without transformers
}

// Fields returns the fields that e reads, each once, in the order in which they appear. Names that are no fields are left out.
func Fields(e Expr) (refs []FieldRef) {
	add := func(o *field.Operand) {
		bare := field.Operand{Field: o.Field, Arg: o.Arg, HasArg: o.HasArg}
		text := bare.String()
		if slices.ContainsFunc(refs, func(r FieldRef) bool { return r.Text == text }) {
			return
		}
		if d, a, err := field.Resolve(o.Field, o.Arg, o.HasArg); err == nil {
			refs = append(refs, FieldRef{d, a, text})
		}
	}
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Check); ok {
			c.Left.Fields(add)
			if c.Right != nil {
				c.Right.Fields(add)
			}
		}
		return true
	})
	return refs
}

// Operators returns the operators of e, each once, in the order in which they appear.
func Operators(e Expr) (ops []string) {
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Check); ok && !slices.Contains(ops, c.Op) {
			ops = append(ops, c.Op)
		}
		return true
	})
	return ops
}

// Both returns the event types that are in both sets.
func (s EventSet) Both(o EventSet) EventSet { return bothOf(s, o) }

// Within reports whether all event types of the set are in the other.
func (s EventSet) Within(o EventSet) bool { return s.and(o.not()).Empty() }
