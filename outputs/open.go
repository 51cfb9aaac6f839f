// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/config"
)

// Options say where alerts go.
type Options struct {
	Outputs  config.Outputs
	Render   config.Render
	Stdout   io.Writer      // what the stdout output writes to
	Local    *time.Location // the zone of times of day
	Hostname string
	Version  string
	Log      zerolog.Logger
	Patient  <-chan struct{}                   // see QueueOptions
	Messages bool                              // a line is an alert's message alone
	Blame    func(key string, err error) error // says where a key was written; nil where that is not known
}

// Open opens every output that is enabled and starts a queue over them. On an error nothing is left open.
func Open(o Options) (*Queue, error) {
	var sinks []Sink
	var errs []error
	add := func(key string, s Sink, err error) {
		if err == nil {
			sinks = append(sinks, s)
			return
		}
		var of *keyError
		if errors.As(err, &of) {
			key, err = of.key, of.err
		}
		if o.Blame != nil {
			err = o.Blame(key, err)
		}
		errs = append(errs, err)
	}
	timeout := time.Duration(o.Outputs.TimeoutMS) * time.Millisecond
	if c := o.Outputs.Stdout; c.Enabled {
		add("", NewStdout(o.format(c.Format), o.Stdout), nil)
	}
	switch c := o.Outputs.Syslog; {
	case c.Enabled && c.Address != "":
		s, err := NewRemoteSyslog(o.format(c.Format), c, o.Hostname, timeout)
		add("syslog_output", s, err)
	case c.Enabled:
		s, err := OpenSyslog(o.format(c.Format))
		if err != nil {
			// A machine without a log service is no reason not to watch it; Falco says nothing at all here.
			o.Log.Warn().Err(err).Msg("syslog output is off")
		} else {
			add("", s, nil)
		}
	}
	if c := o.Outputs.File; c.Enabled {
		s, err := OpenFile(o.format(c.Format), c.Filename, c.KeepAlive)
		add("file_output.filename", s, err)
	}
	if c := o.Outputs.Program; c.Enabled {
		s, err := NewProgram(o.format(c.Format), c.Program, c.KeepAlive)
		if err != nil {
			add("program_output.program", nil, err)
		} else {
			sp, err := spooling(s, c.Spool)
			add("program_output.spool.path", sp, err)
		}
	}
	if c := o.Outputs.HTTP; c.Enabled {
		s, err := NewHTTP(o.format(c.Format), c, timeout, o.Stdout)
		if err != nil {
			add("http_output", nil, err)
		} else {
			sp, err := spooling(s, c.Spool)
			add("http_output.spool.path", sp, err)
		}
	}
	if len(errs) > 0 {
		for _, s := range sinks {
			errs = append(errs, s.Close())
		}
		return nil, fmt.Errorf("open outputs: %w", errors.Join(errs...))
	}
	renderer := NewRenderer(o.Render, o.Local)
	renderer.version = o.Version
	return NewQueue(renderer, QueueOptions{
		Capacity: o.Outputs.Queue.Capacity, Buffered: o.Render.Buffered, Timeout: timeout, Log: o.Log, Patient: o.Patient,
	}, sinks...), nil
}

// spooling gives a sink a spool where the configuration names one.
func spooling(s Sink, conf config.Spool) (Sink, error) {
	if conf.Path == "" {
		return s, nil
	}
	return WithSpool(s, conf.Path, int64(conf.MaxSizeMB)<<20)
}

// format reads a key format.
func (o *Options) format(name string) Format {
	switch {
	case o.Messages:
		return FormatMessage
	case name == "ocsf":
		return FormatOCSF
	case name == "ecs":
		return FormatECS
	case name == "json", name != "text" && o.Render.JSON:
		return FormatJSON
	}
	return FormatText
}
