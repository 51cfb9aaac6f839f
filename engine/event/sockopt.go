// SPDX-License-Identifier: Apache-2.0

package event

// Kernel values: include/linux/socket.h, include/uapi/asm-generic/socket.h.
const (
	solSocket = 1
	solTCP    = 6

	soError    = 4
	soRcvTimeo = 20 // and the next, SO_SNDTIMEO
	soCookie   = 57
	soTimeoNew = 66 // SO_RCVTIMEO_NEW and SO_SNDTIMEO_NEW, with times of 64 bits in both tables
)

// optionRow makes a row of a call on an option of a socket. get is 1 when the length of the value is behind a pointer.
func optionRow(name string, f RowFlags, nr64, nr32 int, get uint8, length Param, more ...Part) Row {
	val := Param{Name: "val", Type: Dynamic, Print: Dec, view: view{kind: viewCalc, calc: optionNumber, dyn: optionType, text: PartMem}}
	caught := append(socketInUse(Part{Kind: PartMem, Op: OpOption, Aux: get}), more...)
	return row(name, CatNet, f, nr64, []int{nr32}, ObjArg0, caught, params{
		res(), fd("fd", 0), flags("level", EnumFlags8, Dec, sockoptLevels, 1, optionLevel), flags("optname", EnumFlags8, Dec, sockoptOptions, 2, optionName), val, length,
	})
}

func optionLevel(_ *Record, v uint64) uint64 {
	switch uint32(v) {
	case solSocket:
		return 1
	case solTCP:
		return 2
	}
	return 0
}

// optionName is the schema's number of an option: the kernel's, but for the later ones.
func optionName(r *Record, v uint64) uint64 {
	if uint32(r.Args[1]) != solSocket {
		return 0
	}
	switch v = uint64(uint32(v)); {
	case v >= 1 && v <= 50:
		return v
	case v == 55: // SO_MEMINFO
		return 52
	case v == soCookie:
		return 53
	case v == 59: // SO_PEERGROUPS
		return 51
	case v == soTimeoNew, v == soTimeoNew+1:
		return v - soTimeoNew + soRcvTimeo
	}
	return 0
}

// optionType is the type that the value of an option has: bytes for those of which the schema knows no better.
func optionType(r *Record) Type {
	if uint32(r.Args[1]) != solSocket {
		return ByteBuf
	}
	switch o := uint32(r.Args[2]); o {
	case soError:
		return Errno
	case soRcvTimeo, soRcvTimeo + 1, soTimeoNew, soTimeoNew + 1:
		return RelTime
	case soCookie:
		return Uint64
	case 13, 17, 26, 28, 50: // structures: SO_LINGER, SO_PEERCRED, SO_ATTACH_FILTER, SO_PEERNAME, SO_ATTACH_BPF
		return ByteBuf
	default:
		if o >= 1 && o < 50 {
			return Uint32
		}
	}
	return ByteBuf
}

// optionNumber is the value of an option that is a number.
func optionNumber(r *Record) (uint64, bool) {
	b, ok := r.Part(PartMem)
	if !ok {
		return 0, false
	}
	switch optionType(r) {
	case Errno:
		if len(b) >= 4 {
			return uint64(-int64(int32(load(b, 4)))), true
		}
	case Uint32:
		if len(b) >= 4 {
			return load(b, 4), true
		}
	case Uint64:
		if len(b) >= 8 {
			return load(b, 8), true
		}
	case RelTime:
		size := 8
		if r.Compat32() && uint32(r.Args[2]) < soTimeoNew {
			size = 4
		}
		if len(b) >= 2*size {
			return extend(load(b, uint8(size)), uint8(size), true)*1e9 + extend(load(b[size:], uint8(size)), uint8(size), true)*1e3, true
		}
	}
	return 0, false
}
