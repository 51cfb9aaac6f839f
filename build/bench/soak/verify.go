// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// verify compares what falconet has said with what is true.
func verify(truth []fact, said []alert) error {
	byMarker := make(map[string][]alert)
	for _, a := range said {
		args := fmt.Sprint(a.Fields["proc.args"])
		byMarker[args] = append(byMarker[args], a)
	}
	var wrong []error
	from := make(map[string]int)
	for _, f := range truth {
		list := byMarker[f.marker]
		if len(list) != 1 {
			wrong = append(wrong, fmt.Errorf("%s: %d alerts", f.marker, len(list)))
			continue
		}
		if strings.HasPrefix(f.marker, "soak-box-") {
			from[fmt.Sprint(list[0].Fields["container.metadata"])]++
		}
		for name, want := range f.fields {
			if got := fmt.Sprint(list[0].Fields[name]); got != want {
				wrong = append(wrong, fmt.Errorf("%s: %s is %s, want %s", f.marker, name, got, want))
			}
		}
	}
	fmt.Printf("%d samples and containers looked at; metadata of containers from %v\n", len(truth), from)
	if n := len(wrong); n > 20 {
		wrong = append(slices.Clip(wrong[:20]), fmt.Errorf("and %d more", n-20))
	}
	return errors.Join(wrong...)
}
