// SPDX-License-Identifier: Apache-2.0

package field

import (
	"slices"
	"strings"

	"falconet/engine/event"
)

// Domain says which values a field can have, before any event comes. What it does not say is open: the zero Domain says nothing. It is
// for telling rule authors what can never match, so it must not be narrower than the truth.
type Domain struct {
	Max     int      // bytes of text at most; 0 is no bound
	Words   []string // where not nil: every value is one of these, as conditions write them
	Join    string   // where not empty: or several of Words, or none, with this between them
	Numbers bool     // beside Words there are numbers
	Begins  []string // where not nil: every text begins with one of these, unless it is empty
	Loose   bool     // texts without a slash need not begin so
	Shape   Shape
	Instead string // a field that says the same without the bound of Max
}

// Shape is what all texts of a field have in common.
type Shape uint8

// The shapes, combined.
const (
	Leaf     Shape = 1 << iota // no slash, unless the text is "/"
	Bare                       // no slash at the end, unless the text is "/"
	Slashed                    // a slash at the end, unless the text is empty
	AllLower                   // no upper-case letter of ASCII
	AllUpper                   // no lower-case letter of ASCII
)

// DomainIn returns what is known of the field's values, with argument a, in events of a row; with a nil row, in any.
func (d *Def) DomainIn(row *event.Row, a Arg) Domain {
	if d.domainIn != nil && row != nil {
		return d.domainIn(row, a)
	}
	return d.Domain
}

// HasDomainIn reports whether the domain differs from row to row.
func (d *Def) HasDomainIn() bool { return d.domainIn != nil }

// Or returns a domain that holds the values of both.
func (d Domain) Or(o Domain) Domain {
	u := Domain{Max: max(d.Max, o.Max), Numbers: d.Numbers || o.Numbers, Loose: d.Loose || o.Loose, Shape: d.Shape & o.Shape, Instead: d.Instead}
	if d.Max == 0 || o.Max == 0 {
		u.Max = 0
	}
	if d.Words != nil && o.Words != nil && (d.Join == o.Join || d.Join == "" || o.Join == "") {
		u.Words, u.Join = union(d.Words, o.Words), d.Join+o.Join
		if d.Join == o.Join {
			u.Join = d.Join
		}
	}
	if d.Begins != nil && o.Begins != nil {
		u.Begins = union(d.Begins, o.Begins)
	}
	return u
}

// union is never nil: an empty set of words is a set.
func union(a, b []string) []string {
	out := append([]string{}, a...)
	for _, s := range b {
		if !slices.Contains(a, s) {
			out = append(out, s)
		}
	}
	return out
}

// Through returns the domain of what transformers make of the values, the innermost first.
func (d Domain) Through(fns []*Transformer) Domain {
	for _, fn := range fns {
		if fn.Of == nil {
			return Domain{}
		}
		d = fn.Of(d)
	}
	return d
}

func (d Domain) mapped(f func(string) string) Domain {
	each := func(list []string) (out []string) {
		if list != nil {
			out = make([]string, len(list))
		}
		for i := range list {
			out[i] = f(list[i])
		}
		return out
	}
	d.Words, d.Begins, d.Instead = each(d.Words), each(d.Begins), ""
	return d
}

func lowerDomain(d Domain) Domain {
	d = d.mapped(strings.ToLower)
	d.Shape = d.Shape&^AllUpper | AllLower
	return d
}

func upperDomain(d Domain) Domain {
	d = d.mapped(strings.ToUpper)
	d.Shape = d.Shape&^AllLower | AllUpper
	return d
}

func lastDomain(d Domain) Domain {
	return Domain{Max: d.Max, Shape: Leaf | Bare | d.Shape&(AllLower|AllUpper)}
}

func oneOf(words ...string) Domain { return Domain{Words: words} }

// The ways in which paths begin. unknownDir stands for a directory that could not be found out. What a process gets hold of without a
// path is named after no directory: a file in memory by the name that it was given, shared memory by names of the kernel.
var (
	givenPath  = Domain{Begins: []string{"/", string(unknownDir)}}
	openedPath = Domain{Begins: []string{"/", string(unknownDir), "memfd:", "dev/"}, Loose: true}
	exePath    = Domain{Begins: []string{"/", "memfd:", "dev/", "SYSV"}}
	dirPath    = Domain{Begins: []string{"/", string(unknownDir), "dev"}, Shape: Bare}
	leafName   = Domain{Shape: Leaf | Bare}
)

