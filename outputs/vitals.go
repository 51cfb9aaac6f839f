// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"errors"
	"reflect"
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
	o   VitalsOptions
	now *vitals
}

// vitals are those of one configuration.
type vitals struct {
	cancel  context.CancelFunc
	web     *Web
	metrics *Metrics // nil without
	running sync.WaitGroup
}

// StartVitals starts what the configuration asks for. Close ends it.
func StartVitals(o VitalsOptions) (*Vitals, error) {
	now, err := startVitals(o)
	return &Vitals{o: o, now: now}, err
}

// Reload makes the vitals those of another configuration and of other rule files. On an error they stay those of the one before, as far as
// that can still be had.
func (v *Vitals) Reload(next *config.Config, rules []string) error {
	last := v.o
	v.o.Config, v.o.Sources.Rules, v.o.Sources.Configs = next, rules, next.Source.Files
	if last.Config.Web == next.Web && last.Config.Metrics == next.Metrics && reflect.DeepEqual(last.Config.Drops, next.Drops) {
		if v.now.metrics != nil {
			v.now.metrics.Files(rules, next.Source.Files)
		}
		return nil
	}
	v.now.close()
	now, err := startVitals(v.o)
	if err != nil {
		v.o.Config = last.Config
		var again error
		if now, again = startVitals(v.o); again != nil {
			now = &vitals{cancel: func() {}}
			err = errors.Join(err, again)
		}
	}
	v.now = now
	return err
}

// Close ends everything and waits for it.
func (v *Vitals) Close() { v.now.close() }

func startVitals(o VitalsOptions) (*vitals, error) {
	conf := o.Config
	healthy := func() error { return nil }
	var pulse *Pulse
	if o.Beat != nil {
		pulse = NewPulse(o.Beat, o.Beats, o.Log)
		healthy = pulse.Healthy
	}
	o.Sources.Healthy = healthy
	v := &vitals{}
	var snapshots func(context.Context)
	if conf.Metrics.Enabled {
		v.metrics = NewMetrics(conf.Metrics, o.Sources, o.Queue, o.Tally)
		var err error
		if snapshots, err = v.metrics.OpenSnapshots(o.Queue.Send, o.Log); err != nil {
			return nil, conf.Blame("metrics.output_file", err)
		}
	}
	if conf.Web.Enabled {
		served := v.metrics
		if !conf.Web.Prometheus {
			served = nil
		}
		var err error
		if v.web, err = OpenWeb(WebOptions{Conf: conf.Web, Versions: o.Versions, Healthy: healthy, Metrics: served, Blame: conf.Blame}); err != nil {
			return nil, err
		}
		v.running.Go(func() {
			if err := v.web.Serve(); err != nil {
				o.Log.Error().Err(err).Msg("the web server has ended")
			}
		})
	}
	var ctx context.Context
	ctx, v.cancel = context.WithCancel(context.Background())
	if pulse != nil {
		v.running.Go(func() { pulse.Run(ctx) })
	}
	if snapshots != nil {
		v.running.Go(func() { snapshots(ctx) })
	}
	if o.Sources.Kernel != nil {
		drops := NewDrops(conf.Drops.Drops, o.Sources.Kernel, o.Queue.Send, o.Sources.Hostname, o.Log)
		v.running.Go(func() {
			if err := drops.Run(ctx); err != nil {
				o.Fail(err)
			}
		})
	}
	return v, nil
}

func (v *vitals) close() {
	v.cancel()
	if v.web != nil {
		v.web.Close()
	}
	v.running.Wait()
}
