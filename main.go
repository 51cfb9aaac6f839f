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
	"slices"
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
	"falconet/engine/rules"
	"falconet/engine/state"
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
	queue, err := outputs.Open(outputs.Options{
		Outputs: job.Config.Outputs, Render: job.Config.Render, Stdout: job.Stdout, Local: time.Local, Hostname: host.Name, Version: version,
		Log: log, Blame: job.Config.Blame,
	})
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
		told := len(probe.Refused())
		if err := probe.Start(); err != nil {
			queue.Close(flushTime)
			return fmt.Errorf("start probe: %w", err)
		}
		warnRefused(probe.Refused()[told:], log)
	}
	if hosts := job.Rules.Hosts(); len(hosts) > 0 {
		host.Names = state.NewNames(hosts)
		go host.Names.Run(ctx)
	}
	ctx, fail := context.WithCancelCause(ctx)
	vitals, err := startVitals(job, host, probe, queue, tally, e, fail)
	if err != nil {
		queue.Close(flushTime)
		return err
	}
	log.Info().Str("version", version).Int("rules", job.Rules.Enabled()).Msg("watching")
	stopReopen := queue.ReopenOn(ctx, syscall.SIGUSR1)
	err = e.Run(ctx, src)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		err = errors.Join(err, cause)
	}
	stopReopen()
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

// startVitals starts what watches this program itself.
func startVitals(job *cli.Job, host *field.Host, probe *live.Probe, queue *outputs.Queue, tally *outputs.Tally, e *engine.Engine, fail func(error)) (*outputs.Vitals, error) {
	o := outputs.VitalsOptions{
		Config: job.Config, Versions: job.Versions, Queue: queue, Tally: tally, Log: job.Log, Fail: fail,
		Sources: outputs.Sources{
			Version: version, Hostname: host.Name, Engine: "nodriver", Root: os.Getenv("HOST_ROOT"), Start: time.Now(), Boot: time.Unix(0, host.BootTime),
			Rules: job.RuleFiles, Configs: job.Config.Source.Files, Events: func() uint64 { return e.Stats().Events }, Tables: e.Tables, Metadata: e.Metadata,
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
		reportLoss(log, probe)
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

// reportLoss says at the end what did not arrive.
func reportLoss(log zerolog.Logger, probe *live.Probe) {
	if n := probe.Malformed(); n > 0 {
		log.Warn().Uint64("records", n).Msg("records could not be decoded")
	}
	stats, err := probe.Stats()
	if err != nil {
		log.Warn().Err(err).Msg("what was lost is not known")
		return
	}
	stats.Log(log)
}

// reportBuffers says how events travel, and when the configuration asks for more than this machine has.
func reportBuffers(log zerolog.Logger, conf config.Probe, rings int) {
	if n, err := live.OnlineCPUs(); err == nil && conf.CPUsForEachBuffer > n {
		log.Warn().Int("asked", conf.CPUsForEachBuffer).Int("cpus", n).Msg("engine.modern_ebpf.cpus_for_each_buffer is more than the CPUs that are online: all share one buffer")
	}
	log.Info().Int("buffers", rings).Int("bytes", conf.BufferBytes()).Msg("buffers for events")
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
	host.Base64 = job.Config.Render.BufferBase64
	host.ReadsUsers = job.Rules.ReadsUsers()
	host.Static = job.Config.Rules.StaticFields
	return host, nil
}

// lifeBytes is the ring of process life: room for some thousand programs started at once.
const lifeBytes = 8 << 20

func warnRefused(errs []error, log zerolog.Logger) {
	for _, lost := range errs {
		log.Warn().Err(lost).Msg("this kernel refused a part of the probe")
	}
}

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
	reportBuffers(log, conf, p.Rings())
	warnRefused(p.Refused(), log)
	for _, limit := range p.Limits() {
		log.Warn().Msg(limit)
	}
	sayHeld(log, p, job.Rules)
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

// sayHeld says what it takes to know what calls close, remove and change, and which rules have to do with less.
func sayHeld(log zerolog.Logger, p *live.Probe, set *rules.Set) {
	var entry []string
	for name, from := range p.Origins() {
		if from == live.FromEntry {
			entry = append(entry, name)
		}
	}
	if len(entry) > 0 {
		slices.Sort(entry)
		log.Info().Strs("events", entry).Strs("rules", set.HeldBy(entry...)).
			Msg("falconet costs every system call of the machine more than twice as much: these rules ask what these calls close, and this kernel shows it at sys_enter only")
	}
	lost := p.Lost()
	if len(lost) == 0 {
		return
	}
	names := make([]string, len(lost))
	for i, l := range lost {
		names[i] = l.Event
	}
	log.Warn().Strs("events", names).Strs("rules", set.HeldBy(names...)).Err(lost[0].Why).
		Msg("these rules take the paths of these events for what was passed to the call: this kernel does not show what it found for them")
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
