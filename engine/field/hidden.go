// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strconv"
	"strings"

	"falconet/engine/event"
	"falconet/engine/state"
)

// Fields that Falco keeps for tables of other tools and for the sake of old rules: rules may name them, listings do not show them.

// buflen is evt.buflen of the calls and kinds of descriptor that is chooses.
func buflen(bits uint8, is func(f *fdInfo) bool) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		n, ok := c.result()
		return num(event.Uint64, uint64(n)), ok && n >= 0 && c.io()&bits != 0 && is(c.desc())
	}
}

func hiddenFields() []Def {
	const both = callReads | callWrites
	file := func(f *fdInfo) bool { return f.ok && f.isFile() }
	net := (*fdInfo).isIP
	all := func(f *fdInfo) bool { return f.about }
	kind := Needs{Parts: partsKind}
	bytes := func(name, desc string, bits uint8, is func(f *fdInfo) bool) Def {
		return Def{Name: name, Type: event.Uint64, Flags: TableOnly, Example: name + " > 1000", Desc: "evt.buflen of " + desc, Needs: kind, occurs: withCall, Get: buflen(bits, is)}
	}
	kib := func(name, of string, read func(t *event.MemoryFacts) uint32) Def {
		return Def{Name: name, Type: event.Uint64, Flags: TableOnly, Example: name + " > 1000", Desc: of + " in bytes", Needs: needsMemory,
			Get: ofMain(func(c *Ctx, _ Arg) (Value, bool) {
				_, img := c.Process()
				m, ok := c.memory(img)
				return num(event.Uint64, uint64(read(&m))<<10), ok
			})}
	}
	defs := []Def{
		bytes("evt.buflen.in", "calls that read", callReads, all), bytes("evt.buflen.out", "calls that write", callWrites, all),
		bytes("evt.buflen.file", "calls on files", both, file), bytes("evt.buflen.file.in", "calls that read files", callReads, file), bytes("evt.buflen.file.out", "calls that write files", callWrites, file),
		bytes("evt.buflen.net", "calls on internet sockets", both, net), bytes("evt.buflen.net.in", "calls that read from internet sockets", callReads, net), bytes("evt.buflen.net.out", "calls that write to internet sockets", callWrites, net),
		{Name: "thread.nametid", Type: event.CharBuf, Flags: TableOnly, Example: "thread.nametid startswith bash", Desc: "proc.name and thread.tid written after one another",
			Get: ofSelf(func(c *Ctx, i *state.Image) (Value, bool) {
				mark := len(c.arena)
				c.arena = strconv.AppendUint(append(c.arena, i.Comm...), uint64(c.Rec.TID), 10)
				return Str(c.str(mark)), true
			})},
		kib("thread.vmsize.b", "thread.vmsize", func(m *event.MemoryFacts) uint32 { return m.Size }), kib("thread.vmrss.b", "thread.vmrss", func(m *event.MemoryFacts) uint32 { return m.RSS }),
		{Name: "util.cnt", Type: event.Uint64, Flags: TableOnly, Example: "util.cnt > 0", Desc: "a number that grows from event to event",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Uint64, c.Num), true }},
	}
	return append(defs, absentFields()...)
}

// absentFields have no value in any event: nothing makes the events that they are of.
func absentFields() (defs []Def) {
	add := func(flags Flags, form ArgForm, desc, names string, t event.Type) {
		for name := range strings.FieldsSeq(names) {
			d := Def{Name: name, Type: t, Flags: TableOnly | flags, Form: form, Desc: desc, Example: "not " + name + " exists", Get: never}
			if form != 0 {
				d.Arg, d.Example = ArgRequired, "not "+name+"[x] exists"
			}
			defs = append(defs, d)
		}
	}
	const (
		either = ByIndex | ByKey
		tables = "absent: no event of this program has it"
		mesos  = "absent: Mesos and Marathon are not asked"
		spans  = "absent: Falco has given up the tracers that it is of"
	)
	add(0, 0, tables, "evt.count.procinfo evt.count.threadinfo", event.Uint32)
	add(0, 0, tables, "evt.infra.docker.name evt.infra.docker.container.id evt.infra.docker.container.name evt.infra.docker.container.image", event.CharBuf)
	add(Deprecated, 0, "absent, since calls are reported when they return and not when they begin", "evt.latency.quantized", event.Uint64)
	add(Deprecated, 0, mesos, `mesos.task.name mesos.task.id mesos.task.labels mesos.framework.name mesos.framework.id marathon.app.name marathon.app.id
		marathon.app.labels marathon.group.name marathon.group.id`, event.CharBuf)
	add(Deprecated, either|ByDot, mesos, "mesos.task.label marathon.app.label", event.CharBuf)
	add(Deprecated, 0, spans, "span.id evtin.span.id evtin.span.p.id evtin.span.s.id evtin.span.m.id", event.Int64)
	add(Deprecated, 0, spans, "span.time span.tags span.args span.enterargs span.duration.human span.rawtime span.rawparenttime", event.CharBuf)
	add(Deprecated, 0, spans, "span.ntags span.nargs", event.Uint32)
	add(Deprecated, 0, spans, "span.duration", event.RelTime)
	add(Deprecated, 0, spans, "span.duration.quantized span.count", event.Uint64)
	add(Deprecated, either, spans, "span.tag span.arg span.enterarg span.idtag", event.CharBuf)
	add(Deprecated, either, spans, "span.duration.fortag", event.RelTime)
	add(Deprecated, either, spans, "span.count.fortag span.childcount.fortag", event.Uint64)
	for _, of := range []string{"evtin.span.", "evtin.span.p.", "evtin.span.s.", "evtin.span.m."} {
		add(Deprecated, 0, spans, of+"ntags "+of+"nargs", event.Uint32)
		add(Deprecated, 0, spans, of+"tags "+of+"args", event.CharBuf)
		add(Deprecated, either, spans, of+"tag "+of+"arg", event.CharBuf)
	}
	return defs
}
