// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"fmt"
	"os"
)

// fileMode leaves alerts, which tell what users do, to the owner and the group.
const fileMode = 0o640

// File appends lines to a file.
type File struct {
	format Format
	path   string
	keep   bool
	f      *os.File
	lines  lineWriter
}

// OpenFile returns a sink that appends to the file at path, which it opens at once to find out whether that is possible. Unless
// keep is set the file is opened anew whenever there is something to write.
func OpenFile(f Format, path string, keep bool) (*File, error) {
	s := &File{format: f, path: path, keep: keep}
	if err := s.open(); err != nil {
		return nil, err
	}
	if !keep {
		return s, s.shut()
	}
	return s, nil
}

func (s *File) open() error {
	if s.f != nil {
		return nil
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("open file output: %w", err)
	}
	s.f = f
	return nil
}

func (s *File) shut() error {
	if s.f == nil {
		return nil
	}
	err := s.f.Close()
	s.f = nil
	if err != nil {
		return fmt.Errorf("close file output: %w", err)
	}
	return nil
}

// Name returns "file".
func (s *File) Name() string { return "file" }

// Format returns the format given at construction.
func (s *File) Format() Format { return s.format }

// Holds returns true: lines are written together.
func (s *File) Holds() bool { return true }

// Write gathers the line.
func (s *File) Write(l Line) error {
	s.lines.add(l)
	return nil
}

// Flush writes the gathered lines with one call.
func (s *File) Flush() error {
	if err := s.open(); err != nil {
		s.lines.buf = s.lines.buf[:0]
		return err
	}
	if err := s.lines.writeTo(s.f); err != nil {
		return errors.Join(fmt.Errorf("write file output: %w", err), s.shut())
	}
	if !s.keep {
		return s.shut()
	}
	return nil
}

// Reopen closes the file; the next line opens it by its name.
func (s *File) Reopen() error { return s.shut() }

// Close flushes and closes the file.
func (s *File) Close() error {
	if len(s.lines.buf) > 0 {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	return s.shut()
}
