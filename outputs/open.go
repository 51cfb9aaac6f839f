// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"errors"
	"fmt"
	"io"
	"strings"
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
	var list []opened
	var errs []error
	for _, one := range o.sinks() {
		s, err := one.open()
		if err == nil {
			s, err = one.spooling(s)
		}
		if err != nil {
			errs = append(errs, o.blame(one.key, err))
		} else if s != nil {
			list = append(list, o.opened(s, &one))
		}
	}
	if len(errs) > 0 {
		for _, s := range list {
			errs = append(errs, s.Close())
		}
		return nil, fmt.Errorf("open outputs: %w", errors.Join(errs...))
	}
	return newQueue(o.renderer(), o.queue(), list), nil
}

// opened is a sink that is ready, and what it was made of.
type opened struct {
	Sink
	same  string
	wrong func(error) // takes the error of a receiver that cannot be reached; nil where nobody asks
}

func (o *Options) opened(s Sink, of *source) opened {
	log, name, err := o.Log, s.Name(), func(err error) error { return o.blame(of.address, err) }
	return opened{s, of.same, func(e error) {
		log.Error().Str("output", name).Err(err(e)).Msg("output cannot be reached now: alerts wait")
	}}
}

// source is an output that is enabled.
type source struct {
	key     string // where a value is wrong, unless the error says
	address string // the key of where the receiver is
	same    string // all that the sink depends on: another sink with the same text does the same
	spool   config.Spool
	open    func() (Sink, error) // nil without an error is none
}

// sinks are the outputs that are enabled.
func (o *Options) sinks() (list []source) {
	timeout := o.timeout()
	add := func(key string, conf any, spool config.Spool, format Format, open func() (Sink, error)) {
		list = append(list, source{key: key, address: key, same: fmt.Sprintf("%s %+v %d %v %v", key, conf, format, timeout, o.Render.Buffered), spool: spool, open: open})
	}
	reads := func(files ...string) { // a file with other content makes another sink
		last := &list[len(list)-1]
		for _, f := range files {
			sum, _ := fileSum(f) // where it cannot be read, opening the sink says so
			last.same += " " + sum
		}
	}
	none := config.Spool{}
	if c := o.Outputs.Stdout; c.Enabled {
		f := o.format(c.Format)
		add("stdout_output", c, none, f, func() (Sink, error) { return NewStdout(f, o.Stdout), nil })
	}
	if c := o.Outputs.Syslog; c.Enabled {
		f := o.format(c.Format)
		add("syslog_output", c, none, f, func() (Sink, error) {
			if c.Address != "" {
				return NewRemoteSyslog(f, c, o.Hostname, timeout)
			}
			s, err := OpenSyslog(f)
			if err != nil {
				// A machine without a log service is no reason not to watch it; Falco says nothing at all here.
				o.Log.Warn().Err(err).Msg("syslog output is off")
				return nil, nil
			}
			return s, nil
		})
		reads(c.CACert, c.ClientCert, c.ClientKey)
		list[len(list)-1].address = "syslog_output.address"
	}
	if c := o.Outputs.File; c.Enabled {
		f := o.format(c.Format)
		add("file_output.filename", c, none, f, func() (Sink, error) { return OpenFile(f, c.Filename, c.KeepAlive) })
	}
	if c := o.Outputs.Program; c.Enabled {
		f := o.format(c.Format)
		add("program_output.program", c, c.Spool, f, func() (Sink, error) { return NewProgram(f, c.Program, c.KeepAlive) })
	}
	if c := o.Outputs.HTTP; c.Enabled {
		f := o.format(c.Format)
		add("http_output", c, c.Spool, f, func() (Sink, error) { return NewHTTP(f, c, timeout, o.Stdout) })
		reads(c.CACert, c.CABundle, c.ClientCert, c.ClientKey)
		list[len(list)-1].address = "http_output.url"
	}
	return list
}

func (o *Options) blame(key string, err error) error {
	var of *keyError
	if errors.As(err, &of) {
		key, err = of.key, of.err
	}
	if o.Blame != nil {
		return o.Blame(key, err)
	}
	return err
}

func (o *Options) timeout() time.Duration {
	return time.Duration(o.Outputs.TimeoutMS) * time.Millisecond
}

func (o *Options) renderer() *Renderer {
	r := NewRenderer(o.Render, o.Local)
	r.version = o.Version
	return r
}

func (o *Options) queue() QueueOptions {
	return QueueOptions{Capacity: o.Outputs.Queue.Capacity, Buffered: o.Render.Buffered, Timeout: o.timeout(), Log: o.Log, Patient: o.Patient}
}

// spooling gives a sink a spool where the configuration names one.
func (s *source) spooling(sink Sink) (Sink, error) {
	if s.spool.Path == "" || sink == nil {
		return sink, nil
	}
	spooled, err := WithSpool(sink, s.spool.Path, int64(s.spool.MaxSizeMB)<<20)
	if err != nil {
		name, _, _ := strings.Cut(s.key, ".")
		return nil, errors.Join(&keyError{name + ".spool.path", err}, sink.Close())
	}
	return spooled, nil
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
