// SPDX-License-Identifier: Apache-2.0

package outputs

import "falconet/engine/alert"

// Line is one rendered alert.
type Line struct {
	Bytes    []byte // with the newline at its end; read only, and good for as long as the sink wants
	Priority alert.Priority
}

// Sink is a place where alerts go. All its methods are called from one goroutine, which belongs to the sink: it may be as slow
// as it likes and costs only its own alerts.
type Sink interface {
	// Name is the word under which the sink is counted and logged.
	Name() string
	// Format says how lines are rendered for the sink. It does not change.
	Format() Format
	// Write takes one line. The sink may hold it back until Flush. An error means that this line, and all that were taken since
	// the last Flush, are lost; the sink goes on with the next one.
	Write(l Line) error
	// Flush hands on what Write held back. It is called as soon as nothing waits, or within a second where outputs are buffered.
	Flush() error
	// Reopen closes what the sink writes to and opens it anew, for files that were moved away.
	Reopen() error
	// Close flushes and gives everything back. Nothing is called after it.
	Close() error
}
