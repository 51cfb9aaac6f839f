// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"strings"
	"time"

	"falconet/engine/config"
	"falconet/engine/event"

	"github.com/spf13/cobra"
)

func (c *command) recordCommand() *cobra.Command {
	var r config.Recording
	cmd := &cobra.Command{
		Use: "record -w FILE [CONDITION]", Short: "write the events for which a condition holds to a capture file", Args: cobra.MaximumNArgs(1),
		Long: `Writes the live system's events for which a condition of the rule language holds to a capture file, which engine.kind replay, Falco and
sysdig read. Without a condition those are all events. How processes begin and end is recorded in any case.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case r.File == "":
				return errors.New("option -w names the file to write")
			case r.Files > 0 && r.SizeMB == 0 && r.Seconds == 0:
				return errors.New("option -W needs one of -C and -G: they say when a file is full")
			case r.File == "-" && r.Files > 0:
				return errors.New("option -W: the standard output is one file")
			}
			r.Rotate = r.File != "-" && (r.Files != 1) && (r.SizeMB > 0 || r.Seconds > 0)
			conditions := []string{anyEvent}
			if len(args) > 0 {
				conditions = []string{args[0], "evt.type in (" + strings.Join(event.LifeNames(), ", ") + ")"}
			}
			c.record, c.all = &r, true
			conf, err := c.loadConfig()
			if err != nil {
				return err
			}
			onlyCondition(conf)
			rules, err := conditionRules("recorded", conditions...)
			if err != nil {
				return err
			}
			return c.start(cmd.Context(), conf, time.Now(), rules)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&r.File, "write", "w", "", "the `file`, - for the standard output")
	f.BoolVarP(&r.Gzip, "compress", "z", false, "compress it with gzip")
	f.Uint64VarP(&r.Events, "events", "n", 0, "stop after this many `events`")
	f.IntVarP(&c.seconds, "seconds", "M", 0, "stop after this many `seconds`")
	f.IntVarP(&r.SizeMB, "size", "C", 0, "begin another file when one has so many `megabytes`")
	f.IntVarP(&r.Seconds, "rotate", "G", 0, "begin another file after so many `seconds`")
	f.IntVarP(&r.Files, "files", "W", 0, "keep the last `n` files; with 1 the first file ends the recording")
	f.IntVarP(&c.snaplen, "snaplen", "S", 0, "bytes kept of buffers (falco_libs.snaplen)")
	f.StringArrayVarP(&c.overrides, "option", "o", nil, "set a configuration `key=value`; may be repeated")
	return cmd
}
