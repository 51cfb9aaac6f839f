// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/field"
	"falconet/engine/format"
	"falconet/engine/pushdown"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

func environ() []string { return os.Environ() }

// start loads the rules and runs the engine, or does with the rules what the options say. Files that it is given, whose alerts are to be printed as
// lines, take the place of those that the options and the configuration name.
func (c *command) start(ctx context.Context, conf *config.Config, files ...rules.File) error {
	log := newLog(c.Stderr, conf.Log)
	for _, w := range conf.Source.Warnings {
		log.Warn().Msg(w)
	}
	lines := len(files) > 0
	if !lines {
		var err error
		if files, err = c.findRules(conf); err != nil {
			return err
		}
	}
	set, results := rules.Load(c.strictly(ruleOptions(conf, c.print)), files...)
	if err := c.report(log, results); err != nil {
		return err
	}
	if c.describe || c.rule != "" {
		return c.describeRules(set, conf.Render.JSON)
	}
	if c.support {
		return c.printSupport(conf, files)
	}
	replay := conf.Engine.Kind == "replay"
	demand := set.Demand()
	if refused := pushdown.Restrict(demand, conf.Syscall.Base); len(refused) > 0 && !replay {
		log.Warn().Strs("syscalls", refused).Msg("rules ask for system calls that are not captured: high-volume ones need option -A")
	}
	if c.dryRun {
		log.Info().Int("rules", set.Enabled()).Msg("dry run: configuration and rules are good")
		return nil
	}
	if c.seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.seconds)*time.Second)
		defer cancel()
	}
	return c.Run(ctx, &Job{Config: conf, Rules: set, Demand: demand, Log: log, PIDFile: c.pidfile, Lines: lines, Resync: c.resync, Stdout: c.Stdout})
}

// loud are the warnings that are shown without being asked for: rules that are not there, or not whole.
var loud = []rules.Code{rules.UnknownFilter, rules.UnknownSource, rules.NotSupported}

// report prints what is wrong with rule files, and fails if one was refused.
func (c *command) report(log zerolog.Logger, results []*rules.Result) error {
	bad := false
	for _, r := range results {
		for i := range r.Warnings {
			if w := &r.Warnings[i]; c.verbose || slices.Contains(loud, w.Code) {
				log.Warn().Msg(w.Line())
			}
		}
		for i := range r.Errors {
			bad = true
			e := &r.Errors[i]
			_, _ = fmt.Fprintln(c.Stderr, "Error: "+e.Line())
			if e.Snippet != "" {
				_, _ = fmt.Fprintln(c.Stderr, indent(e.Snippet))
			}
		}
	}
	if bad {
		return errReported
	}
	return nil
}

// strictly makes the options those of --strict, if it is given.
func (c *command) strictly(o rules.Options) rules.Options {
	o.Strict = c.strict
	return o
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

func ruleOptions(conf *config.Config, print string) rules.Options {
	o := rules.Options{Suffix: format.ParseSuffix(print)}
	o.MinPriority, _ = alert.Parse(conf.Rules.Priority) // the configuration allows nothing else
	if conf.Rules.Matching == "all" {
		o.Matching = rules.All
	}
	for _, s := range conf.Rules.Select {
		switch {
		case s.Enable != nil:
			o.Select = append(o.Select, rules.Selection{Enable: true, Rule: s.Enable.Rule, Tag: s.Enable.Tag})
		case s.Disable != nil:
			o.Select = append(o.Select, rules.Selection{Rule: s.Disable.Rule, Tag: s.Disable.Tag})
		}
	}
	for _, a := range conf.Rules.Append {
		output := a.ExtraOutput
		if a.SuggestedOutput {
			output = strings.TrimSpace(output + " " + field.SuggestedOutput())
		}
		o.Append = append(o.Append, rules.Append{
			Rule: a.Match.Rule, Source: a.Match.Source, Tags: a.Match.Tags, Output: output, Fields: extraFields(a.ExtraFields),
		})
	}
	return o
}

// extraFields reads extra_fields: names of fields, and maps of a name to an output.
func extraFields(list []any) (out []rules.Extra) {
	for _, f := range list {
		switch f := f.(type) {
		case string:
			out = append(out, rules.Extra{Name: f})
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(f)) {
				out = append(out, rules.Extra{Name: name, Text: fmt.Sprint(f[name])})
			}
		}
	}
	return out
}

// levels maps the words of log_level.
var levels = map[string]zerolog.Level{
	"emergency": zerolog.PanicLevel, "alert": zerolog.FatalLevel, "critical": zerolog.FatalLevel, "error": zerolog.ErrorLevel,
	"warning": zerolog.WarnLevel, "notice": zerolog.InfoLevel, "info": zerolog.InfoLevel, "debug": zerolog.DebugLevel,
}

func newLog(w io.Writer, conf config.Log) zerolog.Logger {
	if !conf.Stderr {
		w = io.Discard
	}
	out := zerolog.ConsoleWriter{Out: w, NoColor: true, TimeFormat: time.ANSIC}
	return zerolog.New(out).Level(levels[conf.Level]).With().Timestamp().Logger()
}
