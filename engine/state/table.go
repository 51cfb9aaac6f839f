// SPDX-License-Identifier: Apache-2.0

package state

import "falconet/engine/event"

// Table is the process table. It is not safe for concurrent use.
type Table struct{}

// Of returns the process of a record and its image at the record's time.
func (t *Table) Of(r *event.Record) (*Process, *Image) { return &Process{}, &Image{} }

// ParentOf returns p's parent at time ts, nil when unknown.
func (t *Table) ParentOf(p *Process, ppid uint32, ts uint64) *Process { return nil }

// Users names users and groups.
type Users struct{}

// Addrs holds the addresses of the host's interfaces.
type Addrs struct{}
