// SPDX-License-Identifier: Apache-2.0

// falconet watches a Linux host and raises alerts when rules match.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // for images that hold nothing else

	"falconet/embed"
	"falconet/engine"
	"falconet/engine/alert"
	"falconet/engine/cli"
	"falconet/engine/event"
	"falconet/engine/field"
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
	if job.Config.Engine.Kind == "replay" {
		return replay(ctx, job)
	}
	host, err := newHost(job)
	if err != nil {
		return err
	}
	var src engine.Source = silent{}
	var probe *live.Probe
	if job.Config.Engine.Kind != "nodriver" {
		if probe, err = openProbe(job, host, log); err != nil {
			return err
		}
		defer probe.Close()
		src = probe
	}
	queue, err := openOutputs(job, nil)
	if err != nil {
		return err
	}
	tally := &outputs.Tally{}
	e := engine.New(engine.Options{Host: host, Rules: job.Rules, Out: counted{queue, tally}})
	if err := writePID(job.PIDFile); err != nil {
		queue.Close(flushTime)
		return err
	}
	if job.PIDFile != "" {
		defer func() { _ = os.Remove(job.PIDFile) }()
	}
	if probe != nil {
		if err := probe.Start(); err != nil {
			queue.Close(flushTime)
			return fmt.Errorf("start probe: %w", err)
		}
	}
	log.Info().Str("version", version).Int("rules", job.Rules.Enabled()).Msg("watching")
	stopReopen := reopenOnSignal(ctx, queue)
	err = e.Run(ctx, src)
	stopReopen()
	if probe != nil {
		probe.Drain(e.Handle, e.Settled)
	}
	return errors.Join(err, finish(job, tally, queue, probe))
}

func openOutputs(job *cli.Job, patient <-chan struct{}) (*outputs.Queue, error) {
	queue, err := outputs.Open(outputs.Options{
		Outputs: job.Config.Outputs, Render: job.Config.Render, Stdout: job.Stdout, Local: time.Local, Log: job.Log, Patient: patient, Messages: job.Lines,
	})
	if err != nil {
		err = fmt.Errorf("open outputs: %w", err)
	}
	return queue, err
}

// replay joins a capture file, engine and outputs until its end or ctx's.
func replay(ctx context.Context, job *cli.Job) error {
	name, libs := job.Config.Engine.Replay.CaptureFile, job.Config.Syscall.Libs
	src, err := scap.Open(name, scap.Options{Resync: job.Resync, MaxThreads: libs.ThreadTableSize})
	if err != nil {
		return fmt.Errorf("read capture: %w", err)
	}
	defer func() { _ = src.Close() }()
	hostname, err := hostName()
	if err != nil {
		return err
	}
	host := engine.NewRecordedHost(src.Machine.Hostname, src.Users, src.Groups, src.Addrs, libs.ThreadTableSize)
	host.Base64 = job.Config.Render.BufferBase64
	queue, err := openOutputs(job, ctx.Done())
	if err != nil {
		return err
	}
	tally := &outputs.Tally{}
	e := engine.New(engine.Options{Host: host, Rules: job.Rules, Out: counted{queue, tally}, Hostname: hostname, Recorded: true})
	src.Seed(host.Apply)
	if err = e.Run(ctx, src); err != nil {
		err = fmt.Errorf("read capture: %s: %w", name, err)
	}
	s := src.Stats()
	job.Log.Info().Uint64("events", s.Events).Uint64("records", s.Records).Uint64("unknown", s.Unknown).Msg("end of capture")
	if s.Damaged > 0 {
		job.Log.Warn().Uint64("places", s.Damaged).Int64("bytes", s.Skipped).Str("first", s.First.Error()).Msg("damaged parts of the capture were passed over")
	}
	return errors.Join(err, finish(job, tally, queue, nil))
}

