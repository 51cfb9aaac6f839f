// SPDX-License-Identifier: Apache-2.0

package event

// Kernel values: include/uapi/linux/quota.h, dqblk_xfs.h.
const (
	quotaSync    = 0x800001
	quotaOn      = 0x800002
	quotaOff     = 0x800003
	quotaGetFmt  = 0x800004
	quotaGetInfo = 0x800005
	quotaSetInfo = 0x800006
	quotaGet     = 0x800007
	quotaSet     = 0x800008
	quotaXOn     = 'X'<<8 | 1
	quotaXOff    = 'X'<<8 | 2
	quotaXGet    = 'X'<<8 | 3
	quotaXSet    = 'X'<<8 | 4
	quotaXStat   = 'X'<<8 | 5
	quotaXRemove = 'X'<<8 | 6
	quotaXSync   = 'X'<<8 | 7
)

// What the schema calls each command.
var quotaCommands = map[uint32]uint64{
	quotaOn: 1 << 0, quotaOff: 1 << 1, quotaGetFmt: 1 << 2, quotaGetInfo: 1 << 3, quotaSetInfo: 1 << 4, quotaGet: 1 << 5, quotaSet: 1 << 6,
	quotaSync: 1 << 7, quotaXOn: 1 << 8, quotaXOff: 1 << 9, quotaXGet: 1 << 10, quotaXSet: 1 << 11, quotaXStat: 1 << 12, quotaXRemove: 1 << 13,
	quotaXSync: 1 << 14,
}

// quotaCommand is the command of a quotactl, without the kind of quota in its low byte.
func quotaCommand(r *Record) uint32 { return uint32(r.Args[0]) >> 8 }

// quotaReads reports whether the structure at the call's address holds what the command is about: what it sets, or what it got.
func quotaReads(r *Record, set, get uint32) bool {
	command := quotaCommand(r)
	return command == set || command == get && r.Ret >= 0
}

func quotactlRow() Row {
	const noFormat = 1
	format := func(v uint64) uint64 { // QFMT_VFS_OLD, V0, V1
		if names := [...]uint64{1: 2, 2: 4, 4: 8}; v < uint64(len(names)) && names[v] != 0 {
			return names[v]
		}
		return noFormat
	}
	// dqblk is a member of if_dqblk, which has the same layout in both tables; valid is the bit that says that it counts.
	dqblk := func(name string, t Type, off int, valid uint64) Param {
		return calc(name, t, Dec, func(r *Record) (uint64, bool) {
			if !quotaReads(r, quotaSet, quotaGet) {
				return 0, true
			}
			if mask, ok := r.at(3, PartMem, 64, 4); !ok || mask&valid == 0 {
				return 0, ok
			}
			return r.at(3, PartMem, off, 8)
		}, PartMem)
	}
	// dqinfo is the same of if_dqinfo.
	dqinfo := func(name string, t Type, off, size int, valid uint64, num func(uint64) uint64) Param {
		return calc(name, t, Dec, func(r *Record) (uint64, bool) {
			if !quotaReads(r, quotaSetInfo, quotaGetInfo) {
				return 0, true
			}
			if mask, ok := r.at(3, PartMem2, 20, 4); !ok || mask&valid == 0 {
				return 0, ok
			}
			v, ok := r.at(3, PartMem2, off, size)
			return num(v), ok
		}, PartMem2)
	}
	plain := func(v uint64) uint64 { return v }
	return row("quotactl", CatUser, 0, 179, []int{131}, ObjNone, parts{
		optional(PartName, OpStr, 1, 0, 0), optional(PartName2, OpStr, 3, 0, 0), dir(PartDir, AtCwd, 0),
		optional(PartMem, OpMem, 3, 68, 0), optional(PartMem2, OpMem, 3, 24, 0), optional(PartMem3, OpMem, 3, 4, 0),
	}, params{
		res(), text("special", CharBuf, PartName),
		textWhen("quotafilepath", PartName2, func(r *Record) bool { return quotaCommand(r) == quotaOn }),
		dqblk("dqb_bhardlimit", Uint64, 0, 1), dqblk("dqb_bsoftlimit", Uint64, 8, 1), dqblk("dqb_curspace", Uint64, 16, 2),
		dqblk("dqb_ihardlimit", Uint64, 24, 4), dqblk("dqb_isoftlimit", Uint64, 32, 4),
		dqblk("dqb_btime", RelTime, 48, 16), dqblk("dqb_itime", RelTime, 56, 32),
		dqinfo("dqi_bgrace", RelTime, 0, 8, 1, plain), dqinfo("dqi_igrace", RelTime, 8, 8, 2, plain),
		dqinfo("dqi_flags", Flags8, 16, 4, 4, func(v uint64) uint64 {
			if v&1 != 0 { // DQF_ROOT_SQUASH
				return 2
			}
			return 1
		}).named(quotactlDQIFlags),
		calc("quota_fmt_out", Flags8, Dec, func(r *Record) (uint64, bool) {
			if quotaCommand(r) != quotaGetFmt || r.Ret < 0 {
				return noFormat, true
			}
			v, ok := r.at(3, PartMem3, 0, 4)
			return format(v), ok
		}, PartMem3).named(quotactlFormats),
		flags("cmd", Flags16, Dec, quotactlCommands, 0, func(_ *Record, v uint64) uint64 { return quotaCommands[uint32(v)>>8] }),
		flags("type", Flags8, Dec, quotactlTypes, 0, func(_ *Record, v uint64) uint64 {
			if v &= 0xff; v < 2 { // USRQUOTA, GRPQUOTA
				return v + 1
			}
			return 0
		}),
		calc("id", Uint32, Dec, func(r *Record) (uint64, bool) {
			switch quotaCommand(r) {
			case quotaGet, quotaSet, quotaXGet, quotaXSet:
				return r.Args[2] & 0xffffffff, true
			}
			return 0, true
		}),
		calc("quota_fmt", Flags8, Dec, func(r *Record) (uint64, bool) {
			if quotaCommand(r) != quotaOn {
				return noFormat, true
			}
			return format(r.Args[2] & 0xffffffff), true
		}).named(quotactlFormats),
	})
}
