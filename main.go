// SPDX-License-Identifier: Apache-2.0

// falconet watches a Linux host and raises alerts when rules match.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // for images that hold nothing else

	"falconet/embed"
	"falconet/engine"
	"falconet/engine/cli"
	"falconet/engine/config"
	"falconet/engine/container"
	"falconet/engine/event"
	"falconet/engine/field"
	"falconet/engine/privilege"
	"falconet/outputs"
	"falconet/probe/live"

	"github.com/rs/zerolog"
	"go.uber.org/automaxprocs/maxprocs"
)

// version is stamped by the build.
var version = "0.0.0-dev"

// flushTime bounds how long the end waits for outputs.
const flushTime = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := cli.Main(ctx, cli.Deps{Version: version, Stdout: os.Stdout, Stderr: os.Stderr, Run: run, Doctor: doctor}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run joins probe, engine and outputs until ctx ends.
func run(ctx context.Context, job *cli.Job) (err error) {
	log := job.Log
	// A reader of the standard output that goes away must not end the watch: the write fails instead. Programs that we start keep
	// the signal's default, which they would not if it were ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	_, _ = maxprocs.Set(maxprocs.Logger(func(format string, args ...any) { log.Info().Msgf(format, args...) }))
	host, err := newHost(job)
	if err != nil {
		return err
	}
	var src engine.Source = engine.Silent{}
	var probe *live.Probe
	if job.Config.Engine.Kind != "nodriver" {
		if probe, err = openProbe(job, host, log); err != nil {
			return err
		}
		defer probe.Close()
		src = probe
	}
	queue, err := outputs.Open(outputsOf(job, job.Config, host.Name))
	if err != nil {
		return fmt.Errorf("open outputs: %w", err)
	}
	tally := &outputs.Tally{}
	boxes := container.NewStore(container.OptionsOf(job.Config.Syscall.Containers, os.Getenv("HOST_ROOT")))
	defer boxes.Close()
	host.Containers.Use(boxes)
	e := engine.New(engine.Options{Host: host, Rules: job.Rules, Out: outputs.Counted{Queue: queue, Tally: tally}, Patience: job.Config.Syscall.Containers.Patience()})
	removePID, err := job.WritePID()
	if err != nil {
		queue.Close(flushTime)
		return err
	}
	defer removePID()
	if probe != nil {
		if err := probe.Start(); err != nil {
			queue.Close(flushTime)
			return fmt.Errorf("start probe: %w", err)
		}
		probe.LogRefused(log)
	}
	ctx, fail := context.WithCancelCause(ctx)
	r := newReload(job, host.Name, e, queue, probe)
	host.Names = r.Names(ctx, &job.Setup)
	vitals, err := startVitals(job, host, probe, queue, tally, e, r.Reloader, fail)
	if err != nil {
		queue.Close(flushTime)
		return err
	}
	kept, err := privilege.Reduce(job.Config)
	if err != nil {
		vitals.Close()
		queue.Close(flushTime)
		return fmt.Errorf("drop privileges: %w", err)
	}
	log.Info().Stringer("kept", kept).Msg("capabilities dropped")
	stopReload := r.start(ctx, vitals, hangups)
	log.Info().Str("version", version).Int("rules", job.Rules.Enabled()).Msg("watching")
	stopReopen := queue.ReopenOn(ctx, syscall.SIGUSR1)
	err = e.Run(ctx, src)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		err = errors.Join(err, cause)
	}
	stopReopen()
	stopReload()
	vitals.Close()
	if probe != nil {
		probe.Drain(e.Handle, e.Settled)
	}
	e.Flush()
	if !queue.Close(flushTime) {
		log.Error().Msg("an output did not take its last alerts in time")
	}
	return errors.Join(err, finish(job.Stdout, log, host, tally, queue, probe))
}

// outputsOf says where alerts go.
func outputsOf(job *cli.Job, conf *config.Config, hostname string) outputs.Options {
	return outputs.Options{
		Outputs: conf.Outputs, Render: conf.Render, Stdout: job.Stdout, Local: time.Local, Hostname: hostname, Version: version, Log: job.Log, Blame: conf.Blame,
	}
}

// reload makes probe and outputs follow the configuration.
type reload struct {
	*engine.Reloader
	vitals *outputs.Vitals
	change *outputs.Change
}

func newReload(job *cli.Job, hostname string, e *engine.Engine, queue *outputs.Queue, probe *live.Probe) *reload {
	r := &reload{}
	o := engine.ReloadOptions{
		Engine: e, Now: &job.Setup, Read: job.Read, Load: job.Load, Alert: queue.Send, Hostname: hostname, Log: job.Log,
		Check: func(next *engine.Setup) (err error) {
			r.change, err = queue.Prepare(outputsOf(job, next.Config, hostname))
			return err
		},
		Undo: func() { r.change.Drop() },
		Done: func(_, next *engine.Setup) {
			if err := errors.Join(r.change.Make(), r.vitals.Reload(next.Config, next.Files)); err != nil {
				job.Log.Error().Err(err).Msg("not all of the configuration could be followed")
			}
			if probe != nil {
				probe.LogRefused(job.Log)
				probe.LogHeld(job.Log, next.Rules.HeldBy)
			}
		},
	}
	if probe != nil {
		o.Tuner = probe
	}
	r.Reloader = engine.NewReloader(o)
	return r
}

// start reloads on SIGHUP and when files change, until the function that it returns has been called.
func (r *reload) start(ctx context.Context, vitals *outputs.Vitals, hangups <-chan os.Signal) (stop func()) {
	r.vitals = vitals
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx, hangups)
	}()
	return func() { cancel(); <-done }
}

