// SPDX-License-Identifier: Apache-2.0

package trigger

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	triggers["semaphores"] = semaphores
	triggers["futex"] = futex
	triggers["nanosleep"] = nanosleep
}

const (
	ipcCreat, ipcExcl, ipcNowait = 0o1000, 0o2000, 0o4000
	semUndo                      = 0x1000
)

func sembuf(num uint16, op int16, flags uint16) []byte {
	b := binary.LittleEndian.AppendUint16(nil, num)
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, uint16(op)), flags)
}

func semaphores(t *T) {
	get := func(key, n int, flags uintptr, names ...string) *Call {
		return t.call("semget", unix.SYS_SEMGET, uptr(key), uptr(n), flags).Result("res").Number("key", int64(key)).Number("nsems", int64(n)).Flags("semflg", names...)
	}
	set := get(0, 3, ipcCreat|0o600, "IPC_CREAT").ok().Ret
	defer func() { // whatever happens: they outlive the process
		_, _, _ = unix.RawSyscall6(unix.SYS_SEMCTL, uintptr(set), 0, 0, 0, 0, 0)
	}()
	get(0x7a6b5c4d, 0, 0).fails(unix.ENOENT)
	get(0, -1, ipcCreat|ipcExcl|0o600, "IPC_CREAT", "IPC_EXCL").fails(unix.EINVAL)

	control := func(id, num int, cmd uintptr, val int, name string) *Call {
		return t.call("semctl", unix.SYS_SEMCTL, uptr(id), uptr(num), cmd, uptr(val)).Result("res").Number("semid", int64(id)).Number("semnum", int64(num)).Flags("cmd", name).
			Number("val", 0)
	}
	id := int(set)
	control(id, 1, 16, 5, "SETVAL").ok().Number("val", 5)
	if c := control(id, 1, 12, 0, "GETVAL").ok(); c.Ret != 5 {
		fail("the semaphore's value is %d", c.Ret)
	}
	control(id, 1, 16, -5, "SETVAL").fails(unix.ERANGE).Number("val", -5)
	control(id, 1, 11, 0, "GETPID").ok()
	control(id, 1, 14, 77, "GETNCNT").ok()
	control(id, 1, 15, 0, "GETZCNT").ok()
	control(id, 9, 12, 0, "GETVAL").fails(unix.EINVAL)
	control(id, 0, 13, badPtr, "GETALL").fails(unix.EFAULT)
	control(id, 0, 17, badPtr, "SETALL").fails(unix.EFAULT)
	control(id, 0, 2, badPtr, "IPC_STAT").fails(unix.EFAULT)
	control(id, 0, 1, badPtr, "IPC_SET").fails(unix.EFAULT)
	control(0, 0, 3, badPtr, "IPC_INFO").fails(unix.EFAULT)
	control(0, 0, 19, badPtr, "SEM_INFO").fails(unix.EFAULT)
	control(1<<30, 0, 18, badPtr, "SEM_STAT").fails(unix.EINVAL, unix.EFAULT)
	t.semop(id)
	control(id, 0, 0, 0, "IPC_RMID").ok()
	control(id, 0, 0, 0, "IPC_RMID").fails(unix.EINVAL)
}

func (t *T) semop(id int) {
	if sysSemop < 0 {
		return
	}
	op := func(ops uintptr, n uintptr) *Call {
		c := t.call("semop", sysSemop, uintptr(id), ops, n).Result("res").Number("nsops", int64(n)).Number("semid", int64(id))
		for _, i := range []string{"0", "1"} {
			c.Number("sem_num_"+i, 0).Number("sem_op_"+i, 0).Flags("sem_flg_" + i)
		}
		return c
	}
	op(t.bytes(append(sembuf(1, 2, semUndo), sembuf(2, 7, 0)...)), 1).ok().Number("sem_num_0", 1).Number("sem_op_0", 2).Flags("sem_flg_0", "SEM_UNDO")
	op(t.bytes(append(sembuf(1, -3, ipcNowait), sembuf(2, 7, ipcNowait|semUndo)...)), 2).ok().Number("sem_num_0", 1).Number("sem_op_0", -3).Flags("sem_flg_0", "IPC_NOWAIT").
		Number("sem_num_1", 2).Number("sem_op_1", 7).Flags("sem_flg_1", "IPC_NOWAIT", "SEM_UNDO")
	// of a call that did nothing there is nothing to say
	op(t.bytes(sembuf(1, -30000, ipcNowait)), 1).fails(unix.EAGAIN)
	op(badPtr, 1).fails(unix.EFAULT)
	op(0, 0).fails(unix.EINVAL)
}

func futex(t *T) {
	word := t.bytes([]byte{7, 0, 0, 0})
	do := func(addr, op, val uintptr, names ...string) *Call {
		return t.call("futex", unix.SYS_FUTEX, addr, op, val, 0, 0, 0).Result("res").Number("addr", int64(addr)).Number("val", int64(uint32(val))).Flags("op", names...)
	}
	do(word, 1, 1, "FUTEX_WAKE").ok()
	do(word, 1|128, uptr(-1), "FUTEX_WAKE", "FUTEX_PRIVATE_FLAG").ok()
	do(word, 0, 8, "FUTEX_WAIT").fails(unix.EAGAIN)
	do(word+1, 0|128, 8, "FUTEX_WAIT", "FUTEX_PRIVATE_FLAG").fails(unix.EINVAL)
	do(badPtr, 0, 8, "FUTEX_WAIT").fails(unix.EFAULT)
	do(word, 2, 8, "FUTEX_FD").fails(unix.ENOSYS)
	do(word, 9|256, 8, "FUTEX_WAIT_BITSET", "FUTEX_CLOCK_REALTIME").fails(unix.EINVAL) // no bits
	do(word, 10|128, 8, "FUTEX_WAKE_BITSET", "FUTEX_PRIVATE_FLAG").fails(unix.EINVAL)
	// an operation that the schema does not know
	do(word, 77|128, 8, "FUTEX_PRIVATE_FLAG").fails(unix.ENOSYS)
}

func nanosleep(t *T) {
	do := func(addr uintptr) *Call { return t.call("nanosleep", unix.SYS_NANOSLEEP, addr, 0).Result("res") }
	c := do(t.words(0, 1_500_000)).ok().Number("interval", 1_500_000)
	if took := c.After - c.Before; took < uint64(1500*time.Microsecond) {
		fail("slept for %d", took)
	}
	do(t.words(0, 2_000_000_000)).fails(unix.EINVAL).Number("interval", 2_000_000_000)
	do(t.words(3, 1_000_000_000)).fails(unix.EINVAL).Number("interval", 4_000_000_000)
	do(badPtr).fails(unix.EFAULT).Absent("interval")
	do(0).fails(unix.EFAULT).Number("interval", 0)
}
