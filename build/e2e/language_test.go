// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// condition is a condition on one event of the test, and whether it holds for it. ${D} is the directory of the test.
type condition struct {
	text  string
	holds bool
}

// onOpen are conditions on one open: act, started as "act cat ${D}/link/secret", opens that file, where link leads to ${D}/real.
var onOpen = []condition{
	// A path has two names: the kernel's, and the one that the call was given. A positive comparison holds for either.
	{"fd.name = ${D}/real/secret", true},
	{"fd.name = ${D}/link/secret", true},
	{"fd.name startswith ${D}/real/ and fd.name startswith ${D}/link/", true},
	{"fd.name in (/none, ${D}/link/secret)", true},
	{"fd.name pmatch (${D}/link) and fd.name pmatch (${D}/real)", true},
	{"fd.name glob ${D}/l*k/secret and fd.name regex '.*/(real)/s[a-z]+'", true},
	{"fd.directory = ${D}/link and fd.directory = ${D}/real", true},
	{"fd.filename = secret", true},
	{"fd.name = ${D}/other/secret", false},
	{"fd.name pmatch (${D}/rea, ${D}/link/sec)", false},
	// Under a negation only the kernel's counts: a link hides nothing.
	{"not fd.name = ${D}/real/secret", false},
	{"not fd.name = ${D}/link/secret", true},
	{"fd.name != ${D}/real/secret", false},
	{"fd.name != ${D}/link/secret", true},
	{"not fd.name in (${D}/real/secret, /none)", false},
	{"not fd.name startswith ${D}/link/", true},
	{"not (fd.name = ${D}/link/secret or fd.name = /none)", true},
	{"not not fd.name = ${D}/link/secret", true},
	// What the call was given stays as it is.
	{"fd.nameraw = ${D}/link/secret and evt.arg.name = ${D}/link/secret", true},
	{"evt.arg.name = ${D}/real/secret", false},

	{"proc.name = act and proc.name != cat and proc.name in (act, x) and proc.name intersects (act)", true},
	{"proc.name contains c and proc.name icontains CT and proc.name startswith a and proc.name endswith t", true},
	{"proc.name glob a?t and proc.name iglob A* and proc.name regex 'a(b|c)t'", true},
	{"proc.name contains '' and proc.name regex ct", false}, // an expression is for the whole text
	{"proc.name startswith oneof (a, b) and proc.name contains anyof (a, c) and proc.name contains allof (a, c, t)", true},
	{"proc.name contains oneof (a, c)", false}, // both do
	{"proc.name contains allof (a, x)", false},
	{"proc.name = anyof ()", false},
	{"evt.is_open_read = true and evt.is_open_write = false and evt.failed != true and fd.num >= 3 and fd.num < 1000 and fd.num in (3, 4, 5, 6, 7, 8, 9)", true},
	{"evt.arg.flags contains O_RDONLY and evt.arg[0] startswith '<f>' and evt.rawarg.flags > 0", true},
	{"user.uid = 0 and user.name = root and evt.res = SUCCESS and evt.rawres = val(fd.num)", true},
	{"evt.dir = < and evt.dir = > and not evt.dir = <", true},

	{"basename(proc.exepath) = val(proc.name)", true},
	{"proc.name = basename(proc.exepath)", true},
	{"toupper(proc.name) = ACT and tolower(toupper(proc.name)) = act and toupper(proc.name) != val(proc.name)", true},
	{"len(proc.name) = 3 and len(proc.name) < len(proc.exepath)", true},
	{"proc.name = val(proc.pname) or proc.pid = val(proc.ppid)", false},
	{"proc.name in val(proc.name) and proc.pname != val(proc.name) and not proc.name in val(proc.pname)", true},
	{"join('-', (proc.name, evt.type, toupper(proc.name))) in (act-open-ACT, act-openat-ACT)", true},
	{"concat(fd.directory, '/', fd.filename) = ${D}/real/secret", true},
	{"getopt(('-n', '-t', 'x'), 'nt:') intersects (t, none) and getopt(('-t', proc.name), 't:')[t] = act and len((proc.name, 'x')) = 2", true},
	{"getopt(('-n'), 'n') in (n) and not getopt(('-n', '-x'), 'nx') in (n)", true},

	// A field without a value satisfies no comparison, and the negation of each.
	{"fd.name exists and proc.aname[1] exists", true},
	{"fd.sip exists or fd.sport exists or proc.aname[90] exists or evt.asynctype exists", false},
	{"not fd.sip exists", true},
	{"fd.sip = 127.0.0.1 or fd.sip != 127.0.0.1 or fd.sip in (127.0.0.1) or fd.net = 0.0.0.0/0 or fd.net != 0.0.0.0/0", false},
	{"not fd.sip = 127.0.0.1 and not fd.sip != 127.0.0.1 and not fd.sip in (127.0.0.1)", true},
	{"fd.sport > 0 or fd.sport < 99999 or fd.sport = 0", false},
	{"fd.sip = val(fd.cip) or fd.sip != val(fd.cip)", false},
	{"toupper(evt.asynctype) = X or len(evt.asynctype) >= 0", false},
	{"join('-', (proc.name, evt.asynctype)) exists", false},
	{"proc.env[E2E_NONE] exists and proc.env[E2E_NONE] = ''", true}, // a text without characters is a value
	{"proc.env[E2E] = language", true},
}

