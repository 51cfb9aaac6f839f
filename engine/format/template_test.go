// SPDX-License-Identifier: Apache-2.0

package format

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/state"
)

const second = 1_000_000_000

// goldenContext is the event of the golden tables: cat(42), a child of bash(41), has opened /etc/shadow as a/b\n.
func goldenContext(t testing.TB) *field.Ctx {
	t.Helper()
	root := t.TempDir()
	host := &field.Host{
		Name: "box", BootTime: 1_700_000_000_000_000_000, Location: time.FixedZone("X", 3600),
		Procs: state.NewTable(state.Options{Root: root}), Users: state.NewUsers(root), Addrs: state.NewAddrs(), Containers: container.NewResolver(root),
	}
	record := func(h event.Header, pieces ...event.Piece) *event.Record {
		var r event.Record
		if err := r.Reset(event.Encode(nil, h, pieces...)); err != nil {
			t.Fatal(err)
		}
		host.Apply(&r)
		return &r
	}
	header := func(name string, pid uint32) event.Header {
		return event.Header{Event: event.ByName(name)[0], PID: pid, TID: pid, PPID: pid - 1, TS: uint64(pid) * second, Start: uint64(pid) * second, UID: 7}
	}
	for pid, argv := range map[uint32]string{41: "bash\x00", 42: "cat\x00-n\x00a b\x00"} {
		f := event.TaskFacts{PID: pid, TID: pid, PPID: pid - 1, PTID: pid - 1, VPID: pid, SID: 41, Start: uint64(pid) * second}
		comm, _, _ := strings.Cut(argv, "\x00")
		copy(f.Comm[:], comm)
		record(header("execve", pid), event.Piece{Kind: event.PartTask, Data: event.BytesOf(&f)}, event.Piece{Kind: event.PartArgv, Data: []byte(argv)},
			event.Piece{Kind: event.PartExe, Data: []byte("/usr/bin/" + comm)}, event.Piece{Kind: event.PartEnv, Data: []byte("A B=x y\x00EVIL=\x1b[2J\xff\"\x00")},
			event.Piece{Kind: event.PartCwd, Data: []byte("/home")})
	}
	h := header("openat", 42)
	h.TS, h.NR, h.Ret, h.Args = 100*second+5, 257, 3, [6]uint64{^uint64(99), 0, 0x241, 0o644}
	file := event.FileFacts{Ino: 7, Dev: 0x1f, Kind: uint8(event.KindFile)}
	c := field.NewCtx(host)
	c.Begin(record(h, event.Piece{Kind: event.PartName, Data: []byte("a/b\n")}, event.Piece{Kind: event.PartPath, Data: []byte("/etc/shadow")},
		event.Piece{Kind: event.PartFile, Data: event.BytesOf(&file)}), 7)
	return c
}

