// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"falconet/engine/event"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

func objectTypes(t *testing.T) *btf.Spec {
	t.Helper()
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object(t)))
	if err != nil {
		t.Fatal(err)
	}
	return spec.Types
}

// The structures that cross the ring or that the loader writes are the same on both sides, member by member.
func TestStructuresAreTheSameInC(t *testing.T) {
	types := objectTypes(t)
	for name, twin := range map[string]any{
		"header": event.Header{}, "file_facts": event.FileFacts{}, "sock_facts": event.SockFacts{}, "task_facts": event.TaskFacts{},
		"exit_facts": event.ExitFacts{}, "memory_facts": event.MemoryFacts{}, "poll_facts": event.PollFacts{}, "now_facts": event.NowFacts{}, "part": part{}, "slot": slot{}, "route": route{}, "counters": event.Counters{},
		"request_arg": requestArg{}, "request": request{}, "saved": saved{}, "shared_call": sharedCall{},
	} {
		var c *btf.Struct
		if err := types.TypeByName(name, &c); err != nil {
			t.Errorf("struct %s: %v", name, err)
			continue
		}
		same(t, name, c, reflect.TypeOf(twin))
	}
	if event.HeaderSize != reflect.TypeFor[event.Header]().Size() {
		t.Errorf("HeaderSize is %d", event.HeaderSize)
	}
}

func same(t *testing.T, name string, c *btf.Struct, twin reflect.Type) {
	t.Helper()
	if uintptr(c.Size) != twin.Size() {
		t.Errorf("struct %s has %d bytes, %s %d", name, c.Size, twin, twin.Size())
	}
	if len(c.Members) != twin.NumField() {
		t.Errorf("struct %s has %d members, %s %d", name, len(c.Members), twin, twin.NumField())
		return
	}
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	for i, m := range c.Members {
		f := twin.Field(i)
		if plain(m.Name) != plain(f.Name) && !(plain(m.Name) == "pad" && f.Name == "_") {
			t.Errorf("%s.%s stands where %s.%s does", name, m.Name, twin, f.Name)
		}
		size, err := btf.Sizeof(m.Type)
		if err != nil {
			t.Fatal(err)
		}
		if uintptr(m.Offset.Bytes()) != f.Offset || uintptr(size) != f.Type.Size() {
			t.Errorf("%s.%s has %d bytes at %d, %s.%s %d at %d", name, m.Name, size, m.Offset.Bytes(), twin, f.Name, f.Type.Size(), f.Offset)
		}
		if array, ok := btf.UnderlyingType(m.Type).(*btf.Array); ok && f.Type.Kind() == reflect.Array && f.Type.Len() != int(array.Nelems) {
			t.Errorf("%s.%s has %d elements, %s.%s %d", name, m.Name, array.Nelems, twin, f.Name, f.Type.Len())
		}
	}
}

