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

// gaps is an event with two paths, p.a and p.b, of which parts may not be known.
type gaps struct{ a, b field.Value }

func broken(s string) field.Value { return field.WithGap(s) }

func (g *gaps) compiler() *Compiler {
	get := func(v *field.Value) func(*field.Ctx, field.Arg) (field.Value, bool) {
		return func(*field.Ctx, field.Arg) (field.Value, bool) { return *v, v.S != "" }
	}
	table := map[string]*field.Def{
		"p.a": {Name: "p.a", Type: event.CharBuf, Flags: field.Gaps, Get: get(&g.a)},
		"p.b": {Name: "p.b", Type: event.CharBuf, Flags: field.Gaps, Get: get(&g.b)},
		"p.all": {Name: "p.all", Type: event.CharBuf, Flags: field.Gaps, Multi: func(_ *field.Ctx, yield func(field.Value) bool) {
			_ = yield(g.a) && yield(g.b)
		}},
	}
	k := NewCompiler()
	k.fields = func(name, _ string, _ bool) (*field.Def, field.Arg, error) {
		if d := table[name]; d != nil {
			return d, field.Arg{}, nil
		}
		return nil, field.Arg{}, field.ErrUnknown
	}
	return k
}

// TestPerhaps compares a path whose middle is not known, and one whose beginning is not.
func TestPerhaps(t *testing.T) {
	g := gaps{a: broken("/srv/Data<UNKNOWN>/etc/passwd"), b: broken("<UNKNOWN>/etc/shadow")}
	k := g.compiler()
	c := &field.Ctx{}
	const no, maybe, yes = "no", "maybe", "yes"
	f := func(text, want string) {
		t.Helper()
		for _, not := range []bool{false, true} {
			if not {
				text = "not (" + text + ")"
			}
			p := compile(t, k, text)
			group := k.Group([]*Program{p})
			holds := map[bool]string{}
			*c = field.Ctx{}
			k.Begin()
			got := no
			group.Match(c, func(int) bool {
				if got = yes; c.Uncertain {
					got = maybe
				}
				return true
			})
			holds[false] = want // what is only perhaps so prevents nothing
			holds[true] = map[string]string{no: yes, maybe: yes, yes: no}[want]
			if got != holds[not] {
				t.Errorf("%s: %s, want %s", text, got, holds[not])
			}
			if n := testing.AllocsPerRun(10, func() { *c = field.Ctx{}; k.Begin(); p.Match(c) }); n != 0 {
				t.Errorf("%s allocates %v times", text, n)
			}
		}
	}
	for _, s := range []string{"/srv/Data/x/etc/passwd", "/srv/Data/etc/passwd", "/srv/Database/etc/passwd"} {
		f("p.a = "+s, maybe)
		f("p.a in ("+s+", x)", maybe)
		f("p.a in (a, b, c, d, e, f, "+s+")", maybe)
	}
	for _, s := range []string{"/srv/Data/x/etc/passwd2", "/srv/data/etc/passwd", "/etc/passwd", "/srv/Data", "/srv/Data/passwd"} {
		f("p.a = "+s, no)
		f("p.a in (x, "+s+")", no)
	}
	f("p.a startswith /srv", yes)
	f("p.a startswith /srv/Dat", yes)
	f("p.a startswith /srv/Database/", maybe)
	f("p.a startswith /srv/data", no)
	f("p.a startswith anyof (/x, /srv/Data/deep)", maybe)
	f("p.a startswith allof (/srv, /srv/Data/deep)", maybe)
	f("p.a startswith allof (/opt, /srv/Data/deep)", no)
	f("p.a endswith passwd", yes)
	f("p.a endswith x/etc/passwd", maybe)
	f("p.a endswith shadow", no)
	f("p.a contains /etc/", yes)
	f("p.a contains secret", maybe)
	f("p.a icontains SECRET", maybe)
	f("p.a glob /srv/*/etc/*", yes)
	f("p.a glob /srv/Data/x?/*", maybe)
	f("p.a glob /srv/[A-C]*x/etc/pass??", maybe)
	f("p.a glob /opt/*", no)
	f("p.a glob *.log", no)
	f("p.a iglob /SRV/DATABASE/*/PASSWD", maybe)
	f("p.a iglob /SRV/DATABASE/*/SHADOW", no)
	f("p.a iglob /SRV/DATA/ETC/PASSWD", maybe)
	f("p.a pmatch (/srv)", yes)
	f("p.a pmatch (/srv/Data)", maybe)
	f("p.a pmatch (/srv/Database/x/y)", maybe)
	f("p.a pmatch (/srv/*/x)", maybe)
	f("p.a pmatch (/srv/data)", no)
	f("p.a pmatch (/opt, /etc)", no)
	f("p.a regex '/srv/[a-zA-Z]*/x/.*'", maybe)
	f("p.a regex '/opt/.*'", no)
	f("p.b startswith /root", maybe)
	f("p.b = /root/etc/shadow", maybe)
	f("p.b = /root/etc/passwd", no)
	f("p.b endswith /shadow", yes)
	f("p.b pmatch (/root)", maybe)
	f("p.b in (/etc/shadow)", maybe)
	f("tolower(p.a) startswith /srv/database", maybe)
	f("tolower(p.a) startswith /srv/Data", no)
	f("toupper(p.a) = /SRV/DATA/1/ETC/PASSWD", maybe)
	f("basename(p.a) = passwd", yes)
	f("basename(p.a) startswith passwd2", no) // all of the name is known
	f("p.a = val(p.b)", no)
	f("p.a startswith val(p.b)", maybe)
	f("p.all = /root/etc/shadow", maybe)
	f("p.all = /root/etc/group", no)
	f("p.a exists", yes)

	f("p.b != /etc/shadow", yes)
	f("not p.b = /etc/shadow and p.b startswith /root", maybe)
	f("p.b = /etc/shadow and p.b endswith shadow", maybe)
	f("(p.b = /etc/shadow or p.b endswith shadow)", yes)
}

