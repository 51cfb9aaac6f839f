// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"falconet/engine/config"
	"falconet/engine/rules"
)

// validateFiles is -V: each file with all that come before it, as they would be loaded together.
func (c *command) validateFiles(conf *config.Config) error {
	c.ruleFiles = c.validate
	files, err := c.findRules(conf)
	if err != nil {
		return err
	}
	set, results := rules.Load(c.strictly(ruleOptions(conf, c.print)), files...)
	valid := true
	for _, r := range results {
		valid = valid && r.OK()
	}
	if conf.Render.JSON {
		out := map[string]any{"falco_load_results": results}
		if set != nil && (c.describe || c.rule != "") {
			d, err := rules.Describe(set, c.rule)
			if err != nil {
				return err
			}
			out["falco_describe_results"] = d
		}
		if err := c.encode(out, ""); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			if err := c.write([]byte(r.Text(c.verbose) + "\n")); err != nil {
				return err
			}
		}
		if set != nil && (c.describe || c.rule != "") {
			if err := c.write([]byte("\n")); err != nil {
				return err
			}
			return c.describeRules(set, false)
		}
	}
	if !valid {
		return errReported
	}
	return nil
}

// describeRules is -L, and -l for one rule.
func (c *command) describeRules(set *rules.Set, asJSON bool) error {
	d, err := rules.Describe(set, c.rule)
	if err != nil {
		return err
	}
	if asJSON {
		return c.writeJSON(d)
	}
	text := fmt.Sprintf("%-50s %s\n%-50s %s\n", "Rule", "Description", "----", "-----------")
	for _, r := range d.Rules {
		text += fmt.Sprintf("%-50s %s\n\n", r.Info.Name, wrap(r.Info.Description, 51, 110))
	}
	return c.write([]byte(text))
}