// onExec are conditions on the start of that program.
var onExec = []condition{
	{"proc.args = 'cat ${D}/link/secret' and proc.cmdline startswith 'act cat '", true},
	{"evt.rawarg.args bstartswith 63617400", true},                                  // "cat" and the NUL behind it
	{"evt.rawarg.args bcontains 6c696e6b2f and evt.rawarg.args bcontains 00", true}, // "link/"
	{"evt.rawarg.args bstartswith 617400 or evt.rawarg.args bcontains 6c696e6c", false},
	{"evt.rawarg.args contains secret and evt.rawarg.args startswith cat", true},
	{"evt.rawarg.env bcontains 4532453d6c616e6775616765", true}, // "E2E=language"
	{"evt.arg.res = 0 and evt.res = SUCCESS and evt.type.is.execve = 1", true},
}

// onConnect are conditions on a connection that act makes to itself, over 127.0.0.1 and TCP.
var onConnect = []condition{
	{"fd.type = ipv4 and fd.l4proto = tcp and fd.sip = 127.0.0.1 and fd.cip = 127.0.0.1 and fd.ip = 127.0.0.1", true},
	{"fd.sip in (10.0.0.1, 127.0.0.1) and fd.rip = 127.0.0.1 and fd.lip = 127.0.0.1", true},
	{"fd.sip != 127.0.0.1 or fd.ip != 127.0.0.1 or fd.sip in (127.0.0.2)", false},
	{"fd.sip = ::1 or fd.sip in (::1)", false},
	{"fd.sip != ::1", true}, // of the other family
	{"fd.net = 127.0.0.0/8 and fd.snet = 127.0.0.1/32 and fd.cnet in (10.0.0.0/8, 127.0.0.0/16) and fd.net = 0.0.0.0/0", true},
	{"fd.net = 127.0.0.99/8", true}, // the bits behind the prefix do not count
	{"fd.net = 10.0.0.0/8 or fd.snet in (10.0.0.0/8, 192.168.0.0/16) or fd.net != 127.0.0.0/8", false},
	{"fd.net != 10.0.0.0/8 and not fd.net = 10.0.0.0/8", true},
	{"fd.sport > 1023 and fd.cport > 1023 and fd.sport <= 65535 and fd.port != 1 and fd.sport != val(fd.cport)", true},
	{"fd.sip = val(fd.cip) and fd.sport = val(fd.rport)", true},
	{"fd.sport = val(fd.lport)", false},
	{"fd.is_server = true", true}, // the server's end is on this host
	{"fd.directory exists or fd.filename exists", false},
	{"join(':', (fd.sip, fd.sport)) startswith 127.0.0.1: and fd.name contains '->127.0.0.1:'", true},
}

