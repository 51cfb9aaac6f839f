// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePrint(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		e, err := Parse(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			return
		}
		if got := Print(e); got != want {
			t.Errorf("%q prints\n  %s, want\n  %s", in, got, want)
		}
		again, err := Parse(want)
		if err != nil || Print(again) != want {
			t.Errorf("%q does not survive printing: %v", want, err)
		}
	}
	f("evt.type = open", "evt.type = open")
	f("evt.type==open", "evt.type = open")
	f(`proc.name = "\x41\x2fb" or proc.name = 'a\x20\x0A'`, `proc.name = A/b or proc.name = "a \n"`)
	f("a and b or c", "(a and b) or c")
	f("a or b and c", "a or (b and c)")
	f("not a and b", "not a and b")
	f("not (a and b)", "not (a and b)")
	f("not(a or b)", "not (a or b)")
	f("not not a", "not not a")
	f("(((a)))", "a")
	f("a and (b and c)", "a and (b and c)")
	f("evt.type in (open,openat , 'openat2')", "evt.type in (open, openat, openat2)")
	f("evt.type in()", "evt.type in ()")
	f("proc.aname[2] = \"a b\"", "proc.aname[2] = \"a b\"")
	f("container.mount['/x y'] exists", "container.mount[\"/x y\"] exists")
	f("evt.arg.flags contains O_CREAT", "evt.arg.flags contains O_CREAT")
	f("proc.name != val(proc.pname)", "proc.name != val(proc.pname)")
	f("tolower(toupper(proc.name)) = x", "tolower(toupper(proc.name)) = x")
	f("proc.pid >= 12", "proc.pid >= 12")
	f("fd.name glob \"/a\\\\b\\n*\"", "fd.name glob \"/a\\\\b\\n*\"")
	f("fd.name startswith oneof (/a, /b)", "fd.name startswith oneof (/a, /b)")
	f("fd.name in /etc", "fd.name in /etc")
	f("proc.name = oneof shells and a", "proc.name = oneof shells and a")
	f("proc.name != oneof and a", "proc.name != \"oneof\" and a")
	f("proc.name = anyof", "proc.name = \"anyof\"")
	f("proc.name exists and a or proc.name existsor b", "(proc.name exists and a) or proc.name exists or b")
	f("evt.rawres >= -1.5e+3 and evt.rawres < 0xfF", "evt.rawres >= -1.5e+3 and evt.rawres < 0xfF")
	f("\tproc.name=cat\nand\r\nevt.dir = <", "proc.name = cat and evt.dir = <")
}

func TestParseErrors(t *testing.T) {
	f := func(in, want, snippet string) {
		t.Helper()
		_, err := Parse(in)
		if err == nil {
			t.Errorf("%q parses", in)
			return
		}
		var e *Error
		if !errors.As(err, &e) || err.Error() != want {
			t.Errorf("%q: %v, want %s", in, err, want)
			return
		}
		if got := e.Snippet(in); got != snippet {
			t.Errorf("%q shows\n%s\nwant\n%s", in, got, snippet)
		}
	}
	f("", "1:1: expecting a field, a macro, 'not' or '('", "\n^")
	f("proc.name", "1:10: expecting an operator after 'proc.name'", "proc.name\n         ^")
	f("proc.name containz x", "1:11: unknown operator 'containz' (did you mean 'contains'?)", "proc.name containz x\n          ^^^^^^^^")
	f("proc.name = ", "1:13: expecting a value", "proc.name = \n            ^")
	f("a and\n(b", "2:3: expecting ')'", "(b\n  ^")
	f("(a and not)", "1:8: expecting a field, a macro or '(', not the word 'not'", "(a and not)\n       ^^^")
	f("a or and b", "1:6: expecting a field, a macro or '(', not the word 'and'", "a or and b\n     ^^^")
	f("a b", "1:3: unexpected token after the condition, expecting 'or', 'and'", "a b\n  ^")
	f("proc.name = \"x", "1:13: the string has no closing quote", "proc.name = \"x\n            ^")
	f(`proc.name = "\y"`, `1:14: unknown escape '\y' in a quoted string (escapes are \b \f \n \r \t \xHH \\ \/ and the quote; write \\ for a backslash)`, "proc.name = \"\\y\"\n             ^^")
	f(`proc.name = "\x4"`, `1:14: expecting two hexadecimal digits after '\x' (write \\ for a backslash)`, "proc.name = \"\\x4\"\n             ^^")
	f(`proc.name = "\xg0"`, `1:14: expecting two hexadecimal digits after '\x' (write \\ for a backslash)`, "proc.name = \"\\xg0\"\n             ^^")
	f(`proc.name = '\x`, `1:14: expecting two hexadecimal digits after '\x' (write \\ for a backslash)`, "proc.name = '\\x\n             ^^")
	f("proc.pid > many", "1:12: expecting a number", "proc.pid > many\n           ^^^^")
	f("proc.pid > 0xAA.1", "1:12: expecting a number", "proc.pid > 0xAA.1\n           ^^^^^^")
	f("proc.pid > 1a", "1:12: expecting a number", "proc.pid > 1a\n           ^^")
	f("proc.name =oneof (a)", "1:12: expecting a blank before 'oneof'", "proc.name =oneof (a)\n           ^^^^^")
	f("proc.name contains anyof(a)", "1:20: expecting a blank between 'anyof' and the list", "proc.name contains anyof(a)\n                   ^^^^^^")
	f("proc.name = anyof val(proc.pname)", "1:19: 'anyof' takes a list of constants", "proc.name = anyof val(proc.pname)\n                  ^^^^^^^^^^^^^^^")
	f("proc.name = val(tolower(proc.pname))", "1:13: val() stands around a field, and within nothing", "proc.name = val(tolower(proc.pname))\n            ^^^^^^^^^^^^^^^^^^^^^^^^")
	f("proc.name in (a b)", "1:17: expecting ',' or ')' in the list", "proc.name in (a b)\n                ^")
	f("lower(proc.name) = x", "1:1: unknown transformer 'lower' (did you mean 'tolower'?)", "lower(proc.name) = x\n^^^^^")
	f("proc.aname[ = x", "1:12: expecting a field argument after '['", "proc.aname[ = x\n           ^")
	f(strings.Repeat("(", 5000), "1:1001: the condition is nested deeper than 1000 levels", strings.Repeat("(", 160)+"\n"+strings.Repeat(" ", 80)+"^")
}
