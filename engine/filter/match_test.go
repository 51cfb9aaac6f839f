// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"falconet/engine/field"
)

// TestAutomaton compares an automaton with a search for one text after the other.
func TestAutomaton(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 2))
	text := func(n int) string {
		b := make([]byte, 1+r.IntN(n))
		for i := range b {
			b[i] = "abAB"[r.IntN(4)]
		}
		return string(b)
	}
	found := 0
	for range 200 {
		b := automatonBuilder{fold: r.IntN(2) == 0}
		texts := make([]string, 1+r.IntN(20))
		for i := range texts {
			texts[i] = text(5)
			if !b.add(texts[i], int32(i)) {
				t.Fatal("no room")
			}
		}
		a := b.build()
		for range 50 {
			s := text(12)
			var want, got []int32
			for i, x := range texts {
				if strings.Contains(s, x) || b.fold && strings.Contains(strings.ToLower(s), strings.ToLower(x)) {
					want = append(want, int32(i))
				}
			}
			a.find(s, func(list []int32) bool { got = append(got, list...); return true })
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) || a.any(s) != (len(want) > 0) {
				t.Fatalf("seed %d: %q of %q: found %v, want %v; any is %v", seed, s, texts, got, want, a.any(s))
			}
			found += len(want)
		}
	}
	if found == 0 {
		t.Error("nothing was found: the test shows nothing")
	}
}

func TestAutomatonOfAllBytes(t *testing.T) {
	var b automatonBuilder
	for c := range 256 {
		b.add(string([]byte{byte(c), byte(c + 1)}), int32(c))
	}
	a := b.build()
	for c := range 256 {
		var got []int32
		a.find(string([]byte{byte(c + 7), byte(c), byte(c + 1)}), func(list []int32) bool { got = append(got, list...); return true })
		if len(got) != 1 || got[0] != int32(c) {
			t.Errorf("byte %d: found %v", c, got)
		}
	}
	if many := (automatonBuilder{}); many.add(strings.Repeat("a", maxStates), 0) {
		t.Error("there is room for everything")
	}
}

// TestWants looks at what comparisons want of a value.
func TestWants(t *testing.T) {
	f := func(op, text, want string) {
		t.Helper()
		w, ok := textWant(op, text)
		got := "nothing"
		if ok {
			got = [...]string{"nothing", "equal", "number", "net", "below", "prefix", "suffix", "part", "folded"}[w.kind] + " " + w.text
		}
		if got != want {
			t.Errorf("%s %q wants %s, not %s", op, text, got, want)
		}
	}
	f("=", "", "equal ")
	f("=", "a\x00b", "nothing")
	f("startswith", "", "nothing")
	f("icontains", "Ab", "folded Ab")
	f("!=", "a", "nothing")
	f("glob", "/a/b", "equal /a/b")
	f("glob", "/a/*b", "prefix /a/")
	f("glob", "*/b", "suffix /b")
	f("glob", "*ab?c*", "part ab")
	f("glob", "*[a]b", "nothing")
	f("glob", "**", "nothing")
	f("iglob", "*Ab*", "folded Ab")
	f("pmatch", "//etc//ssh/", "below etc/ssh")
	f("pmatch", "/*/passwd", "part passwd")
	f("pmatch", "/", "nothing")
	f("regex", "abc", "equal abc")
	f("regex", "a(b)c.*", "prefix abc")
	f("regex", ".*[.]so", "suffix .so")
	f("regex", "[a-z]*(/tmp/)+x?", "part /tmp/")
	f("regex", ".*(a|b).*", "nothing")
	f("regex", ".*abc{2,3}d.*", "part ab")
	f("regex", "(?i)/ETC/.*", "folded /etc/")
	f("regex", "(?i)task", "nothing")
	f("regex", "(", "nothing")
	f("regex", "a?", "nothing")
	f("regex", "^a$", "equal a")
	f("regex", "\ufffd", "nothing")
}

// TestRegexWants compares what regular expressions want with what they match.
func TestRegexWants(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	var expression func(depth int) string
	expression = func(depth int) string {
		if depth == 0 || r.IntN(3) == 0 {
			return []string{"a", "b", "ab", ".", "[ab]", "A", "(?i:b)", "^", "$", "k"}[r.IntN(10)]
		}
		x, y := expression(depth-1), expression(depth-1)
		return []string{x + y, "(" + x + "|" + y + ")", "(" + x + ")*" + y, "(" + x + ")+", "(" + x + "){1,2}" + y, "(" + x + ")?" + y}[r.IntN(6)]
	}
	matched, wanted := 0, 0
	for range 3000 {
		text := expression(4)
		w, ok := textWant("regex", text)
		if !ok {
			continue
		}
		wanted++
		re, err := wholeMatch(text)
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			b := make([]byte, r.IntN(7))
			for i := range b {
				b[i] = "abABk"[r.IntN(5)]
			}
			s := string(b)
			if !re.MatchString(s) {
				continue
			}
			matched++
			met := false
			switch w.kind {
			case wantEqual:
				met = s == w.text
			case wantPrefix:
				met = strings.HasPrefix(s, w.text)
			case wantSuffix:
				met = strings.HasSuffix(s, w.text)
			case wantPart:
				met = strings.Contains(s, w.text)
			case wantFolded:
				met = strings.Contains(strings.ToLower(s), strings.ToLower(w.text))
			}
			if !met {
				t.Fatalf("seed %d: %q matches %q, but wants %d %q", seed, text, s, w.kind, w.text)
			}
		}
	}
	if matched == 0 || wanted == 0 {
		t.Error("nothing was wanted or matched: the test shows nothing")
	}
}

