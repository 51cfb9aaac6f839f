// SPDX-License-Identifier: Apache-2.0

package event

import "unsafe"

func procRows() []Row {
	const p = CatProcess
	return []Row{
		execRow("execve", 59, 11, 0),
		execRow("execveat", 322, 358, 1),
		cloneRow("clone", 56, 120, nil, number("flags", Flags32, Hex, 0, 8), cloneFlags),
		cloneRow("clone3", 435, 435, parts{{Kind: PartMem, Op: OpMem, Arg: 0, Size: 8}}, in("flags", Flags32, Hex, PartMem, 0, 8, nil), cloneFlags),
		cloneRow("fork", 57, 2, nil, number("flags", Flags32, Hex, 0, 8), noCloneFlags),
		cloneRow("vfork", 58, 190, nil, number("flags", Flags32, Hex, 0, 8), vforkCloneFlags),
		row("ptrace", p, 0, 101, []int{26}, ObjNone, parts{{Kind: PartMem, Op: OpMem, Arg: 3, Aux: 1, Size: 8}}, ptraceParams()),
		{Name: "procexit", Category: p, Flags: ModifiesState | Tracepoint | Life, Parts: parts{{Kind: PartExit, Op: OpExit}}, Params: exitParams()},
		{Name: "procfork", Category: p, Flags: ModifiesState | Tracepoint | Life | Internal, Parts: parts{{Kind: PartTask, Op: OpTask}}, Params: nil},
	}
}

// taskParams are the parameters that clone and execve events share.
func taskParams(fdlimit Type) params {
	return params{
		cut("exe", CharBuf, PartArgv, firstString),
		cut("args", ByteBuf, PartArgv, afterFirstString),
		task("tid", PID, Dec, unsafe.Offsetof(taskAt.TID), 4),
		task("pid", PID, Dec, unsafe.Offsetof(taskAt.PID), 4),
		task("ptid", PID, Dec, unsafe.Offsetof(taskAt.PTID), 4),
		text("cwd", CharBuf, PartCwd),
		task("fdlimit", fdlimit, Dec, unsafe.Offsetof(taskAt.FDLimit), 8),
		task("pgft_maj", Uint64, Dec, unsafe.Offsetof(taskAt.FaultsMajor), 8),
		task("pgft_min", Uint64, Dec, unsafe.Offsetof(taskAt.FaultsMinor), 8),
		task("vm_size", Uint32, Dec, unsafe.Offsetof(taskAt.VMSize), 4),
		task("vm_rss", Uint32, Dec, unsafe.Offsetof(taskAt.VMRSS), 4),
		task("vm_swap", Uint32, Dec, unsafe.Offsetof(taskAt.VMSwap), 4),
		{Name: "comm", Type: CharBuf, view: view{kind: viewPart, part: PartTask, off: uint16(unsafe.Offsetof(taskAt.Comm)), cut: commBytes}},
		text("cgroups", ByteBuf, PartCgroups),
	}
}

func commBytes(b []byte) []byte { return firstString(b[:min(len(b), 16)]) }

