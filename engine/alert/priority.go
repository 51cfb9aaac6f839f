// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"fmt"
	"strings"
)

// Priority says how urgent an alert is. Lower is more urgent; the numbers are those of syslog.
type Priority uint8

// The priorities, most urgent first.
const (
	Emergency Priority = iota
	Alarm              // named "Alert" everywhere a user sees it; the type Alert has the name here
	Critical
	Error
	Warning
	Notice
	Informational
	Debug
)

var priorityNames = [...]string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}

// String returns the long name, as alerts show it: "Emergency", "Alert", ... "Informational", "Debug".
func (p Priority) String() string {
	if int(p) < len(priorityNames) {
		return priorityNames[p]
	}
	return fmt.Sprintf("Priority(%d)", uint8(p))
}

// MarshalText returns the long name.
func (p Priority) MarshalText() ([]byte, error) {
	if int(p) >= len(priorityNames) {
		return nil, fmt.Errorf("no priority has the number %d", uint8(p))
	}
	return []byte(priorityNames[p]), nil
}

// UnmarshalText accepts what Parse accepts.
func (p *Priority) UnmarshalText(text []byte) error {
	v, err := Parse(string(text))
	if err != nil {
		return err
	}
	*p = v
	return nil
}

// AtLeast reports whether p is as urgent as limit or more.
func (p Priority) AtLeast(limit Priority) bool { return p <= limit }

// Parse returns the priority of a name. Case does not matter, and "info" is short for "informational".
func Parse(name string) (Priority, error) {
	for i, n := range priorityNames {
		if strings.EqualFold(n, name) {
			return Priority(i), nil
		}
	}
	if strings.EqualFold(name, "info") {
		return Informational, nil
	}
	return 0, fmt.Errorf("unknown priority %q: it is one of %s", name, strings.ToLower(strings.Join(priorityNames[:], ", ")))
}

// Priorities returns all of them, most urgent first.
func Priorities() []Priority {
	all := make([]Priority, len(priorityNames))
	for i := range all {
		all[i] = Priority(i)
	}
	return all
}
