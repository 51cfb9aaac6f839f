// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"falconet/embed"

	"github.com/spf13/cobra"
)

// configCommand prints the configuration.
func (c *command) configCommand() *cobra.Command {
	var defaults bool
	cmd := &cobra.Command{
		Use: "config", Short: "print the configuration that is in effect", Args: cobra.NoArgs,
		Long: `Print the configuration as it is after all files, environment variables and options, and behind every value that somebody wrote
where. What is printed is a configuration file again.`,
		RunE: func(*cobra.Command, []string) error {
			if defaults {
				return c.write(assets.Config())
			}
			conf, err := c.loadConfig()
			if err != nil {
				return err
			}
			for _, w := range conf.Source.Warnings {
				_, _ = fmt.Fprintln(c.Stderr, "Warning: "+oneLine(w))
			}
			return c.write(conf.YAML())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&c.config, "config", "c", "", "configuration `file`")
	f.BoolVar(&c.lenient, "config-lenient", false, "unknown configuration keys are warnings")
	f.StringArrayVarP(&c.overrides, "option", "o", nil, "set a configuration `key=value`; may be repeated")
	f.BoolVar(&defaults, "defaults", false, "print the configuration inside the binary, with what every key means")
	return cmd
}
