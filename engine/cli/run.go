// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"falconet/engine"
	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/field"
	"falconet/engine/format"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

func environ() []string { return os.Environ() }

// start loads the rules and runs the engine, or does with the rules what the options say. The configuration was read after began. Files that
// it is given, whose alerts are to be printed as lines or whose events to be recorded, take the place of those that the options and the
// configuration name.
func (c *command) start(ctx context.Context, conf *config.Config, began time.Time, files ...rules.File) error {
	log := newLog(c.Stderr, conf.Log, conf.Render.ISOTime)
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
	if err := c.warnWritable(log, files); err != nil {
		return err
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
	setup := c.setup(conf, files, set, log)
	if c.dryRun {
		log.Info().Int("rules", set.Enabled()).Msg("dry run: configuration and rules are good")
		return nil
	}
	if c.seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.seconds)*time.Second)
		defer cancel()
	}
	job := &Job{
		Setup: *setup, Log: log, PIDFile: c.pidfile, Lines: lines, Resync: c.resync, Record: c.record, Stdout: c.Stdout, Read: began,
	}
	if !lines {
		job.Load = func() (*engine.Setup, error) { return c.reload(log, conf) }
	}
	versions, err := json.Marshal(c.versions())
	if err != nil {
		return fmt.Errorf("encode versions: %w", err)
	}
	job.Versions = versions
	return c.Run(ctx, job)
}

// loud are the warnings that are shown without being asked for: rules that are not there, or not whole.
var loud = []rules.Code{rules.UnknownFilter, rules.UnknownSource, rules.NotSupported}

// report prints what is wrong with rule files, and fails if one was refused.
func (c *command) report(log zerolog.Logger, results []*rules.Result) error {
	c.warn(log, results)
	bad := false
	for _, r := range results {
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

// warn logs the warnings about rule files.
func (c *command) warn(log zerolog.Logger, results []*rules.Result) {
	for _, r := range results {
		for i := range r.Warnings {
			if w := &r.Warnings[i]; c.verbose || slices.Contains(loud, w.Code) {
				log.Warn().Msg(w.Line())
			}
		}
	}
}

// strictly makes the options those of --strict, if it is given.
func (c *command) strictly(o rules.Options) rules.Options {
	o.Strict = c.strict
	return o
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }

func ruleOptions(conf *config.Config, print string) rules.Options {
	o := rules.Options{Suffix: format.ParseSuffix(print), Static: conf.Rules.StaticFields}
	if o.Static == nil {
		o.Static = map[string]string{}
	}
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
			output = strings.TrimSpace(output + " " + suggested(conf))
		}
		o.Append = append(o.Append, rules.Append{
			Rule: a.Match.Rule, Source: a.Match.Source, Tags: a.Match.Tags, Output: output, Fields: extraFields(a.ExtraFields),
		})
	}
	return o
}

// suggested is what sources suggest to put behind an output, and what the configuration says of this machine.
func suggested(conf *config.Config) string {
	list := []string{field.SuggestedOutput()}
	for _, name := range slices.Sorted(maps.Keys(conf.Rules.StaticFields)) {
		list = append(list, strings.ReplaceAll(field.StaticName+"_"+name, ".", "_")+"=%"+field.StaticName+"["+field.Quote(name)+"]")
	}
	return strings.Join(list, " ")
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
