// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"falconet/engine/event"
	"falconet/engine/field"
)

// texts is a field table that a test sets: three texts, of which an empty one has no value and a has a second spelling; a text within a
// transformer; a number, an address and the network that it is in; a field that stands for the texts b and c, and a list of them.
type texts struct {
	a, b, c, alt string
	n            uint64
	ip           string
}

func (x *texts) compiler() *Compiler {
	k := NewCompiler()
	get := func(s *string) func(*field.Ctx, field.Arg) (field.Value, bool) {
		return func(*field.Ctx, field.Arg) (field.Value, bool) {
			return field.Value{Kind: event.CharBuf, S: *s}, *s != ""
		}
	}
	table := map[string]*field.Def{
		"x.a": {Name: "x.a", Type: event.CharBuf, Get: get(&x.a), Alt: get(&x.alt)},
		"x.b": {Name: "x.b", Type: event.CharBuf, Get: get(&x.b)},
		"x.c": {Name: "x.c", Type: event.CharBuf, Get: get(&x.c)},
		"x.n": {Name: "x.n", Type: event.Uint32, Get: func(*field.Ctx, field.Arg) (field.Value, bool) {
			return field.Value{Kind: event.Uint32, N: x.n}, x.n != 0
		}},
		"x.ip": {Name: "x.ip", Type: event.IPAddr, Get: func(*field.Ctx, field.Arg) (field.Value, bool) {
			return field.Value{Kind: event.IPAddr, S: x.ip}, x.ip != ""
		}},
		"x.net": {Name: "x.net", Type: event.IPNet, Get: func(*field.Ctx, field.Arg) (field.Value, bool) {
			return field.Value{Kind: event.IPNet, S: x.ip}, x.ip != ""
		}},
		"x.both": {Name: "x.both", Type: event.CharBuf, Multi: func(_ *field.Ctx, yield func(field.Value) bool) {
			_ = yield(field.Str(x.b)) && yield(field.Str(x.c))
		}},
		"x.list": {Name: "x.list", Type: event.CharBuf, List: true, Get: func(*field.Ctx, field.Arg) (field.Value, bool) {
			return field.ListOf(event.CharBuf, []field.Value{field.Str(x.b), field.Str(x.c)}), x.b != ""
		}},
	}
	k.fields = func(name, _ string, _ bool) (*field.Def, field.Arg, error) {
		if d := table[name]; d != nil {
			return d, field.Arg{}, nil
		}
		return nil, field.Arg{}, field.ErrUnknown
	}
	return k
}

func word(r *rand.Rand) string {
	b := make([]byte, r.IntN(5))
	for i := range b {
		b[i] = "/ab"[r.IntN(3)]
	}
	return "/" + string(b)
}

func condition(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		var kids []string
		for range 2 + r.IntN(2) {
			kids = append(kids, condition(r, depth-1))
		}
		text := "(" + strings.Join(kids, []string{" and ", " or "}[r.IntN(2)]) + ")"
		if r.IntN(4) == 0 {
			text = "not " + text
		}
		return text
	}
	f := []string{"x.a", "x.b", "x.c", "x.a", "x.both", "toupper(x.a)", `concat(x.a, "/a")`}[r.IntN(7)]
	switch r.IntN(20) {
	case 8:
		return f + " endswith " + word(r)
	case 9:
		return f + " contains " + word(r)
	case 10:
		return f + " icontains " + strings.ToUpper(word(r))
	case 11:
		return f + " regex '" + word(r) + []string{".*", "[ab]+", "(a|/b)?", "(?i:A)"}[r.IntN(4)] + word(r) + "'"
	case 12:
		return f + " pmatch (" + word(r) + ", " + word(r) + "/*)"
	case 13:
		return f + " glob " + []string{"*", "[/]", "?*"}[r.IntN(3)] + word(r)
	case 14:
		return fmt.Sprintf("x.n in (%d, %d)", r.IntN(9), r.IntN(9))
	case 15:
		return fmt.Sprintf("x.ip = 10.0.%d.%d", r.IntN(2), r.IntN(3))
	case 16:
		return fmt.Sprintf("x.net in (10.0.%d.0/24, ::/%d, 10.0.0.%d/31)", r.IntN(2), 1+r.IntN(128), r.IntN(3))
	case 17:
		return "x.list intersects (" + word(r) + ", " + word(r) + ")"
	case 18:
		return f + " endswith anyof (" + word(r) + ", " + word(r) + ", a, /b, b/)"
	case 19:
		return "(" + f + " contains " + word(r) + " or " + f + " contains a/ or " + f + " contains anyof (ab, ba, /a/b))"
	case 0:
		return f + " in (" + word(r) + ", " + word(r) + ")"
	case 1, 2:
		return f + " startswith " + word(r)
	case 3:
		return f + " startswith anyof (" + word(r) + ", " + word(r) + ")"
	case 4:
		return f + " glob " + word(r) + "*" + word(r)
	case 5:
		return f + " contains allof (" + word(r) + ", a)"
	case 6:
		return f + " != " + word(r)
	case 7:
		return f + " = oneof (" + word(r) + ", " + word(r) + ")"
	}
	return f + " = " + word(r)
}

