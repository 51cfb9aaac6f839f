// SPDX-License-Identifier: Apache-2.0

package event

// The flag sets of calls on memory, as flagsets.go has them.
var (
	protFlags = &FlagSet{Name: "prot_flags", Flags: []Flag{
		{"PROT_READ", 0x1},
		{"PROT_WRITE", 0x2},
		{"PROT_EXEC", 0x4},
		{"PROT_SEM", 0x8},
		{"PROT_GROWSDOWN", 0x10},
		{"PROT_GROWSUP", 0x20},
		{"PROT_SAO", 0x40},
		{"PROT_NONE", 0x0},
	}}
	mmapFlags = &FlagSet{Name: "mmap_flags", Flags: []Flag{
		{"MAP_SHARED", 0x1},
		{"MAP_PRIVATE", 0x2},
		{"MAP_FIXED", 0x4},
		{"MAP_ANONYMOUS", 0x8},
		{"MAP_32BIT", 0x10},
		{"MAP_RENAME", 0x20},
		{"MAP_NORESERVE", 0x40},
		{"MAP_POPULATE", 0x80},
		{"MAP_NONBLOCK", 0x100},
		{"MAP_GROWSDOWN", 0x200},
		{"MAP_DENYWRITE", 0x400},
		{"MAP_EXECUTABLE", 0x800},
		{"MAP_INHERIT", 0x1000},
		{"MAP_FILE", 0x2000},
		{"MAP_LOCKED", 0x4000},
	}}
	mlock2Flags = &FlagSet{Name: "mlock2_flags", Flags: []Flag{
		{"MLOCK_ONFAULT", 0x1},
	}}
	mlockallFlags = &FlagSet{Name: "mlockall_flags", Flags: []Flag{
		{"MCL_CURRENT", 0x1},
		{"MCL_FUTURE", 0x2},
		{"MCL_ONFAULT", 0x4},
	}}
	pageFaultFlags = &FlagSet{Name: "pf_flags", Flags: []Flag{
		{"PROTECTION_VIOLATION", 0x1},
		{"PAGE_NOT_PRESENT", 0x2},
		{"WRITE_ACCESS", 0x4},
		{"READ_ACCESS", 0x8},
		{"USER_FAULT", 0x10},
		{"SUPERVISOR_FAULT", 0x20},
		{"RESERVED_PAGE", 0x40},
		{"INSTRUCTION_FETCH", 0x80},
	}}
)
