// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"falconet/engine/event"
)

// inVain compiles conditions, each a text of its own, and returns what is warned of: place, the bytes at fault, message.
func inVain(t *testing.T, texts ...string) []string {
	t.Helper()
	k := NewCompiler()
	for i, text := range texts {
		e, err := ParseFrom(text, i)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if _, _, err := k.Compile(e); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	var out []string
	for _, w := range k.Never() {
		if !w.Ours {
			t.Errorf("%q is said to be Falco's", w.Msg)
		}
		text := texts[w.Pos.Src]
		out = append(out, fmt.Sprintf("%d:%d %s: %s", w.Pos.Line, w.Pos.Col, text[w.Pos.Off:w.Pos.Off+w.Len], w.Msg))
	}
	return out
}

var haveIt = regexp.MustCompile(`\([^()]* have it\)`)

func TestNever(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		got := inVain(t, text)
		for i := range got { // which events have a field is for the table to say
			got[i] = haveIt.ReplaceAllString(got[i], "(... have it)")
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s\n is warned of with\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	// names of tasks
	f("proc.name = kube-controller-manager",
		"1:13 kube-controller-manager: never holds: proc.name has up to 15 bytes, and 'kube-controller-manager' has 23 (write 'kube-controller', or compare proc.exepath)")
	f("evt.num > 3\n and not proc.pname in (bash, 'systemd-resolved')",
		"2:31 'systemd-resolved': never met: proc.pname has up to 15 bytes, and 'systemd-resolved' has 16 (write 'systemd-resolve', or compare proc.pexepath)")
	f("proc.aname[2] != containerd-shim-runc-v2",
		"1:18 containerd-shim-runc-v2: always holds: proc.aname[2] has up to 15 bytes, and 'containerd-shim-runc-v2' has 23 (write 'containerd-shim', or compare proc.aexepath)")
	f("proc.sname endswith -controller-manager",
		"1:21 -controller-manager: never holds: proc.sname has up to 15 bytes, and '-controller-manager' has 19 (compare proc.sid.exepath)")
	f("proc.vpgid.name icontains controller-manager",
		"1:27 controller-manager: never holds: proc.vpgid.name has up to 15 bytes, and 'controller-manager' has 18 (compare proc.vpgid.exepath)")
	f("proc.name startswith oneof (systemd-networkd, sshd)",
		"1:29 systemd-networkd: never met: proc.name has up to 15 bytes, and 'systemd-networkd' has 16 (write 'systemd-network', or compare proc.exepath)")
	f("tolower(proc.name) glob kube-controller-man*",
		"1:25 kube-controller-man*: never holds: tolower(proc.name) has up to 15 bytes, and 'kube-controller-man' has 19 (write 'kube-controller')")
	f("evt.num = 0 and proc.name = kube-controller-manager",
		"1:29 kube-controller-manager: never holds: proc.name has up to 15 bytes, and 'kube-controller-manager' has 23 (write 'kube-controller', or compare proc.exepath)")
	// closed sets
	f("fd.type = fille", "1:11 fille: never holds: no fd.type is 'fille' (did you mean 'file'?)")
	f("fd.type != directry", "1:12 directry: always holds: no fd.type is 'directry' (did you mean 'directory'?)")
	f("fd.type in (ipv4, ipv66)", "1:19 ipv66: never met: no fd.type is 'ipv66' (did you mean 'ipv6'?)")
	f("fd.type regex 'inet.*'", "1:15 'inet.*': never holds: regex 'inet.*' fits no fd.type")
	f("fd.typechar = x", "1:15 x: never holds: no fd.typechar is 'x'")
	f("fd.l4proto = tpc", "1:14 tpc: never holds: no fd.l4proto is 'tpc' (did you mean 'tcp'?)")
	f("evt.category = memry", "1:16 memry: never holds: no evt.category is 'memry' (did you mean 'memory'?)")
	f("evt.dir = x", "1:11 x: never holds: no evt.dir is 'x' (it is one of <, >)")
	f("evt.res = SUCESS", "1:11 SUCESS: never holds: no evt.res is 'SUCESS' (did you mean 'SUCCESS'?)")
	f("evt.source = k8s_audit", "1:14 k8s_audit: never holds: evt.source is always syscall")
	f("evt.io_dir = w", "1:14 w: never holds: no evt.io_dir is 'w' (it is one of read, write)")
	f("syscall.type = opn", "1:16 opn: never holds: no syscall.type is 'opn' (did you mean 'open'?)")
	f("proc.stdin.type = ipv5", "1:19 ipv5: never holds: no proc.stdin.type is 'ipv5' (did you mean 'ipv4'?)")
	// flags and named values
	f("evt.type = openat and evt.arg.flags contains O_CREATTE",
		"1:46 O_CREATTE: never holds: no evt.arg.flags contains 'O_CREATTE' in events of type openat (did you mean 'O_CREAT'?)")
	f("evt.type in (open, openat) and (proc.name = x or evt.arg.flags icontains o_cretin)",
		"1:74 o_cretin: never holds: icontains 'o_cretin' fits no evt.arg.flags in events of type open, openat")
	f("evt.type = ptrace and evt.arg[3] in (PTRACE_ATACH, PTRACE_SEIZE)",
		"1:38 PTRACE_ATACH: never met: no evt.arg[3] is 'PTRACE_ATACH' in events of type ptrace (did you mean 'PTRACE_ATTACH'?)")
	f("evt.type = openat and evt.arg.mode contains S_ISUID",
		"1:45 S_ISUID: never holds: evt.arg.mode is a number in events of type openat")
	f("evt.type = chmod and evt.arg.mode contains S_ISUUD",
		"1:44 S_ISUUD: never holds: no evt.arg.mode contains 'S_ISUUD' in events of type chmod (did you mean 'S_ISUID'?)")
	f("evt.type = procexit and evt.arg.sig = SIGKIL",
		"1:39 SIGKIL: never holds: no evt.arg.sig is 'SIGKIL' in events of type procexit (did you mean 'SIGKILL'?)")
	f("thread.cap_effective contains CAP_SYS_ADMN",
		"1:31 CAP_SYS_ADMN: never holds: no thread.cap_effective contains 'CAP_SYS_ADMN' (did you mean 'CAP_SYS_ADMIN'?)")
	// numbers and addresses
	f("fd.sport = 70000", "1:12 70000: never holds: fd.sport is at most 65535")
	f("fd.sport != 70000", "1:13 70000: always holds: fd.sport is at most 65535")
	f("fd.port <= 65536", "1:12 65536: always holds: fd.port is at most 65535")
	f("fd.port > 65536", "1:11 65536: never holds: fd.port is at most 65535")
	f("evt.cpu < -40000", "1:11 -40000: never holds: evt.cpu is at least -32768")
	f("evt.cpu > -40000", "1:11 -40000: always holds: evt.cpu is at least -32768")
	f("user.uid > -1", "1:12 -1: user.uid is never negative: -1 stands for 4294967295 here")
	f("proc.vmsize = -5", "1:15 -5: proc.vmsize is never negative: -5 stands for 18446744073709551611 here")
	f("fd.sip in (10.0.0.1, ::ffff:10.0.0.2)",
		"1:22 ::ffff:10.0.0.2: never met: IPv4 spoken over a socket of IPv6 has addresses of IPv4 here (write '10.0.0.2')")
	f("fd.snet = ::ffff:10.0.0.0/104",
		"1:11 ::ffff:10.0.0.0/104: never holds: IPv4 spoken over a socket of IPv6 has addresses of IPv4 here (write '10.0.0.0/8')")
	// paths
	f("fd.directory = /etc/", "1:16 /etc/: never holds: no fd.directory is '/etc/': it has no slash at its end (write '/etc')")
	f("fd.directory in (/bin, etc)", "1:24 etc: never met: no fd.directory is 'etc': it is a path from '/' on (write the whole path, or use endswith)")
	f("fd.filename = etc/passwd", "1:15 etc/passwd: never holds: no fd.filename is 'etc/passwd': it is the last part of a path (write 'passwd')")
	f("fd.filename pmatch (/etc/passwd)", "1:21 /etc/passwd: never met: no fd.filename is '/etc/passwd': it is the last part of a path")
	f("basename(proc.exepath) endswith bin/sh", "1:33 bin/sh: never holds: no basename(proc.exepath) ends with 'bin/sh': it is the last part of a path (write 'sh')")
	f("proc.cwd = /root", "1:12 /root: never holds: no proc.cwd is '/root': it has a slash at its end (write '/root/')")
	f("proc.exepath = bash", "1:16 bash: never holds: no proc.exepath is 'bash': it is a path from '/' on (write the whole path, or use endswith)")
	f("proc.aexepath startswith usr/bin", "1:26 usr/bin: never holds: no proc.aexepath begins with 'usr/bin': it is a path from '/' on (write the whole path, or use endswith)")
	f("evt.type = openat and fd.name = etc/passwd",
		"1:33 etc/passwd: never holds: no fd.name is 'etc/passwd' in events of type openat: it is a path from '/' on (write the whole path, or use endswith)")
	f("evt.type = unlink and evt.arg.path = etc/passwd",
		"1:38 etc/passwd: never holds: no evt.arg.path is 'etc/passwd' in events of type unlink: it is a path from '/' on (write the whole path, or use endswith)")
	// letters and bytes
	f("tolower(fd.name) contains PASSWD", "1:27 PASSWD: never holds: no tolower(fd.name) contains 'PASSWD': it has no upper-case letters (write 'passwd')")
	f("toupper(fd.name) = /ETC/x", "1:20 /ETC/x: never holds: no toupper(fd.name) is '/ETC/x': it has no lower-case letters (write '/ETC/X')")
	f("proc.args contains \x00", "1:20 \x00: never holds: text ends at its first NUL")
	// fields and events
	f("evt.type in (open, openat) and fd.sport = 80",
		"1:32 fd.sport: never holds: in events of type open, openat there is no fd.sport (... have it)")
	f("evt.type = execve and evt.arg.oldpath = x",
		"1:23 evt.arg.oldpath: never holds: in events of type execve there is no evt.arg.oldpath (... have it)")
	f("evt.type = openat and tolower(evt.arg.newpath) exists",
		"1:23 tolower(evt.arg.newpath): never holds: in events of type openat there is no evt.arg.newpath (... have it)")
	f("evt.type = setuid and fd.name = val(fd.filename)",
		"1:23 fd.name: never holds: in events of type setuid there is no fd.name (... have it)")
	f("evt.type != open or fd.sport = 80", "1:21 fd.sport: never holds: in events of type open there is no fd.sport (... have it)")
	f("not (evt.type in (open) and fd.sport = 80)", "1:29 fd.sport: never holds: in events of type open there is no fd.sport (... have it)")
	f("(evt.type = open or evt.type = openat) and (fd.name = /x or not fs.path.target exists)",
		"1:65 fs.path.target: never holds: in events of type open, openat there is no fs.path.target (... have it)")
	f("evt.type = execve and evt.is_open_write = true", "1:43 true: never holds: evt.is_open_write is always false in events of type execve")
	f("evt.type = openat and evt.category != file", "1:39 file: never holds: evt.category is always file in events of type openat")
	f("evt.type = openat and fd.connected = true", "1:38 true: never holds: fd.connected is always false in events of type openat")
}

// TestNeverKeepsQuiet has what is near to what is warned of, and may hold.
func TestNeverKeepsQuiet(t *testing.T) {
	for _, text := range []string{
		"proc.name in (kube-controller, systemd-resolve)", "proc.name glob kube-controller*", "proc.cmdline contains kube-controller-manager",
		"proc.exepath endswith /kube-controller-manager", "proc.exepath = memfd:x", "proc.exepath startswith /", "proc.exepath contains bin",
		"proc.exepath startswith mem", "proc.exepath = ''", "proc.exepath pmatch (usr/bin)", "proc.cwd startswith /ro", "proc.cwd = ''", "proc.name = val(proc.pname)",
		"fd.type in (file, ipv4, '<NA>')", "fd.type startswith ip", "fd.type icontains FIL", "evt.res in (SUCCESS, ENOENT, 41)", "evt.res startswith E",
		"evt.arg.flags contains O_CREATTE", "evt.type = getpid and evt.arg.flags contains O_CREATTE", "evt.type = openat and evt.arg.flags contains O_CREAT|O_EXC",
		"evt.type = openat and evt.arg.flags contains 4", "evt.type = openat and evt.arg.flags contains CREAT", "evt.type = openat and evt.arg.flags glob *O_CREATTE*",
		"evt.type = openat and evt.arg.flags = NULL", "evt.type = chmod and evt.arg.mode contains S_ISUID", "evt.type in (openat, chmod) and evt.arg.mode contains S_ISUID",
		"evt.type = openat and evt.arg.mode = 0755", "evt.type = ptrace and evt.arg.data = SIGKIL", "thread.cap_effective contains 'CAP_CHOWN CAP_SYS'", "thread.cap_permitted = ''",
		"fd.sport = 65535 and fd.sport < 65535", "user.uid = -1 or user.uid != -1 or user.loginuid < 0", "evt.num >= 0", "evt.num = 0", "evt.rawres < 0", "fd.sport = http",
		"fd.sip = ::1 and fd.sip != 10.0.0.1", "fd.snet in (::/0, 0.0.0.0/0)", "fd.directory = / or fd.directory startswith /etc/ or fd.directory contains etc/",
		"fd.directory pmatch (/etc/)", "fd.filename = / or fd.filename contains passwd or fd.filename pmatch (/passwd)", "fd.name = etc/passwd", "fd.name = passwd",
		"evt.type in (connect, openat) and fd.name = run/x.sock", "evt.type = openat and fd.name = memfd:a/b", "evt.type = openat and fd.name endswith etc/passwd",
		"evt.type = memfd_create and fd.name = a/b", "evt.arg.path = etc/passwd", "evt.type = openat and fd.nameraw = etc/passwd",
		"tolower(fd.name) contains passwd", "tolower(fd.name) icontains PASSWD", "tolower(fd.name) glob *[A-Z]*", "toupper(fd.name) contains PASSWD", "tolower(fd.name) regex '[A-Z]+'",
		"toupper(tolower(fd.name)) = /ETC", "b64(tolower(proc.args)) contains ABC", "len(proc.name) > 20", "concat(proc.name, proc.pname) = this-is-longer-than-fifteen",
		"evt.type in (open, connect) and fd.sport = 80", "evt.type = open or fd.sport = 80", "fd.sport = 80", "evt.type != connect and fd.sport = 80",
		"evt.type in (open, getpid) and fd.sport = 80", "evt.type = open and fd.ip exists", "evt.type = open and evt.type = connect and fd.sport = 80", "evt.type = open and evt.num = 0 and fd.sport = 80",
		"(evt.type = open and fd.name = /x) or (evt.type = connect and fd.sport = 80)", "not (evt.type = open or fd.sport = 80)", "evt.type in (execve, openat) and evt.is_open_write = true",
		"evt.type = openat and evt.category = file", "evt.type = connect and fd.l4proto != tcp", "evt.type startswith open and fd.sport = 80", "evt.dir = < and evt.dir = >",
		"proc.name startswith ''", "fd.type contains ''", "syscall.type in (open, pread64)", "evt.source = syscall", "evt.type.is.open = 1", "proc.args contains 'a b'",
	} {
		if got := inVain(t, text); len(got) > 0 {
			t.Errorf("%s\n is warned of with\n%s", text, strings.Join(got, "\n"))
		}
	}
}

// TestNeverInAllPrograms has a comparison that belongs to several programs, as those of macros do.
func TestNeverInAllPrograms(t *testing.T) {
	shared, err := ParseFrom("fd.name = /x or fd.sport = 80 or proc.name = longer-than-fifteen", 0)
	if err != nil {
		t.Fatal(err)
	}
	f := func(want int, around ...string) {
		t.Helper()
		k := NewCompiler()
		for i, text := range around {
			e, err := ParseFrom(text+" and m", i+1)
			if err != nil {
				t.Fatal(err)
			}
			if e, err = Substitute(e, func(string) (Expr, bool) { return shared, true }); err != nil {
				t.Fatal(err)
			}
			if _, _, err := k.Compile(e); err != nil {
				t.Fatal(err)
			}
		}
		if got := k.Never(); len(got) != want {
			t.Errorf("%q: %+v", around, got)
		}
	}
	f(2, "evt.type = open")
	f(2, "evt.type = open", "evt.type = openat")
	f(1, "evt.type = open", "evt.type = connect")
	f(1, "evt.type = open", "evt.num = 1")
	f(1, "evt.type = open", "not evt.type = open")
}

// TestMembersOfListsAreWarnedOfOnce has many members that stand at one place.
func TestMembersOfListsAreWarnedOfOnce(t *testing.T) {
	text := "proc.name in (names)"
	e, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	c := e.(*Check)
	at := c.Values[0]
	c.Values = nil
	for _, m := range []string{"sh", "systemd-resolved", "systemd-networkd", "/usr/lib/systemd/systemd"} {
		c.Values = append(c.Values, Value{At: at.At, Len: at.Len, Text: m, List: "names"})
	}
	k := NewCompiler()
	if _, _, err := k.Compile(e); err != nil {
		t.Fatal(err)
	}
	got := k.Never()
	want := "never met: proc.name has up to 15 bytes, and 'systemd-resolved' has 16 (write 'systemd-resolve', or compare proc.exepath); the same is true of 2 more in list names"
	if len(got) != 1 || got[0].Msg != want || got[0].Pos.Col != 15 || got[0].Len != len("names") {
		t.Errorf("%+v", got)
	}
}

// TestWhatIsInVainDoesNotHold lets events decide what is said never to hold.
func TestWhatIsInVainDoesNotHold(t *testing.T) {
	c := openContext(t)
	k := NewCompiler()
	for _, d := range []string{"fd.type = fille", "fd.sport = 80", "fd.directory = /etc/", "fd.filename = /etc/Shadow", "tolower(fd.name) contains SHADOW", "evt.res = SUCESS",
		"evt.arg.mode contains S_ISUID", "fd.l4proto = tcp", "fd.name = etc/Shadow", "evt.category = net", "fd.port = 70000", "fd.connected = true"} {
		k.Begin()
		if compile(t, k, "evt.type = openat and "+d).Match(c) {
			t.Errorf("%s holds", d)
		}
	}
	if got := len(k.Never()); got != 12 {
		t.Errorf("%d of 12 are warned of", got)
	}
}

// TestReach looks at the event types for which comparisons matter.
func TestReach(t *testing.T) {
	f := func(text, in, notIn string) {
		t.Helper()
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var p places
		p.add(e)
		for _, at := range p.list {
			if at.check.Left.Field != "proc.pid" {
				continue
			}
			if !at.types.Has(in) || notIn != "" && at.types.Has(notIn) {
				t.Errorf("%s: it matters for %+v", text, at.types)
			}
		}
	}
	f("evt.type = open and proc.pid = 1", "open", "openat")
	f("proc.pid = 1 and (evt.type = open or evt.type = openat) and evt.type != openat", "open", "openat")
	f("evt.type = open or proc.pid = 1", "openat", "open")
	f("not (evt.type = open or proc.pid = 1)", "openat", "open")
	f("not (not evt.type = open or proc.pid = 1)", "open", "openat")
	f("evt.type in (open, openat) and (evt.type = open or (proc.name = x and proc.pid = 1))", "openat", "open")
	f("evt.type in (open, openat) and not (evt.type = open and proc.pid = 1)", "open", "openat")
	f("(evt.type = open and proc.name = x) or proc.pid = 1", "openat", "")
	rows, generic := rowsOf(EventSet{Names: []string{"getpid", "open"}})
	if len(rows) != 1 || rows[0].Name != "open" || !generic {
		t.Errorf("%v, %v", rows, generic)
	}
	if all, generic := rowsOf(AllEvents()); !generic || len(all) >= len(event.Rows()) {
		t.Error("all events are not all rows and the generic ones")
	}
}