// TestGroupFindsWhatHolds compares a group with its programs one by one.
func TestGroupFindsWhatHolds(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	held, looked := 0, 0
	for range 50 {
		var x texts
		k := x.compiler()
		programs := make([]*Program, 5+r.IntN(120))
		conditions := make([]string, len(programs))
		for i := range programs {
			conditions[i] = condition(r, r.IntN(4))
			programs[i] = compile(t, k, conditions[i])
		}
		g := k.Group(programs)
		looked += len(g.lookups)
		for range 50 {
			x = texts{word(r), word(r), word(r), word(r), uint64(r.IntN(9)), string([]byte{10, 0, byte(r.IntN(2)), byte(r.IntN(3))})}
			if r.IntN(4) == 0 {
				x.alt, x.b, x.ip = "", "", ""
			}
			if r.IntN(8) == 0 {
				x.a += "\x00" + word(r)
			}
			var want, got []int
			k.Begin()
			for i, p := range programs {
				if p.Match(nil) {
					want = append(want, i)
				}
			}
			k.Begin()
			g.Match(&field.Ctx{}, func(i int) bool { got = append(got, i); return true })
			if !slices.Equal(got, want) {
				for _, i := range append(got, want...) {
					t.Log(i, conditions[i])
				}
				t.Fatalf("seed %d: %+v: holds %v, group finds %v", seed, x, want, got)
			}
			held += len(want)
			k.Begin()
			first := -1
			g.Match(&field.Ctx{}, func(i int) bool { first = i; return false })
			if first >= 0 != (len(want) > 0) || first >= 0 && first != want[0] {
				t.Fatalf("seed %d: first is %d, want %v", seed, first, want)
			}
		}
	}
	if held == 0 || looked == 0 {
		t.Errorf("%d hold, %d fields are looked up: the test shows nothing", held, looked)
	}
}

func TestGroupAsksFew(t *testing.T) {
	x := texts{a: "/srv/17", b: "sh"}
	k := x.compiler()
	var programs []*Program
	for i := range 100 {
		programs = append(programs, compile(t, k, fmt.Sprintf("x.b = sh and (x.a startswith /srv/%d or x.a = /opt/%d)", i, i)))
	}
	programs = append(programs, compile(t, k, "not x.b = bash"))
	g := k.Group(programs)
	k.Begin()
	var got []int
	g.Match(&field.Ctx{}, func(i int) bool { got = append(got, i); return true })
	if fmt.Sprint(got) != "[1 17 100]" || fmt.Sprint(g.always) != "[0 68719476736]" || len(g.lookups) != 1 {
		t.Errorf("found %v; always %x, %d look-ups", got, g.always, len(g.lookups))
	}
	n, c := 0, &field.Ctx{}
	fn := func(int) bool { n++; return true }
	if a := testing.AllocsPerRun(100, func() { k.Begin(); g.Match(c, fn) }); a != 0 || n == 0 {
		t.Errorf("it allocates %v times", a)
	}
}

// TestGroupChoosesAgain has programs whose first choice is a field that too few others look at.
func TestGroupChoosesAgain(t *testing.T) {
	x := texts{a: "/a7", b: "/b"}
	k := x.compiler()
	var programs []*Program
	for i := range 20 {
		programs = append(programs, compile(t, k, fmt.Sprintf("x.a = /a%d", i)))
	}
	programs = append(programs, compile(t, k, "x.b = /b and x.a = /a30"), compile(t, k, "x.c = /c and x.a startswith /a7"))
	g := k.Group(programs)
	if len(g.lookups) != 1 || g.always[0] != 0 {
		t.Errorf("%d fields are looked up, always asked is %x", len(g.lookups), g.always)
	}
}
