// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line: Falco's options, and commands of our own. It reads configuration and rules and prints what can be
// printed without a kernel; what runs the engine it is given.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"falconet/embed"
	"falconet/engine"
	"falconet/engine/config"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// Job is a run of the engine, ready to start: everything in it was checked.
type Job struct {
	engine.Setup
	Log     zerolog.Logger
	PIDFile string            // "" for none
	Lines   bool              // alerts are their messages alone, and there are no statistics
	Resync  bool              // pass over what is damaged in a capture file
	Record  *config.Recording // what matches is recorded, and makes no alerts; nil to watch
	Stdout  io.Writer

	Versions []byte                        // of this program and of what it is compatible with, as JSON
	Read     time.Time                     // before anything of the setup was read
	Load     func() (*engine.Setup, error) // reads configuration and rules anew, what is wrong with them is logged; nil for a run that is not to be reloaded
}

// Check is one thing that doctor looked at.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // "ok", "warn" or "fail"
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

// Deps are what the command line cannot do itself.
type Deps struct {
	Version string
	Stdout  io.Writer
	Stderr  io.Writer
	Run     func(ctx context.Context, job *Job) error // until ctx ends
	Doctor  func(ctx context.Context) []Check
}

// errReported says that what went wrong has been printed.
var errReported = errors.New("reported")

// Main runs the command line args, without the program's name, and returns the exit code.
func Main(ctx context.Context, d Deps, args []string) int {
	root := newRoot(d)
	root.SetArgs(args)
	root.SetOut(d.Stdout)
	root.SetErr(d.Stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errReported) {
			_, _ = fmt.Fprintln(d.Stderr, "Error: "+err.Error())
		}
		return 1
	}
	return 0
}

// options are the root command's flags.
type options struct {
	capture, config, rule, list, format, print, pidfile, pluginInfo string
	overrides, ruleFiles, validate, enable, disable                 []string
	seconds, snaplen                                                int

	all, base64, dryRun, ignored, listEvents, listPlugins, markdown, names, unbuffered, verbose, version, support, pageSize bool
	configSchema, ruleSchema, lenient, describe, strict, resync                                                             bool
}

// command is the root command at work.
type command struct {
	options
	record *config.Recording
	Deps
	cmd  *cobra.Command
	kept map[string][]rules.File // by path: rules that can be read but once
}

func newRoot(d Deps) *cobra.Command {
	c := &command{Deps: d}
	root := &cobra.Command{
		Use:   "falconet [options]",
		Short: "watch a Linux host and raise alerts when rules match",
		Long: `falconet watches a Linux host through an eBPF probe and raises an alert when a rule written in Falco's language matches.
Without options it runs with /etc/falconet/falconet.yaml, else /etc/falco/falco.yaml, else the configuration inside it.`,
		SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	c.cmd = root
	c.flags(root)
	root.AddCommand(c.configCommand(), c.doctorCommand(), c.eventsCommand(), c.recordCommand(), c.rulesCommand(), c.versionCommand())
	root.SetHelpCommand(c.helpCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("%w; falconet --help lists the options", err)
	})
	return root
}

