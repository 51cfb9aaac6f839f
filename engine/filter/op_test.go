// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"falconet/engine/event"
	"falconet/engine/field"
)

// kinds is a field table with one field of every kind of value, so that operators are tested on all of them.
func kinds() map[string]*field.Def {
	table := make(map[string]*field.Def)
	add := func(name string, t event.Type, values ...field.Value) *field.Def {
		d := &field.Def{Name: name, Type: t}
		d.Get = func(*field.Ctx, field.Arg) (field.Value, bool) {
			if len(values) == 0 {
				return field.Value{}, false
			}
			return values[0], true
		}
		table[name] = d
		return d
	}
	text := func(s string) field.Value { return field.Value{Kind: event.CharBuf, S: s} }
	number := func(t event.Type, n int64) field.Value { return field.Value{Kind: t, N: uint64(n)} }
	address := func(s string) field.Value {
		return field.Value{Kind: event.IPAddr, S: string(netip.MustParseAddr(s).AsSlice())}
	}
	add("t.text", event.CharBuf, text("Hello"))
	add("t.empty", event.CharBuf, text(""))
	add("t.nul", event.CharBuf, text("ab\x00c"))
	add("t.padded", event.CharBuf, text("ab\x00\x00"))
	add("t.b64", event.CharBuf, text("aGVsbG8="))
	add("t.none", event.CharBuf)
	add("t.nonumber", event.Int64)
	add("t.path", event.FSPath, text("/usr//bin/x-y/z")).Alt = func(*field.Ctx, field.Arg) (field.Value, bool) { return text("/alt/path"), true }
	add("t.bytes", event.ByteBuf, field.Value{Kind: event.ByteBuf, S: "\x01AB\x00\xff\x00"})
	add("t.i32", event.Int32, number(event.Int32, -5))
	add("t.i64", event.Int64, number(event.Int64, 7))
	add("t.u32", event.Uint32, number(event.Uint32, 0xffffffff))
	add("t.u64", event.Uint64, number(event.Uint64, -1))
	add("t.port", event.Port, number(event.Port, 443))
	add("t.flags", event.Flags32, number(event.Flags32, 6))
	add("t.yes", event.Bool, number(event.Bool, 1))
	add("t.ip4", event.IPAddr, address("10.0.0.0"))
	add("t.ip6", event.IPAddr, address("2001:db8::"))
	add("t.noip", event.IPAddr)
	add("t.nonet", event.IPNet)
	add("t.nobool", event.Bool)
	add("t.nobytes", event.ByteBuf)
	add("t.nolist", event.CharBuf).List = true
	add("t.net4", event.IPNet, address("10.1.2.3"))
	add("t.net6", event.IPNet, address("2001:db8::7"))
	list := func(name string, t event.Type, members ...field.Value) {
		if members == nil {
			members = []field.Value{}
		}
		add(name, t, field.ListOf(t, members)).List = true
	}
	list("t.words", event.CharBuf, text("Foo"), text("Bar"), text("Baz"))
	list("t.nums", event.Uint64, number(event.Uint64, 1), number(event.Uint64, 2))
	list("t.nothing", event.CharBuf)
	several := add("t.several", event.Int64)
	several.Multi = func(_ *field.Ctx, yield func(field.Value) bool) {
		for _, n := range []int64{1, 2} {
			if !yield(number(event.Int64, n)) {
				return
			}
		}
	}
	differ := *several
	differ.Name, differ.Flags = "t.differ", field.AllDiffer
	table["t.differ"] = &differ
	nobody := *several
	nobody.Name, nobody.Multi = "t.nobody", func(*field.Ctx, func(field.Value) bool) {}
	table["t.nobody"] = &nobody
	add("t.sealed", event.CharBuf, text("x")).Flags = field.NoTransformer | field.NoRHS
	add("t.printed", event.CharBuf, text("x")).Flags = field.OutputOnly
	return table
}

// kindCompiler compiles conditions over the table of kinds.
func kindCompiler() *Compiler {
	table, k := kinds(), NewCompiler()
	k.fields = func(name, _ string, hasArg bool) (*field.Def, field.Arg, error) {
		if d := table[name]; d != nil && !hasArg {
			return d, field.Arg{}, nil
		}
		return nil, field.Arg{}, field.ErrUnknown
	}
	return k
}

