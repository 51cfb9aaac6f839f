// SPDX-License-Identifier: Apache-2.0

package field

import (
	"bytes"
	"strconv"

	"falconet/engine/event"
)

var (
	partsPath = event.PartsOf(event.PartPath, event.PartFile)
	partsName = event.PartsOf(event.PartName, event.PartDir, event.PartCwd)
	partsSock = event.PartsOf(event.PartSock, event.PartSockAddr)
	partsKind = event.PartsOf(event.PartFile, event.PartSock, event.PartPath, event.PartDir)
)

// fdName is fd.name: the kernel's path of a file, the ends of a socket. The name of a file that could not be opened is Falco's.
func (c *Ctx) fdName() (v Value, ok bool) {
	f := c.desc()
	if !f.about {
		return v, false
	}
	if c.done&cachedName == 0 {
		c.done |= cachedName
		c.name = c.makeName(f)
	}
	return c.name, true
}

func (c *Ctx) makeName(f *fdInfo) Value {
	switch {
	case f.hasSock:
		mark := len(c.arena)
		c.arena = c.appendTuple(c.arena, f)
		return Str(c.str(mark))
	case f.ok && !f.hasFile && f.kind == kindDir:
		dir, _ := c.captured(event.PartDir)
		return dir
	}
	if v, ok := c.captured(event.PartPath); ok && !f.failed && !c.row().inside {
		return v
	}
	if r := c.row(); r.kind == rowOpen || r.kind == rowCreat {
		if v, ok := c.lexicalName(); ok {
			return v
		}
	}
	return Str("")
}

// lexicalName is the path that an open names.
func (c *Ctx) lexicalName() (Value, bool) {
	if c.done&cachedAlt == 0 {
		c.done |= cachedAlt
		c.hasAlt = false
		if r := c.row(); r.path >= 0 && (r.kind == rowOpen || r.kind == rowCreat) {
			c.alt, c.hasAlt = c.lexical(r.path)
		}
	}
	return c.alt, c.hasAlt
}

// respelled reports whether the event's file may have a second spelling: most calls pass the path that the kernel has too.
func (c *Ctx) respelled() bool {
	if c.done&cachedSpelling == 0 {
		c.done |= cachedSpelling
		c.mayAlt = true
		if r := c.row(); r.path >= 0 && (r.kind == rowOpen || r.kind == rowCreat) {
			raw, ok := c.Rec.Bytes(r.path)
			path, has := c.Rec.Part(event.PartPath)
			c.mayAlt = !ok || !has || !bytes.Equal(raw, path)
		}
	}
	return c.mayAlt
}

// altName is the second spelling of fd.name: what Falco makes of the path that was passed, the path alone of a unix
// socket, the name that was given to a memfd.
func (c *Ctx) altName() (string, bool) {
	f := c.desc()
	if !f.about || f.failed {
		return "", false
	}
	name, _ := c.fdName()
	alt := ""
	switch {
	case f.kind == kindUnix && f.hasSock:
		alt = c.sockPath(f)
	case c.row().kind == rowMemfd:
		b, _ := c.Rec.Part(event.PartName)
		alt = text(b)
	default:
		if v, ok := c.lexicalName(); ok {
			alt = v.S
		}
	}
	return alt, alt != "" && alt != name.S
}

func altDesc(cut func(string) string) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		f := c.desc()
		if f.failed || !f.isFile() {
			return Value{}, false
		}
		alt, ok := c.altName()
		return Str(cut(alt)), ok
	}
}

// directoryOf is fd.directory.
func (c *Ctx) directoryOf() (Value, bool) {
	f := c.desc()
	v, ok := c.fdName()
	switch {
	case !ok || v.S == "":
		return v, false
	case f.kind == kindDir:
		return v, true
	case f.isFile() || f.failed && c.opens():
		v.S = dirname(v.S)
		return v, true
	}
	return v, false
}

func (c *Ctx) opens() bool { return c.row().kind == rowOpen || c.row().kind == rowCreat }

// typeChar is fd.typechar, which Falco knows of descriptors too that were not made.
func (c *Ctx) typeChar() (string, bool) {
	f := c.desc()
	switch {
	case f.ok:
		return f.kind.char, true
	case !f.failed:
		return "", false
	}
	switch c.row().kind {
	case rowOpen, rowCreat:
		return "f", true
	case rowAccept, rowSocket:
		return "4", true
	case rowPipe:
		return "p", true
	case rowMemfd:
		return "m", true
	}
	return "o", true
}

