// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"falconet/engine/alert"
)

const (
	spoolSuffix   = ".spool"
	spoolHeader   = 9        // length, checksum, priority
	spoolLine     = 16 << 20 // no line is longer; a record that claims to be is damaged
	spoolSegments = 8        // about how many files the space is divided into, for space is given back by the file
)

// errSpoolFull is returned when a line finds no room within the bound that the configuration sets.
var errSpoolFull = errors.New("the spool is full")

// segment is one file of a spool.
type segment struct {
	num  uint64
	size int64
}

// cursor is a place in a spool.
type cursor struct {
	num uint64 // of the segment
	off int64
}

// spool keeps lines in the files of a directory, in order. What was acknowledged before the program ended, however it ended, is not
// given out again after the next start, and what was appended is; only the loss of the machine itself can cost what its file system
// had not written yet. It is not safe for concurrent use, but for its
// counters.
type spool struct {
	dir  string
	max  int64
	lock *os.File
	pos  *os.File // holds acked

	segs []segment // oldest first
	size int64     // of all segments
	w    *os.File  // the last of segs, nil before the first append
	r    *os.File  // the segment that at is in, nil while it was not opened
	at   cursor    // the next line to give out
	ackd cursor    // the oldest line that was not acknowledged
	out  int       // lines between the two

	n    atomic.Int64 // lines from ackd on; may be read at any time
	lost atomic.Int64 // lines that could not be read; may be read at any time
}

// openSpool opens the spool in dir, which is made when it is not there. Another program cannot open it at the same time.
func openSpool(dir string, maxBytes int64) (s *spool, err error) {
	s = &spool{dir: dir, max: maxBytes}
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("open spool: %w", err)
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, err
	}
	if s.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return s, err
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return s, fmt.Errorf("%s is used by another program: %w", dir, err)
	}
	if s.pos, err = os.OpenFile(filepath.Join(dir, "position"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return s, err
	}
	var place [16]byte
	if n, _ := s.pos.ReadAt(place[:], 0); n == len(place) {
		s.ackd = cursor{num: binary.LittleEndian.Uint64(place[:]), off: int64(binary.LittleEndian.Uint64(place[8:]))}
	}
	return s, s.find()
}

// find learns which segments there are, removes those that were dealt with and counts the lines of the others.
func (s *spool) find() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, ok := strings.CutSuffix(e.Name(), spoolSuffix)
		if !ok {
			continue
		}
		num, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if num < s.ackd.num || info.Size() == 0 {
			if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
				return err
			}
			continue
		}
		s.segs = append(s.segs, segment{num: num, size: info.Size()})
		s.size += info.Size()
	}
	slices.SortFunc(s.segs, func(a, b segment) int { return cmp.Compare(a.num, b.num) })
	if len(s.segs) > 0 && s.segs[0].num != s.ackd.num {
		s.ackd = cursor{num: s.segs[0].num}
	}
	s.at = s.ackd
	for _, g := range s.segs {
		if err := s.count(g); err != nil {
			return err
		}
	}
	return nil
}

// count adds the lines of a segment that were not acknowledged.
func (s *spool) count(g segment) error {
	f, err := os.Open(s.path(g.num))
	if err != nil {
		return err
	}
	defer f.Close()
	from := int64(0)
	if g.num == s.ackd.num {
		from = s.ackd.off
	}
	in := bufio.NewReader(io.NewSectionReader(f, from, g.size-from))
	var h [spoolHeader]byte
	for {
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return nil // the end, or the rest of a line that was cut off
		}
		n := int(binary.LittleEndian.Uint32(h[:]))
		if got, err := in.Discard(n); n > spoolLine || got < n || err != nil {
			return nil
		}
		s.n.Add(1)
	}
}

func (s *spool) path(num uint64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%020d%s", num, spoolSuffix))
}