func TestOperators(t *testing.T) {
	k := kindCompiler()
	f := func(text string, want bool) {
		t.Helper()
		k.Begin()
		if got := compile(t, k, text).Match(nil); got != want {
			t.Errorf("%s is %v", text, got)
		}
		k.Begin()
		if got := compile(t, k, "not "+text).Match(nil); got == want && !strings.Contains(text, "t.path") {
			t.Errorf("not %s is %v", text, got)
		}
	}
	// text
	f("t.text = Hello", true)
	f("t.text == hello", false)
	f("t.text != hello", true)
	f("t.text < 5", false)
	f("t.text > 5", true)
	f("t.text contains ell", true)
	f("t.text contains ELL", false)
	f("t.text contains ''", true)
	f("t.text icontains ELL", true)
	f("t.text icontains ''", true)
	f("t.text icontains elx", false)
	f("t.text startswith He", true)
	f("t.text endswith lo", true)
	f("t.text startswith lo", false)
	f("t.text glob H?l*", true)
	f("t.text glob h*", false)
	f("t.text iglob h*O", true)
	f("t.text glob '[[:upper:]]*'", true)
	f("t.text glob '[![:upper:]]*'", false)
	f("t.text glob '[A-H]ell[^a-n]'", true)
	f("t.text glob ell", false)
	f("t.text in (a, b, Hello)", true)
	f("t.text in (a, b, c, d, e, Hello)", true)
	f("t.text in (a, b, c, d, e)", false)
	f("t.text in Hello", true)
	f("t.text in ()", false)
	f("t.text intersects (Hello)", true)
	f("t.text regex 'H(e|x)l+o'", true)
	f("t.text regex ell", false)
	f("t.text regex '[[:alpha:]]+'", true)
	f("t.text regex 'H.**o'", true) // POSIX allows it
	f("t.text regex 'x|Hello|y'", true)
	f("t.text regex 'Hello\\\\nx|a'", false)
	f("t.text regex 'x)|(Hello'", false) // no expression by itself: matches nothing
	f("t.text exists", true)
	f("t.empty exists", true)
	f("t.empty = ''", true)
	f("t.empty in ('')", true)
	f("t.empty startswith ''", true)
	f("t.empty regex ''", true)
	// text ends at its first NUL, or loses those at its end
	f("t.nul = ab", true)
	f("t.nul contains c", false)
	f("t.nul in (ab)", false)
	f("t.padded = ab", true)
	f("t.padded in (ab)", true)
	f("t.padded regex ab", true)
	// several values
	f("t.text startswith oneof (He, Hel)", false)
	f("t.text startswith oneof (He, x)", true)
	f("t.text contains anyof (x, l)", true)
	f("t.text contains allof (e, l)", true)
	f("t.text contains allof (e, x)", false)
	f("t.text contains allof ()", false)
	f("t.text != allof (a, b)", true)
	f("t.text regex anyof ('x', 'H.*')", true)
	// paths
	f("t.path pmatch (/usr)", true)
	f("t.path pmatch (/usr/bin/)", true)
	f("t.path pmatch (/usr/bin/x-y/z)", true)
	f("t.path pmatch (/usr/bin/x-y/z/more)", false)
	f("t.path pmatch (/us)", false)
	f("t.path pmatch (/x, /*/bin/x-?)", true)
	f("t.path pmatch (/*/x)", false)
	f("t.path pmatch (/)", true)
	f("t.path pmatch ()", false)
	f("t.path = /alt/path", true)
	f("t.path in (/alt/path)", true)
	f("t.path pmatch (/alt)", true)
	f("t.path != /alt/path", true)
	f("t.path = val(t.path)", true)
	// bytes
	f("t.bytes bcontains 4142", true)
	f("t.bytes bstartswith 0141", true)
	f("t.bytes bstartswith 41", false)
	f("t.bytes bcontains ff00", true)
	f("t.bytes contains AB", true)
	f("t.bytes in (AB)", false)
	// numbers
	f("t.i32 = -5", true)
	f("t.i32 < 0", true)
	f("t.i32 >= -5", true)
	f("t.i32 > -5", false)
	f("t.i32 in (1, -5)", true)
	f("t.u32 = -1", true)
	f("t.u32 = 4294967295", true)
	f("t.u32 > 5", true)
	f("t.u64 = -1", true)
	f("t.u64 = 18446744073709551615", true)
	f("t.port = https", true)
	f("t.port in (80, 443)", true)
	f("t.port = ''", false)
	f("t.flags = 6", true)
	f("t.yes = true", true)
	f("t.yes != true", false)
	f("t.yes in (false)", false)
	// addresses; the zeros at their end are part of them
	f("t.ip4 = 10.0.0.0", true)
	f("t.ip4 in (1.2.3.4, 10.0.0.0)", true)
	f("t.ip4 in (1.2.3.4, 1.2.3.5, 1.2.3.6, 1.2.3.7, 10.0.0.0)", true)
	f("t.ip4 != 10.0.0.1", true)
	f("t.ip4 = ::1", false)
	f("t.ip4 != ::1", true)
	f("t.ip6 in (2001:db8::)", true)
	f("t.net4 = 10.0.0.0/8", true)
	f("t.net4 = 10.9.9.9/8", true)
	f("t.net4 in (192.168.0.0/16, 10.1.2.0/24)", true)
	f("t.net4 != 10.0.0.0/8", false)
	f("t.net4 != 2001:db8::/32", true)
	f("t.net6 = 2001:db8::/32", true)
	f("t.net6 = 10.0.0.0/8", false)
	// transformers
	f("tolower(t.text) = hello", true)
	f("toupper(tolower(t.text)) = HELLO", true)
	f("b64(t.b64) = hello", true)
	f("b64(t.text) exists", false)
	f("basename(t.path) = z", true)
	f("basename(t.path) = path", true)
	f("len(t.text) = 5", true)
	f("len(t.words) = 3", true)
	f("len(t.nothing) = 0", true)
	// fields with fields
	f("t.text = val(t.text)", true)
	f("tolower(t.text) != val(t.text)", true)
	f("t.text = tolower(t.text)", false)
	f("t.text contains val(t.empty)", true)
	f("t.i64 > val(t.several)", false) // no argument: no value
	f("t.i64 >= val(t.i64)", true)
	f("t.text in val(t.words)", false)
	f("t.ip4 = val(t.ip4)", true)
	f("len(t.text) > val(t.u64)", false)
	// lists
	f("t.words in (Foo, Bar, Baz, x)", true)
	f("t.words in (Foo, Bar)", false)
	f("t.words intersects (Foo)", true)
	f("t.words intersects (x)", false)
	f("tolower(t.words) in (foo, bar, baz)", true)
	f("t.nums in (1, 2)", true)
	f("t.nums intersects (3)", false)
	f("t.nothing in (x)", true)
	f("t.nothing intersects (x)", false)
	f("t.nothing exists", true)
	f("t.words in val(t.words)", true)
	f("t.words intersects tolower(t.words)", false)
	// fields that stand for several values
	f("t.several = 2", true)
	f("t.several = 3", false)
	f("t.several != 2", true)
	f("t.differ != 2", false)
	f("t.differ != 3", true)
	f("t.several exists", true)
	f("t.several < 2", true)
	f("t.nobody = 1", false)
	f("t.nobody != 1", false)
	f("t.nobody exists", false)
	f("t.differ in (2)", true)
}

