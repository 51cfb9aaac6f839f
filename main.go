// SPDX-License-Identifier: Apache-2.0

// falconet watches a Linux host and raises alerts when rules match.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
	_ "time/tzdata" // for images that hold nothing else

	"falconet/embed"
	"falconet/engine"
	"falconet/engine/cli"
	"falconet/engine/config"
	"falconet/engine/container"
	"falconet/engine/field"
	"falconet/engine/privilege"
	"falconet/outputs"
	"falconet/probe/live"
	"falconet/probe/scap"

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
	_, _ = maxprocs.Set(maxprocs.Logger(func(format string, args ...any) { log.Info().Msgf(format, args...) }))
	hostname, err := engine.HostName()
	if err != nil {
		return err
	}
	if job.Config.Engine.Kind == "replay" {
		return replay(ctx, job, hostname)
	}
	hangups := make(chan os.Signal, 1)
	if job.Load != nil {
		signal.Notify(hangups, syscall.SIGHUP)
	}
	host := engine.NewHost(hostname, os.Getenv("HOST_ROOT"), job.Config.Syscall.Libs.ThreadTableSize, engine.LimitMemory(job.Config.Memory.BudgetMB))
	job.Adopt(host)
	var src engine.Source = engine.Silent{}
	var tuner engine.Tuner
	var probe *live.Probe
	if job.Config.Engine.Kind != "nodriver" {
		if probe, err = openProbe(job, host, log); err != nil {
			return err
		}
		defer probe.Close()
		src, tuner = probe, probe
	}
	queue, err := outputs.Open(outputsOf(job, job.Config, hostname))
	if err != nil {
		return err
	}
	defer queue.Close(flushTime)
	tally := &outputs.Tally{}
	boxes := container.NewStore(container.OptionsOf(job.Config.Syscall.Containers, os.Getenv("HOST_ROOT")))
	defer boxes.Close()
	host.Containers.Use(boxes)
	ctx, fail := context.WithCancelCause(ctx)
	tap, endTap, err := openTap(job, host, fail)
	if err != nil {
		return err
	}
	e := engine.New(engine.Options{
		Host: host, Rules: job.Rules, Out: outputs.Counted{Queue: queue, Tally: tally}, Patience: job.Config.Syscall.Containers.Patience(),
		Tap: tap, Silent: job.Record != nil,
	})
	removePID, err := job.WritePID()
	if err != nil {
		return err
	}
	defer removePID()
	if probe != nil {
		if err := probe.Start(); err != nil {
			return fmt.Errorf("start probe: %w", err)
		}
		probe.LogRefused(log)
	}
	others := &outputs.Follower{Queue: queue, Options: func(next *config.Config) outputs.Options { return outputsOf(job, next, hostname) }}
	reloader := engine.NewReloader(engine.ReloadOptions{
		Engine: e, Tuner: tuner, Now: &job.Setup, Read: job.Read, Load: job.Load, Others: others, Alert: queue.Send, Hostname: hostname, Log: log,
	})
	host.Names = reloader.Names(ctx, &job.Setup)
	vitals, err := startVitals(job, host, probe, queue, tally, e, reloader, fail)
	if err != nil {
		return err
	}
	others.Vitals = vitals
	defer vitals.Close()
	kept, err := privilege.Reduce(job.Config, job.Record != nil)
	if err != nil {
		return fmt.Errorf("drop privileges: %w", err)
	}
	log.Info().Stringer("kept", kept).Msg("capabilities dropped")
	stopReload := reloader.Start(ctx, hangups)
	log.Info().Str("version", version).Int("rules", job.Rules.Enabled()).Msg("watching")
	stopReopen := queue.ReopenOn(ctx, syscall.SIGUSR1)
	err = e.Run(ctx, src)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) && !errors.Is(cause, scap.ErrLimit) {
		err = errors.Join(err, cause)
	}
	stopReopen()
	stopReload()
	vitals.Close()
	if probe != nil {
		probe.Drain(e.Handle, e.Settled)
	}
	e.Flush()
	return errors.Join(err, endTap(), finish(job, host, tally, queue, probe))
}

// outputsOf says where alerts go.
func outputsOf(job *cli.Job, conf *config.Config, hostname string) outputs.Options {
	return outputs.Options{
		Outputs: conf.Outputs, Render: conf.Render, Stdout: job.Stdout, Local: time.Local, Hostname: hostname, Version: version,
		Log: job.Log, Blame: conf.Blame, Messages: job.Lines,
	}
}

// openTap opens what the events are recorded in, if anything; end ends it.
func openTap(job *cli.Job, host *field.Host, stop func(error)) (tap engine.Tap, end func() error, err error) {
	lists := func(at uint64, descriptors bool) *scap.Lists {
		l := engine.List(host, at, descriptors)
		return &scap.Lists{
			Machine: scap.ThisMachine(host.Name, runtime.NumCPU(), host.BootTime), Time: at + uint64(host.BootTime),
			Addrs: l.Addrs, Users: scap.UsersOf(l.Users), Groups: l.Groups, Processes: l.Processes, Containers: l.Containers,
		}
	}
	switch conf := job.Config.Capture; {
	case job.Record != nil:
		rec, err := scap.NewRecorder(*job.Record, job.Log, func() *scap.Lists { return lists(engine.Now(host), true) })
		if err != nil {
			return nil, nil, err
		}
		return engine.RecordTo(rec, stop), rec.Close, nil
	case conf.Enabled:
		trap := scap.NewTrap(conf, job.Config.Memory.BudgetMB<<20/16, job.Log, func(since uint64) *scap.Lists { return lists(since, false) })
		return engine.SetTrap(trap, conf, job.Log), trap.Close, nil
	}
	return nil, func() error { return nil }, nil
}