// finish waits for the outputs, prints the statistics and says what was lost.
func finish(job *cli.Job, tally *outputs.Tally, queue *outputs.Queue, probe *live.Probe) error {
	if !queue.Close(flushTime) {
		job.Log.Error().Msg("an output did not take its last alerts in time")
	}
	if probe != nil {
		if c, err := probe.Total(); err == nil && (c.Lost() > 0 || probe.Malformed() > 0) {
			job.Log.Warn().Uint64("events", c.Sent).Uint64("lost", c.Lost()).Uint64("malformed", probe.Malformed()).Msg("events were lost")
		}
	}
	if s := queue.Stats(); s.Dropped > 0 {
		job.Log.Warn().Uint64("alerts", s.Sent).Uint64("dropped", s.Dropped).Msg("alerts found no room in the queue")
	}
	if job.Lines {
		return nil
	}
	if _, err := tally.WriteTo(job.Stdout); err != nil && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("write statistics: %w", err)
	}
	return nil
}

// counted counts alerts on their way to the queue.
type counted struct {
	queue *outputs.Queue
	tally *outputs.Tally
}

func (c counted) Send(a *alert.Alert) {
	c.tally.Add(a.Rule, a.Priority)
	c.queue.Send(a)
}

// silent is the source of engine.kind nodriver.
type silent struct{}

func (silent) Run(ctx context.Context, _ func(*event.Record), _ func()) error {
	<-ctx.Done()
	return nil
}

func hostName() (string, error) {
	name := os.Getenv("FALCO_HOSTNAME")
	if name == "" {
		var err error
		if name, err = os.Hostname(); err != nil {
			return "", fmt.Errorf("read host name: %w", err)
		}
	}
	return name, nil
}

func newHost(job *cli.Job) (*field.Host, error) {
	name, err := hostName()
	if err != nil {
		return nil, err
	}
	host := engine.NewHost(name, os.Getenv("HOST_ROOT"), job.Config.Syscall.Libs.ThreadTableSize)
	host.Base64 = job.Config.Render.BufferBase64
	return host, nil
}

// lifeBytes is the ring of process life: room for some thousand programs started at once.
const lifeBytes = 8 << 20

// openProbe attaches the probe and fills the process table, so that nothing that happens in between is missed.
func openProbe(job *cli.Job, host *field.Host, log zerolog.Logger) (*live.Probe, error) {
	conf := job.Config.Engine.ModernEBPF
	p, err := live.Open(live.Options{
		Object: assets.Probe(), Demand: job.Demand, EventBytes: 1 << 20 << (conf.BufSizePreset - 1), LifeBytes: lifeBytes,
		Snaplen: job.Config.Syscall.Libs.Snaplen, Controller: controller(),
	})
	if err != nil {
		return nil, fmt.Errorf("open probe: %w", err)
	}
	for _, lost := range p.Refused() {
		log.Warn().Err(lost).Msg("this kernel refused a part of the probe")
	}
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

// controller is the first of event.Controllers that has a v1 hierarchy, -1 when all are in the v2 one.
func controller() int {
	b, err := os.ReadFile("/proc/cgroups")
	if err != nil {
		return -1
	}
	for i, name := range event.Controllers {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) == 4 && f[0] == name && f[1] != "0" {
				return i
			}
		}
	}
	return -1
}

func writePID(path string) error {
	if path == "" {
		return nil
	}
	err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644)
	if err != nil {
		err = fmt.Errorf("write pidfile: %w", err)
	}
	return err
}

// reopenOnSignal lets SIGUSR1 open outputs anew, until the function that it returns is called.
func reopenOnSignal(ctx context.Context, queue *outputs.Queue) func() {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-signals:
				queue.Reopen()
			case <-ctx.Done():
				signal.Stop(signals)
				return
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// doctor proves the probe, with a run of this very program as the process to look at.
func doctor(ctx context.Context) (out []cli.Check) {
	o := live.Options{Object: assets.Probe(), EventBytes: 1 << 20, LifeBytes: 1 << 20, Controller: controller()}
	for _, f := range live.Diagnose(ctx, o, "/proc/self/exe", "--page-size") {
		c := cli.Check{Name: f.Name, Status: "ok", Detail: f.Detail, Advice: f.Advice}
		if !f.OK {
			c.Status = "fail"
			if f.Name == "refused program" || f.Name == "running processes" {
				c.Status = "warn"
			}
		}
		out = append(out, c)
	}
	return out
}
