// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generate writes n rules of the shapes that rules have: on files by prefix, suffix, substring, glob, regular expression and list; on programs
// by name, path, command line and ancestors; on connections by port, address and network; with exceptions, negations and alternatives. No
// two are the same, and none matches the events of this benchmark.
func generate(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(`- macro: opened
  condition: (evt.type in (open, openat, openat2) and evt.failed = false and fd.typechar = f)
- macro: written
  condition: (evt.type in (open, openat, openat2) and evt.is_open_write = true and fd.typechar = f)
- macro: started
  condition: (evt.type in (execve, execveat) and evt.failed = false)
- macro: connected
  condition: (evt.type = connect and fd.typechar in ('4', '6'))
- list: shells
  items: [bash, sh, zsh, dash, ksh, csh, fish]
`)
	for i := range n {
		fmt.Fprintf(&b, "- rule: R%d\n  desc: made for a benchmark\n  condition: >\n    %s\n  output: \"%%fd.name %%proc.cmdline\"\n  priority: INFO\n",
			i, shapes[i%len(shapes)](r, i))
	}
	return []byte(b.String())
}

func names(r *rand.Rand, prefix string, i int) string {
	list := make([]string, 2+r.IntN(6))
	for k := range list {
		list[k] = fmt.Sprintf("%s%d-%d", prefix, i, k)
	}
	return strings.Join(list, ", ")
}

var shapes = []func(r *rand.Rand, i int) string{
	func(_ *rand.Rand, i int) string { return fmt.Sprintf("opened and fd.name = /etc/app%d/secret", i) },
	func(r *rand.Rand, i int) string { return "opened and fd.name in (" + names(r, "/opt/key", i) + ")" },
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("written and fd.name startswith /var/lib/app%d/ and not proc.name in (shells)", i)
	},
	func(_ *rand.Rand, i int) string { return fmt.Sprintf("opened and fd.name endswith .key%d", i) },
	func(_ *rand.Rand, i int) string { return fmt.Sprintf("opened and fd.name contains /.hidden%d/", i) },
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("written and fd.name glob /home/*/.config/app%d/*", i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("written and fd.name regex '/home/[a-z]+/\\\\.ssh%d/.*'", i)
	},
	func(r *rand.Rand, i int) string {
		return "opened and fd.directory pmatch (" + names(r, "/mnt/data", i) + ")"
	},
	func(r *rand.Rand, i int) string {
		return "opened and fd.filename in (" + names(r, "shadow", i) + ") and user.uid = 0"
	},
	func(r *rand.Rand, i int) string { return "started and proc.name in (" + names(r, "tool", i) + ")" },
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("started and proc.exepath startswith /tmp/run%d", i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("started and proc.cmdline contains 'download%d' and proc.pname in (shells)", i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("started and proc.cmdline icontains 'Miner%d'", i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("started and proc.aname in (daemon%d, agent%d)", i, i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("connected and fd.sport in (%d, %d)", 10000+i, 30000+i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("connected and fd.snet = 172.%d.%d.0/24", 16+i%16, i%256)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("connected and fd.sip = 192.168.%d.%d", i/256, i%256)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("connected and not fd.sport in (5432, 53) and proc.name = client%d", i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("(opened or started) and (proc.name = both%d or proc.exepath endswith /both%d)", i, i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("written and container.id != host and fd.name startswith anyof (/usr/a%d, /usr/b%d)", i, i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("opened and tolower(fd.filename) = passwords%d.txt", i)
	},
	func(_ *rand.Rand, i int) string {
		return fmt.Sprintf("opened and evt.arg.mode > %d and fd.name contains anyof (x%d, y%d)", i, i, i)
	},
}