// printed are templates and what they print.
var printed = []struct{ template, want string }{
	{"", ""},
	{"*", ""},
	{"plain text", "plain text"},
	{"*%evt.num:%evt.type", "7:openat"},
	{"**%evt.num*", "*7*"},
	{"%proc.name", "cat"},
	{"start %proc.name end", "start cat end"},
	{"start%proc.nameand%proc.pidend", "startcatand42end"}, // the longest name that is one, then text
	{"%fd.name%evt.num", "/etc/shadow7"},
	{"%evt.type.", "openat."}, // the end of a sentence
	{"%evt.type...", "openat..."},
	{"%evt.type.%proc.name", "openat.cat"},
	{"(%evt.res), [%evt.type] <%proc.name>", "(SUCCESS), [openat] <cat>"},
	{"%evt.num%evt.num %evt.num", "77 7"},

	{"%proc.aname[0]/%proc.aname[1]/%proc.aname[2]", "cat/bash/<NA>"},
	{"%proc.aname[1]and", "bashand"},
	{"%proc.aname|%proc.apid", "bash|42"},
	{"%proc.env[A B]|%proc.env[\"A B\"]|%proc.env['A B']|%proc.env[NONE]|%proc.env[\"]\"]", "x y|x y|x y||"},
	{"%evt.arg.name|%evt.arg[name]|%evt.arg[1]|%evt.arg[0]", "/home/a/b\n|/home/a/b\n|AT_FDCWD|<f>/etc/shadow"},
	{"%evt.arg.flags.", "O_TRUNC|O_CREAT|O_WRONLY."},
	{"%evt.rawarg.flags %evt.rawarg.mode.", "262 420."},
	{"%evt.arg.nosuch. %evt.arg[nosuch]! %evt.arg[99]", "<NA>. <NA>! <NA>"}, // of no event, and not of this one
	{"%fd.sip %fd.lport %evt.asynctype", "<NA> <NA> <NA>"},
	{"%container.image.repository:%k8s.pod.label[app] %container.image.tag.", "<NA>:<NA> <NA>."}, // not there yet
	{"%proc.aname[one] %proc.aname[", "bash[one] bash["},

	{"[%10evt.type][%3evt.type][%0evt.type][%06evt.type]", "[openat    ][ope][openat][openat]"},
	{"[%4fd.sip][%8fd.sip][%2fd.sip]", "[<NA>][<NA>    ][<N]"},
	{"[%6container.image.tag]", "[<NA>  ]"},
	{"[%2proc.aname[1]]", "[ba]"},

	{"%toupper(evt.type) %tolower(toupper(evt.type))", "OPENAT openat"},
	{"%toupper(evt.type)and%basename(fd.name)end", "OPENATandshadowend"},
	{"%toupper( evt.type ) %toupper( tolower( evt.type ) )", "OPENAT OPENAT"},
	{"[%3toupper(evt.type)][%8basename(fd.name)]", "[OPE][shadow  ]"},
	{"%toupper(proc.env[A B]) %toupper(evt.arg.name) %toupper(evt.arg[name])", "X Y /HOME/A/B\n /HOME/A/B\n"},
	{"%len(evt.type) %fd.sip.name", "6 <NA>"},
	{"%fd.sip.name %fd.sip.names", "<NA> <NA>s"}, // longer than fd.sip
	{"%b64(\"b3BlbmF0\") %b64(proc.cmdline)", "openat <NA>"},
	{"%toupper(container.image.tag).", "<NA>."},
	{"%join(\"->\", (evt.type, evt.num)).", "openat->7."},
	{"%join(\", \", (\"a\", proc.name, 5, toupper(proc.pname))) %join(\"\", ())!", "a, cat, 5, BASH !"},
	{"[%12toupper(concat(evt.type, \"-x\"))]", "[OPENAT-X    ]"},
	{"%join(\",\", (evt.type, fd.sip)) %len((evt.type, \"b\"))", "<NA> 2"},
	{"%concat(evt.type, container.image.tag)!", "<NA>!"},
	{"%getopt((\"-n\", \"-t\", \"x\"), \"nt:\") %getopt((\"-t\", \"x\"), \"t:\")[t]", "(n,t,x) x"},
	{"%getopt((\"x\"), \"n\") %len(getopt((\"-n\"), \"n\"))", "() 1"}, // a list without members, and their number

	{"%evt.time %evt.time.s %evt.time.iso8601", "23:15:00.000000005 23:15:00 2023-11-14T22:15:00.000000005+0000"},
	{"%evt.datetime %evt.rawtime %evt.rawtime.ns", "2023-11-14 23:15:00.000000005 1700000100000000005 000000005"},
	{"%proc.cmdline|%proc.exepath|%evt.hostname", "cat -n a b|/usr/bin/cat|box"},
	{"%evt.is_open_write %fd.dev %user.uid %fd.num %evt.rawres", "true 1F 7 3 3"},
	{"%evt.args", "fd=3(<f>/etc/shadow) dirfd=-100(AT_FDCWD) name=a/b\n(/home/a/b\n) flags=262(O_TRUNC|O_CREAT|O_WRONLY) mode=0644 dev=1F ino=7"},
	{"%proc.env[EVIL]", "\x1b[2J\xff\""}, // as it is: whoever writes the line escapes it
}