// TestPerhapsMissesNothing fills gaps: what holds for one of the texts that a value may be has to hold for the value.
func TestPerhapsMissesNothing(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 3))
	part := func() string {
		b := make([]byte, r.IntN(5))
		for i := range b {
			b[i] = "/aAb"[r.IntN(4)]
		}
		return string(b)
	}
	held, guessed := 0, 0
	for range 3000 {
		var g gaps
		k := g.compiler()
		c := &field.Ctx{}
		pattern := strings.Replace(part()+"*"+part(), "b", []string{"b", "?", "[ab]", "[!a]", `\b`}[r.IntN(5)], 1)
		text := []string{
			"p.a = '" + part() + part() + "'", "p.a in ('" + part() + "', '" + part() + part() + "')", "p.a startswith '" + part() + "'", "p.a endswith '" + part() + "'",
			"p.a contains '" + part() + "'", "p.a icontains '" + part() + "'", fmt.Sprintf("p.a glob %q", pattern), fmt.Sprintf("p.a iglob %q", pattern),
			"p.a pmatch ('/" + part() + "', '" + pattern + "')", "p.a regex '" + part() + "[ab]*" + part() + "'", "tolower(p.a) startswith '" + strings.ToLower(part()) + "'",
			"p.a startswith allof ('" + part() + "', '/')", "p.a = anyof (a, b, c, d, '" + part() + part() + "')",
		}[r.IntN(13)]
		if strings.Contains(text, "pmatch") {
			text = strings.ReplaceAll(text, `\`, "")
		}
		p := compile(t, k, text)
		front, back := part(), part()
		whole := false
		for range 20 {
			g.a = field.Str(front + part() + back)
			k.Begin()
			whole = whole || p.Match(c)
		}
		g.a = broken(front + field.Unknown + back)
		k.Begin()
		got := p.Match(c)
		if whole && !got {
			t.Fatalf("seed %d: %s holds for what %q may be, and not for it", seed, text, g.a.S)
		}
		if whole {
			held++
		}
		if c.Guessed() {
			guessed++
		}
		*c = field.Ctx{}
	}
	if held == 0 || guessed == 0 {
		t.Errorf("%d held, %d guessed: the test shows nothing", held, guessed)
	}
}

// TestGroupFindsGaps: what a group looks up by the value is not there to be found.
func TestGroupFindsGaps(t *testing.T) {
	g := gaps{a: broken("/a<UNKNOWN>z")}
	k := g.compiler()
	var programs []*Program
	for i := range 50 {
		programs = append(programs, compile(t, k, fmt.Sprintf("p.a = /%c/%dz", 'a'+i%2, i)))
	}
	programs = append(programs, compile(t, k, "p.a startswith /a"), compile(t, k, "p.a startswith /b"))
	group := k.Group(programs)
	if len(group.lookups) == 0 {
		t.Error("nothing is looked up: the test shows nothing")
	}
	c := &field.Ctx{}
	var got, want []string
	for i := range 25 {
		want = append(want, fmt.Sprint(2*i, true))
	}
	want = append(want, "50 false")
	k.Begin()
	group.Match(c, func(i int) bool { got = append(got, fmt.Sprint(i, c.Uncertain)); return true })
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("holding, and uncertain: %v, want %v", got, want)
	}
}
