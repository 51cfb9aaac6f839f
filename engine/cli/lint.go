// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"falconet/engine/rules"

	"github.com/spf13/cobra"
)

func (c *command) lintCommand() *cobra.Command {
	var disable []string
	var checks strings.Builder
	rules.LintChecks(func(name, desc string) { fmt.Fprintf(&checks, "  %-17s %s\n", name, desc) })
	cmd := &cobra.Command{
		Use: "lint [FILE...]", Short: "find what is weak in rule files",
		Long: `Find what is weak in rule files: every warning of loading them, and what the checks below look for. The exit code is 1 when something was
found. The files are loaded in order, as they would be to run; without one, those of the configuration are.

Checks:
` + checks.String(),
		RunE: func(_ *cobra.Command, args []string) error { return c.lint(args, disable) },
	}
	c.rulesFlags(cmd)
	cmd.Flags().StringArrayVar(&disable, "disable", nil, "leave out a `check`, or a warning by its code; may be repeated")
	return cmd
}

func (c *command) lint(args, disable []string) error {
	asJSON, err := c.rulesFormat()
	if err != nil {
		return err
	}
	conf, err := c.loadConfig()
	if err != nil {
		return err
	}
	c.ruleFiles = append(c.ruleFiles, args...)
	files, err := c.findRules(conf)
	if err != nil {
		return err
	}
	found, results, err := rules.Lint(rules.LintOptions{Options: ruleOptions(conf, c.print), Disable: disable}, files...)
	if err != nil {
		return fmt.Errorf("option --disable: %w", err)
	}
	for _, r := range results {
		if !r.OK() {
			return c.refused(results)
		}
	}
	if asJSON {
		err = c.writeJSON(map[string]any{"findings": append([]rules.Finding{}, found...)})
	} else {
		err = c.write([]byte(rules.FindingsText(found)))
	}
	if err == nil && len(found) > 0 {
		err = errReported
	}
	return err
}