// TestNothingComparesWithNothing is every operator on a field without a value.
func TestNothingComparesWithNothing(t *testing.T) {
	k := kindCompiler()
	for _, text := range []string{
		"t.none = ''", "t.none != x", "t.none < 1", "t.none >= 0", "t.none contains ''", "t.none icontains ''", "t.none startswith ''",
		"t.none endswith ''", "t.none glob *", "t.none iglob *", "t.none in ('')", "t.none intersects ('')", "t.none pmatch (/)",
		"t.none regex .*", "t.none exists", "t.none = oneof (x)", "t.none != allof (x)", "tolower(t.none) = ''", "len(t.none) >= 0",
		"t.none = val(t.none)", "t.none != val(t.text)", "t.text = val(t.none)", "t.text != val(t.none)", "t.words in val(t.none)",
		"t.nonumber = 0", "t.nonumber != 1", "t.nonumber < 1", "t.nonumber <= 1", "t.nonumber > -1", "t.nonumber >= 0",
		"t.nonumber in (0)", "t.noip = 0.0.0.0", "t.noip != 1.2.3.4", "t.noip in (0.0.0.0)",
	} {
		k.Begin()
		if compile(t, k, text).Match(nil) {
			t.Errorf("%s holds", text)
		}
		k.Begin()
		if !compile(t, k, "not ("+text+")").Match(nil) {
			t.Errorf("not (%s) does not hold", text)
		}
	}
}