// rulesOf makes a rule of every condition, named after its place.
func rulesOf(dir, macro string, list []condition) string {
	var b strings.Builder
	for i, c := range list {
		fmt.Fprintf(&b, "- rule: E2E %s %d\n  desc: d\n  condition: >-\n    %s and (%s)\n  output: fired\n  priority: INFO\n", macro, i, macro, strings.ReplaceAll(c.text, "${D}", dir))
	}
	return b.String()
}

func checkFired(t *testing.T, fired map[string]int, macro string, list []condition) {
	t.Helper()
	for i, c := range list {
		want := map[bool]int{true: 1}[c.holds]
		if got := fired[fmt.Sprintf("E2E %s %d", macro, i)]; got != want {
			t.Errorf("%s: %d alerts, want %d: %s", macro, got, want, c.text)
		}
	}
}

// TestLanguage wants conditions to hold, or not to, for what really happens.
func TestLanguage(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	act := filepath.Join(dir, "act")
	link(t, actor(t), act)
	err := os.Mkdir(filepath.Join(dir, "real"), 0o755)
	if err == nil {
		err = os.Symlink("real", filepath.Join(dir, "link"))
	}
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "real/secret"), "")
	rules := fmt.Sprintf(`- macro: open
  condition: evt.type in (open, openat, openat2) and proc.exepath = %[1]s/act and evt.abspath = %[1]s/link/secret
- macro: exec
  condition: evt.type = execve and proc.exepath = %[1]s/act and proc.args startswith "cat "
- macro: connect
  condition: evt.type = connect and proc.exepath = %[1]s/act
`, dir) + rulesOf(dir, "open", onOpen) + rulesOf(dir, "exec", onExec) + rulesOf(dir, "connect", onConnect)
	d := start(t, launch{rules: rules})
	from := d.mark()
	for _, args := range [][]string{{"cat", dir + "/link/secret"}, {"loopback"}} {
		cmd := exec.Command(act, args...)
		cmd.Env = []string{"E2E=language"}
		perform(t, cmd)
	}
	d.sync()
	fired := map[string]int{}
	for _, a := range d.alerts(from) {
		fired[a.Rule]++
	}
	checkFired(t, fired, "open", onOpen)
	checkFired(t, fired, "exec", onExec)
	checkFired(t, fired, "connect", onConnect)
	if code, _ := d.stop(); code != 0 {
		t.Errorf("exit code is %d, want 0", code)
	}
}

// TestMatching wants one alert for an event, of the first rule that matches, or all of them, and none of rules below the priority.
func TestMatching(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	file := write(t, filepath.Join(dir, "watched"), "")
	rule := func(name, priority, more string) string {
		return fmt.Sprintf("- rule: %s\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name = %s%s\n  output: fired\n  priority: %s\n", name, file, more, priority)
	}
	rules := rule("E2E other file", "CRITICAL", "x") + rule("E2E debug", "DEBUG", "") + rule("E2E warning", "WARNING", "") + rule("E2E error", "ERROR", "") +
		rule("E2E off", "ERROR", "") + "- rule: E2E off\n  enabled: false\n  override: {enabled: replace}\n" +
		"- rule: " + canaryRule + "\n  priority: EMERGENCY\n  override: {priority: replace}\n"
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"all", nil, []string{"E2E debug", "E2E warning", "E2E error"}},
		{"first", []string{"-o", "rule_matching=first"}, []string{"E2E debug"}},
		{"priority", []string{"-o", "priority=warning"}, []string{"E2E warning", "E2E error"}},
		{"first and priority", []string{"-o", "rule_matching=first", "-o", "priority=error"}, []string{"E2E error"}},
		{"selection", []string{"-o", `rules[0].disable.rule=E2E *`, "-o", `rules[1].enable.rule=E2E o*`, "-o", `rules[2].enable.rule=` + canaryRule}, []string{"E2E off"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := start(t, launch{rules: rules, args: tc.args})
			from := d.mark()
			perform(t, exec.Command(actor(t), "cat", file))
			d.sync()
			var got []string
			for _, a := range d.alerts(from) {
				got = append(got, a.Rule)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("alerts are of %q, want %q", got, tc.want)
			}
		})
	}
}

