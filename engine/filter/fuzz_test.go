// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"falconet/embed"
	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/state"

	"go.yaml.in/yaml/v3"
)

// shippedConditions are the conditions of the rules in the binary, and of Falco's where FALCONET_FALCO_RULES says where they are.
func shippedConditions(t testing.TB) (texts []string) {
	t.Helper()
	files := map[string][]byte{}
	for _, a := range assets.Rules() {
		files[a.Name] = a.Data
	}
	if dir := os.Getenv("FALCONET_FALCO_RULES"); dir != "" {
		names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = b
		}
	}
	for name, b := range files {
		var items []struct{ Condition string }
		if err := yaml.NewDecoder(bytes.NewReader(b)).Decode(&items); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, it := range items {
			if it.Condition != "" {
				texts = append(texts, it.Condition)
			}
		}
	}
	return texts
}

// fuzzEvents are events of several kinds, each in a context of its own: with a file, with a socket, without either, with a process that is
// known and with one that is not.
func fuzzEvents(t testing.TB) (out []*field.Ctx) {
	t.Helper()
	root := t.TempDir()
	host := &field.Host{
		Name: "host", Procs: state.NewTable(state.Options{Root: root}), Users: state.NewUsers(root), Addrs: state.NewAddrs(), Containers: container.NewResolver(root),
	}
	add := func(name string, pid uint32, h event.Header, pieces ...event.Piece) {
		nr, _, _ := event.SyscallNumber(name)
		h.Event, h.NR = event.ByNumber(nr, false), uint16(nr)
		h.PID, h.TID, h.PPID, h.TS, h.Start = pid, pid, pid-1, 100+uint64(pid), uint64(pid)
		r := &event.Record{}
		if err := r.Reset(event.Encode(nil, h, pieces...)); err != nil {
			t.Fatal(err)
		}
		host.Apply(r)
		c := field.NewCtx(host)
		c.Begin(r, 1)
		out = append(out, c)
	}
	piece := func(k event.PartKind, data string) event.Piece { return event.Piece{Kind: k, Data: []byte(data)} }
	exec := func(pid uint32, comm, exe, argv string) {
		f := event.TaskFacts{PID: pid, TID: pid, PPID: pid - 1, PTID: pid - 1, VPID: pid, VTID: pid, SID: 40, PGID: pid, VPGID: pid, Start: uint64(pid), TTY: 34816}
		copy(f.Comm[:], comm)
		add("execve", pid, event.Header{}, event.Piece{Kind: event.PartTask, Data: event.BytesOf(&f)}, piece(event.PartArgv, argv), piece(event.PartExe, exe),
			piece(event.PartCwd, "/root"), piece(event.PartEnv, "HOME=/root\x00"), piece(event.PartCgroups, "cpu=/docker/0123456789abcdef\x00"))
	}
	exec(40, "sshd", "/usr/sbin/sshd", "sshd\x00")
	exec(41, "bash", "/usr/bin/bash", "-bash\x00")
	exec(42, "cat", "/usr/bin/cat", "cat\x00-n\x00/etc/shadow\x00")
	file := event.FileFacts{Ino: 7, Dev: 8, Kind: uint8(event.KindFile)}
	add("openat", 42, event.Header{Ret: 5, Args: [6]uint64{^uint64(99), 0, 0x241, 0o644}}, piece(event.PartName, "../tmp/link"), piece(event.PartPath, "/etc/shadow"),
		event.Piece{Kind: event.PartFile, Data: event.BytesOf(&file)})
	add("openat", 1<<21, event.Header{Ret: -2, Args: [6]uint64{^uint64(99)}}, piece(event.PartName, "/etc/none\n"))
	sock := event.SockFacts{Family: 2, Proto: 6, Type: 1, LPort: 40000, RPort: 443, LAddr: [16]byte{10, 0, 0, 1}, RAddr: [16]byte{93, 184, 215, 14}}
	add("connect", 41, event.Header{Args: [6]uint64{3}}, event.Piece{Kind: event.PartSock, Data: event.BytesOf(&sock)},
		piece(event.PartSockAddr, "\x02\x00\x01\xbb\x5d\xb8\xd7\x0e\x00\x00\x00\x00\x00\x00\x00\x00"))
	add("renameat2", 42, event.Header{Args: [6]uint64{^uint64(99), 0, ^uint64(99)}}, piece(event.PartName, "a"), piece(event.PartName2, "/bin/b"))
	add("getpid", 42, event.Header{})
	return out
}

// oneByOne decides a condition from its comparisons, each compiled for itself: what sharing, folding, ordering and joining must not change.
func oneByOne(t *testing.T, e Expr, c *field.Ctx, positive bool) bool {
	switch e := e.(type) {
	case *And:
		for _, k := range e.Kids {
			if !oneByOne(t, k, c, positive) {
				return false
			}
		}
		return true
	case *Or:
		for _, k := range e.Kids {
			if oneByOne(t, k, c, positive) {
				return true
			}
		}
		return false
	case *Not:
		return !oneByOne(t, e.Kid, c, !positive)
	}
	if !positive {
		return !alone(t, &Not{At: e.Place(), Kid: e}, c)
	}
	return alone(t, e, c)
}

