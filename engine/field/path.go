// SPDX-License-Identifier: Apache-2.0

package field

import (
	"bytes"

	"falconet/engine/event"
)

// lexical returns the absolute path that parameter i names, as Falco makes it: the string that was passed, behind the
// directory that it is relative to, with "." and ".." resolved by the text alone. ok is false when the string was not captured.
func (c *Ctx) lexical(i int) (v Value, ok bool) {
	name, ok := c.Rec.Bytes(i)
	if !ok {
		return v, false
	}
	if len(name) > 0 && name[0] == '/' {
		return pathValue(c.clean(nil, name, false), false), true
	}
	dir, gap := c.directory(i)
	return pathValue(c.clean(dir, name, gap), gap), true
}

// directory returns the directory that the relative path in parameter i starts from, and whether a part of it is not known. A number that
// the kernel did not know either stands for no directory, so that there is nothing that could be known.
func (c *Ctx) directory(i int) (dir []byte, gap bool) {
	p := &c.Rec.Row().Params[i]
	kind := event.PartDir
	if p.Needs().Has(event.PartName2) {
		kind = event.PartDir2
	}
	if dir, ok := c.Rec.Part(kind); ok && len(dir) > 0 {
		return dir, c.Rec.Truncated(kind)
	}
	if !c.fromCwd(p) {
		return unknownDir, c.Rec.Ret != -ebadf
	}
	if dir, ok := c.Rec.Part(event.PartCwd); ok && len(dir) > 0 {
		return dir, c.Rec.Truncated(event.PartCwd)
	}
	if _, img := c.Process(); img.Cwd != "" {
		mark := len(c.arena)
		c.arena = append(c.arena, img.Cwd...)
		return c.arena[mark:], img.CwdGap
	}
	return unknownDir, true
}

const (
	atCwd = -100
	ebadf = 9
)

// fromCwd reports whether a relative path in parameter p starts from the working directory.
func (c *Ctx) fromCwd(p *event.Param) bool {
	if p.Type != event.FSRelPath {
		return true
	}
	fd, ok := c.Rec.Int(int(p.DirFD))
	return ok && fd == atCwd
}

// clean joins dir, of which gap says that a part is not known, and name, and resolves them lexically. The result aliases name when there is
// nothing to do.
func (c *Ctx) clean(dir, name []byte, gap bool) string {
	if len(dir) == 0 && isClean(name) {
		return text(name)
	}
	mark := len(c.arena)
	rooted := len(dir) == 0 || dir[0] == '/'
	for _, part := range [2][]byte{dir, name} {
		for len(part) > 0 {
			var comp []byte
			if n := bytes.IndexByte(part, '/'); n >= 0 {
				comp, part = part[:n], part[n+1:]
			} else {
				comp, part = part, nil
			}
			switch {
			case len(comp) == 0 || string(comp) == ".":
			case string(comp) == "..":
				c.stepUp(mark, gap)
			default:
				if rooted || len(c.arena) > mark {
					c.arena = append(c.arena, '/')
				}
				c.arena = append(c.arena, comp...)
			}
		}
	}
	if len(c.arena) == mark {
		return "/"
	}
	return c.str(mark)
}

// isClean reports whether an absolute path has no empty, "." or ".." component.
func isClean(p []byte) bool {
	if len(p) == 0 || p[0] != '/' {
		return false
	}
	for i := 0; i < len(p); {
		end := bytes.IndexByte(p[i+1:], '/')
		comp := p[i+1:]
		if end >= 0 {
			comp = comp[:end]
		}
		switch string(comp) {
		case "", ".", "..":
			return len(p) == 1
		}
		i += 1 + len(comp)
	}
	return true
}

// collapse is the raw path with repeated slashes made one, which is how Falco shows raw names.
func (c *Ctx) collapse(name []byte) string {
	if !bytes.Contains(name, slashes) {
		return text(name)
	}
	mark := len(c.arena)
	for i, b := range name {
		if b != '/' || i == 0 || name[i-1] != '/' {
			c.arena = append(c.arena, b)
		}
	}
	return c.str(mark)
}

var slashes = []byte("//")

// dirname and basename split a path of a file as Falco's fd.directory and fd.filename do.
func dirname(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			if i == len(path)-1 {
				return path
			}
			return path[:max(i, 1)]
		}
	}
	return "/"
}

func basename(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			if i == len(path)-1 {
				return "/"
			}
			return path[i+1:]
		}
	}
	return "/"
}