func fileFact(read func(f *event.FileFacts) Value) func(*Ctx, Arg) (Value, bool) {
	return func(c *Ctx, _ Arg) (Value, bool) {
		f := c.desc()
		// of a call on a path that is about no descriptor there is room for the facts of the path's object
		if !f.hasFile && !(c.row().inside && c.facts(event.PartFile, event.BytesOf(&f.file))) {
			return Value{}, false
		}
		return read(&f.file), true
	}
}

// device is a kernel device number in the form that stat(2) reports: new_encode_dev of include/linux/kdev_t.h.
func device(dev uint32) uint64 {
	major, minor := uint64(dev>>20), uint64(dev&0xfffff)
	return minor&0xff | major<<8 | (minor&^0xff)<<12
}

func fdFields() []Def {
	file := event.PartsOf(event.PartFile)
	desc := func(read func(c *Ctx, f *fdInfo) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
		return func(c *Ctx, _ Arg) (Value, bool) { return read(c, c.desc()) }
	}
	name := func(prefix bool, read func(c *Ctx) (Value, bool)) func(*Ctx, Arg) (Value, bool) {
		return func(c *Ctx, _ Arg) (Value, bool) {
			v, ok := read(c)
			if prefix && ok {
				id, _ := c.containerID()
				mark := len(c.arena)
				c.arena = append(append(append(c.arena, id...), ':'), v.S...)
				v.S = c.str(mark)
			}
			return v, ok
		}
	}
	layer := func(n uint8) func(*Ctx, Arg) (Value, bool) {
		return fileFact(func(f *event.FileFacts) Value { return boolean(f.Layer == n) })
	}
	facts := Needs{Parts: file, Must: file, Inside: true}
	paths := Needs{Parts: partsPath | partsName | partsSock}
	return describing([]Def{
		{Name: "fd.num", Type: event.Int64, Example: "fd.num >= 0", Desc: "number of the descriptor that the event is about; -1 when the call was to make one and failed",
			Get: desc(func(_ *Ctx, f *fdInfo) (Value, bool) { return num(event.Int64, uint64(f.num)), f.about })},
		{Name: "fd.type", Type: event.CharBuf, Example: "fd.type = file", Desc: "kind of object behind the descriptor: file, directory, ipv4, ipv6, unix, pipe, memfd and so on",
			Needs: Needs{Parts: partsKind}, Domain: kindWords(),
			Get: desc(func(_ *Ctx, f *fdInfo) (Value, bool) { return Str(f.kind.name), f.ok })},
		{Name: "fd.typechar", Type: event.CharBuf, Example: "fd.typechar = 'f'", Desc: "fd.type as one letter: f file, d directory, 4 and 6 internet sockets, u unix, p pipe, m memfd",
			Needs: Needs{Parts: partsKind}, Domain: kindChars(),
			Get: func(c *Ctx, _ Arg) (Value, bool) { s, ok := c.typeChar(); return Str(s), ok }},
		{Name: "fd.name", Type: event.CharBuf, Example: "fd.name startswith /etc/", Desc: "path of the file as the kernel has it, seen from the process's root; a socket's ends as client->server",
			Needs: paths, domainIn: nameDomain, Get: name(false, (*Ctx).fdName), Flags: Gaps, Alt: func(c *Ctx, _ Arg) (Value, bool) { s, ok := c.altName(); return Str(s), ok }, MayAlt: (*Ctx).respelled},
		{Name: "fd.directory", Type: event.CharBuf, Example: "fd.directory = /etc", Desc: "directory of the file",
			Needs: paths, Domain: dirPath, Flags: Gaps, Get: name(false, (*Ctx).directoryOf), Alt: altDesc(dirname), MayAlt: (*Ctx).respelled},
		{Name: "fd.filename", Type: event.CharBuf, Example: "fd.filename = shadow", Desc: "last component of the file's path",
			Needs: paths, Domain: leafName, Flags: Gaps, Alt: altDesc(basename), MayAlt: (*Ctx).respelled, Get: func(c *Ctx, _ Arg) (Value, bool) {
				f := c.desc()
				v, ok := c.fdName()
				if !ok || v.S == "" || !f.isFile() && !(f.failed && c.opens()) {
					return Value{}, false
				}
				v.S = basename(v.S)
				return v, true
			}},
		{Name: "fd.nameraw", Type: event.CharBuf, Example: "fd.nameraw contains ..", Desc: "path as it was passed to the call, neither made absolute nor resolved",
			Needs: Needs{Parts: event.PartsOf(event.PartName)}, Get: func(c *Ctx, _ Arg) (Value, bool) {
				if !c.desc().about {
					return Value{}, false
				}
				if !c.opens() {
					return Str(""), true
				}
				b, _ := c.Rec.Part(event.PartName)
				return Str(c.collapse(b)), true
			}},
		{Name: "fd.fspath", Type: event.CharBuf, Flags: Ours | Gaps, Example: "fd.fspath endswith /etc/shadow", Desc: "path of the file inside its filesystem, whatever is mounted where; for calls on a path, of what the path led to",
			Needs: Needs{Parts: event.PartsOf(event.PartFSPath), Must: event.PartsOf(event.PartFSPath), Inside: true}, Domain: openedPath, Get: func(c *Ctx, _ Arg) (Value, bool) {
				return c.captured(event.PartFSPath)
			}},
		{Name: "fd.replaced", Type: event.CharBuf, Flags: Ours | Gaps, Example: "fd.replaced startswith /var/log/", Desc: "path of the file that a dup2 or dup3 closed to give its number away",
			Needs: Needs{Parts: event.PartsOf(event.PartPath2), Must: event.PartsOf(event.PartPath2)}, Domain: openedPath, occurs: withReplaced, Get: func(c *Ctx, _ Arg) (Value, bool) {
				v, ok := c.captured(event.PartPath2)
				return v, ok && c.Rec.Ret >= 0 && !c.row().inside && c.Rec.Args[0] != c.Rec.Args[1]
			}},
		{Name: "fd.containername", Type: event.CharBuf, Example: "fd.containername startswith host:", Desc: "container.id, a colon and fd.name",
			Needs: paths, Flags: Gaps, Get: name(true, (*Ctx).fdName)},
		{Name: "fd.containerdirectory", Type: event.CharBuf, Example: "fd.containerdirectory = host:/etc", Desc: "container.id, a colon and fd.directory",
			Needs: paths, Flags: Gaps, Get: name(true, (*Ctx).directoryOf)},
		{Name: "fd.uid", Type: event.CharBuf, Example: "fd.uid != ''", Desc: "thread id and descriptor number written after one another, which name a descriptor of the host",
			Get: desc(func(c *Ctx, f *fdInfo) (Value, bool) {
				mark := len(c.arena)
				c.arena = strconv.AppendUint(c.arena, uint64(c.Rec.TID), 10)
				c.arena = strconv.AppendInt(c.arena, f.num, 10)
				return Str(c.str(mark)), f.about && f.num >= 0
			})},
		{Name: "fd.dev", Type: event.Int32, Print: Hex, Example: "fd.dev != 0", Desc: "number of the device that holds the file, in hexadecimal as stat reports it", Needs: facts,
			Get: fileFact(func(f *event.FileFacts) Value { return num(event.Int32, device(f.Dev)) })},
		{Name: "fd.dev.major", Type: event.Int32, Example: "fd.dev.major = 8", Desc: "major number of fd.dev", Needs: facts,
			Get: fileFact(func(f *event.FileFacts) Value { return num(event.Int32, uint64(f.Dev>>20)) })},
		{Name: "fd.dev.minor", Type: event.Int32, Example: "fd.dev.minor = 1", Desc: "minor number of fd.dev", Needs: facts,
			Get: fileFact(func(f *event.FileFacts) Value { return num(event.Int32, uint64(f.Dev&0xfffff)) })},
		{Name: "fd.ino", Type: event.Int64, Example: "fd.ino > 1", Desc: "inode number of the file", Needs: facts,
			Get: fileFact(func(f *event.FileFacts) Value { return num(event.Int64, f.Ino) })},
		{Name: "fd.is_upper_layer", Type: event.Bool, Example: "fd.is_upper_layer = true", Desc: "whether the file lives in the upper, writable layer of an overlay filesystem", Needs: facts, Get: layer(1)},
		{Name: "fd.is_lower_layer", Type: event.Bool, Example: "fd.is_lower_layer = true", Desc: "whether the file lives in a lower layer of an overlay filesystem", Needs: facts, Get: layer(2)},
	})
}

// describing makes fields those of a descriptor: events that have none do not have them.
func describing(defs []Def) []Def {
	for i := range defs {
		switch d := &defs[i]; {
		case d.occurs != nil:
		case d.Needs.Inside:
			d.occurs = withObject
		default:
			d.occurs = withDescriptor
		}
	}
	return defs
}