func alone(t *testing.T, e Expr, c *field.Ctx) bool {
	k := NewCompiler()
	p, _, err := k.Compile(e)
	if err != nil {
		t.Fatalf("%s compiles as a part only: %v", Print(e), err)
	}
	k.Begin()
	return p.Match(c)
}

func checks(e Expr) (n int) {
	Walk(e, func(e Expr) bool {
		if _, ok := e.(*Check); ok {
			n++
		}
		return true
	})
	return n
}

// FuzzParse parses, prints and compiles a condition and matches it against events. Nothing panics, errors have a place, what is printed
// means the same, and a program says what its comparisons say one by one, alone and in a group.
func FuzzParse(f *testing.F) {
	for _, s := range append(shippedConditions(f),
		"evt.type in (open, openat) and not fd.name startswith \"/tmp/\\\"x\"", "not(a or b) and proc.aname[3] exists",
		"tolower(proc.name) = val(proc.pname)", "fd.sip in ('10.0.0.1', \"::1\") or fd.net = 10.0.0.0/8", "proc.pid >= 0x1F and x",
		"fd.name pmatch (/etc, /*/b) or proc.cmdline regex '.*(a|b)+' or fd.name glob /[a-z]*", "proc.name startswith anyof (a, c) and proc.exe endswith allof (t, at)",
		"join('-', (proc.name, 5)) = cat-5 and len(concat(proc.name, fd.name)) > 3 and getopt((proc.name, '-n'), 'n:') intersects (n)",
		"evt.rawarg.args bcontains 2d6e or evt.rawarg.args bstartswith 63", "evt.dir = > and not evt.dir = < and fd.num != 5", "not not not evt.num exists",
	) {
		f.Add(s)
	}
	events := fuzzEvents(f)
	f.Fuzz(func(t *testing.T, text string) { checkText(t, text, events) })
}

// FuzzMeaning is FuzzParse for conditions that the bytes choose from what the language has, so that most of them compile.
func FuzzMeaning(f *testing.F) {
	for _, s := range []string{"", "\x01\x02\x03\x04\x05\x06\x07", "abcdefghijklmnopqrstuvwxyz", "\x03\x03\x03\x01\x00\x07\x09\x02\x05"} {
		f.Add([]byte(s))
	}
	events := fuzzEvents(f)
	f.Fuzz(func(t *testing.T, choices []byte) {
		g := generator{choices: choices}
		checkText(t, g.expr(0), events)
	})
}

// generator writes a condition. Where no bytes are left it takes the first of everything.
type generator struct{ choices []byte }

func (g *generator) pick(n int) int {
	if len(g.choices) == 0 {
		return 0
	}
	c := g.choices[0]
	g.choices = g.choices[1:]
	return int(c) % n
}

func (g *generator) of(list ...string) string { return list[g.pick(len(list))] }

func (g *generator) expr(depth int) string {
	if depth > 4 {
		return g.check()
	}
	switch g.pick(6) {
	case 1:
		return "not " + g.term(depth)
	case 2, 3:
		return g.chain(depth, " and ")
	case 4, 5:
		return g.chain(depth, " or ")
	}
	return g.check()
}

func (g *generator) term(depth int) string { return "(" + g.expr(depth+1) + ")" }

func (g *generator) chain(depth int, word string) string {
	list := []string{g.term(depth)}
	for range 1 + g.pick(5) {
		list = append(list, g.term(depth))
	}
	return strings.Join(list, word)
}

func (g *generator) check() string {
	switch g.pick(8) {
	case 0:
		return "evt.type" + g.of(" = ", " != ") + g.eventType()
	case 1:
		return "evt.type in (" + g.list(g.eventType) + ")"
	case 2:
		return g.of("fd.num", "evt.rawres", "proc.pid", "proc.apid", "proc.apid[1]", "fd.sport", "fd.port", "len(fd.name)", "evt.num", "user.uid", "fd.ino") +
			g.of(" = ", " != ", " < ", " >= ", " in (") + g.of("5", "-2", "0", "443", "42", "41", "7")
	case 3:
		return g.of("fd.sip", "fd.cip", "fd.ip", "fd.rip") + g.of(" = 10.0.0.1", " != 93.184.215.14", " in (10.0.0.1, 1.2.3.4)", " exists")
	case 4:
		return g.of("fd.net", "fd.snet", "fd.cnet") + g.of(" = 10.0.0.0/8", " != 10.0.0.0/8", " in (93.0.0.0/8, 10.0.0.0/24)")
	case 5:
		return g.of("evt.is_open_write", "evt.failed", "fd.is_server", "proc.is_exe_writable") + g.of(" = true", " != true", " = false", " exists", " in (false)")
	case 6:
		return g.text() + g.of(" = ", " != ", " contains ", " in (") + "val(" + g.text() + ")"
	}
	left := g.text()
	switch g.pick(4) {
	case 0:
		return left + g.of(" in (", " pmatch (", " intersects (") + g.list(g.value) + ")"
	case 1:
		return left + g.of(" = ", " startswith ", " endswith ", " contains ", " glob ") + g.of("oneof", "anyof", "allof") + " (" + g.list(g.value) + ")"
	case 2:
		return left + " exists"
	}
	return left + g.of(" = ", " != ", " startswith ", " endswith ", " contains ", " icontains ", " glob ", " iglob ", " regex ", " < ", " >= ") + g.value()
}

