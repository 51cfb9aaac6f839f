// SPDX-License-Identifier: Apache-2.0

package event

func fileRows() []Row {
	const f, n = CatFile, CreatesFD | ModifiesState
	oflags := func(arg uint8) Param {
		p := flags("flags", Flags32, Hex, fileFlags, arg, openFlags)
		p.view.also = PartsOf(PartFile)
		return p
	}
	omode := func(arg, flagArg uint8) Param {
		return Param{Name: "mode", Type: Uint32, Print: Oct, view: view{kind: viewArg, arg: arg, size: 4, num: openMode(int(flagArg))}}
	}
	how := Part{Kind: PartMem, Op: OpMem, Arg: 2, Size: 24}
	mode := func(arg uint8) Param { return flags("mode", Mode, Oct, chmodMode, arg, permissions) }
	name := relPath("name", PartName, 1)
	creatLayer := Param{Name: "creat_flags", Type: Flags16, Print: Hex, Flags: creatFlagsSet, view: view{kind: viewPart, part: PartFile, size: 1, num: creatFlags}}
	rename := params{res(), fd("olddirfd", 0), relPath("oldpath", PartName, 1), fd("newdirfd", 2), relPath("newpath", PartName2, 3)}
	return []Row{
		row("open", f, n, 2, []int{5}, ObjRet, opened(AtCwd, 0), join(params{newFD(), path("name"), oflags(1), omode(2, 1)}, devIno())),
		row("openat", f, n, 257, []int{295}, ObjRet, opened(0, 1), join(params{newFD(), fd("dirfd", 0), name, oflags(2), omode(3, 2)}, devIno())),
		row("openat2", f, n, 437, []int{437}, ObjRet, opened(0, 1, how), join(params{newFD(), fd("dirfd", 0), name, howFlags(), howMode(), howResolve()}, devIno())),
		row("creat", f, n, 85, []int{8}, ObjRet, opened(AtCwd, 0), join(params{newFD(), path("name"), number("mode", Uint32, Oct, 1, 4)}, devIno(), params{creatLayer})),
		row("unlink", f, 0, 87, []int{10}, ObjNone, named(AtCwd, 0), params{res(), path("path")}).holdingPath(),
		row("unlinkat", f, UsesFD, 263, []int{301}, ObjNone, named(0, 1), params{res(), fd("dirfd", 0), name, flags("flags", Flags32, Hex, unlinkatFlags, 2, nil)}).holdingPath(),
		row("rename", f, 0, 82, []int{38}, ObjNone, renamed(AtCwd, 0, AtCwd, 1), params{res(), path("oldpath"), path2("newpath")}).holdingPaths(),
		row("renameat", f, 0, 264, []int{302}, ObjNone, renamed(0, 1, 2, 3), rename).holdingPaths(),
		row("renameat2", f, 0, 316, []int{353}, ObjNone, renamed(0, 1, 2, 3), join(rename, params{flags("flags", Flags32, Hex, renameat2Flags, 4, nil)})).holdingPaths(),
		row("chmod", f, 0, 90, []int{15}, ObjNone, named(AtCwd, 0), params{res(), path("filename"), mode(1)}).holdingPath(),
		row("fchmod", f, UsesFD, 91, []int{94}, ObjArg0, file(), params{res(), fd("fd", 0), mode(1)}),
		row("fchmodat", f, UsesFD, 268, []int{306}, ObjNone, named(0, 1), params{res(), fd("dirfd", 0), relPath("filename", PartName, 1), mode(2)}).holdingPath(),
	}
}

func howFlags() Param {
	p := in("flags", Flags32, Hex, PartMem, 0, 8, openFlags)
	p.Flags, p.view.also = fileFlags, PartsOf(PartFile)
	return p
}

func howMode() Param { return in("mode", Uint32, Oct, PartMem, 8, 8, openHow2Mode) }

func howResolve() Param {
	p := in("resolve", Flags32, Hex, PartMem, 16, 8, resolveFlags)
	p.Flags = openat2Flags
	return p
}