func (c *command) flags(root *cobra.Command) {
	f := root.Flags()
	f.SortFlags = false
	f.StringVarP(&c.config, "config", "c", "", "configuration `file`")
	f.BoolVar(&c.lenient, "config-lenient", false, "unknown configuration keys are warnings")
	f.BoolVar(&c.configSchema, "config-schema", false, "print the JSON Schema of the configuration and exit")
	f.BoolVar(&c.ruleSchema, "rule-schema", false, "print the JSON Schema of rule files and exit")
	f.StringArrayVarP(&c.overrides, "option", "o", nil, "set a configuration `key=value`; may be repeated")
	f.StringArrayVarP(&c.ruleFiles, "rules", "r", nil, "rules `file` or directory, in place of rules_files; may be repeated")
	f.StringArrayVarP(&c.validate, "validate", "V", nil, "check rules `file`s and exit; may be repeated")
	f.BoolVar(&c.strict, "strict", false, "warnings about rule files that Falco does not give are errors")
	f.BoolVarP(&c.describe, "describe-all", "L", false, "describe all rules and exit")
	f.StringVarP(&c.rule, "describe", "l", "", "describe one `rule` and exit")
	f.StringVar(&c.list, "list", "", "list the fields, of one event `source` if named, and exit")
	f.Lookup("list").NoOptDefVal = "syscall"
	f.BoolVar(&c.listEvents, "list-events", false, "list the events and exit")
	f.BoolVar(&c.listPlugins, "list-plugins", false, "list the plugins and exit")
	f.StringVar(&c.pluginInfo, "plugin-info", "", "print what is known of a `plugin` and exit")
	f.BoolVarP(&c.names, "names", "N", false, "with --list: names only")
	f.StringVar(&c.format, "format", "", "with --list and --list-events: text, markdown or json")
	f.BoolVar(&c.markdown, "markdown", false, "same as --format markdown")
	f.StringVarP(&c.capture, "events-file", "e", "", "read events from a capture `file` instead of the kernel, - for the standard input")
	f.BoolVar(&c.resync, "resync", false, "pass over what is damaged in a capture file")
	f.IntVarP(&c.seconds, "seconds", "M", 0, "stop after this many `seconds`")
	f.BoolVarP(&c.all, "all-events", "A", false, "capture high-volume system calls too (base_syscalls.all)")
	f.BoolVarP(&c.ignored, "ignored", "i", false, "list the system calls that need -A and exit")
	f.BoolVarP(&c.base64, "print-base64", "b", false, "print buffers in base64 (buffer_format_base64)")
	f.IntVarP(&c.snaplen, "snaplen", "S", 0, "bytes kept of buffers (falco_libs.snaplen)")
	f.StringVarP(&c.print, "print", "p", "", "add to every output: c (container), k (kubernetes), or a `text` with fields")
	f.StringVarP(&c.pidfile, "pidfile", "P", "", "write the process id to `file`")
	f.BoolVarP(&c.unbuffered, "unbuffered", "U", false, "write every alert at once")
	f.BoolVar(&c.dryRun, "dry-run", false, "check configuration and rules, then exit without watching anything")
	f.StringArrayVar(&c.enable, "enable-source", nil, "run with this event `source` only: syscall")
	f.StringArrayVar(&c.disable, "disable-source", nil, "run without this event `source`")
	f.BoolVar(&c.support, "support", false, "print what a bug report needs and exit")
	f.BoolVar(&c.pageSize, "page-size", false, "print the page size and exit")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "say more")
	f.BoolVar(&c.version, "version", false, "print the version and exit")
	f.String("gvisor-generate-config", "", "known from Falco: gVisor is not a source of events here")
	_ = f.MarkHidden("gvisor-generate-config")
}

// run follows Falco's order of options, which decides when several are given.
func (c *command) run(cmd *cobra.Command, args []string) error {
	if len(args) > 0 && len(c.validate) == 0 {
		return fmt.Errorf("unknown command '%s'; falconet --help lists commands and options", args[0])
	}
	c.validate = append(c.validate, args...)
	if c.configSchema {
		return c.write(config.Schema())
	}
	if c.ruleSchema {
		return c.write([]byte(rules.Schema))
	}
	if cmd.Flags().Changed("gvisor-generate-config") {
		return errors.New("option --gvisor-generate-config: gVisor is not a source of events here")
	}
	began := time.Now()
	conf, err := c.loadConfig()
	if err != nil {
		return err
	}
	switch {
	case c.version:
		return c.printVersion(conf.Render.JSON)
	case c.pageSize:
		return c.printPageSize()
	case c.ignored:
		return c.printIgnored()
	case c.listEvents:
		return c.printEvents()
	case c.pluginInfo != "":
		return fmt.Errorf("plugin '%s' is not there: plugins are shared libraries, which a static binary does not load", c.pluginInfo)
	case c.listPlugins:
		return c.write([]byte("0 Plugins Loaded\n"))
	case cmd.Flags().Changed("list"):
		return c.printFields()
	}
	if err := c.checkSources(); err != nil {
		return err
	}
	if len(c.validate) > 0 {
		return c.validateFiles(conf)
	}
	return c.start(cmd.Context(), conf, began)
}

func (c *command) checkSources() error {
	if len(c.enable) > 0 && len(c.disable) > 0 {
		return errors.New("options --enable-source and --disable-source exclude one another")
	}
	for _, s := range append(c.enable, c.disable...) {
		if s != "syscall" {
			return fmt.Errorf("event source '%s' is not known: there is syscall", s)
		}
	}
	if len(c.disable) > 0 {
		return errors.New("option --disable-source: no event source is left")
	}
	return nil
}

func (c *command) write(b []byte) error {
	_, err := c.Stdout.Write(b)
	return err
}

func (c *command) loadConfig() (*config.Config, error) {
	overrides := c.overrides
	for key, on := range map[string]bool{"base_syscalls.all": c.all, "buffer_format_base64": c.base64} {
		if on {
			overrides = append(overrides, key+"=true")
		}
	}
	if c.capture != "" {
		overrides = append(overrides, "engine.kind=replay", "engine.replay.capture_file="+c.capture)
	}
	if c.unbuffered {
		overrides = append(overrides, "buffered_outputs=false")
	}
	if c.snaplen > 0 {
		overrides = append(overrides, fmt.Sprintf("falco_libs.snaplen=%d", c.snaplen))
	}
	conf, err := config.Load(config.Options{
		File: c.config, Embedded: assets.Config(), Overrides: overrides, Environ: environ(), Lenient: c.lenient,
	})
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	return conf, nil
}

// oneLine joins the lines of a message.
func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ") }