// The numbers that both sides name are the same, and neither names one that the other does not.
func TestNumbersAreTheSameInC(t *testing.T) {
	want := map[string]map[string]uint64{
		"OP_": {
			"NONE": uint64(event.OpNone), "STR": uint64(event.OpStr), "MEM": uint64(event.OpMem), "SOCKADDR": uint64(event.OpSockAddr),
			"FILE": uint64(event.OpFile), "PATH": uint64(event.OpPath), "FSPATH": uint64(event.OpFSPath), "DIR": uint64(event.OpDir),
			"SOCK": uint64(event.OpSock), "QUEUE": uint64(event.OpQueue), "TASK": uint64(event.OpTask), "ARGV": uint64(event.OpArgv),
			"ENV": uint64(event.OpEnv), "ARGV_USER": uint64(event.OpArgvUser), "ENV_USER": uint64(event.OpEnvUser), "CWD": uint64(event.OpCwd),
			"EXE": uint64(event.OpExe), "CGROUPS": uint64(event.OpCgroups), "FILENAME": uint64(event.OpFilename), "EXIT": uint64(event.OpExit),
			"MEMORY": uint64(event.OpMemory), "BUFFER": uint64(event.OpBuffer), "POLL": uint64(event.OpPoll),
			"DATA": uint64(event.OpData), "SIZE": uint64(event.OpSize), "PEER": uint64(event.OpPeer), "CONTROL": uint64(event.OpControl),
			"OPTION": uint64(event.OpOption), "CHANGED": uint64(event.OpChanged), "NOW": uint64(event.OpNow),
			"HELD": uint64(event.OpHeld), "PATH2": uint64(event.OpPath2),
		},
		"OBJ_": {
			"NONE": uint64(event.ObjNone), "RET": uint64(event.ObjRet), "ARG0": uint64(event.ObjArg0), "ARG1": uint64(event.ObjArg1),
			"ARG2": uint64(event.ObjArg2), "ARG3": uint64(event.ObjArg3), "ARG4": uint64(event.ObjArg4), "ARG5": uint64(event.ObjArg5),
			"RET_POSITIVE": uint64(event.ObjRetPositive), "AT0": uint64(event.ObjAt0), "AT3": uint64(event.ObjAt3), "INSIDE": uint64(event.ObjInside),
		},
		"FLAG_": {
			"COMPAT32": event.FlagCompat32, "TRUNCATED": event.FlagTruncated, "FAULT": event.FlagFault, "CHILD": event.FlagChild,
			"GROUP_DEAD": event.FlagGroupDead, "FAILED": event.FlagFailed,
			"IO_URING": event.FlagIOUring, "UNKNOWN": event.FlagUnknown,
		},
		"KIND_": {
			"UNKNOWN": uint64(event.KindUnknown), "FILE": uint64(event.KindFile), "DIRECTORY": uint64(event.KindDirectory), "FIFO": uint64(event.KindFIFO),
			"CHAR": uint64(event.KindChar), "BLOCK": uint64(event.KindBlock), "IPV4": uint64(event.KindIPv4), "IPV6": uint64(event.KindIPv6),
			"UNIX": uint64(event.KindUnix), "NETLINK": uint64(event.KindNetlink), "PACKET": uint64(event.KindPacket), "SOCKET": uint64(event.KindSocket),
			"MEMFD": uint64(event.KindMemfd), "ANON": uint64(event.KindAnon),
		},
		"TASK_": {"KTHREAD": event.TaskKthread, "IN_PIDNS": event.TaskInPidns},
		"IO_": {
			"NONE": uint64(event.IONone), "BUFFER": uint64(event.IOBuffer), "TO": uint64(event.IOTo), "FROM": uint64(event.IOFrom), "VECTOR": uint64(event.IOVector),
			"MESSAGE": uint64(event.IOMessage), "MESSAGES": uint64(event.IOMessages), "WRITES": uint64(event.IOWrites),
		},
		"ROLE_":  {"NONE": uint64(event.RoleUnknown), "CLIENT": uint64(event.RoleClient), "SERVER": uint64(event.RoleServer)},
		"SLOT_":  {"FAILED_ONLY": slotFailedOnly, "CLONE": slotClone, "LIFE": slotLife, "SILENT": slotSilent, "THREADS": slotThreads},
		"ROUTE_": {"MARK": routeMark, "SHARED": routeShared, "MANY": routeMany, "VERSIONS": routeVersions},
		"ARG_":   {"NAME": argName, "EARLY": argEarly, "COPY": argCopy, "UNLESS": argUnless},
	}
	found := make(map[string]map[string]uint64)
	for typ, err := range objectTypes(t).All() {
		if err != nil {
			t.Fatal(err)
		}
		e, ok := typ.(*btf.Enum)
		if !ok {
			continue
		}
		for _, v := range e.Values {
			for prefix := range want {
				if name, ok := strings.CutPrefix(v.Name, prefix); ok {
					if found[prefix] == nil {
						found[prefix] = make(map[string]uint64)
					}
					found[prefix][name] = v.Value
				}
			}
		}
	}
	for prefix, values := range found {
		for name, v := range values {
			if w, ok := want[prefix][name]; !ok || v != w {
				t.Errorf("%s%s is %d in C and %d in Go", prefix, name, v, w)
			}
		}
	}
	for prefix := range want {
		if len(found[prefix]) != len(want[prefix]) {
			t.Errorf("the object names %d of %d numbers %s", len(found[prefix]), len(want[prefix]), prefix)
		}
	}
}
