// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"

	"falconet/engine/config"
	"falconet/engine/rules"

	"github.com/spf13/cobra"
)

// eventLine is how an event is printed where nothing else is asked for.
const eventLine = "%evt.num %evt.time %evt.cpu %proc.name (%thread.tid) %evt.type %evt.args"

// anyEvent is the condition of all events.
const anyEvent = "evt.num >= 0"

func (c *command) eventsCommand() *cobra.Command {
	var read, print string
	var resync bool
	cmd := &cobra.Command{
		Use: "events [CONDITION]", Short: "print the events for which a condition holds", Args: cobra.MaximumNArgs(1),
		Long: `Prints a line for each event of the live system, or of a capture file, for which a condition of the rule language holds.
Without a condition those are all events.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			condition := anyEvent
			if len(args) > 0 {
				condition = args[0]
			}
			c.capture, c.resync, c.all = read, resync, true
			conf, err := c.loadConfig()
			if err != nil {
				return err
			}
			rule, err := printRule(condition, print)
			if err != nil {
				return err
			}
			conf.Outputs = config.Outputs{Queue: conf.Outputs.Queue, Stdout: config.StdoutOutput{Enabled: true}}
			conf.Render.JSON, conf.Rules = false, config.Rules{Priority: "debug", Matching: "first"}
			return c.start(cmd.Context(), conf, rules.File{Name: "condition", Data: rule})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&read, "read", "e", "", "read a capture `file` instead of the live system, - for the standard input")
	f.StringVarP(&print, "print", "p", eventLine, "what to print, a `text` with fields")
	f.BoolVar(&resync, "resync", false, "pass over what is damaged in a capture file")
	f.StringArrayVarP(&c.overrides, "option", "o", nil, "set a configuration `key=value`; may be repeated")
	f.IntVarP(&c.seconds, "seconds", "M", 0, "stop after this many `seconds`")
	return cmd
}

// printRule is a rules file of one rule. JSON is YAML too, whatever the condition holds.
func printRule(condition, output string) ([]byte, error) {
	b, err := json.Marshal([]map[string]string{{
		"rule": "event", "desc": "what was asked for", "condition": condition, "output": output, "priority": "DEBUG",
	}})
	if err != nil {
		return nil, fmt.Errorf("write rule: %w", err)
	}
	return b, nil
}
