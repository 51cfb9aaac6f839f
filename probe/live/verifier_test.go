// SPDX-License-Identifier: Apache-2.0

package live

import "testing"

// maxVerified bounds what a program may cost the verifier, far below the million instructions at which it gives up.
const maxVerified = 200_000

func TestProgramsAreCheapToVerify(t *testing.T) {
	privileged(t)
	p := probe(t)
	for _, err := range p.Refused() {
		t.Error(err)
	}
	for _, h := range p.hooks {
		for name, prog := range h.progs {
			info, err := prog.Info()
			if err != nil {
				t.Fatal(err)
			}
			n, ok := info.VerifiedInstructions()
			if !ok {
				t.Log("this kernel does not count") // before 5.16
				continue
			}
			t.Logf("%s%s: %d", name, h.spelling, n)
			if n > maxVerified {
				t.Errorf("program %s%s costs %d instructions", name, h.spelling, n)
			}
		}
	}
}
