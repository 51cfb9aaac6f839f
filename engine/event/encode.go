// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"unsafe"
)

// Piece is one part of a record being encoded. A nil Data is an absent part.
type Piece struct {
	Kind PartKind
	Data []byte
	// Truncated marks a piece of which more was there, or of a path a part is not known.
	Truncated bool
}

// Encode appends to dst the record that the probe would send with header h and the given pieces, and returns the
// extended slice. Pieces are placed as the row lists them; those that the row does not capture are left out. Len and
// Parts of h are set by it. A source of records other than the probe makes them with this.
func Encode(dst []byte, h Header, pieces ...Piece) []byte {
	row := RowOf(h.Event)
	list := row.Parts
	if h.Flags&FlagFailed != 0 {
		list = row.Failed
	}
	start := len(dst)
	h.Parts = uint8(len(list))
	dst = append(dst, unsafe.Slice((*byte)(unsafe.Pointer(&h)), HeaderSize)...)
	lengths := len(dst)
	dst = append(dst, make([]byte, 4*len(list))...)
	for i, p := range list {
		size := uint32(partAbsent)
		for _, piece := range pieces {
			if piece.Kind == p.Kind && piece.Data != nil {
				if size = uint32(len(piece.Data)); piece.Truncated {
					size |= partTruncated
				}
				dst = append(dst, piece.Data...)
			}
		}
		binary.LittleEndian.PutUint32(dst[lengths+4*i:], size)
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

// BytesOf returns the bytes of a facts structure, to encode it as a piece. They alias v.
func BytesOf[T FileFacts | SockFacts | TaskFacts | ExitFacts | MemoryFacts | PollFacts | NowFacts](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}
