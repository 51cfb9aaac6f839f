// SPDX-License-Identifier: Apache-2.0

package scap

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"falconet/engine/config"
	"falconet/engine/event"

	"github.com/rs/zerolog"

	"golang.org/x/sys/unix"
)

// ErrLimit is returned by a recorder whose limit is reached: there is nothing more to do.
var ErrLimit = errors.New("limit reached")

// Recorder writes records to a file, or to one after the other. Its methods belong to one goroutine.
type Recorder struct {
	o      config.Recording
	log    zerolog.Logger
	lists  func() *Lists
	file   *captureFile
	number int
	names  []string // of the files that are kept, the oldest first
	since  uint64   // Unix time of the first record of the file
	events uint64
	bytes  int64 // of files that are closed
}

// NewRecorder opens the first file. lists gives what stands at the beginning of a file, as it is then.
func NewRecorder(o config.Recording, log zerolog.Logger, lists func() *Lists) (*Recorder, error) {
	r := &Recorder{o: o, log: log, lists: lists}
	return r, r.next()
}

// Record writes a record, see Writer.
func (r *Recorder) Record(rec *event.Record, boot int64) error {
	if r.o.Events > 0 && r.events >= r.o.Events {
		return ErrLimit
	}
	now := rec.TS + uint64(boot)
	if r.since == 0 {
		r.since = now
	}
	if r.full(now) {
		if !r.o.Rotate {
			return ErrLimit
		}
		if err := r.end(); err != nil {
			return err
		}
		if err := r.next(); err != nil {
			return err
		}
		r.since = now
	}
	before := r.file.w.Events()
	err := r.file.w.Record(rec, boot)
	r.events += r.file.w.Events() - before
	return err
}

// Container writes what has become known of a container.
func (r *Recorder) Container(text []byte, ts uint64) error { return r.file.w.Container(text, ts) }

func (r *Recorder) full(now uint64) bool {
	return r.o.SizeMB > 0 && r.file.size() >= int64(r.o.SizeMB)<<20 || r.o.Seconds > 0 && now-r.since >= uint64(r.o.Seconds)*1e9
}

// next opens another file, and removes the oldest when there are enough.
func (r *Recorder) next() error {
	name := r.o.File
	if r.o.Rotate && name != "-" {
		ext := filepath.Ext(name)
		if ext == ".gz" {
			ext = filepath.Ext(strings.TrimSuffix(name, ext)) + ext
		}
		name = strings.TrimSuffix(name, ext) + "-" + fmt.Sprintf("%05d", r.number) + ext
	}
	for r.o.Files > 0 && len(r.names) >= r.o.Files {
		if err := os.Remove(r.names[0]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove capture: %w", err)
		}
		r.names = r.names[1:]
	}
	f, err := createCapture(name, r.o.Gzip, 0, r.lists())
	if err != nil {
		return err
	}
	r.file, r.number, r.names = f, r.number+1, append(r.names, name)
	return nil
}

// Close ends the recording.
func (r *Recorder) Close() error {
	err := r.end()
	if err == nil {
		r.log.Info().Uint64("events", r.events).Int("files", r.number).Int64("bytes", r.bytes).Msg("recorded")
	}
	return err
}

func (r *Recorder) end() error {
	if r.file == nil { // the next one could not be opened
		return nil
	}
	err := r.file.close()
	r.bytes += r.file.size()
	r.file = nil
	return err
}

// captureFile is a capture that is being written to disk.
type captureFile struct {
	name string
	f    *os.File
	n    counter
	buf  *bufio.Writer
	zip  *gzip.Writer
	w    *Writer
}

// counter counts what is written to disk.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += int64(n)
	return n, err
}

// createCapture makes a file, which only its owner may read: there is much in it. With O_EXCL in flags it must not be there yet.
func createCapture(name string, zip bool, flags int, l *Lists) (*captureFile, error) {
	c := &captureFile{name: name, f: os.Stdout}
	if name != "-" {
		if flags == 0 {
			flags = os.O_TRUNC
		}
		var err error
		if c.f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|flags, 0o600); err != nil {
			return nil, fmt.Errorf("write capture: %w", err)
		}
	}
	c.n.to = c.f
	c.buf = bufio.NewWriterSize(&c.n, 256<<10)
	var to io.Writer = c.buf
	if zip {
		c.zip, _ = gzip.NewWriterLevel(c.buf, gzip.BestSpeed) // the level is a good one
		to = c.zip
	}
	var err error
	if c.w, err = NewWriter(to, l); err != nil {
		_ = c.close()
		return nil, fmt.Errorf("write capture: %s: %w", name, err)
	}
	return c, nil
}

// size is how many bytes the file takes, without what is not yet written.
func (c *captureFile) size() int64 { return c.n.n + int64(c.buf.Buffered()) }

func (c *captureFile) close() error {
	var errs []error
	if c.zip != nil {
		errs = append(errs, c.zip.Close())
	}
	errs = append(errs, c.buf.Flush())
	if c.f != os.Stdout {
		errs = append(errs, c.f.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("write capture: %s: %w", c.name, err)
	}
	return nil
}

// ThisMachine is the machine that this program runs on.
func ThisMachine(hostname string, cpus int, boot int64) Machine {
	m := Machine{Hostname: hostname, CPUs: cpus, BootTime: boot}
	var s unix.Sysinfo_t
	if unix.Sysinfo(&s) == nil {
		m.Memory = s.Totalram * uint64(s.Unit)
	}
	if b, err := os.ReadFile("/proc/sys/kernel/pid_max"); err == nil {
		m.MaxPID, _ = strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	}
	return m
}

// UsersOf takes over users that another package has.
func UsersOf[U ~struct{ Name, Home, Shell string }](users map[uint32]U) map[uint32]User {
	out := make(map[uint32]User, len(users))
	for id, u := range users {
		out[id] = User(u)
	}
	return out
}
