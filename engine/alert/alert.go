// SPDX-License-Identifier: Apache-2.0

// Package alert holds what the engine says when a rule matches: the value that travels from the rules to the outputs.
// It knows nothing of how an alert is rendered or where it goes.
package alert

// SourceSyscall and SourceInternal are the sources an alert can come from besides those of plugins. An alert with SourceInternal
// is about the program itself (lost events, a failed reload): it has no tags, and outputs show its fields after the message.
const (
	SourceSyscall  = "syscall"
	SourceInternal = "internal"
)

// Field is one named value of an alert.
//
// Value is nil (the event has no such value), string, int64, uint64, float64, bool or []any of these. Strings are whatever bytes the
// watched system held: they may contain control characters or be invalid UTF-8, and outputs escape them.
type Field struct {
	Name  string
	Value any
}

// Alert is one match of one rule.
//
// An alert owns everything it refers to: no string or slice of it aliases the event it was made from, so it may be kept and
// read by any number of goroutines. Nobody changes an alert once it was handed to the outputs.
type Alert struct {
	Time     int64 // when the event happened, nanoseconds since the Unix epoch
	Rule     string
	Source   string
	Hostname string
	Priority Priority
	Tags     []string // sorted
	Message  string   // the rule's output with its fields filled in, without time and priority
	Fields   []Field  // what the output names, in any order; outputs sort them, and of equal names the first counts
}

// Internal reports whether the alert is about the program itself and not about the watched system.
func (a *Alert) Internal() bool { return a.Source == SourceInternal }
