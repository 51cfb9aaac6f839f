// SPDX-License-Identifier: Apache-2.0

package field

import (
	"bytes"

	"falconet/engine/event"
)

// lexical returns the absolute path that parameter i names, as Falco makes it: the string that was passed, behind the
// directory that it is relative to, with "." and ".." resolved by the text alone. ok is false when the string was not captured.
func (c *Ctx) lexical(i int) (path string, ok bool) {
	name, ok := c.Rec.Bytes(i)
	if !ok {
		return "", false
	}
	if len(name) > 0 && name[0] == '/' {
		return c.clean(nil, name), true
	}
	return c.clean(c.directory(i), name), true
}

// directory returns the directory that the relative path in parameter i starts from.
func (c *Ctx) directory(i int) []byte {
	p := &c.Rec.Row().Params[i]
	kind := event.PartDir
	if p.Needs().Has(event.PartName2) {
		kind = event.PartDir2
	}
	if dir, ok := c.Rec.Part(kind); ok && len(dir) > 0 {
		return dir
	}
	if !c.fromCwd(p) {
		return unknownDir
	}
	if dir, ok := c.Rec.Part(event.PartCwd); ok && len(dir) > 0 {
		return dir
	}
	if _, img := c.Process(); img.Cwd != "" {
		mark := len(c.arena)
		c.arena = append(c.arena, img.Cwd...)
		return c.arena[mark:]
	}
	return unknownDir
}

// unknownDir is what Falco writes for a directory that it does not know.
var unknownDir = []byte("<UNKNOWN>")

const atCwd = -100

// fromCwd reports whether a relative path in parameter p starts from the working directory.
func (c *Ctx) fromCwd(p *event.Param) bool {
	if p.Type != event.FSRelPath {
		return true
	}
	fd, ok := c.Rec.Int(int(p.DirFD))
	return ok && fd == atCwd
}

// clean joins dir and name and resolves them lexically. The result aliases name when there is nothing to do.
func (c *Ctx) clean(dir, name []byte) string {
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
				if n := bytes.LastIndexByte(c.arena[mark:], '/'); n >= 0 {
					c.arena = c.arena[:mark+n]
				}
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