// execRow: a successful call is reported from sched_process_exec, where its registers are gone but everything else is at hand; a
// failed one from sys_exit, with the arguments read from user memory. first is the register of the file name. The working
// directory comes last: it may be so deep that its walk leaves no step for what comes after.
func execRow(name string, nr64, nr32 int, first uint8) Row {
	facts := parts{
		{Kind: PartTask, Op: OpTask}, {Kind: PartArgv, Op: OpArgv}, {Kind: PartEnv, Op: OpEnv}, {Kind: PartName, Op: OpFilename},
		{Kind: PartExe, Op: OpExe}, {Kind: PartCgroups, Op: OpCgroups}, {Kind: PartCwd, Op: OpCwd},
	}
	failed := parts{
		{Kind: PartTask, Op: OpTask}, {Kind: PartArgv, Op: OpArgvUser, Arg: first + 1}, {Kind: PartEnv, Op: OpEnvUser, Arg: first + 2},
		str(PartName, first), {Kind: PartExe, Op: OpExe}, {Kind: PartCgroups, Op: OpCgroups}, {Kind: PartCwd, Op: OpCwd},
	}
	flagsParam := task("flags", Flags32, Hex, unsafe.Offsetof(taskAt.ExeFlags), 4)
	flagsParam.Flags = execveFlags
	p := join(params{res()}, taskParams(Uint64), params{
		text("env", ByteBuf, PartEnv),
		task("tty", Uint32, Dec, unsafe.Offsetof(taskAt.TTY), 4),
		task("vpgid", PID, Dec, unsafe.Offsetof(taskAt.VPGID), 4),
		task("loginuid", UID, Dec, unsafe.Offsetof(taskAt.LoginUID), 4),
		flagsParam,
		task("cap_inheritable", Uint64, Hex, unsafe.Offsetof(taskAt.CapInh), 8),
		task("cap_permitted", Uint64, Hex, unsafe.Offsetof(taskAt.CapPrm), 8),
		task("cap_effective", Uint64, Hex, unsafe.Offsetof(taskAt.CapEff), 8),
		task("exe_ino", Uint64, Dec, unsafe.Offsetof(taskAt.ExeIno), 8),
		task("exe_ino_ctime", AbsTime, Dec, unsafe.Offsetof(taskAt.ExeCtime), 8),
		task("exe_ino_mtime", AbsTime, Dec, unsafe.Offsetof(taskAt.ExeMtime), 8),
		task("uid", UID, Dec, unsafe.Offsetof(taskAt.UID), 4),
		text("trusted_exepath", FSPath, PartExe),
		task("pgid", PID, NA, unsafe.Offsetof(taskAt.PGID), 4),
		task("gid", GID, Dec, unsafe.Offsetof(taskAt.GID), 4),
	})
	if name == "execve" {
		p = append(p, path("filename"))
	}
	return Row{Name: name, Category: CatProcess, Flags: ModifiesState | Life, NR64: []int{nr64}, NR32: []int{nr32}, Parts: facts, Failed: failed, Params: p}
}

// cloneRow: the event is reported from both sides, the parent's with the child's id, the child's with 0.
func cloneRow(name string, nr64, nr32 int, more parts, flagsParam Param, num func(*Record, uint64) uint64) Row {
	caught := append(parts{{Kind: PartTask, Op: OpTask}, {Kind: PartArgv, Op: OpArgv}}, more...)
	caught = append(caught, Part{Kind: PartCgroups, Op: OpCgroups}, Part{Kind: PartCwd, Op: OpCwd})
	flagsParam.Flags, flagsParam.view.num = cloneFlagsSet, num
	return Row{Name: name, Category: CatProcess, Flags: ModifiesState, NR64: []int{nr64}, NR32: []int{nr32}, Parts: caught, Params: join(
		params{{Name: "res", Type: PID, Print: Dec}}, taskParams(Int64), params{
			flagsParam,
			task("uid", Uint32, Dec, unsafe.Offsetof(taskAt.UID), 4),
			task("gid", Uint32, Dec, unsafe.Offsetof(taskAt.GID), 4),
			task("vtid", PID, Dec, unsafe.Offsetof(taskAt.VTID), 4),
			task("vpid", PID, Dec, unsafe.Offsetof(taskAt.VPID), 4),
			task("pidns_init_start_ts", Uint64, Dec, unsafe.Offsetof(taskAt.PidnsStart), 8),
		})}
}

func ptraceParams() params {
	addr, data := number("addr", Dynamic, Hex, 2, 8), number("data", Dynamic, Hex, 3, 8)
	addr.view.num, addr.view.dyn = ptraceAddr, func(*Record) Type { return Uint64 }
	data.view.num, data.view.dyn = ptraceData, ptraceDataType
	data.view.also = PartsOf(PartMem)
	return params{res(), addr, data, flags("request", EnumFlags16, Dec, ptraceRequests, 0, ptraceRequest), number("pid", PID, Dec, 1, 4)}
}

func exitParams() params {
	var at ExitFacts
	code := unsafe.Offsetof(at.Code)
	return params{
		in("status", Errno, Dec, PartExit, code, 4, nil),
		in("ret", Errno, Dec, PartExit, code, 4, exitReturn),
		in("sig", SigType, Dec, PartExit, code, 4, exitSignal),
		in("core", Uint8, Dec, PartExit, code, 4, exitCore),
		in("reaper_tid", PID, Dec, PartExit, unsafe.Offsetof(at.Reaper), 4, nil),
	}
}
