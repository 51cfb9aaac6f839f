// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"errors"
	"testing"
)

// TestCalls evaluates transformers with several arguments.
func TestCalls(t *testing.T) {
	k := kindCompiler()
	f := func(text string, want bool) {
		t.Helper()
		k.Begin()
		if got := compile(t, k, text).Match(nil); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
	f(`join("-", t.words) = Foo-Bar-Baz`, true)
	f(`join("", t.words) = FooBarBaz`, true)
	f(`join("-", t.nothing) = ""`, true)
	f(`join("-", ()) = ''`, true)
	f(`join(t.text, ("a", "b")) = aHellob`, true)
	f(`join(t.i64, ("a", "b")) = a7b`, true)
	f(`join(", ", (t.i32, t.words, t.text, 12, "x y")) = "-5, Foo, Bar, Baz, Hello, 12, x y"`, true)
	f(`join("-", (t.yes, t.ip4, t.nums)) = true-10.0.0.0-1-2`, true)
	f(`join("-", (tolower(t.text), toupper("abc"))) = hello-ABC`, true)
	f(`tolower(join("-", (t.text, t.text))) contains o-h`, true)
	f(`len(join("-", (t.text, t.text))) = 11`, true)
	f(`join("-", (t.text, t.none)) exists`, false)
	f(`join("-", (t.text, t.none)) != x`, false)
	f(`not join("-", (t.text, t.none)) = x`, true)
	f(`join(t.none, ("a")) exists`, false)
	f(`concat(t.text, " ", t.text) = "Hello Hello"`, true)
	f(`concat(concat(t.text, 1), t.empty, t.path) = "Hello1/usr//bin/x-y/z"`, true)
	f(`concat(t.text, t.none) = Hello`, false)
	f(`basename(concat(t.path, "/q")) = q`, true)
	f(`t.text = val(t.text) and t.text != concat(t.text, "x")`, true)
	f(`t.path startswith concat("/usr", "//b")`, true)
	f(`t.text in val(t.words) or tolower(t.text) intersects ("x", "hello")`, true)
	f(`len((t.text, t.words, "x")) = 5`, true)
	f(`getopt(("-n", "-t", "5", "rest", "-x"), "nt:") intersects (5)`, true)
	f(`join(",", getopt(("-nt5", "-v", "-q", "--", "-n"), "nt:v")) = "n,t,5,v,?"`, true)
	f(`join(",", getopt(("--long", "-:n", "-t"), "nt:")) = "?,n,"`, true)
	f(`join(",", getopt(("-n", "-", "-n"), "n")) = n`, true)
	f(`len(getopt(("a", "-n"), "n")) = 0`, true)
	f(`getopt(("-t1", "-t", "2", "-n"), "nt:")[t] = 2`, true)
	f(`getopt(("-t1", "-n"), "nt:")[n] = n`, true)
	f(`getopt(("-n", "-t"), "nt:")["t"] = ""`, true)
	f(`getopt(("-n"), "nt:")[t] exists`, false)
	f(`getopt(("-x"), "nt:")[x] exists`, false)
	f(`getopt(("-t", "-n"), "nt:")[t] = "-n"`, true)
	f(`getopt(t.words, t.text)[H] exists`, false)
	f(`getopt(("-H5"), concat("H", ":"))[H] = 5`, true)
}

func TestCallsPrint(t *testing.T) {
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
		if again, err := Parse(want); err != nil || Print(again) != want {
			t.Errorf("%q does not survive printing: %v", want, err)
		}
	}
	f(`join( '-' ,( proc.name,proc.pid , 12 ))  =  x`, `join("-", (proc.name, proc.pid, "12")) = x`)
	f(`toupper( concat(proc.name, "\"") ) exists`, `toupper(concat(proc.name, "\"")) exists`)
	f(`getopt((proc.args[0], ()), "a:")['a'] = val(proc.name)`, `getopt((proc.args[0], ()), "a:")[a] = val(proc.name)`)
	f(`tolower("ABC") = abc`, `tolower("ABC") = abc`)
	f(`evt.type = tolower(join("-",(fd.name)))`, `evt.type = tolower(join("-", (fd.name)))`)
	f(`len((-5, 0x1F)) = 2`, `len(("-5", "0x1F")) = 2`)
}

