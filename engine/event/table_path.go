// SPDX-License-Identifier: Apache-2.0

package event

// pathRows are the calls on paths beyond those of table_file.go. What they made, removed or changed is no longer at hand at their end, or was
// never: where nothing was held of it, the path that they were given is all there is.
func pathRows() []Row {
	const f = CatFile
	name := path("path")
	rel := relPath("path", PartName, 1)
	owner := func(arg uint8, nr32 uint16) params {
		return params{number("uid", Uint32, Dec, arg, 4).via(id16(nr32)), number("gid", Uint32, Dec, arg+1, 4).via(id16(nr32))}
	}
	target := text("target", CharBuf, PartName2)
	mode := func(arg uint8) Param { return flags("mode", Mode, Oct, mknodMode, arg, nodeMode) }
	call := func(name string, nr64 int, nr32 ...int) Row {
		return row(name, f, 0, nr64, nr32, ObjNone, named(AtCwd, 0), params{res(), path("path")})
	}
	return []Row{
		row("mkdir", f, 0, 83, []int{39}, ObjNone, named(AtCwd, 0), params{res(), name, number("mode", Uint32, Hex, 1, 4)}).holdingPath(),
		row("mkdirat", f, UsesFD, 258, []int{296}, ObjNone, named(0, 1), params{res(), fd("dirfd", 0), rel, number("mode", Uint32, Hex, 2, 4)}).holdingPath(),
		call("rmdir", 84, 40).holdingPath(),
		row("link", f, 0, 86, []int{9}, ObjNone, renamed(AtCwd, 0, AtCwd, 1), params{res(), path("oldpath"), path2("newpath")}).holdingPaths(),
		row("linkat", f, 0, 265, []int{303}, ObjNone, renamed(0, 1, 2, 3), params{
			res(), fd("olddir", 0), relPath("oldpath", PartName, 1), fd("newdir", 2), relPath("newpath", PartName2, 3),
			flags("flags", Flags32, Hex, linkatFlags, 4, known(0x1400)),
		}).holdingPaths(),
		// the link is the path of the call; its target is any text
		row("symlink", f, 0, 88, []int{83}, ObjNone, renamed(AtCwd, 1, AtCwd, 0), params{res(), target, path("linkpath")}).holdingPath(),
		row("symlinkat", f, UsesFD, 266, []int{304}, ObjNone, renamed(1, 2, AtCwd, 0), params{res(), target, fd("linkdirfd", 1), relPath("linkpath", PartName, 2)}).holdingPath(),
		row("chown", f, 0, 92, []int{182, 212}, ObjNone, named(AtCwd, 0), join(params{res(), name}, owner(1, 182))).holdingPath(),
		row("lchown", f, 0, 94, []int{16, 198}, ObjNone, named(AtCwd, 0), join(params{res(), name}, owner(1, 16))).holdingPath(),
		row("fchown", f, UsesFD, 93, []int{95, 207}, ObjArg0, file(), join(params{res(), fd("fd", 0)}, owner(1, 95))),
		row("fchownat", f, UsesFD, 260, []int{298}, ObjNone, named(0, 1), join(
			params{res(), fd("dirfd", 0), relPath("pathname", PartName, 1)}, owner(2, 0), params{flags("flags", Flags32, Hex, fchownatFlags, 4, fchownatBits.num)})).holdingPath(),
		row("mknod", CatOther, 0, 133, []int{14}, ObjNone, named(AtCwd, 0), params{res(), name, mode(1), number("dev", Uint32, Dec, 2, 4)}).holdingPath(),
		row("mknodat", CatOther, UsesFD, 259, []int{297}, ObjNone, named(0, 1), params{res(), fd("dirfd", 0), rel, mode(2), number("dev", Uint32, Dec, 3, 4)}).holdingPath(),
		row("access", f, 0, 21, []int{33}, ObjNone, named(AtCwd, 0), params{res(), path("name"), flags("mode", Flags32, Hex, accessFlags, 1, known(7))}),
		call("stat", 4, 106),
		call("lstat", 6, 107),
		call("stat64", -1, 195),
		call("lstat64", -1, 196),
		row("newfstatat", f, UsesFD, 262, []int{300}, ObjNone, named(0, 1), params{res(), fd("dirfd", 0), rel, flags("flags", Flags32, Hex, newfstatatFlags, 3, known(0x1900))}),
		row("umount", f, ModifiesState, -1, []int{22}, ObjNone, named(AtCwd, 0), params{res(), path("name")}).holdingPath(),
		row("umount2", f, ModifiesState, 166, []int{52}, ObjNone, named(AtCwd, 0), params{res(), path("name"), flags("flags", Flags32, Hex, umountFlags, 1, known(15))}).holdingPath(),
		mountRow(),
		// the path of both is the working directory that they leave behind, which is where the process is from then on
		row("chdir", f, ModifiesState, 80, []int{12}, ObjNone, parts{str(PartName, 0), workingDir()}, params{res(), text("path", CharBuf, PartName)}),
		row("fchdir", f, UsesFD|ModifiesState, 81, []int{133}, ObjArg0, append(file(), workingDir()), params{res(), fd("fd", 0).printed(NA)}),
		row("getcwd", f, 0, 79, []int{183}, ObjNone, parts{str(PartName, 0)}, params{res(), textWhen("path", PartName, func(r *Record) bool { return r.Ret >= 0 })}),
	}
}

func workingDir() Part { return Part{Kind: PartCwd, Op: OpCwd} }

// mountRow: of device and type not every mount has need.
func mountRow() Row {
	caught := parts{
		optional(PartName, OpStr, 0, 0, 0), str(PartName2, 1), optional(PartName3, OpStr, 2, 0, 0),
		dir(PartDir, AtCwd, 0), dir(PartDir2, AtCwd, 1),
	}
	return row("mount", CatFile, ModifiesState, 165, []int{21}, ObjNone, caught, params{
		res(), text("dev", CharBuf, PartName), path2("dir"), text("type", CharBuf, PartName3), flags("flags", Flags32, Hex, mountFlags, 3, mountFlagsOf),
	})
}