func TestPrinted(t *testing.T) {
	c := goldenContext(t)
	for _, g := range printed {
		p, err := Parse(g.template)
		if err != nil {
			t.Errorf("%q: %v", g.template, err)
			continue
		}
		if got := string(p.Append([]byte(">"), c)); got != ">"+g.want {
			t.Errorf("%q prints %q, want %q", g.template, got[1:], g.want)
		}
		if p.String() != g.template {
			t.Errorf("%q is said to be %q", g.template, p)
		}
	}
}

// refused are templates that mean nothing, and what is said of them, with the bytes at fault.
var refused = []struct {
	template, want string
	off, n         int
}{
	{"a %", "character 3: a percent sign at the end", 2, 1},
	{"%proc.name %", "character 12: a percent sign at the end", 11, 1},
	{"a %10", "character 3: a percent sign and a width at the end", 2, 3},
	{"100% sure", "character 4: no field follows the percent sign (there is no way to print the sign itself)", 3, 1},
	{"%%", "character 1: no field follows the percent sign (there is no way to print the sign itself)", 0, 1},
	{"%-20evt.type", "character 1: no field follows the percent sign (there is no way to print the sign itself)", 0, 1},
	{"%10 x", "character 1: no field follows the percent sign (there is no way to print the sign itself)", 0, 3},
	{"%(evt.type)", "character 1: no field follows the percent sign (there is no way to print the sign itself)", 0, 1},
	{"a %nosuch.field b", "character 3: nonexistent field 'nosuch.field'", 2, 13},
	{"a %nosuch.field.", "character 3: nonexistent field 'nosuch.field'", 2, 13},
	{"%proc.nme", "character 1: nonexistent field 'proc.nme' (did you mean 'proc.name'?)", 0, 9},
	{"%5proc.nme", "character 3: nonexistent field 'proc.nme' (did you mean 'proc.name'?)", 2, 8},
	{"%toupper(proc.nme)", "character 10: nonexistent field 'proc.nme' (did you mean 'proc.name'?)", 9, 8},
	{"%a end", "character 1: nonexistent field 'a'", 0, 2},
	{"%evt.arg", "character 1: field evt.arg needs an argument", 0, 8},
	{"%evt.arg[flags", "character 1: field evt.arg: the argument has no closing bracket", 0, 8},
	{"%evt.rawarg.", "character 1: field evt.rawarg needs an argument", 0, 11},
	{"%fd.net", "character 1: field fd.net can be compared but not printed", 0, 7},
	{"%toupper(evt.type", "character 18: expecting ')' to close the transformer", 17, 1},
	{"%toupper(tolower(evt.type)", "character 27: expecting ')' to close the transformer", 26, 1},
	{"%toupper(evt.type, fd.name)", "character 18: transformer toupper takes one argument", 17, 1},
	{"%toupper", "character 1: nonexistent field 'toupper'", 0, 8},
	{"%toupper (evt.type)", "character 1: nonexistent field 'toupper'", 0, 8},
	{"%toupper(", "character 10: expecting a field", 9, 1},
	{"%toupper(tolower)", "character 10: nonexistent field 'tolower'", 9, 7},
	{"%touper(evt.type)", "character 1: unknown transformer 'touper' (did you mean 'toupper'?)", 0, 7},
	{"%toupper(evt.num)", "character 1: transformer toupper does not work on evt.num, a UINT64", 0, 17},
	{"%toupper(evt.rawarg.name)", "character 1: field evt.rawarg takes no transformer", 0, 25},
	{`%join("-")`, `character 1: join() takes a separator and a list, like join("-", (proc.name, proc.pid))`, 0, 10},
	{`%join("-", (evt.type)`, "character 22: expecting ',' or ')' among the arguments", 21, 1},
}

