// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"falconet/engine/config"
	"falconet/engine/event"
	"falconet/engine/pushdown"
	"falconet/engine/rules"

	"github.com/spf13/cobra"
)

// rulesCommand holds what can be asked of rule files.
func (c *command) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rules", Short: "explain a rule, or find what is weak in rule files", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.explainCommand(), c.lintCommand())
	return cmd
}

// rulesFlags are the options that the commands on rule files share with the root.
func (c *command) rulesFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&c.config, "config", "c", "", "configuration `file`")
	f.BoolVar(&c.lenient, "config-lenient", false, "unknown configuration keys are warnings")
	f.StringArrayVarP(&c.overrides, "option", "o", nil, "set a configuration `key=value`; may be repeated")
	f.StringArrayVarP(&c.ruleFiles, "rules", "r", nil, "rules `file` or directory, like FILE; may be repeated")
	f.StringVar(&c.format, "format", "", "text or json")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "say more")
}

// rulesFormat is the form of what these commands print.
func (c *command) rulesFormat() (asJSON bool, err error) {
	switch c.format {
	case "", "text":
		return false, nil
	case "json":
		return true, nil
	}
	return false, fmt.Errorf("option --format: '%s' is none of text, json", c.format)
}

func (c *command) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain [FILE...] RULE", Short: "say what becomes of a rule and what it needs", Args: cobra.MinimumNArgs(1),
		Long: `Say what becomes of a rule: its condition with macros, lists and exceptions in it, the events that it is asked for, what every comparison
and the output read of them, what the rule uses and whether it is enabled. The files are loaded in order, as they would be to run;
without one, those of the configuration are.`,
		RunE: func(_ *cobra.Command, args []string) error { return c.explain(args) },
	}
	c.rulesFlags(cmd)
	return cmd
}

func (c *command) explain(args []string) error {
	asJSON, err := c.rulesFormat()
	if err != nil {
		return err
	}
	conf, err := c.loadConfig()
	if err != nil {
		return err
	}
	name := args[len(args)-1]
	c.ruleFiles = append(c.ruleFiles, args[:len(args)-1]...)
	files, err := c.findRules(conf)
	if err != nil {
		return err
	}
	x, results, err := rules.Explain(rules.ExplainOptions{Options: ruleOptions(conf, c.print), NotCaptured: notCaptured(conf)}, name, files...)
	switch {
	case err != nil:
		return err
	case x == nil:
		return c.refused(results)
	case asJSON:
		return c.writeJSON(x)
	}
	return c.write([]byte(x.Text(c.verbose)))
}

// refused says what is wrong with files that were not accepted.
func (c *command) refused(results []*rules.Result) error {
	for _, r := range results {
		if r.OK() {
			continue
		}
		if err := c.write([]byte(r.Text(false) + "\n")); err != nil {
			return err
		}
	}
	return errReported
}

// notCaptured are the event types that the configuration keeps out, whatever rules ask.
func notCaptured(conf *config.Config) map[string]string {
	d := &event.Demand{}
	d.AddAll()
	out := make(map[string]string)
	for _, name := range pushdown.Restrict(d, conf.Syscall.Base) {
		why := "base_syscalls.custom_set leaves it out"
		if pushdown.IsHighVolume(name) && !conf.Syscall.Base.All {
			why = "calls of high volume are captured with base_syscalls.all (-A)"
		}
		out[name] = why
		if of, ok := event.NameOfCall(name); ok {
			out[of] = why
		}
	}
	return out
}
