// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"testing"

	"falconet/engine/event"

	"github.com/cilium/ebpf/btf"
)

// Two of these values are the kernel's promise: they are those of the submission entry's flags.
func TestEnumerators(t *testing.T) {
	types, err := os.ReadFile(kernelTypes)
	if err != nil {
		t.Skip(err)
	}
	got, err := enumerators(types, "REQ_F_FIXED_FILE", "REQ_F_BUFFER_SELECT", "no such constant", "REQ_F_CREDS")
	if err != nil {
		t.Fatal(err)
	}
	if got[0] != 1<<0 || got[1] != 1<<5 || got[2] != 0 || got[3] == 0 || got[3]&(got[3]-1) != 0 {
		t.Errorf("the values are %#x", got)
	}
	for n := 0; n < len(types); n += len(types)/50 + 1 {
		if _, err := enumerators(types[:n], "REQ_F_CREDS"); err == nil {
			t.Errorf("%d of %d bytes were accepted", n, len(types))
		}
	}
}

// Every operation that this kernel knows has what it keeps where the table says: a name that the kernel's types do not have is a
// misspelling, or a change that the table has to follow.
func TestOperationsAreKnown(t *testing.T) {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Skip(err)
	}
	var ops *btf.Enum
	if err := kernel.TypeByName("io_uring_op", &ops); err != nil {
		t.Skip("this kernel's operations have no list") // before 5.19
	}
	last := uint64(0)
	for _, v := range ops.Values {
		if v.Name == "IORING_OP_LAST" {
			last = v.Value
		}
	}
	// what some kernels keep and others do not
	optional := map[string]bool{"io_sr_msg.addr": true, "io_sr_msg.addr_len": true}
	for _, o := range operations {
		if _, _, ok := event.SyscallNumber(o.call); !ok {
			t.Errorf("operation %d stands for %s, which is no system call", o.code, o.call)
		}
		if uint64(o.code) >= last {
			continue
		}
		for _, a := range append(o.args, operand{member: o.direct}) {
			for _, name := range []string{a.member, a.also, a.unless, a.copy} {
				if m, err := findMember(kernel, name); name != "" && !optional[name] && (err != nil || !m.found) {
					t.Errorf("%s: %s: %v", o.call, name, err)
				}
			}
		}
	}
}