// replay joins a capture file, engine and outputs until its end or ctx's.
func replay(ctx context.Context, job *cli.Job, hostname string) error {
	name, libs := job.Config.Engine.Replay.CaptureFile, job.Config.Syscall.Libs
	src, err := scap.Open(name, scap.Options{Resync: job.Resync, MaxThreads: libs.ThreadTableSize})
	if err != nil {
		return fmt.Errorf("read capture: %w", err)
	}
	defer func() { _ = src.Close() }()
	host := engine.NewRecordedHost(src.Machine.Hostname, src.Machine.BootTime, src.Users, src.Groups, src.Addrs, libs.ThreadTableSize, engine.LimitMemory(job.Config.Memory.BudgetMB))
	job.Adopt(host)
	to := outputsOf(job, job.Config, hostname)
	to.Patient = ctx.Done()
	queue, err := outputs.Open(to)
	if err != nil {
		return err
	}
	tally := &outputs.Tally{}
	src.Container, src.Asks = host.Containers.Tell, job.Rules.Asks
	src.Seed(host.Apply)
	e := engine.New(engine.Options{Host: host, Rules: job.Rules, Out: outputs.Counted{Queue: queue, Tally: tally}, Hostname: hostname, Recorded: true})
	if err = e.Run(ctx, src); err != nil {
		err = fmt.Errorf("read capture: %s: %w", name, err)
	}
	src.Stats().Log(job.Log)
	return errors.Join(err, finish(job, host, tally, queue, nil))
}

// startVitals starts what watches this program itself.
func startVitals(job *cli.Job, host *field.Host, probe *live.Probe, queue *outputs.Queue, tally *outputs.Tally, e *engine.Engine, r *engine.Reloader, fail func(error)) (*outputs.Vitals, error) {
	o := outputs.VitalsOptions{
		Config: job.Config, Versions: job.Versions, Queue: queue, Tally: tally, Log: job.Log, Fail: fail,
		Sources: outputs.Sources{
			Version: version, Hostname: host.Name, Engine: "nodriver", Root: os.Getenv("HOST_ROOT"), Start: time.Now(), Boot: time.Unix(0, host.BootTime),
			Rules: job.Files, Configs: job.Config.Source.Files, Events: func() uint64 { return e.Stats().Events },
			Tables: e.Tables, Metadata: e.Metadata, Reloads: r.Counts,
			Processes: func() outputs.Processes {
				s := host.Procs.Stats()
				return outputs.Processes{Now: s.Processes, Evictions: s.Evictions, Misses: s.Misses, Refills: s.Refills, Failures: s.RefillFailures}
			},
		},
	}
	if probe != nil {
		o.Beat, o.Beats, o.Sources.Engine = probe.Beat, probe.Beats, "modern_bpf"
		o.Sources.Kernel = func() (outputs.Kernel, error) { return probe.Counts() }
	}
	return outputs.StartVitals(o)
}

// finish waits for the outputs, prints the statistics and says what was lost.
func finish(job *cli.Job, host *field.Host, tally *outputs.Tally, queue *outputs.Queue, probe *live.Probe) error {
	log := job.Log
	if !queue.Close(flushTime) {
		log.Error().Msg("an output did not take its last alerts in time")
	}
	if probe != nil {
		probe.LogLoss(log)
	}
	if n := host.Procs.Stats().Evictions; n > 0 {
		log.Warn().Uint64("processes", n).Msg("processes found no room in the table (falco_libs.thread_table_size)")
	}
	queue.Stats().Log(log)
	if job.Lines {
		return nil
	}
	if _, err := tally.WriteTo(job.Stdout); err != nil && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
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
	p.Report(log, job.Rules.HeldBy)
	if !host.Procs.HasProc() {
		log.Warn().Msg("this is not the host's pid namespace: of processes that run already little is known (share it, or mount the host's root and name it in HOST_ROOT)")
	}
	from := p.Tasks
	if conf.DisableIterators {
		from = nil
	}
	n, err := host.Procs.Fill(from)
	if err != nil {
		log.Warn().Err(err).Msg("running processes are read from /proc")
	}
	log.Debug().Int("processes", n).Msg("process table filled")
	return p, nil
}

// doctor proves the probe, with a run of this very program as the process to look at.
func doctor(ctx context.Context) (out []cli.Check) {
	o := live.Options{Object: assets.Probe(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: live.FirstController()}
	for _, f := range live.Diagnose(ctx, o, "/proc/self/exe", "--page-size") {
		out = append(out, cli.Check{Name: f.Name, Status: f.Status(), Detail: f.Detail, Advice: f.Advice})
	}
	return out
}