// outputs are templates and what they print when "act cat ${D}/watched" opens the file: an expression for the whole of it.
var outputs = []struct{ template, want string }{
	{"plain text", `plain text`},
	{"%proc.name", `act`},
	{"%proc.name.", `act\.`},
	{"%proc.name%evt.failed", `actfalse`},
	{"(%fd.name) %fd.filename", `\(${D}/watched\) watched`},
	{"%evt.arg.name|%evt.arg[name]|%proc.aname[0]|%proc.env[E2E]", `${D}/watched\|${D}/watched\|act\|language`},
	{"[%6proc.name][%2proc.name][%8fd.sip]", `\[act   \]\[ac\]\[<NA>    \]`},
	{"%toupper(proc.name) %basename(tolower(fd.name)) %len(proc.name)", `ACT watched 3`},
	{`%join("->", (proc.name, fd.filename)) %concat(proc.name, "!") %getopt(("-a", "-b"), "ab")`, `act->watched act! \(a,b\)`},
	{"%fd.sip %fd.sport %container.image.repository", `<NA> <NA> <NA>`},
	{"%evt.time %evt.time.iso8601", `\d\d:\d\d:\d\d\.\d{9} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+0000`},
	{"%user.uid %user.name %evt.res %fd.type %evt.is_open_read", `0 root SUCCESS file true`},
	{"%container.info", `container_id=host container_name=host`},
	{"100 percent", `100 percent`},
}

// TestOutputs wants what templates print, in text and in JSON, with what append_output and -p add.
func TestOutputs(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	act := filepath.Join(dir, "act")
	link(t, actor(t), act)
	file := write(t, filepath.Join(dir, "watched"), "")
	var rules strings.Builder
	for i, o := range outputs {
		fmt.Fprintf(&rules, "- rule: E2E output %d\n  desc: d\n  condition: evt.type in (open, openat, openat2) and fd.name = %s and proc.exepath = %s\n  output: '%d %s'\n  priority: NOTICE\n  tags: [e2e]\n",
			i, file, act, i, o.template)
	}
	const config = `append_output:
  - match: {tags: [e2e], source: syscall}
    extra_output: "more=%evt.failed"
    extra_fields: [proc.pid, len(proc.name), {who: "is %proc.name"}]
  - match: {rule: E2E output 1}
    suggested_output: true
  - match: {tags: [none]}
    extra_output: "not here"
`
	for _, text := range []bool{true, false} {
		t.Run(map[bool]string{false: "json", true: "text"}[text], func(t *testing.T) {
			d := start(t, launch{rules: rules.String(), text: text, config: config, args: []string{"-p", "last=%evt.is_open_read"}})
			from := d.mark()
			cmd := exec.Command(act, "cat", file)
			cmd.Env = []string{"E2E=language"}
			perform(t, cmd)
			d.sync()
			got := d.alerts(from)
			if len(got) != len(outputs) {
				t.Fatalf("%d alerts, want %d", len(got), len(outputs))
			}
			for i, a := range got {
				suggested := ""
				if i == 1 {
					suggested = " container_id=host container_name=host container_image_repository=<NA> container_image_tag=<NA> k8s_ns_name=<NA> k8s_pod_name=<NA>"
				}
				want := fmt.Sprintf(`^%d %s more=false%s last=true$`, i, strings.ReplaceAll(outputs[i].want, "${D}", regexp.QuoteMeta(dir)), suggested)
				message := a.Message
				if !text {
					message = strings.TrimSpace(textLine.ReplaceAllString(a.Output, "$3"))
				}
				if !regexp.MustCompile(want).MatchString(message) {
					t.Errorf("%q prints\n%s\nwant\n%s", outputs[i].template, message, want)
				}
				if text {
					continue
				}
				checkJSON(t, a, fmt.Sprintf("E2E output %d", i), "Notice", []string{"e2e"})
				if a.str("who") != "is act" || a.str("len(proc.name)") != "3" || a.Fields["evt.failed"] != false || a.str("proc.pid") != fmt.Sprint(cmd.Process.Pid) {
					t.Errorf("%q: fields are %v", outputs[i].template, a.Fields)
				}
			}
		})
	}
}

