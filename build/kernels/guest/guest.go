// SPDX-License-Identifier: Apache-2.0

// Package guest is what the starter of a virtual machine (build/kernels/vm) and the first process in it
// (build/kernels/init) agree on: where the plan lies, what a step is, what a verdict line looks like.
package guest

// Paths inside the initramfs.
const (
	PlanPath   = "/plan.json"
	ModulesDir = "/modules"
)

// The serial ports of the machine, from the guest's side. Each has one purpose, so that neither a kernel message nor
// anything a program prints can be taken for a verdict.
const (
	ConsolePort = "ttyS0" // kernel messages
	OutputPort  = "ttyS1" // what the steps print
	VerdictPort = "ttyS2" // one JSON Verdict a line
)

// Plan is what the guest does: load the modules in order, run the steps in order, power off.
type Plan struct {
	Hostname string   `json:"hostname"`
	Modules  []string `json:"modules,omitempty"` // file names below ModulesDir, dependencies first
	Steps    []Step   `json:"steps"`
}

// Step is one program, run as root.
type Step struct {
	Name    string   `json:"name"`
	Argv    []string `json:"argv"`
	Env     []string `json:"env,omitempty"`
	Dir     string   `json:"dir,omitempty"`     // working directory, / when empty
	Seconds int      `json:"seconds,omitempty"` // killed after so long; 0 is no limit of its own
}

// Verdict reports one step, or with Done the end of the plan. A machine that died says no Done.
type Verdict struct {
	Step   string `json:"step,omitempty"`
	Code   int    `json:"code"` // as a shell gives it: 128+n for signal n, 127 for a program that did not start
	Millis int64  `json:"ms"`
	Note   string `json:"note,omitempty"` // why there is no exit code of the program's own
	Done   bool   `json:"done,omitempty"`
	Kernel string `json:"kernel,omitempty"` // uname -r, in the last verdict
}
