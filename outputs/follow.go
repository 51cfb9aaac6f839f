// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"

	"falconet/engine/config"
)

// Follower makes the outputs, and what watches the program itself, those of another configuration. Its methods belong to one goroutine.
type Follower struct {
	Queue   *Queue
	Vitals  *Vitals
	Options func(*config.Config) Options

	change *Change
}

// Prepare opens what another configuration asks for. Undo or Follow must be called after it, unless it fails.
func (f *Follower) Prepare(next *config.Config) (err error) {
	f.change, err = f.Queue.Prepare(f.Options(next))
	return err
}

// Undo takes Prepare back.
func (f *Follower) Undo() { f.change.Drop() }

// Follow makes what was prepared, and publishes the names of the rule files. After an error a part of it is missing.
func (f *Follower) Follow(next *config.Config, rules []string) error {
	return errors.Join(f.change.Make(), f.Vitals.Reload(next, rules))
}