// TestBase64 wants buffers in base64 where the configuration asks for it, and rules to see them as they are.
func TestBase64(t *testing.T) {
	privileged(t)
	dir := tempDir(t)
	act := filepath.Join(dir, "act")
	link(t, actor(t), act)
	d := start(t, launch{args: []string{"-b"}, rules: fmt.Sprintf(`- rule: E2E buffer
  desc: d
  condition: evt.type = execve and proc.exepath = %s and evt.rawarg.args bcontains 636174
  output: args=%%evt.rawarg.args
  priority: NOTICE
`, act)})
	from := d.mark()
	perform(t, exec.Command(act, "cat", "/dev/null"))
	d.sync()
	got := d.alerts(from)
	if len(got) != 1 || got[0].str("evt.rawarg.args") != "Y2F0AC9kZXYvbnVsbAA=" || !strings.HasSuffix(got[0].Output, " args=Y2F0AC9kZXYvbnVsbAA=") {
		t.Errorf("alerts are %+v", got)
	}
}

// falcoRules returns the rule files that Falco ships, or skips the test where they are not there.
func falcoRules(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("FALCONET_FALCO_RULES")
	if dir == "" {
		t.Skip("FALCONET_FALCO_RULES names no directory with Falco's rules")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no rule files: %v", dir, err)
	}
	return files
}

// TestFalcoRules wants every rule file of Falco to load without an error, and a falconet with it to start and to end as it should.
func TestFalcoRules(t *testing.T) {
	privileged(t)
	for _, file := range falcoRules(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			r := command(t, "-c", quietConfig(t, tempDir(t), ""), "-V", file)
			if r.code != 0 || !strings.HasPrefix(r.stdout, file+": Ok") {
				t.Errorf("-V: exit code %d:\n%s", r.code, indent(r.stdout+r.stderr))
			}
			d := start(t, launch{files: []string{file}})
			if code, _ := d.stop(); code != 0 {
				t.Errorf("exit code is %d, want 0", code)
			}
		})
	}
}

// TestPacketSocket wants Falco's own rule, as it stands in the files, to see a packet socket in a container: in the older one it asks for
// the event of entering the call, which no longer is one.
func TestPacketSocket(t *testing.T) {
	privileged(t)
	const rule = "Packet socket created in container"
	for _, file := range falcoRules(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, definition, ok := strings.Cut(string(text), "\n- rule: "+rule+"\n")
			if !ok {
				t.Fatalf("there is no rule '%s'", rule)
			}
			if old := strings.Contains(strings.SplitN(definition, "\n- ", 2)[0], "evt.dir=>"); old {
				r := command(t, "-c", quietConfig(t, tempDir(t), ""), "-v", "-V", file)
				line := 1 + strings.Count(string(text[:strings.Index(string(text), "evt.type=socket and evt.dir=>")]), "\n")
				if want := fmt.Sprintf("condition '%s': (%s:%d:", rule, file, line); !strings.Contains(r.stdout, want) || !strings.Contains(r.stdout, "LOAD_DEPRECATED_ITEM") {
					t.Errorf("-V does not point at evt.dir (%s):\n%s", want, indent(r.stdout))
				}
			}
			dir := tempDir(t)
			act := filepath.Join(dir, "act")
			link(t, actor(t), act)
			d := start(t, launch{files: []string{file}, args: []string{"-p", "c"}})
			id := strings.Repeat("fedcba9876543210", 4)
			from := d.mark()
			perform(t, exec.Command(act, "packet")) // not in a container
			perform(t, exec.Command(act, "cgroup", fmt.Sprintf("/falconet-e2e-%d/%s", os.Getpid(), id), act, "packet"))
			d.sync()
			var got []alert
			for _, a := range d.alerts(from) {
				if a.Rule == rule && a.str("proc.exepath") == act {
					got = append(got, a)
				}
			}
			if len(got) != 1 {
				t.Fatalf("%d alerts, want one: %v", len(got), got)
			}
			a := got[0]
			if a.Priority != "Notice" || !slices.Contains(a.Tags, "maturity_stable") || a.str("container.id") != id[:12] || a.str("proc.name") != "act" ||
				!strings.Contains(a.str("evt.args"), "domain=17(AF_PACKET)") {
				t.Errorf("alert is %s", a.Line)
			}
		})
	}
}
