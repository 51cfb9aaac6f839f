// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var intervalUnits = []struct {
	name string
	unit time.Duration
}{
	{"y", 365 * 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour},
	{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// parseInterval reads numbers with units in falling order, such as "1h30m" or "100 ms".
func parseInterval(text string) (time.Duration, error) {
	rest := strings.Join(strings.Fields(text), "")
	if rest == "" {
		return 0, fmt.Errorf("must be numbers with units, such as 1h30m, not nothing")
	}
	var total time.Duration
	next := 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		letters := len(rest[digits:]) - len(strings.TrimLeft(rest[digits:], "abcdefghijklmnopqrstuvwxyz"))
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		name := rest[digits : digits+letters]
		if err != nil || name == "" {
			return 0, fmt.Errorf("must be numbers with the units y, w, d, h, m, s, ms, such as 1h30m, not %q", text)
		}
		for next < len(intervalUnits) && intervalUnits[next].name != name {
			next++
		}
		if next == len(intervalUnits) {
			return 0, fmt.Errorf("must be numbers with the units y, w, d, h, m, s, ms in this order, such as 1h30m, not %q", text)
		}
		unit := intervalUnits[next].unit
		if n > (math.MaxInt64-int64(total))/int64(unit) {
			return 0, fmt.Errorf("%q is longer than can be counted", text)
		}
		total += time.Duration(n) * unit
		next++
		rest = rest[digits+letters:]
	}
	return total, nil
}
