// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"

	"falconet/engine/config"
)

// VitalsOptions say what watches the program itself.
type VitalsOptions struct {
	Config   *config.Config
	Sources  Sources
	Versions []byte // JSON
	Beat     func() // makes a call that the probe reports; nil without a probe
	Beats    func() uint64
	Queue    *Queue
	Tally    *Tally
	Log      zerolog.Logger
	Fail     func(error) // is called when the program has to end
}

// Vitals are the heartbeat, the actions on lost events, metrics and the web server. Reload and Close belong to one goroutine.
type Vitals struct {
	o       VitalsOptions
	cancel  context.CancelFunc
	running sync.WaitGroup // what goes on over all reloads
	drops   *Drops         // nil without a probe
	now     *published
}

// published is what one configuration has published.
type published struct {
	of      string // all that it depends on
	cancel  context.CancelFunc
	web     *Web     // nil without
	metrics *Metrics // nil without
	running sync.WaitGroup
}

// StartVitals starts what the configuration asks for. Close ends it.
func StartVitals(o VitalsOptions) (*Vitals, error) {
	v := &Vitals{o: o}
	var pulse *Pulse
	v.o.Sources.Healthy = func() error { return nil }
	if o.Beat != nil {
		pulse = NewPulse(o.Beat, o.Beats, o.Log)
		v.o.Sources.Healthy = pulse.Healthy
	}
	var err error
	if v.now, err = publish(v.o); err != nil {
		return nil, err
	}
	var ctx context.Context
	ctx, v.cancel = context.WithCancel(context.Background())
	if pulse != nil {
		v.running.Go(func() { pulse.Run(ctx) })
	}
	if o.Sources.Kernel != nil {
		v.drops = NewDrops(o.Config.Drops.Drops, o.Sources.Kernel, o.Queue.Send, o.Sources.Hostname, o.Log)
		v.running.Go(func() {
			if err := v.drops.Run(ctx); err != nil {
				o.Fail(err)
			}
		})
	}
	return v, nil
}

// Reload makes the vitals those of another configuration and of other rule files. On an error what is published stays that of the one before,
// as far as that can still be had.
func (v *Vitals) Reload(next *config.Config, rules []string) error {
	last := v.o.Config
	v.o.Config, v.o.Sources.Rules, v.o.Sources.Configs = next, rules, next.Source.Files
	if v.drops != nil {
		v.drops.Use(next.Drops.Drops)
	}
	if v.now.of == publishes(next) {
		if v.now.metrics != nil {
			v.now.metrics.Files(rules, next.Source.Files)
		}
		return nil
	}
	v.now.close()
	now, err := publish(v.o)
	if err != nil {
		v.o.Config = last
		var again error
		if now, again = publish(v.o); again != nil {
			now = &published{cancel: func() {}}
			err = errors.Join(err, again)
		}
	}
	v.now = now
	return err
}

// Close ends everything and waits for it.
func (v *Vitals) Close() {
	v.now.close()
	v.cancel()
	v.running.Wait()
}

// publishes sums up all that decides on what is published, the content of the certificate's file included.
func publishes(conf *config.Config) string {
	of := fmt.Sprintf("%+v %+v", conf.Web, conf.Metrics)
	if conf.Web.Enabled && conf.Web.SSL {
		sum, _ := fileSum(conf.Web.Certificate) // where it cannot be read, opening the server says so
		of += " " + sum
	}
	return of
}

// publish starts the web server and the snapshots of metrics.
func publish(o VitalsOptions) (*published, error) {
	conf := o.Config
	p := &published{of: publishes(conf)}
	var snapshots func(context.Context)
	if conf.Metrics.Enabled {
		p.metrics = NewMetrics(conf.Metrics, o.Sources, o.Queue, o.Tally)
		var err error
		if snapshots, err = p.metrics.OpenSnapshots(o.Queue.Send, o.Log); err != nil {
			return nil, conf.Blame("metrics.output_file", err)
		}
	}
	if conf.Web.Enabled {
		served := p.metrics
		if !conf.Web.Prometheus {
			served = nil
		}
		var err error
		if p.web, err = OpenWeb(WebOptions{Conf: conf.Web, Versions: o.Versions, Healthy: o.Sources.Healthy, Metrics: served, Blame: conf.Blame}); err != nil {
			return nil, err
		}
		p.running.Go(func() {
			if err := p.web.Serve(); err != nil {
				o.Log.Error().Err(err).Msg("the web server has ended")
			}
		})
	}
	var ctx context.Context
	ctx, p.cancel = context.WithCancel(context.Background())
	if snapshots != nil {
		p.running.Go(func() { snapshots(ctx) })
	}
	return p, nil
}

func (p *published) close() {
	p.cancel()
	if p.web != nil {
		p.web.Close()
	}
	p.running.Wait()
}
