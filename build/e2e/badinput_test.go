// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const goodRules = `- rule: E2E good
  desc: A rule that can be loaded.
  condition: evt.type=open and fd.name=/nonexistent/e2e
  output: good file=%fd.name
  priority: INFO
`

// brokenRules are rule files that cannot be loaded. words are what the message has to hold; line and column, counted from 1, are
// where the error is.
var brokenRules = []struct {
	name         string
	text         string
	line, column int
	words        []string
}{
	{"yaml", "- rule: a\n  desc: [b\n  condition: c\n", 0, 0, nil},
	{"not a list", "rule: a\n", 1, 1, nil},
	{"tab", "- rule: a\n\tdesc: b\n", 2, 0, nil},
	{"unknown field", strings.Replace(goodRules, "fd.name=", "fd.nme=", 1), 3, 32, []string{"fd.nme"}},
	{"unknown field of the output", strings.Replace(goodRules, "%fd.name", "%fd.nme", 1), 4, 0, []string{"fd.nme"}},
	{"bad operator", strings.Replace(goodRules, "fd.name=", "fd.name === ", 1), 3, 0, nil},
	{"no operand", strings.Replace(goodRules, "evt.type=open and", "evt.type=open and and", 1), 3, 0, nil},
	{"number wanted", strings.Replace(goodRules, "fd.name=/nonexistent/e2e", "fd.num=seven", 1), 3, 0, []string{"seven"}},
	{"open parenthesis", strings.Replace(goodRules, "evt.type", "(evt.type", 1), 3, 0, nil},
	{"unknown macro", strings.Replace(goodRules, "evt.type=open", "no_such_macro", 1), 3, 14, []string{"no_such_macro"}},
	{"no condition", strings.Replace(goodRules, "condition", "conditions", 1), 1, 0, []string{"condition"}},
	{"bad priority", strings.Replace(goodRules, "INFO", "URGENT", 1), 5, 0, []string{"URGENT"}},
	{"in a folded condition", "- rule: a\n  desc: b\n  condition: >\n    evt.type=open and\n    fd.nme=x\n  output: c\n  priority: INFO\n", 0, 0, []string{"fd.nme"}},
	{"binary", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\xff\xfe", 0, 0, nil},
	{"aliases", "- &a [x,x,x,x,x,x,x,x,x]\n- &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n- &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n- &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n- [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", 0, 0, nil},
	{"terminal escapes", strings.Replace(goodRules, "evt.type=open and fd.name=/nonexistent/e2e", "\"evt.\\x1b[2Jtype=open\"", 1), 3, 0, nil},
	{"deep", "- rule: a\n  desc: b\n  condition: " + strings.Repeat("(", 100000) + "\n  output: c\n  priority: INFO\n", 0, 0, nil},
}

// TestBrokenRules wants a message with file, line and column, exit code 1, and the same from -V.
func TestBrokenRules(t *testing.T) {
	for _, tc := range brokenRules {
		t.Run(tc.name, func(t *testing.T) {
			dir := tempDir(t)
			file := write(t, filepath.Join(dir, "broken.yaml"), tc.text)
			conf := quietConfig(t, dir, "")
			for _, args := range [][]string{{"-c", conf, "-r", file}, {"-c", conf, "--dry-run", "-r", file}, {"-c", conf, "-V", file}} {
				r := command(t, args...)
				if r.code != 1 {
					t.Errorf("%q: exit code is %d, want 1", args, r.code)
				}
				checkPlace(t, r.stdout+r.stderr, file, tc.line, tc.column, tc.words, slices.Contains(args, "-V"))
			}
		})
	}
}

// checkPlace looks for "file:line:column". In a message of one line that line has all the words; the report of -V has several.
func checkPlace(t *testing.T, said, file string, line, column int, words []string, report bool) {
	t.Helper()
	var places []string
	for l := range strings.Lines(said) {
		checkLine(t, strings.TrimSuffix(l, "\n"))
		if len(l) > 4096 {
			t.Errorf("a line of %d characters: %q...", len(l), l[:200])
			continue
		}
		_, after, ok := strings.Cut(l, file+":")
		var gotLine, gotColumn int
		if n, _ := fmt.Sscanf(after, "%d:%d", &gotLine, &gotColumn); !ok || n != 2 {
			continue
		}
		places = append(places, fmt.Sprintf("%d:%d", gotLine, gotColumn))
		if (line == 0 || gotLine == line) && (column == 0 || gotColumn == column) && (report || holds(l, words)) {
			if !holds(said, words) {
				t.Errorf("report does not hold all of %q:\n%s", words, indent(said))
			}
			return
		}
	}
	t.Errorf("error is said to be at %q, want it at %s:%d:%d (0: anywhere), with %q in:\n%s", places, file, line, column, words, indent(said[:min(len(said), 2000)]))
}

// TestUnsafeFiles: what everybody can write is refused or warned of, what nobody may read is named.
func TestUnsafeFiles(t *testing.T) {
	dir := tempDir(t)
	conf := quietConfig(t, dir, "")
	good := write(t, filepath.Join(dir, "good.yaml"), goodRules)
	mode := func(path string, m os.FileMode) {
		t.Helper()
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	check := func(code int, words []string, args ...string) {
		t.Helper()
		r := command(t, append([]string{"-c", conf, "-r", good, "--dry-run"}, args...)...)
		if r.code != code || !holds(r.stderr, words) {
			t.Errorf("exit code is %d, want %d with %q:\n%s", r.code, code, words, indent(r.stderr))
		}
	}
	mode(good, 0o666)
	check(0, []string{"Warning: " + good + ": can be written by everybody"})
	check(1, []string{"Error: " + good + ": can be written by everybody"}, "--strict")
	mode(good, 0o644)
	mode(conf, 0o646)
	check(1, []string{"Error: load configuration: ", conf + " can be written by everybody"})
	mode(conf, 0o644)
	check(0, nil)
}

func TestBadOptions(t *testing.T) {
	dir := tempDir(t)
	conf := quietConfig(t, dir, "")
	good := write(t, filepath.Join(dir, "good.yaml"), goodRules)
	badConf := write(t, filepath.Join(dir, "bad.yaml"), "json_output: true\npriority: [x\n")
	badValue := write(t, filepath.Join(dir, "value.yaml"), "json_output: true\npriority: urgent\n")
	for _, tc := range []struct {
		name  string
		args  []string
		words []string
	}{
		{"unknown option", []string{"--no-such-option"}, []string{"--no-such-option"}},
		{"unknown letter", []string{"-Z"}, []string{"-Z"}},
		{"missing argument", []string{"-c"}, []string{"-c"}},
		{"argument without an option", []string{"start"}, []string{"start"}},
		{"missing configuration", []string{"-c", "/nonexistent/falconet.yaml"}, []string{"/nonexistent/falconet.yaml", "no such file"}},
		{"broken configuration", []string{"-c", badConf}, []string{badConf + ":"}},
		{"bad value", []string{"-c", badValue}, []string{badValue + ":2:", "urgent"}},
		{"option without a value", []string{"-c", conf, "-o", "json_output"}, []string{"json_output"}},
		{"option of the wrong type", []string{"-c", conf, "-o", "json_output=perhaps"}, []string{"json_output", "perhaps"}},
		{"option with a bad key", []string{"-c", conf, "-o", "outputs_queue[=1"}, []string{"outputs_queue["}},
		{"option below a value", []string{"-c", conf, "-o", "json_output.x=1"}, []string{"json_output"}},
		{"missing rules", []string{"-c", conf, "-r", "/nonexistent/rules.yaml"}, []string{"/nonexistent/rules.yaml", "no such file"}},
		{"unknown rule to describe", []string{"-c", conf, "-r", good, "-l", "No such rule"}, []string{"No such rule"}},
		{"bad duration", []string{"-c", conf, "-M", "soon"}, []string{"soon"}},
		{"unknown format", []string{"--list", "--format", "xml"}, []string{"xml"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			command(t, tc.args...).refused(t, tc.words...)
		})
	}
}

func TestValidate(t *testing.T) {
	dir := tempDir(t)
	conf := quietConfig(t, dir, "")
	good := write(t, filepath.Join(dir, "good.yaml"), goodRules)
	bad := write(t, filepath.Join(dir, "bad.yaml"), strings.Replace(goodRules, "fd.name=", "fd.nme=", 1))
	warned := write(t, filepath.Join(dir, "warned.yaml"), "- rule: never\n  desc: d\n  condition: evt.type = open and evt.type = close\n  output: o\n  priority: INFO\n")
	pipe, missing := filepath.Join(dir, "pipe.yaml"), filepath.Join(dir, "missing.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(code int, args []string, want ...string) {
		t.Helper()
		r := command(t, append([]string{"-c", conf}, args...)...)
		if r.code != code || !holds(r.stdout, want) {
			t.Errorf("%q: exit code %d, want %d and %q:\n%s", args, r.code, code, want, indent(r.stdout+r.stderr))
		}
	}
	f(0, []string{"-V", good}, good+": Ok\n")
	f(1, []string{"-V", good, "-V", bad}, good+": Ok\n", bad+": Invalid\n")
	f(1, []string{"-V", missing, "-V", pipe, "-V", good}, missing+": Invalid\n1 Errors:\nLOAD_ERR_FILE_READ (", "no such file", pipe+": Invalid\n", "not a regular file", good+": Ok\n")
	f(1, []string{"-o", "json_output=true", "-V", missing, "-V", good}, `"code":"LOAD_ERR_FILE_READ"`, `"name":"`+good+`","schema_valid":true,"schema_warnings":[],"successful":true`)
	f(0, []string{"-V", warned}, warned+": Ok, with warnings\n")
	f(0, []string{"-v", "-V", warned}, "LOAD_DUBIOUS (", "  condition: evt.type = open and evt.type = close\n             ^^^^")
	f(1, []string{"--strict", "-V", warned, "-V", good}, warned+": Invalid\n", "LOAD_DUBIOUS (", good+": Ok\n")
	command(t, "-c", conf, "--strict", "--dry-run", "-r", warned).refused(t, warned+":3:", "LOAD_DUBIOUS")
}

// TestUnprivileged starts falconet as nobody: one line says what is missing, and nothing is left behind.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this test gives up root's privileges and needs them for that")
	}
	dir := tempDir(t)
	bin := filepath.Join(dir, "falconet")
	b, err := os.ReadFile(binary(t))
	if err == nil {
		err = os.WriteFile(bin, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	conf := quietConfig(t, dir, "")
	good := write(t, filepath.Join(dir, "good.yaml"), goodRules)
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	r := commandAs(t, nobody, bin, "-c", conf, "-r", good, "-M", "60")
	line := r.refused(t, "CAP_BPF")
	if !strings.Contains(line, "root") {
		t.Errorf("message does not say what to do: %q", line)
	}
	if strings.TrimSpace(r.stdout) != "" {
		t.Errorf("standard output is not empty:\n%s", indent(r.stdout))
	}
	// What needs no privileges works without them.
	for _, args := range [][]string{{"--version"}, {"--help"}, {"--list"}, {"--list-events"}, {"-c", conf, "-V", good}, {"-c", conf, "-r", good, "-L"}, {"--config-schema"}} {
		if r := commandAs(t, nobody, bin, args...); r.code != 0 || r.stdout == "" {
			t.Errorf("%q: exit code %d, %d bytes of output:\n%s", args, r.code, len(r.stdout), indent(r.stderr))
		}
	}
}

// TestRefused takes away what a probe needs, one thing at a time: one line names it and says what to do.
func TestRefused(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	conf := quietConfig(t, dir, "")
	good := write(t, filepath.Join(dir, "good.yaml"), goodRules)
	for _, tc := range []struct {
		name  string
		by    []string // the command that starts falconet
		words []string
	}{
		{"no CAP_BPF", []string{"setpriv", "--bounding-set", "-sys_admin,-bpf", "--"}, []string{"CAP_BPF", "run as root"}},
		{"no CAP_PERFMON", []string{"setpriv", "--bounding-set", "-sys_admin,-perfmon", "--"}, []string{"CAP_PERFMON", "run as root"}},
		{"no type information", []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs e2e /sys/kernel/btf; exec "$@"`, "sh"},
			[]string{"/sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF=y"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := slices.Concat(tc.by[1:], []string{binary(t), "-c", conf, "-r", good, "-M", "60"})
			r := commandAs(t, nil, tc.by[0], args...)
			r.refused(t, tc.words...)
			if r.stdout != "" {
				t.Errorf("standard output is not empty:\n%s", indent(r.stdout))
			}
		})
	}
}
