// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"falconet/engine"
	"falconet/engine/config"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

// reload reads configuration and rules anew. What is wrong with them is logged. conf is that of the start.
func (c *command) reload(log zerolog.Logger, conf *config.Config) (*engine.Setup, error) {
	if !handed(c.config) { // what was handed over open has been read to its end
		var err error
		if conf, err = c.loadConfig(); err != nil {
			return nil, errors.New(oneLine(err.Error()))
		}
		for _, w := range conf.Source.Warnings {
			log.Warn().Msg(w)
		}
	}
	files, err := c.findRules(conf)
	if err != nil {
		return nil, err
	}
	if err := c.warnWritable(log, files); err != nil {
		return nil, err
	}
	set, results := rules.Load(c.strictly(ruleOptions(conf, c.print)), files...)
	var wrong []string
	c.warn(log, results)
	for _, r := range results {
		for i := range r.Errors {
			log.Error().Msg(r.Errors[i].Line())
			wrong = append(wrong, r.Errors[i].Line())
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("load rules: %s", strings.Join(wrong, "; "))
	}
	return c.setup(conf, files, set, log), nil
}

// setup is what a run needs of configuration and rules.
func (c *command) setup(conf *config.Config, files []rules.File, set *rules.Set, log zerolog.Logger) *engine.Setup {
	s := &engine.Setup{Config: conf, Rules: set, Demand: set.Demand(), Watch: c.watched(conf)}
	if conf.Engine.Kind != "replay" { // a recording has what it has
		s.Demand = selectEvents(log, set, conf)
		if c.record != nil || conf.Capture.Enabled {
			s.Demand.Whole()
		}
	}
	for _, f := range files {
		s.Files = append(s.Files, f.Name)
	}
	return s
}

// watched are the files and directories that a run is made of, those included that may come.
func (c *command) watched(conf *config.Config) []string {
	paths := config.SearchPaths()
	if c.config != "" {
		paths = []string{c.config}
	}
	for _, i := range conf.Files.Includes {
		paths = append(paths, i.Path)
	}
	paths = append(paths, c.rulePaths(conf)...)
	return slices.DeleteFunc(paths, func(p string) bool { return p == "" || p == config.EmbeddedRules || handed(p) })
}

// rulePaths are where rules come from: from the options, else from the configuration.
func (c *command) rulePaths(conf *config.Config) []string {
	if len(c.ruleFiles) > 0 {
		return slices.Clone(c.ruleFiles)
	}
	return slices.Clone(conf.Rules.Files)
}

// readOnce reads rules. What was handed over open can be read but once, and is kept for when it is asked for again.
func (c *command) readOnce(path string) []rules.File {
	if !handed(path) {
		return readRules(path)
	}
	if c.kept == nil {
		c.kept = make(map[string][]rules.File)
	}
	if _, ok := c.kept[path]; !ok {
		c.kept[path] = readRules(path)
	}
	return c.kept[path]
}

// handed reports whether a path is a file that the caller handed over open.
func handed(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}