// TestProgramForType compares a program with what is left of it for the event's type.
func TestProgramForType(t *testing.T) {
	c := openContext(t)
	k := NewCompiler()
	f := func(text string, holds bool, left string) {
		t.Helper()
		k.Begin()
		p := compile(t, k, text)
		q := p.For("openat")
		if p.Match(c) != holds || q.Match(c) != holds {
			t.Errorf("%s is %v, and %v for openat", text, p.Match(c), q.Match(c))
		}
		if got := fmt.Sprint(len(q.types), q.Never()); got != left {
			t.Errorf("%s leaves %s", text, got)
		}
		if again := p.For("openat"); again != q {
			t.Errorf("%s is made twice", text)
		}
	}
	f("evt.type = openat", true, "0 false")
	f("evt.type = open", false, "0 true")
	f("evt.type in (open, openat) and fd.name startswith /etc", true, "0 false")
	f("not evt.type in (open, openat) and fd.name startswith /etc", false, "0 true")
	f("evt.type = open or fd.name startswith /etc", true, "0 false")
	f("evt.type != open and not (evt.type = openat and fd.name startswith /usr)", true, "0 false")
	f("evt.type startswith open and evt.type = anyof (openat, open)", true, "0 false")
	f("fd.name startswith /etc", true, "0 false")
	p := compile(t, k, "evt.type in (open, openat) and fd.name startswith /etc")
	if p.For("open") != p.For("openat") || p.For("open") == p.For("execve") || !p.For("execve").Never() {
		t.Error("types that the program does not tell apart have programs of their own")
	}
}

// TestOrder is the order that terms are asked in.
func TestOrder(t *testing.T) {
	k := kindCompiler()
	asked := func(text string) (ops []string) {
		p := compile(t, k, text)
		var walk func(n node)
		walk = func(n node) {
			if g, ok := n.(*groupNode); ok {
				for _, kid := range g.kids {
					walk(kid)
				}
				return
			}
			if not, ok := n.(*notNode); ok {
				n = not.kid
			}
			for key, q := range k.preds {
				if q == n {
					ops = append(ops, key)
				}
			}
		}
		walk(p.root)
		return ops
	}
	f := func(text string, want ...string) {
		t.Helper()
		if got := asked(text); !slices.Equal(got, want) {
			t.Errorf("%s asks\n  %q, want\n  %q", text, got, want)
		}
	}
	f("t.text regex '.*b.*' and t.text = word", "t.text = word", "t.text regex .*b.*")
	f("t.yes = true and t.text startswith /etc", "t.text startswith /etc", "t.yes = true")
	f("not t.text in (a, b) and t.i64 = 3 and t.text contains z", "t.i64 = 3", "t.text contains z", "t.text in (a, b)")
	f("t.text = word or t.yes = true", "t.yes = true", "t.text = word")
	f("t.text = ab or t.i64 = 3 or t.text = b or t.text = c", "t.i64 = 3", "t.text = anyof (ab, b, c)")
	f("t.text startswith a or t.text startswith anyof (b, c)", "t.text startswith anyof (a, b, c)")
	f("t.text in (a) or t.text in (b) or t.words in (c)", "t.text in (a, b)", "t.words in (c)")
	f("t.text contains a or t.text contains allof (b, c)", "t.text contains a", "t.text contains allof (b, c)")
}

func TestManyTexts(t *testing.T) {
	var x texts
	k := x.compiler()
	programs := make([]*Program, 50)
	for i := range programs {
		programs[i] = compile(t, k, fmt.Sprintf("x.a contains part%d/", i))
	}
	g := k.Group(programs)
	x.a = "/x/part7/part31/y"
	k.Begin()
	var got []int
	g.Match(&field.Ctx{}, func(i int) bool { got = append(got, i); return true })
	if !slices.Equal(got, []int{7, 31}) || g.always[0] != 0 {
		t.Errorf("found %v, always asked %x", got, g.always)
	}
}
