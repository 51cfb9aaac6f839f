// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

func groupFields() []Def {
	return []Def{
		{Name: "group.gid", Type: event.Uint32, Example: "group.gid = 0", Desc: "effective group id",
			Get: func(c *Ctx, _ Arg) (Value, bool) { return num(event.Uint32, uint64(c.Rec.GID)), true }},
		{Name: "group.name", Type: event.CharBuf, Example: "group.name = root", Desc: "name of the effective group, as the container or the host names it, <NA> when it has none",
			Get: func(c *Ctx, _ Arg) (Value, bool) {
				name, ok := c.group(c.Rec.GID)
				if !ok {
					name = na
				}
				return Str(name), true
			}},
	}
}
