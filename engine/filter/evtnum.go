// SPDX-License-Identifier: Apache-2.0

package filter

import "strconv"

// numberSet returns the event types for which a comparison of evt.num can hold, if its constants decide that: events are numbered from 1.
// Rules say `evt.num = 0` where nothing should match.
func numberSet(c *Check) (EventSet, bool) {
	if c.Right != nil || c.Left.HasArg || len(c.Left.Fns) > 0 || c.Quant != "" {
		return EventSet{}, false
	}
	most := uint64(0)
	for _, v := range c.Values {
		n, err := strconv.ParseUint(v.Text, 10, 64)
		if err != nil {
			return EventSet{}, false
		}
		most = max(most, n)
	}
	switch c.Op {
	case "=", "in", "<=":
		return EventSet{}, most == 0
	case "<":
		return EventSet{}, most <= 1
	case "!=", ">":
		return AllEvents(), most == 0
	case ">=":
		return AllEvents(), most <= 1
	}
	return EventSet{}, false
}
