// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"falconet/embed"
	"falconet/engine/alert"
	"falconet/engine/config"
	"falconet/engine/field"
	"falconet/engine/format"
	"falconet/engine/pushdown"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

func environ() []string { return os.Environ() }

// start loads the rules and runs the engine, or does with the rules what the options say.
func (c *command) start(ctx context.Context, conf *config.Config) error {
	log := newLog(c.Stderr, conf.Log)
	for _, w := range conf.Source.Warnings {
		log.Warn().Msg(w)
	}
	files, err := c.findRules(conf)
	if err != nil {
		return err
	}
	set, results := rules.Load(ruleOptions(conf, c.print), files...)
	if err := c.report(log, results); err != nil {
		return err
	}
	if c.describe || c.rule != "" {
		return c.describeRules(set, conf.Render.JSON)
	}
	if c.support {
		return c.printSupport(conf, files)
	}
	demand := set.Demand()
	if refused := pushdown.Restrict(demand, conf.Syscall.Base); len(refused) > 0 {
		log.Warn().Strs("syscalls", refused).Msg("rules ask for system calls that are not captured: high-volume ones need option -A")
	}
	if c.dryRun {
		log.Info().Int("rules", set.Enabled()).Msg("dry run: configuration and rules are good")
		return nil
	}
	if conf.Engine.Kind == "replay" {
		return errors.New("engine.kind: replay: this version reads no capture files")
	}
	if c.seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.seconds)*time.Second)
		defer cancel()
	}
	return c.Run(ctx, &Job{Config: conf, Rules: set, Demand: demand, Log: log, PIDFile: c.pidfile, Stdout: c.Stdout})
}

// report prints what is wrong with rule files, and fails if one was refused.
func (c *command) report(log zerolog.Logger, results []*rules.Result) error {
	bad := false
	for _, r := range results {
		for i := range r.Warnings {
			if w := &r.Warnings[i]; c.verbose || w.Code == rules.UnknownFilter || w.Code == rules.UnknownSource {
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

// findRules reads the rule files: those of -r, which must exist, else those of the configuration.
func (c *command) findRules(conf *config.Config) ([]rules.File, error) {
	paths, must := c.ruleFiles, true
	if len(paths) == 0 {
		paths, must = append(slices.Clone(conf.Rules.Files), conf.Rules.File...), false
	}
	var files []rules.File
	for _, p := range paths {
		found, err := readRules(p)
		if errors.Is(err, os.ErrNotExist) && !must {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no rule files were found (looked for %s)", strings.Join(paths, ", "))
	}
	return files, nil
}

// maxRules bounds one rules file.
const maxRules = 64 << 20

func readRules(path string) (files []rules.File, err error) {
	if path == config.EmbeddedRules {
		for _, a := range assets.Rules() {
			files = append(files, rules.File{Name: "embedded/" + a.Name, Data: a.Data})
		}
		return files, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	names := []string{path}
	if info.IsDir() {
		names = nil
		for _, pattern := range []string{"*.yaml", "*.yml"} {
			found, _ := filepath.Glob(filepath.Join(path, pattern))
			names = append(names, found...)
		}
		slices.Sort(names)
	}
	for _, name := range names {
		data, err := readBounded(name)
		if err != nil {
			return nil, err
		}
		files = append(files, rules.File{Name: name, Data: data})
	}
	return files, nil
}

func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxRules+1))
	if err == nil && len(data) > maxRules {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxRules)
	}
	return data, err
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
