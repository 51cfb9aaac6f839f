// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

// Render appends the value as text, as Falco prints it, and returns the extended slice. It changes no byte of strings:
// whoever writes a line escapes it.
func Render(dst []byte, c *Ctx, d *Def, v Value) []byte { return append(dst, v.S...) }

// JSONValue returns what encoding/json should see for the value: nil, string, bool, int64, uint64 or a list of these.
func JSONValue(d *Def, v Value) any { return v.S }

func renderNeeds(row *event.Row, i int) event.Parts { return 0 }

type fdInfo struct{}

func evtFields() []Def       { return nil }
func evtIOFields() []Def     { return nil }
func evtTimeFields() []Def   { return nil }
func procFields() []Def      { return nil }
func lineageFields() []Def   { return nil }
func threadFields() []Def    { return nil }
func userFields() []Def      { return nil }
func groupFields() []Def     { return nil }
func containerFields() []Def { return nil }
func fdFields() []Def        { return nil }
func fdSockFields() []Def    { return nil }
func fsPathFields() []Def    { return nil }