func TestOperatorErrors(t *testing.T) {
	k := kindCompiler()
	f := func(text, want string) {
		t.Helper()
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var fe *Error
		if _, _, err = k.Compile(e); !errors.As(err, &fe) || fe.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	f("t.yes < 1", "1:7: operator '<' does not work on t.yes, a BOOL (it takes [= != in intersects exists])")
	f("t.ip4 contains 1", "1:7: operator 'contains' does not work on t.ip4, a IPADDR (it takes [= != in intersects exists])")
	f("t.words = Foo", "1:9: operator '=' does not work on t.words, a LIST(CHARBUF) (it takes [in intersects exists])")
	f("t.bytes bcontains 4", "1:19: '4' is not a string of hexadecimal bytes (write two digits for each byte, like 48656c6c6f)")
	f("t.i32 = 0x1f", "1:9: '0x1f' is not a valid number (numbers of conditions are decimal)")
	f("t.port = no-such-service", "1:10: 'no-such-service' is not a valid port (write a number or the name of a service)")
	f("t.net4 = 10.0.0.0/33", "1:10: '10.0.0.0/33' is not a valid network (write an address and a prefix length, like 10.0.0.0/8)")
	f("t.net4 = val(t.net4)", "1:10: operator = takes constants only")
	f("t.text regex val(t.text)", "1:14: operator regex takes constants only")
	f("t.path pmatch val(t.text)", "1:15: operator pmatch takes constants only")
	f("t.text = val(t.i64)", "1:10: t.text is a CHARBUF and t.i64 a INT64")
	f("t.text = val(t.sealed)", "1:10: fields t.text and t.sealed cannot be compared with one another")
	f("tolower(t.sealed) = x", "1:1: field t.sealed takes no transformer")
	f("t.printed = x", "1:1: field t.printed can be printed but not compared")
	f("val(t.text) = x", "1:1: val() stands on the right of a comparison only")
	f("len(t.i64) = 1", "1:1: transformer len does not work on t.i64, a INT64")
}

func TestWarnings(t *testing.T) {
	k := NewCompiler()
	e, err := ParseFrom("proc.name = proc.pname or proc.name = 'proc.pname' or\n proc.name regex '(' or proc.name in (a.b)\n or evt.type = send", 3)
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := k.Compile(e)
	if err != nil || len(got) != 4 || got[3].Msg != "there are no events of type 'send' here" {
		t.Fatalf("warnings are %v, %v", got, err)
	}
	if got[0].Pos != (Pos{Off: 12, Line: 1, Col: 13, Src: 3}) || got[0].Msg != "'proc.pname' may be a valid field misused as a constant: write val(proc.pname) to compare with the field" {
		t.Errorf("warning is %+v", got[0])
	}
	if got[2].Pos.Line != 2 || got[2].Pos.Col != 18 || got[2].Msg != "the regular expression never matches: error parsing regexp: missing closing ): `(`" {
		t.Errorf("warning is %+v", got[2])
	}
	if _, again, err := k.Compile(e); err != nil || len(again) != 0 {
		t.Errorf("warned again: %v, %v", again, err)
	}
}

func TestWarningsOfCallsThatCannotBeSeen(t *testing.T) {
	k := NewCompiler()
	e, err := Parse("evt.type in (exit_group, sync, rt_sigreturn)")
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := k.Compile(e)
	if err != nil || len(got) != 2 {
		t.Fatalf("warnings are %v, %v", got, err)
	}
	for i, want := range []string{"events of type 'exit_group' cannot be seen: " + neverReturns, "events of type 'rt_sigreturn' cannot be seen: " + noNumber} {
		if got[i].Msg != want {
			t.Errorf("warning is %q, want %q", got[i].Msg, want)
		}
	}
}

// TestOperatorsAllocateNothing reads every kind of value with every kind of operator, when they hold and when not.
func TestOperatorsAllocateNothing(t *testing.T) {
	k := kindCompiler()
	for _, text := range []string{
		"t.text = val(t.text)", "t.text < 5", "t.text > val(t.empty)", "t.i64 >= val(t.i32)", "t.words in val(t.words)", "tolower(t.words) intersects (foo)",
		"toupper(t.text) = x", "b64(t.b64) = hello", "basename(t.path) in (z)", "len(t.words) = 3", "t.path pmatch (/*/x, /usr/bin)",
		"t.path glob /usr*", "t.text icontains ELL", "t.net4 in (10.0.0.0/8)", "t.net6 = 2001:db8::/32", "t.ip4 in (10.0.0.0)",
		"t.several = 2", "t.differ != 3", "t.bytes bcontains 4142", "t.text startswith anyof (x, H)", "t.text in (a, b, c, d, e, f)",
	} {
		p := compile(t, k, text)
		if n := testing.AllocsPerRun(100, func() { k.Begin(); p.Match(nil) }); n != 0 {
			t.Errorf("%s allocates %v times", text, n)
		}
	}
}