// append adds a line at the end. On an error nothing was added.
func (s *spool) append(l Line) error {
	rec := make([]byte, spoolHeader, spoolHeader+len(l.Bytes))
	rec[8] = byte(l.Priority)
	rec = append(rec, l.Bytes...)
	binary.LittleEndian.PutUint32(rec, uint32(len(l.Bytes)))
	binary.LittleEndian.PutUint32(rec[4:], crc32.ChecksumIEEE(rec[8:]))
	if s.size+int64(len(rec)) > s.max || len(l.Bytes) > spoolLine {
		return errSpoolFull
	}
	if s.w == nil || s.segs[len(s.segs)-1].size >= s.max/spoolSegments {
		if err := s.rotate(); err != nil {
			return fmt.Errorf("write spool: %w", err)
		}
	}
	g := &s.segs[len(s.segs)-1]
	if _, err := s.w.WriteAt(rec, g.size); err != nil {
		return errors.Join(fmt.Errorf("write spool: %w", err), s.w.Truncate(g.size))
	}
	g.size += int64(len(rec))
	s.size += int64(len(rec))
	s.n.Add(1)
	return nil
}

// rotate begins a segment.
func (s *spool) rotate() error {
	num := s.ackd.num + 1
	if len(s.segs) > 0 {
		num = s.segs[len(s.segs)-1].num + 1
	}
	f, err := os.OpenFile(s.path(num), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if s.w != nil {
		err = s.w.Close()
	}
	s.w = f
	s.segs = append(s.segs, segment{num: num})
	if len(s.segs) == 1 {
		s.at, s.ackd = cursor{num: num}, cursor{num: num}
	}
	return err
}

// next gives out the oldest line that is not out. What cannot be read is skipped, to the end of its segment.
func (s *spool) next() (Line, bool) {
	for {
		i := slices.IndexFunc(s.segs, func(g segment) bool { return g.num == s.at.num })
		if i < 0 {
			return Line{}, false
		}
		if g := s.segs[i]; s.at.off < g.size {
			l, err := s.read(g)
			if err == nil {
				s.at.off += int64(spoolHeader + len(l.Bytes))
				s.out++
				return l, true
			}
			s.at.off = g.size
		}
		if i+1 == len(s.segs) {
			if s.out == 0 { // what was counted and is not there was damaged
				s.lost.Add(s.n.Swap(0))
			}
			return Line{}, false
		}
		s.seek(cursor{num: s.segs[i+1].num})
	}
}

var errDamaged = errors.New("damaged record")

func (s *spool) read(g segment) (l Line, err error) {
	if s.r == nil {
		if s.r, err = os.Open(s.path(g.num)); err != nil {
			return l, err
		}
	}
	var h [spoolHeader]byte
	if _, err := s.r.ReadAt(h[:], s.at.off); err != nil {
		return l, err
	}
	n := int64(binary.LittleEndian.Uint32(h[:]))
	if n > spoolLine || s.at.off+spoolHeader+n > g.size {
		return l, errDamaged
	}
	rec := make([]byte, 1+n)
	rec[0] = h[8]
	if _, err := s.r.ReadAt(rec[1:], s.at.off+spoolHeader); err != nil {
		return l, err
	}
	if crc32.ChecksumIEEE(rec) != binary.LittleEndian.Uint32(h[4:]) {
		return l, errDamaged
	}
	return Line{Bytes: rec[1:], Priority: alert.Priority(rec[0])}, nil
}

func (s *spool) seek(to cursor) {
	if s.r != nil && to.num != s.at.num {
		_ = s.r.Close()
		s.r = nil
	}
	s.at = to
}

// ack forgets what is out, and gives the space of segments back that hold nothing else.
func (s *spool) ack() error {
	s.n.Add(-int64(s.out))
	s.out = 0
	if s.ackd == s.at {
		return nil
	}
	s.ackd = s.at
	var place [16]byte
	binary.LittleEndian.PutUint64(place[:], s.ackd.num)
	binary.LittleEndian.PutUint64(place[8:], uint64(s.ackd.off))
	_, err := s.pos.WriteAt(place[:], 0)
	for len(s.segs) > 1 && s.segs[0].num < s.ackd.num {
		err = errors.Join(err, os.Remove(s.path(s.segs[0].num)))
		s.size -= s.segs[0].size
		s.segs = s.segs[1:]
	}
	if err != nil {
		return fmt.Errorf("advance spool: %w", err)
	}
	return nil
}

// rewind takes back what is out.
func (s *spool) rewind() {
	s.seek(s.ackd)
	s.out = 0
}

func (s *spool) close() {
	for _, f := range []*os.File{s.w, s.r, s.pos, s.lock} {
		if f != nil {
			_ = f.Close()
		}
	}
}
