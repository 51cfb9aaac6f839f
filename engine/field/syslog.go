// SPDX-License-Identifier: Apache-2.0

package field

import (
	"slices"
	"strings"

	"falconet/engine/event"
)

var severities = [...]string{"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"}

var facilities = [...]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "clock", "authpriv", "ftp", "ntp", "logaudit", "logalert", "cron",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// logEntry is a message as programs send it to the system's log.
type logEntry struct {
	priority uint32
	text     string
}

func (l *logEntry) severity() uint32 { return l.priority & 7 }
func (l *logEntry) facility() uint32 { return l.priority >> 3 }

// parseLog reads a message that begins with its priority in angle brackets.
func parseLog(s string) (l logEntry, ok bool) {
	const digits = 10
	if s == "" || s[0] != '<' {
		return l, false
	}
	end := strings.IndexByte(s[:min(len(s), digits+2)], '>')
	if end < 2 {
		return l, false
	}
	n := uint64(0)
	for _, c := range []byte(s[1:end]) {
		if c < '0' || c > '9' {
			return l, false
		}
		n = n*10 + uint64(c-'0')
	}
	return logEntry{priority: uint32(n), text: s[end+1:]}, n < 1<<31
}

// journalLog is where /dev/log leads on machines with systemd.
const journalLog = "/run/systemd/journal/dev-log"

func isLog(path string) bool { return strings.Contains(path, "/dev/log") || path == journalLog }

// toLog reports whether the call writes to the socket of the system's log.
func (c *Ctx) toLog() bool {
	if c.io()&callWrites == 0 {
		return false
	}
	f := c.desc()
	if f.kind != kindUnix {
		return false
	}
	if b, ok := c.Rec.Part(event.PartSockAddr); ok && isLog(unixPath(b)) {
		return true
	}
	return f.hasSock && isLog(c.sockPath(f))
}

// logged returns the message that the call sends to the system's log.
func (c *Ctx) logged() (l logEntry, ok bool) {
	if c.row().data < 0 || !c.toLog() {
		return l, false
	}
	b, ok := c.Rec.Bytes(c.row().data)
	if !ok {
		return l, false
	}
	return parseLog(text(b))
}

// carryData reports whether there are events with what calls read and write: without them some fields are not there.
func carryData() bool {
	return slices.ContainsFunc(rowInfos, func(r rowInfo) bool { return r.data >= 0 })
}

func isSyslogField() []Def {
	return []Def{{Name: "evt.is_syslog", Type: event.Bool, Example: "evt.is_syslog = true", Desc: "whether the call writes to the socket of the system's log (/dev/log)", Needs: Needs{Parts: partsKind | partsSock, IOOnly: true},
		Get: func(c *Ctx, _ Arg) (Value, bool) { return boolean(c.toLog()), true }}}
}

func syslogFields() []Def {
	if !carryData() {
		return nil
	}
	def := func(name, value, desc string, t event.Type, read func(c *Ctx, l *logEntry) Value) Def {
		return Def{Name: name, Type: t, Example: name + " = " + value, Desc: desc, Needs: Needs{Parts: partsKind | partsSock, IOOnly: true, Params: []string{"data"}},
			occurs: func(r *rowInfo, _ *event.Row, _ Arg) bool { return r.data >= 0 },
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				l, ok := c.logged()
				if !ok {
					return Value{}, false
				}
				return read(c, &l), true
			}}
	}
	word := func(words []string, n uint32) Value {
		if n < uint32(len(words)) {
			return Str(words[n])
		}
		return Str(na)
	}
	return []Def{
		def("syslog.facility.str", "authpriv", "facility of a message to the system's log, by name", event.CharBuf, func(_ *Ctx, l *logEntry) Value { return word(facilities[:], l.facility()) }),
		def("syslog.facility", "10", "facility of a message to the system's log, as a number", event.Uint32, func(_ *Ctx, l *logEntry) Value { return num(event.Uint32, uint64(l.facility())) }),
		def("syslog.severity.str", "err", "severity of a message to the system's log, by name", event.CharBuf, func(_ *Ctx, l *logEntry) Value { return word(severities[:], l.severity()) }),
		def("syslog.severity", "3", "severity of a message to the system's log, as a number: 0 is the worst", event.Uint32, func(_ *Ctx, l *logEntry) Value { return num(event.Uint32, uint64(l.severity())) }),
		def("syslog.message", "hello", "text of a message to the system's log, without its priority", event.CharBuf, func(_ *Ctx, l *logEntry) Value { return Str(l.text) }),
	}
}
