// SPDX-License-Identifier: Apache-2.0

package field

import "strings"

// The reasons why a field of Falco is not in the table.
const (
	noTable    = "it needs a record of every open descriptor, which is not kept"
	noDNS      = "names of addresses are not looked up"
	noEvent    = "no event carries it"
	noSchedule = "processor time is not followed"
	obsolete   = "Falco has removed it, or gives it no value"
)

// missing are the fields of Falco that the table lacks; a name that ends with a dot stands for all that begin with it.
var missing = []struct{ why, names string }{
	{noTable, `proc.fdopencount proc.fdusage proc.stdin.name proc.stdout.name proc.stderr.name fd.types evt.is_syslog`},
	{noDNS, `fd.cip.name fd.sip.name fd.lip.name fd.rip.name`},
	{noEvent, `evt.buffer evt.around evt.buflen. evt.count.procinfo evt.count.threadinfo syslog. fdlist.`},
	{noSchedule, `thread.exectime thread.totexectime thread.cpu thread.cpu.`},
	{obsolete, `evt.latency.quantized evt.infra. thread.nametid thread.vmsize.b thread.vmrss.b util.cnt mesos. marathon. span. evtin.`},
}

// Missing reports whether name is a field of Falco that this program does not have, and why. A rule that uses one is no
// mistake: it can be left out with a warning.
func Missing(name string) (why string, ok bool) {
	if _, ok := fields.byName[name]; ok {
		return "", false
	}
	for _, m := range missing {
		for n := range strings.FieldsSeq(m.names) {
			if name == n || strings.HasSuffix(n, ".") && strings.HasPrefix(name, n) {
				return m.why, true
			}
		}
	}
	return "", false
}
