// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

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
			rule, err := conditionRules(print, condition)
			if err != nil {
				return err
			}
			onlyCondition(conf)
			conf.Outputs.Stdout.Enabled = true
			return c.start(cmd.Context(), conf, time.Now(), rule)
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

// onlyCondition takes back what the configuration says of rules, of where alerts go, and of what watches this program, which another run may do.
func onlyCondition(conf *config.Config) {
	conf.Outputs = config.Outputs{Queue: conf.Outputs.Queue}
	conf.Render.JSON, conf.Rules, conf.Capture = false, config.Rules{Priority: "debug", Matching: "first"}, config.Capture{}
	conf.Web.Enabled, conf.Metrics.Enabled = false, false
}

// conditionRules is a rules file with a rule for each condition. JSON is YAML too, whatever the conditions hold.
func conditionRules(output string, conditions ...string) (rules.File, error) {
	var list []map[string]string
	for i, condition := range conditions {
		list = append(list, map[string]string{
			"rule": "event " + strconv.Itoa(i+1), "desc": "what was asked for", "condition": condition, "output": output, "priority": "DEBUG",
		})
	}
	b, err := json.Marshal(list)
	if err != nil {
		return rules.File{}, fmt.Errorf("write rule: %w", err)
	}
	return rules.File{Name: "condition", Data: b}, nil
}
