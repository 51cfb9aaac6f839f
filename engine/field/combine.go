// SPDX-License-Identifier: Apache-2.0

package field

import (
	"strings"

	"falconet/engine/event"
)

// combiner is a transformer with several arguments. check says what is wrong with them, or nothing; list says whether the result is a
// list. Results are text. make returns an instance with buffers of its own: what it returns is valid until it is called again.
type combiner struct {
	name  string
	check func(args []Resolved, arg string, hasArg bool) string
	list  func(hasArg bool) bool
	make  func(args []Resolved, arg string, hasArg bool) func(c *Ctx, args []Value) (Value, bool)
}

var combiners = []combiner{
	{"join", checkJoin, singleResult, makeJoin},
	{"concat", checkConcat, singleResult, makeConcat},
	{"getopt", checkGetopt, func(hasArg bool) bool { return !hasArg }, makeGetopt},
}

func combinerOf(name string) *combiner {
	for i := range combiners {
		if combiners[i].name == name {
			return &combiners[i]
		}
	}
	return nil
}

func singleResult(bool) bool { return false }

// resolveCall makes a field of a call.
func (o *Operand) resolveCall(look Finder, forbid Flags) (*Def, *SyntaxError) {
	args, err := o.resolveArgs(look, forbid)
	if err != nil {
		return nil, err
	}
	k := combinerOf(o.Call)
	if msg := k.check(args, o.Arg, o.HasArg); msg != "" {
		return nil, &SyntaxError{Off: o.Off, Len: o.Len, Msg: msg}
	}
	readers := make([]func(*Ctx) (Value, bool), len(args))
	for i := range args {
		readers[i] = args[i].Reader()
	}
	call, values := k.make(args, o.Arg, o.HasArg), make([]Value, len(args))
	get := func(c *Ctx, _ Arg) (v Value, ok bool) {
		for i, read := range readers {
			if values[i], ok = read(c); !ok {
				return v, false
			}
		}
		return call(c, values)
	}
	bare := Operand{Call: o.Call, Args: o.Args, Arg: o.Arg, HasArg: o.HasArg}
	return &Def{Name: bare.String(), Type: event.CharBuf, List: k.list(o.HasArg), Get: get}, nil
}

func checkJoin(args []Resolved, _ string, hasArg bool) string {
	switch {
	case hasArg:
		return "join() takes no argument in brackets"
	case len(args) != 2 || args[0].List || !args[1].List:
		return "join() takes a separator and a list, like join(\"-\", (proc.name, proc.pid))"
	}
	return ""
}

func makeJoin(args []Resolved, _ string, _ bool) func(*Ctx, []Value) (Value, bool) {
	var buf []byte
	return func(c *Ctx, v []Value) (Value, bool) {
		buf = buf[:0]
		for i, e := range v[1].List() {
			if i > 0 {
				buf = Render(buf, c, args[0].Def, v[0])
			}
			buf = renderOne(buf, c, args[1].Def, e)
		}
		return Str(text(buf)), true
	}
}

func checkConcat(args []Resolved, _ string, hasArg bool) string {
	switch {
	case hasArg:
		return "concat() takes no argument in brackets"
	case len(args) < 2:
		return "concat() takes two or more texts"
	}
	for _, a := range args {
		if !isText(a) {
			return "concat() takes texts, and " + a.Def.Name + " is a " + TypeName(a.Type, a.List)
		}
	}
	return ""
}

func isText(a Resolved) bool { return a.Type.IsString() && !a.List }

func makeConcat([]Resolved, string, bool) func(*Ctx, []Value) (Value, bool) {
	var buf []byte
	return func(_ *Ctx, v []Value) (Value, bool) {
		buf = buf[:0]
		for i := range v {
			buf = append(buf, v[i].S...)
		}
		return Str(text(buf)), true
	}
}

func checkGetopt(args []Resolved, arg string, hasArg bool) string {
	switch {
	case len(args) != 2 || !args[0].List || !args[0].Type.IsString():
		return "getopt() takes a list of texts and the options, like getopt((proc.args[0], proc.args[1]), \"ab:\")"
	case !isText(args[1]):
		return "getopt() takes its options as text, like \"ab:\""
	case hasArg && len(arg) != 1:
		return "getopt() takes the letter of one option in brackets"
	}
	return ""
}

// options are the letters that getopt knows, and which of them have a value.
type options struct {
	text         []byte
	known, value [256]bool
}

func (o *options) parse(text string) {
	*o = options{text: append(o.text[:0], text...)}
	for i := 0; i < len(text); i++ {
		if text[i] == ':' {
			continue
		}
		o.known[text[i]] = true
		if i+1 < len(text) && text[i+1] == ':' {
			o.value[text[i]] = true
			i++
		}
	}
}

// makeGetopt reads a list as getopt(3) reads the arguments of a program: options of one letter, some of which have a value, up to the first
// word that is none or "--". The result is every option as its letter, with its value behind it where it has one, "?" for a letter that is not
// known and "" for an option whose value is missing. With a letter in brackets it is that option's last value, or the letter where it has
// none. Long options are passed over.
func makeGetopt(_ []Resolved, arg string, hasArg bool) func(*Ctx, []Value) (Value, bool) {
	var opts options
	var out listBuilder
	return func(_ *Ctx, v []Value) (Value, bool) {
		if v[1].S != string(opts.text) {
			opts.parse(v[1].S)
		}
		out.begin()
		last, found := "", false
		scanOptions(v[0].List(), &opts, func(letter, value string, hasValue bool) {
			if !hasArg {
				if out.addText(letter); hasValue {
					out.addText(value)
				}
			} else if letter == arg || letter == "" && value == arg {
				if last, found = letter, true; hasValue && letter != "" {
					last = value
				}
			}
		})
		if hasArg {
			return Str(last), found
		}
		return out.value(), true
	}
}

// scanOptions calls fn for every option. Letter is "?" for one that is not known. Of an option without the value that it should have, letter
// is "" and value the option's letter, hasValue being false.
func scanOptions(words []Value, opts *options, fn func(letter, value string, hasValue bool)) {
	for i := 0; i < len(words); i++ {
		w := words[i].S
		if strings.HasPrefix(w, "--") && len(w) > 2 {
			continue
		}
		if len(w) < 2 || w[0] != '-' || w == "--" {
			return
		}
	letters:
		for j := 1; j < len(w); j++ {
			letter := w[j : j+1]
			switch {
			case letter == ":" || !opts.known[w[j]]:
				fn("?", "", false)
			case !opts.value[w[j]]:
				fn(letter, "", false)
			case j+1 < len(w):
				fn(letter, w[j+1:], true)
				break letters
			case i+1 < len(words):
				i++
				fn(letter, words[i].S, true)
				break letters
			default:
				fn("", letter, false)
			}
		}
	}
}