func TestRefused(t *testing.T) {
	for _, g := range refused {
		_, err := Parse(g.template)
		var e *Error
		if !errors.As(err, &e) || err.Error() != "invalid formatting token at "+g.want {
			t.Errorf("%q: %v, want %s", g.template, err, g.want)
			continue
		}
		if e.Off != g.off || e.Len != g.n {
			t.Errorf("%q: bytes %d+%d are at fault, want %d+%d", g.template, e.Off, e.Len, g.off, g.n)
		}
	}
	_, err := Parse("%nosuch.field")
	if !errors.Is(err, field.ErrUnknown) {
		t.Errorf("%v does not say that there is no such field", err)
	}
}

func TestWarnings(t *testing.T) {
	f := func(template string, want ...string) {
		t.Helper()
		p, err := Parse(template)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range p.Warnings() {
			got = append(got, fmt.Sprintf("%d+%d: %s", w.Off, w.Len, w.Msg))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: warnings are\n%q\nwant\n%q", template, got, want)
		}
	}
	f("a %evt.type, %proc.aname[2]x %toupper(evt.type)x %evt.arg.flags.")
	f("a %evt.types", "2+10: '%evt.types' prints field evt.type and 's' behind it")
	f("%2evt.type_2.", "0+12: '%2evt.type_2' prints field evt.type and '_2' behind it")
	f("a %99999evt.type", "3+5: width 99999 is larger than 4096, which is used in its place")
	f("a %9999999999999999999999evt.type", "3+22: width 9999999999999999999999 is larger than 4096, which is used in its place")
	f("a %proc.aname[x] b", `3+11: field proc.aname: argument "x" is no index: what follows proc.aname is printed as text`)
	f("a %proc.aname[", "3+11: field proc.aname: the argument has no closing bracket: what follows proc.aname is printed as text")
}

func TestWidthIsBounded(t *testing.T) {
	p, err := Parse("%1000000evt.type")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(p.Append(nil, goldenContext(t))), "openat"+strings.Repeat(" ", maxWidth-len("openat")); got != want {
		t.Errorf("%d bytes are printed, want %d", len(got), len(want))
	}
}

// valued are templates and the fields that they give an alert.
var valued = []struct{ template, want string }{
	{"text", ""},
	{"%evt.num %evt.type %evt.num", "evt.num=uint64:7 evt.type=string:openat"},
	{"%proc.pid %evt.rawres %fd.num %user.uid", "evt.rawres=int64:3 fd.num=int64:3 proc.pid=int64:42 user.uid=uint64:7"},
	{"%evt.is_open_write %fd.dev %fd.ino", "evt.is_open_write=bool:true fd.dev=string:1F fd.ino=int64:7"},
	{"%fd.sip %fd.sport %container.image.tag", "container.image.tag=<nil>:<nil> fd.sip=<nil>:<nil> fd.sport=<nil>:<nil>"},
	{"%evt.time %evt.time.s %evt.datetime %evt.time.iso8601", "evt.datetime=int64:1700000100000000005 evt.time=int64:1700000100000000005 " +
		"evt.time.iso8601=int64:1700000100000000005 evt.time.s=int64:1700000100000000005"},
	{"%evt.rawtime %evt.rawtime.s %evt.rawtime.ns %evt.reltime", "evt.rawtime=int64:1700000100000000005 evt.rawtime.ns=string:000000005 " +
		"evt.rawtime.s=int64:1700000100 evt.reltime=int64:0"},
	{"%evt.arg.flags %evt.arg[3] %proc.aname[1] %proc.env[A B] %proc.env['A B']", "evt.arg.flags=string:O_TRUNC|O_CREAT|O_WRONLY " +
		"evt.arg[3]=string:O_TRUNC|O_CREAT|O_WRONLY proc.aname[1]=string:bash proc.env[\"A B\"]=string:x y"},
	{"%evt.rawarg.flags %evt.rawarg.mode %evt.rawarg.fd", "evt.rawarg.fd=int64:3 evt.rawarg.flags=uint64:262 evt.rawarg.mode=uint64:420"},
	{"%proc.nameand %evt.type.", "evt.type=string:openat proc.name=string:cat"},
	// the fields within transformers, as they are
	{"%toupper(evt.type) %len(proc.name)", "evt.type=string:openat proc.name=string:cat"},
	{"%10tolower(toupper(proc.env[EVIL]))", "proc.env[EVIL]=string:\x1b[2J\xff\""},
	{"%join(\"-\", (evt.res, evt.num, toupper(proc.name)))", "evt.num=uint64:7 evt.res=string:SUCCESS proc.name=string:cat"},
	{"%concat(evt.type, container.image.tag)", "container.image.tag=<nil>:<nil> evt.type=string:openat"},
}

