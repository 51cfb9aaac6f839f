// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bytes"
	"slices"

	"falconet/engine/event"
)

// forParams are pieces that nothing but parameters is read from.
var forParams = event.PartsOf(event.PartName, event.PartName2, event.PartName3, event.PartMem, event.PartMem2, event.PartMem3, event.PartPoll,
	event.PartData, event.PartQueue, event.PartMemory)

// identify tells the event's task where a reader would take it for another, or for another user's.
func (w *Writer) identify() {
	s, live := w.shadow, &w.live
	th := s.tables.thread(int64(live.TID))
	p := th.proc
	who := whoOf(&live.Header)
	if p.PID == who.PID && p.Start == who.Start && p.UID == who.UID && p.GID == who.GID && p.LoginUID == who.LoginUID && s.parentOf(p) == who.PPID {
		return
	}
	w.tellHeader()
	s.identify(th, who)
}

func (w *Writer) tellHeader() {
	if w.header {
		return
	}
	w.header = true
	w.told = appendEntry(w.told, tagHeader, whoOf(&w.live.Header).append(nil))
}

// compare tells what the record that a reader makes of the event lacks, and lets the shadow of a reader know it.
func (w *Writer) compare(th *thread, e *raw) {
	live, made := &w.live, w.shadow.out.Record()
	if made.Event != live.Event {
		return
	}
	const aside = event.FlagFailed | event.FlagTruncated | event.FlagFault // of what is known already, or read by nobody
	if (made.Flags^live.Flags)&^aside != 0 || made.NR != live.NR || made.PPID != live.PPID {
		w.tellHeader()
	}
	call := w.paramsDiffer(made)
	if call {
		w.told = appendEntry(w.told, tagCall, event.AppendCall(nil, live))
	}
	row := live.Row()
	for tag, k := range toldParts {
		if !row.Captures(k) || forParams.Has(k) && !(call && needs(row, k)) {
			continue
		}
		have, ok := live.Part(k)
		got, gotOK := made.Part(k)
		if ok == gotOK && (!ok || samePiece(k, have, got)) {
			continue
		}
		if !ok {
			if held(row, k) {
				continue // nobody asked for it; a reader knows it of its own
			}
			w.told = append(w.told, byte(tag), absent&0xff, absent>>8)
			continue
		}
		w.told = appendEntry(w.told, byte(tag), have)
	}
	w.cgroup(th)
	if len(w.told) > 1 {
		w.shadow.tell(th, e, w.told)
	}
}

// needs reports whether a parameter of the row is read from a piece.
func needs(row *event.Row, k event.PartKind) bool {
	return slices.ContainsFunc(row.Params, func(p event.Param) bool { return p.Needs().Has(k) })
}

// held reports whether a piece has to be captured before the call is done.
func held(row *event.Row, k event.PartKind) bool {
	return slices.ContainsFunc(row.Held, func(p event.Part) bool { return p.Kind == k })
}

// cgroup tells the cgroups of the event's process where they are known to be others than those that were told last.
func (w *Writer) cgroup(th *thread) {
	key := cgroupKey{w.live.Cgroup, w.live.Cgroup1}
	if b, ok := w.live.Part(event.PartCgroups); ok {
		if w.cgroups[key] != string(b) && len(w.cgroups) < maxCgroups {
			w.cgroups[key] = string(b)
		}
		return
	}
	if list := w.cgroups[key]; list != "" && list != string(th.proc.cgroups) {
		for tag, k := range toldParts {
			if k == event.PartCgroups {
				w.told = appendEntry(w.told, byte(tag), []byte(list))
			}
		}
	}
}

// paramsDiffer reports whether a parameter reads otherwise than in the record at hand.
func (w *Writer) paramsDiffer(made *event.Record) bool {
	live := &w.live
	if made.Ret != live.Ret {
		return true
	}
	for i := range live.Row().Params {
		if live.Row().Params[i].Type == event.SockTuple {
			continue
		}
		a, aok := live.Uint(i)
		b, bok := made.Uint(i)
		if aok != bok || a != b || live.ParamType(i) != made.ParamType(i) {
			return true
		}
		c, cok := live.Bytes(i)
		d, dok := made.Bytes(i)
		if cok != dok || !bytes.Equal(c, d) {
			return true
		}
	}
	return false
}

// samePiece reports whether two pieces say the same. What changes all the time, and what nothing is read from, counts as the same.
func samePiece(k event.PartKind, a, b []byte) bool {
	switch k {
	case event.PartFile:
		return sameFile(a, b)
	case event.PartNow:
		return sameNow(a, b)
	case event.PartArgv, event.PartEnv:
		return bytes.Equal(trim(a[:min(len(a), maxText)]), trim(b[:min(len(b), maxText)]))
	case event.PartCgroups:
		return bytes.Equal(trim(a), trim(b))
	}
	return bytes.Equal(a, b)
}

func sameFile(a, b []byte) bool {
	const created = 1 << 20 // FMODE_CREATED
	x, ok := event.FileOf(a)
	y, ok2 := event.FileOf(b)
	return ok && ok2 && x.Ino == y.Ino && x.Dev == y.Dev && x.Kind == y.Kind && x.Layer == y.Layer && (x.FMode^y.FMode)&created == 0
}

func sameNow(a, b []byte) bool {
	x, ok := event.NowOf(a)
	y, ok2 := event.NowOf(b)
	x.FaultsMajor, x.FaultsMinor = y.FaultsMajor, y.FaultsMinor
	return ok && ok2 && x == y
}
