// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// TestSoak runs the benchmark of many short processes and containers, in small: what is said of a sample of them is right, although the
// table of processes has room for few of them and stays within it. FALCONET_SOAK says how many processes there are.
func TestSoak(t *testing.T) {
	privileged(t)
	soak, err := shared.build("soak", "./build/bench/soak")
	if err != nil {
		t.Fatal(err)
	}
	count := os.Getenv("FALCONET_SOAK")
	if count == "" {
		count = "5000"
	}
	cmd := exec.Command(soak, "-bin", binary(t), "-processes", count, "-containers", "200", "-samples", "300", "-table", "1024", "-budget", "64")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("\n%s", indent(string(out)))
}