func values(p *Template, c *field.Ctx) string {
	got := map[string]string{}
	for _, f := range p.Fields(c) {
		got[f.Name] = fmt.Sprintf("%T:%[1]v", f.Value)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(got)) {
		list = append(list, name+"="+got[name])
	}
	return strings.Join(list, " ")
}

func TestValues(t *testing.T) {
	c := goldenContext(t)
	for _, g := range valued {
		p, err := Parse(g.template)
		if err != nil {
			t.Errorf("%q: %v", g.template, err)
			continue
		}
		if got := values(p, c); got != g.want {
			t.Errorf("%q has fields\n%s\nwant\n%s", g.template, got, g.want)
		}
	}
}

func TestExtraFields(t *testing.T) {
	c := goldenContext(t)
	p, err := Parse("%evt.type")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"evt.num", "len(proc.name)", "toupper(evt.time)", "proc.env['A B']", "getopt((\"-n\"), \"n\")", "container.image.tag"} {
		if p, err = p.WithField(name); err != nil {
			t.Fatal(err)
		}
	}
	made, err := Parse("is %proc.name")
	if err != nil {
		t.Fatal(err)
	}
	p = p.WithText("who", made).WithText("evt.type", made)
	const want = `container.image.tag=<nil>:<nil> evt.num=uint64:7 evt.type=string:is cat getopt(("-n"), "n")=[]interface {}:[n] len(proc.name)=uint64:3 ` +
		`proc.env['A B']=string:x y toupper(evt.time)=string:23:15:00.000000005 who=string:is cat`
	if got := values(p, c); got != want {
		t.Errorf("fields are\n%s\nwant\n%s", got, want)
	}
	if got := string(p.Append(nil, c)); got != "openat" {
		t.Errorf("fields have changed the text to %q", got)
	}
	var reads []string
	for _, r := range p.Reads() {
		reads = append(reads, r.Text)
	}
	if want := []string{"evt.type", "evt.num", "proc.name", "evt.time", `proc.env["A B"]`, "container.image.tag"}; !slices.Equal(reads, want) {
		t.Errorf("the template reads %q, want %q", reads, want)
	}
	for name, want := range map[string]string{
		"":              "invalid formatting token at character 1: a percent sign at the end",
		"evt.num more":  "invalid formatting token at character 1: 'evt.num more' is not the name of a field",
		"5evt.num":      "invalid formatting token at character 1: '5evt.num' is not the name of a field",
		"evt.num%fd.ip": "invalid formatting token at character 9: field fd.ip can be compared but not printed",
	} {
		if _, err := p.WithField(name); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", name, err, want)
		}
	}
}

// TestSharedTransformers prints fields whose transformers use their buffers again.
func TestSharedTransformers(t *testing.T) {
	p, err := Parse("%toupper(proc.name) %toupper(proc.pname) %toupper(proc.name) %join(\",\", (toupper(proc.name), toupper(proc.pname), proc.name))")
	if err != nil {
		t.Fatal(err)
	}
	c := goldenContext(t)
	for range 2 {
		if got := string(p.Append(nil, c)); got != "CAT BASH CAT CAT,BASH,cat" {
			t.Errorf("printed is %q", got)
		}
	}
}
