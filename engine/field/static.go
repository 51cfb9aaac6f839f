// SPDX-License-Identifier: Apache-2.0

package field

import "falconet/engine/event"

// StaticName is the name of the field whose values the configuration gives: static_fields.
const StaticName = "static"

func staticFields() []Def {
	return []Def{{Name: StaticName, Type: event.CharBuf, Arg: ArgRequired, Form: ByDot | ByKey, Example: "static.site = north",
		Desc: "text that static_fields of the configuration gives to the name after the dot, or in brackets",
		Get: func(c *Ctx, a Arg) (Value, bool) {
			s, ok := c.Host.Static[a.Key]
			return Str(s), ok
		}}}
}
