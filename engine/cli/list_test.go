// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"falconet/engine/event"
)

// printed runs a command line that prints something and ends.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, diag bytes.Buffer
	if code := Main(context.Background(), Deps{Version: "0.0.0", Stdout: &out, Stderr: &diag}, args); code != 0 {
		t.Fatalf("%q ends with code %d: %s%s", args, code, out.String(), diag.String())
	}
	return out.String()
}

// holdsLines reports whether lines stand one after another in text.
func holdsLines(text, lines string) bool { return strings.Contains("\n"+text, "\n"+lines) }

func TestListText(t *testing.T) {
	text := printed(t, "--list")
	for _, want := range []string{
		"-------------------------------\n" +
			"Field Class:                  group (Information about the user group)\n" +
			"Description:                  The group that the process runs as.\n" +
			"Event Sources:                syscall\n\n" +
			"group.gid                     effective group id\n",
		"proc.exe_ino.ctime_duration_proc_start\n" +
			"                              nanoseconds from the last status change of the program's file to the start of the process\n",
		"proc.aname                    (ARG_ALLOWED,EPF_NO_RHS,EPF_NO_TRANSFORMER) name (comm, up to 15 characters) of an\n" +
			"                              ancestor: [1] is the parent, [2] its parent; without an index, of any of them\n",
	} {
		if !holdsLines(text, want) {
			t.Errorf("--list does not print\n%s", want)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > lineWidth+1 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
		if strings.HasPrefix(line, "evt.outputtime") {
			t.Errorf("listed is %s", line)
		}
	}
	if want := "group.gid                     (Type: UINT32) effective group id\n"; !holdsLines(printed(t, "--list", "-v"), want) {
		t.Errorf("--list -v does not print %s", want)
	}
	markdown := printed(t, "--list", "--markdown")
	if want := "## Field Class: group\n\nThe group that the process runs as.\n\nEvent Sources: syscall\n\nName | Type | Description\n:----|:-----|:-----------\n" +
		"`group.gid` | UINT32 | effective group id\n"; !holdsLines(markdown, want) || markdown != printed(t, "--list", "--format", "markdown") {
		t.Errorf("--list --markdown does not print\n%s", want)
	}
}

func TestListJSON(t *testing.T) {
	var got []json.RawMessage
	if err := json.Unmarshal([]byte(printed(t, "--list", "--format", "json")), &got); err != nil {
		t.Fatal(err)
	}
	byName := map[string]string{}
	for _, f := range got {
		var compact bytes.Buffer
		var name struct{ Name string }
		if err := json.Compact(&compact, f); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(f, &name); err != nil {
			t.Fatal(err)
		}
		byName[name.Name] = compact.String()
	}
	for name, want := range map[string]string{
		"group.gid":   `{"argument":null,"class":"group","desc":"effective group id","example":"group.gid = 0","is_list":false,"name":"group.gid","type":"UINT32"}`,
		"evt.type.is": `{"argument":{"required":true,"type":["KEY"]},"class":"evt","desc":"1 when the event has the name after the dot, else 0","example":"evt.type.is.execve = 1","is_list":false,"name":"evt.type.is","tags":"ARG_REQUIRED","type":"UINT32"}`,
		"proc.apid": `{"argument":{"required":false,"type":["INDEX"]},"class":"process","desc":"process id of an ancestor: [1] is the parent; without an index, of any of them",` +
			`"example":"proc.apid[2] = 1","is_list":false,"name":"proc.apid","tags":"ARG_ALLOWED,EPF_NO_RHS,EPF_NO_TRANSFORMER","type":"INT64"}`,
	} {
		if byName[name] != want {
			t.Errorf("%s is\n%s\nwant\n%s", name, byName[name], want)
		}
	}
}

func TestListEvents(t *testing.T) {
	text := printed(t, "--list-events")
	for _, want := range []string{
		"The events below are valid for Falco *Schema Version*: 4.5.1\n## Syscall events\n\n< syscall(SYSCALLID **ID**, UINT16 **nativeID**)\n< open(",
		"< setuid(ERRNO **res**, UID **uid**)\n",
		"< sync(SYSCALLID **ID**, UINT16 **nativeID**)\n",
		"< unlinkat(ERRNO **res**, FD **dirfd**, FSRELPATH **name**, FLAGS32 **flags**: AT_REMOVEDIR)\n",
		"\n## Tracepoint events\n\n> procexit(ERRNO **status**, ",
		"\n## Plugin events\n\n\n## Metaevents\n\n",
	} {
		if !holdsLines(text, want) {
			t.Errorf("--list-events does not print\n%s", want)
		}
	}
	markdown := printed(t, "--list-events", "--markdown")
	for _, want := range []string{
		"## Syscall events\n\nDefault | Dir | Name | Params \n:-------|:----|:-----|:-----\nYes | `<` | `syscall` | SYSCALLID **ID**, UINT16 **nativeID**\nYes | `<` | `open` | FD **fd**, ",
		"Yes | `<` | `unlinkat` | ERRNO **res**, FD **dirfd**, FSRELPATH **name**, FLAGS32 **flags**: *AT_REMOVEDIR*\n",
		"No | `<` | `read` | ",
	} {
		if !holdsLines(markdown, want) {
			t.Errorf("--list-events --markdown does not print\n%s", want)
		}
	}
	var got []struct {
		Available                 bool
		Category, Dir, Kind, Name string
		Params                    []struct{ Name, Type string }
	}
	if err := json.Unmarshal([]byte(printed(t, "--list-events", "--format", "json")), &got); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range got {
		if seen[e.Name] {
			t.Errorf("%s is there twice", e.Name)
		}
		seen[e.Name] = true
		if e.Name == "procexit" && (e.Kind != "Tracepoint events" || e.Dir != ">" || e.Category != "process" || !e.Available || len(e.Params) != 5 || e.Params[0].Type != "ERRNO") {
			t.Errorf("procexit is %+v", e)
		}
		if e.Name == "read" && e.Available {
			t.Error("read is said to be captured without option -A")
		}
	}
	event.SyscallNames(func(name string, nr64, _ int) bool {
		if nr64 >= 0 && !seen[name] {
			t.Errorf("%s is not listed", name)
		}
		return true
	})
	if got := printed(t, "-i"); !strings.HasPrefix(got, "Ignored syscall(s):\n- pread64\n") || !strings.HasSuffix(got, "\n\n") {
		t.Errorf("-i prints\n%s", got)
	}
}