// startVitals starts what watches this program itself.
func startVitals(job *cli.Job, host *field.Host, probe *live.Probe, queue *outputs.Queue, tally *outputs.Tally, e *engine.Engine, r *engine.Reloader, fail func(error)) (*outputs.Vitals, error) {
	o := outputs.VitalsOptions{
		Config: job.Config, Versions: job.Versions, Queue: queue, Tally: tally, Log: job.Log, Fail: fail,
		Sources: outputs.Sources{
			Version: version, Hostname: host.Name, Engine: "nodriver", Root: os.Getenv("HOST_ROOT"), Start: time.Now(), Boot: time.Unix(0, host.BootTime),
			Rules: job.Files, Configs: job.Config.Source.Files, Events: func() uint64 { return e.Stats().Events }, Reloads: r.Counts,
			Processes: func() outputs.Processes {
				s := host.Procs.Stats()
				return outputs.Processes{Now: s.Processes, Evictions: s.Evictions, Misses: s.Misses, Refills: s.Refills, Failures: s.RefillFailures}
			},
		},
	}
	if probe != nil {
		o.Beat, o.Beats, o.Sources.Engine = probe.Beat, probe.Beats, "modern_bpf"
		o.Sources.Kernel = func() (outputs.Kernel, error) { return kernelCounts(probe) }
	}
	return outputs.StartVitals(o)
}

// kernelCounts hands the probe's counters to the outputs.
func kernelCounts(probe *live.Probe) (out outputs.Kernel, err error) {
	all, err := probe.Stats()
	if err != nil {
		return nil, err
	}
	for id, cpus := range all.Events() {
		e := outputs.KernelEvent{Name: event.Rows()[id].Name}
		for _, c := range cpus {
			e.CPUs = append(e.CPUs, outputs.KernelCounts{
				Sent: c.Sent, RingFull: c.RingFull, NoProgram: c.NoProgram + c.Unmatched, ScratchFull: c.ScratchFull, Fault: c.Fault, Truncated: c.Truncated + c.TooDeep,
			})
		}
		out = append(out, e)
	}
	return out, nil
}

// finish prints the statistics and says what was lost.
func finish(out io.Writer, log zerolog.Logger, host *field.Host, tally *outputs.Tally, queue *outputs.Queue, probe *live.Probe) error {
	if probe != nil {
		probe.LogLoss(log)
	}
	if n := host.Procs.Stats().Evictions; n > 0 {
		log.Warn().Uint64("processes", n).Msg("processes found no room in the table (falco_libs.thread_table_size)")
	}
	queue.Stats().Log(log)
	if _, err := tally.WriteTo(out); err != nil && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}

func newHost(job *cli.Job) (*field.Host, error) {
	name := os.Getenv("FALCO_HOSTNAME")
	if name == "" {
		var err error
		if name, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("read host name: %w", err)
		}
	}
	budget := engine.Budget(job.Config.Memory.BudgetMB) << 20
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(budget))
	}
	host := engine.NewHost(name, os.Getenv("HOST_ROOT"), job.Config.Syscall.Libs.ThreadTableSize, budget)
	job.Setup.Adopt(host)
	return host, nil
}

// lifeBytes is the ring of process life: room for some thousand programs started at once.
const lifeBytes = 8 << 20

// openProbe attaches the probe and fills the process table, so that nothing that happens in between is missed.
func openProbe(job *cli.Job, host *field.Host, log zerolog.Logger) (*live.Probe, error) {
	conf := job.Config.Engine.ModernEBPF
	p, err := live.Open(live.Options{
		Object: assets.Probe(), Demand: job.Demand, EventBytes: conf.BufferBytes(), LifeBytes: lifeBytes,
		CPUsPerRing: conf.CPUsForEachBuffer, DropFailed: conf.DropFailedExit, Snaplen: job.Config.Syscall.Libs.Snaplen, Controller: live.FirstController(),
	})
	if err != nil {
		return nil, fmt.Errorf("open probe: %w", err)
	}
	p.LogBuffers(log, conf)
	p.LogRefused(log)
	p.LogHeld(log, job.Rules.HeldBy)
	if !host.Procs.HasProc() {
		log.Warn().Msg("this is not the host's pid namespace: of processes that run already little is known (share it, or mount the host's root and name it in HOST_ROOT)")
	}
	var tasks []event.TaskFacts
	if !conf.DisableIterators {
		if err := p.Tasks(func(f *event.TaskFacts) { tasks = append(tasks, *f) }); err != nil {
			log.Warn().Err(err).Msg("running processes are read from /proc")
		}
	}
	n := 0
	if len(tasks) > 0 {
		n = host.Procs.Seed(tasks)
	} else {
		n = host.Procs.SeedProc()
	}
	log.Debug().Int("processes", n).Msg("process table filled")
	return p, nil
}

// doctor proves the probe, with a run of this very program as the process to look at.
func doctor(ctx context.Context) (out []cli.Check) {
	o := live.Options{Object: assets.Probe(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: live.FirstController()}
	for _, f := range live.Diagnose(ctx, o, "/proc/self/exe", "--page-size") {
		c := cli.Check{Name: f.Name, Status: "ok", Detail: f.Detail, Advice: f.Advice}
		switch {
		case !f.OK && f.Minor:
			c.Status = "warn"
		case !f.OK:
			c.Status = "fail"
		}
		out = append(out, c)
	}
	return out
}
