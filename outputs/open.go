// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"io"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/config"
)

// Options say where alerts go.
type Options struct {
	Outputs config.Outputs
	Render  config.Render
	Stdout  io.Writer      // what the stdout output writes to
	Local   *time.Location // the zone of times of day
	Log     zerolog.Logger
	Patient <-chan struct{} // see QueueOptions
	// Messages makes a line of an alert's message alone.
	Messages bool
}

// Open opens every output that is enabled and starts a queue over them. On an error nothing is left open.
func Open(o Options) (*Queue, error) {
	f := FormatText
	if o.Render.JSON {
		f = FormatJSON
	}
	if o.Messages {
		f = FormatMessage
	}
	var sinks []Sink
	var errs []error
	add := func(s Sink, err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		sinks = append(sinks, s)
	}
	if o.Outputs.Stdout.Enabled {
		add(NewStdout(f, o.Stdout), nil)
	}
	if o.Outputs.Syslog.Enabled {
		s, err := OpenSyslog(f)
		if err != nil {
			// A machine without a log service is no reason not to watch it; Falco says nothing at all here.
			o.Log.Warn().Err(err).Msg("syslog output is off")
		} else {
			add(s, nil)
		}
	}
	if c := o.Outputs.File; c.Enabled {
		add(OpenFile(f, c.Filename, c.KeepAlive))
	}
	if c := o.Outputs.Program; c.Enabled {
		add(NewProgram(f, c.Program, c.KeepAlive))
	}
	if len(errs) > 0 {
		for _, s := range sinks {
			errs = append(errs, s.Close())
		}
		return nil, errors.Join(errs...)
	}
	return NewQueue(NewRenderer(o.Render, o.Local), QueueOptions{
		Capacity: o.Outputs.Queue.Capacity, Buffered: o.Render.Buffered,
		Timeout: time.Duration(o.Outputs.TimeoutMS) * time.Millisecond, Log: o.Log, Patient: o.Patient,
	}, sinks...), nil
}
