// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"falconet/embed"

	"github.com/spf13/cobra"
)

// helpCommand prints the manual.
func (c *command) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [topic]", Short: "print a page of the manual", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.helpTopics(cmd)
			}
			for _, page := range assets.Manual() {
				if page.Name == args[0] {
					return c.write(page.Data)
				}
			}
			for _, sub := range cmd.Root().Commands() {
				if sub.Name() == args[0] {
					return sub.Help()
				}
			}
			return fmt.Errorf("the manual has no topic '%s'; falconet help lists them", args[0])
		},
	}
}

func (c *command) helpTopics(cmd *cobra.Command) error {
	if err := cmd.Root().Help(); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("\nManual (falconet help TOPIC):\n")
	for _, page := range assets.Manual() {
		title, _, _ := strings.Cut(string(page.Data), "\n")
		fmt.Fprintf(&b, "  %-14s %s\n", page.Name, strings.TrimPrefix(title, "# "))
	}
	return c.write([]byte(b.String()))
}