// commDomain is the domain of a task's name: TASK_COMM_LEN of include/linux/sched.h without the NUL.
func commDomain(instead string) Domain { return Domain{Max: 15, Instead: instead} }

// nameDomain is fd.name: a path in events that open files, and where there may be a socket anything.
func nameDomain(row *event.Row, _ Arg) Domain {
	if row.Captures(event.PartSock) || rowInfos[row.ID].kind == rowMemfd {
		return Domain{}
	}
	return openedPath
}

// kindWords are the values of fd.type, kindChars those of fd.typechar.
func kindWords() Domain { return kindDomain(func(k fdKind) string { return k.name }) }
func kindChars() Domain { return kindDomain(func(k fdKind) string { return k.char }) }

func kindDomain(word func(fdKind) string) (d Domain) {
	for _, k := range fileKinds {
		d.Words = union(d.Words, []string{word(k)})
	}
	for _, k := range anonKinds {
		d.Words = union(d.Words, []string{word(k.kind)})
	}
	return d
}

// errnoWords are what a returned error is called.
func errnoWords(more ...string) Domain {
	d := Domain{Words: more, Numbers: true}
	for _, n := range errnoNames {
		if n != "-" {
			d.Words = append(d.Words, n)
		}
	}
	for _, n := range restartNames {
		d.Words = append(d.Words, n)
	}
	slices.Sort(d.Words)
	return d
}

// categoryWords are the values of evt.category in events of a row; a nil row is any.
func categoryWords(row *event.Row, _ Arg) (d Domain) {
	for i := range event.Rows() {
		if r := &event.Rows()[i]; i > 0 && !r.Internal() && (row == nil || row == r) {
			switch r.Category {
			case event.CatIORead, event.CatIOWrite, event.CatIOOther:
				d.Words = union(d.Words, []string{"file", "net", "ipc", "unknown"})
			default:
				d.Words = union(d.Words, []string{r.Category.String()})
			}
		}
	}
	return d
}

// openDomain is that of what only calls which open files can be.
func openDomain(row *event.Row, _ Arg) Domain {
	if k := rowInfos[row.ID].kind; k == rowOpen || k == rowCreat {
		return Domain{}
	}
	return oneOf("false")
}

// argDomain is evt.arg: what is known of the text of a parameter.
func argDomain(row *event.Row, a Arg) Domain {
	for i := range row.Params {
		if p := &row.Params[i]; a.names(i, p.Name) {
			return paramDomain(p)
		}
	}
	return Domain{}
}

// NoArg is the text of a parameter that could not be captured.
const NoArg = "NULL"

func paramDomain(p *event.Param) Domain {
	switch t := p.Type; {
	case (t.IsFlags() || t.IsEnum()) && p.Flags != nil:
		d := Domain{Words: []string{NoArg}, Join: "|", Numbers: true}
		for _, f := range p.Flags.Flags {
			d.Words = append(d.Words, f.Name)
		}
		return d
	case t == event.SigType:
		return Domain{Words: append([]string{NoArg}, signalNames[1:]...), Numbers: true}
	case t == event.Errno:
		return errnoWords(NoArg)
	case t == event.Bool:
		return oneOf("true", "false", NoArg)
	case t == event.FSPath || t == event.FSRelPath:
		d := givenPath
		d.Begins = append([]string{NoArg}, d.Begins...)
		return d
	}
	switch p.Type {
	case event.Int8, event.Int16, event.Int32, event.Int64, event.Uint8, event.Uint16, event.Uint32, event.Uint64:
		return Domain{Words: []string{NoArg}, Numbers: true}
	}
	return Domain{}
}

// callWords are the names of the system calls.
func callWords() (d Domain) {
	for i := range event.Rows() {
		if r := &event.Rows()[i]; i > 0 && !r.Internal() && r.Flags&event.Tracepoint == 0 {
			d.Words = append(d.Words, r.Name)
		}
	}
	event.SyscallNames(func(name string, _, _ int) bool {
		d.Words = append(d.Words, name)
		return true
	})
	slices.Sort(d.Words)
	d.Words = slices.Compact(d.Words)
	return d
}