func TestCallErrors(t *testing.T) {
	k := kindCompiler()
	f := func(text, want, snippet string) {
		t.Helper()
		e, err := Parse(text)
		if err == nil {
			_, _, err = k.Compile(e)
		}
		var fe *Error
		if !errors.As(err, &fe) || fe.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
			return
		}
		if got := fe.Snippet(text); got != text+"\n"+snippet {
			t.Errorf("%q shows\n%s", text, got)
		}
	}
	f(`join("-") = x`, `1:1: join() takes a separator and a list, like join("-", (proc.name, proc.pid))`, "^^^^^^^^^")
	f(`join("-", t.text) = x`, `1:1: join() takes a separator and a list, like join("-", (proc.name, proc.pid))`, "^^^^^^^^^^^^^^^^^")
	f(`join(t.words, t.words) = x`, `1:1: join() takes a separator and a list, like join("-", (proc.name, proc.pid))`, "^^^^^^^^^^^^^^^^^^^^^^")
	f(`join("-", t.words)[a] = x`, `1:1: join() takes no argument in brackets`, "^^^^^^^^^^^^^^^^^^^^^")
	f(`concat("a") = x`, `1:1: concat() takes two or more texts`, "^^^^^^^^^^^")
	f(`concat("a", t.i32) = x`, `1:1: concat() takes texts, and t.i32 is a INT32`, "^^^^^^^^^^^^^^^^^^")
	f(`getopt(t.words, t.i32) = x`, `1:1: getopt() takes its options as text, like "ab:"`, "^^^^^^^^^^^^^^^^^^^^^^")
	f(`getopt(t.words, "a")[ab] = x`, `1:1: getopt() takes the letter of one option in brackets`, "^^^^^^^^^^^^^^^^^^^^^^^^")
	f(`getopt(t.words, "a") = x`, `1:22: operator '=' does not work on getopt(t.words, "a"), a LIST(CHARBUF) (it takes [in intersects exists])`, "                     ^")
	f(`toupper(concat("a", t.nosuch)) = x`, `1:21: nonexistent field`, "                    ^^^^^^^^")
	f(`tolower(t.text, t.text) = x`, `1:15: transformer tolower takes one argument`, "              ^")
	f(`concat(t.text t.text) = x`, `1:15: expecting ',' or ')' among the arguments`, "              ^^^^^^")
	f(`concat(t.text, words) = x`, `1:16: 'words' is not a field`, "               ^^^^^")
	f(`conkat(t.text, t.text) = x`, `1:1: unknown transformer 'conkat' (did you mean 'concat'?)`, "^^^^^^")
	f(`join("-", (t.sealed)) = x`, `1:12: field t.sealed takes no transformer`, "           ^^^^^^^^")
	f(`join("-", (t.printed)) = x`, `1:12: field t.printed can be printed but not compared`, "           ^^^^^^^^^")
	f(`join("-, (t.text)) = x`, `1:6: the string has no closing quote`, "     ^")
}

func TestCallsAllocateNothing(t *testing.T) {
	k := kindCompiler()
	for _, text := range []string{
		`join(", ", (t.i32, t.words, t.text, 12, "x y")) = x`, `concat(t.text, " ", t.path) startswith x`, `getopt(("-n", "-t", "5"), "nt:")[t] = x`,
		`getopt(t.words, t.text) intersects (x)`, `tolower(getopt(("-N"), "N")) intersects (x)`,
	} {
		p := compile(t, k, text)
		if n := testing.AllocsPerRun(100, func() { k.Begin(); p.Match(nil) }); n != 0 {
			t.Errorf("%s allocates %v times", text, n)
		}
	}
}