func (g *generator) text() string {
	f := g.of("fd.name", "proc.name", "proc.aname", "proc.aname[2]", "proc.cmdline", "fd.directory", "fd.filename", "evt.arg.name", "proc.exepath", "proc.env[HOME]",
		"evt.res", "evt.abspath", "fs.path.source", "container.id", "proc.pname", "fd.type", "evt.arg[1]", "proc.args")
	switch g.pick(8) {
	case 1:
		return g.of("tolower", "toupper", "basename") + "(" + f + ")"
	case 2:
		return "basename(tolower(" + f + "))"
	case 3:
		return "concat(" + f + ", " + g.of("proc.name", "'x'", "fd.name") + ")"
	case 4:
		return "join(" + g.of("'-'", "''") + ", (" + f + ", " + g.of("proc.pid", "5", "fd.sip", "proc.name") + "))"
	}
	return f
}

func (g *generator) value() string {
	return g.of("/etc/shadow", "cat", "bash", "''", "/etc", "shadow", "*a*", "/[a-e]*", "sh", "SUCCESS", "ENOENT", "'cat -n /etc/shadow'", "/root", "'.*(a|h)'", "host", "file", "/", "c")
}

func (g *generator) eventType() string {
	return g.of("openat", "connect", "execve", "getpid", "renameat2", "open", "procexit", "sync")
}

func (g *generator) list(one func() string) string {
	list := []string{one()}
	for range g.pick(4) {
		list = append(list, one())
	}
	return strings.Join(list, ", ")
}

// checkText parses, prints, compiles and matches a text: see FuzzParse.
func checkText(t *testing.T, text string, events []*field.Ctx) {
	e, err := Parse(text)
	if err != nil {
		checkError(t, text, err)
		return
	}
	printed := Print(e)
	again, err := Parse(printed)
	if err != nil {
		t.Fatalf("%q prints %q, which does not parse: %v", text, printed, err)
	}
	if got := Print(again); got != printed {
		t.Fatalf("%q prints %q and then %q", text, printed, got)
	}
	always := &Check{Left: Operand{Operand: field.Operand{Field: "evt.num"}}, Op: "exists"}
	if e, err = Substitute(e, func(string) (Expr, bool) { return always, true }); err != nil {
		t.Fatal(err)
	}
	Fields(e)
	Operators(e)
	k := NewCompiler()
	p, _, err := k.Compile(e)
	if err != nil {
		checkError(t, text, err)
		return
	}
	k.Never()
	p2, _, err := k.Compile(e)
	if err != nil {
		t.Fatalf("%q compiles once only: %v", text, err)
	}
	other := &Program{root: constantNode(true)}
	group := k.Group([]*Program{p, other, p2, other, p, other, p2, other})
	types := EventTypes(e)
	for _, c := range events {
		k.Begin()
		held := p.Match(c)
		if held && !types.Has(c.Rec.EventName()) {
			t.Fatalf("%q holds for %s, and is said to hold only for %+v", text, c.Rec.EventName(), types)
		}
		if checks(e) <= 64 && oneByOne(t, e, c, true) != held {
			t.Fatalf("%q is %v for %s, and what its comparisons say one by one is not", text, held, c.Rec.EventName())
		}
		k.Begin()
		n := 0
		group.Match(c, func(int) bool { n++; return true })
		if held && n != 8 || !held && n != 4 {
			t.Fatalf("%q is %v for %s, but %d of the 8 programs of a group hold", text, held, c.Rec.EventName(), n)
		}
	}
}

// checkError wants an error of the language to have a place in the text.
func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: %T is no *Error: %v", text, err, err)
	}
	if e.Pos.Off < 0 || e.Pos.Off > len(text) || e.Pos.Line < 1 || e.Pos.Col < 1 || e.Len < 1 || strings.TrimSpace(e.Msg) == "" {
		t.Fatalf("%q: error %+v", text, e)
	}
	if e.Snippet(text) == "" {
		t.Fatalf("%q: error %+v shows nothing", text, e)
	}
}

// TestShippedConditions runs the seeds' properties on every condition that is shipped, in one program set: macros are not known here.
func TestShippedConditions(t *testing.T) {
	n := 0
	for _, text := range shippedConditions(t) {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if again, err := Parse(Print(e)); err != nil || Print(again) != Print(e) {
			t.Errorf("%q does not survive printing: %v", text, err)
		}
		n++
	}
	if n == 0 {
		t.Error("no conditions are shipped")
	}
}
