// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"falconet/engine/alert"
)

// SnapshotRule is the rule of the alert that carries the numbers.
const SnapshotRule = "Falco internal: metrics snapshot"

// snapshots publishes the numbers as alerts, and as lines of a file.
type snapshots struct {
	m      *Metrics
	send   func(*alert.Alert)
	file   *File // nil without one
	sample int
	prev   map[string]uint64
	at     time.Time
	log    zerolog.Logger
	lost   loss
	failed uint64
}

// OpenSnapshots opens the file of snapshots, if there is to be one. The function that it returns publishes a snapshot at every interval
// until ctx ends; send takes alerts.
func (m *Metrics) OpenSnapshots(send func(*alert.Alert), log zerolog.Logger) (func(ctx context.Context), error) {
	s := &snapshots{m: m, send: send, log: log, prev: map[string]uint64{}, at: m.src.Start}
	if m.conf.OutputFile != "" {
		var err error
		if s.file, err = OpenFile(FormatJSON, m.conf.OutputFile, false); err != nil {
			return nil, err
		}
	}
	return s.run, nil
}

func (s *snapshots) run(ctx context.Context) {
	if !s.m.conf.OutputRule && s.file == nil {
		return
	}
	tick := time.NewTicker(s.m.conf.Every())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if err := s.publish(now); err != nil {
				s.failed++
				if n, due := s.lost.look(s.failed, now); due {
					s.log.Error().Err(err).Uint64("snapshots", n).Msg("metrics were not written")
				}
			}
		}
	}
}

func (s *snapshots) publish(now time.Time) error {
	s.sample++
	fields := s.fields(now)
	if s.m.conf.OutputRule {
		s.send(&alert.Alert{
			Time: now.UnixNano(), Rule: SnapshotRule, Source: alert.SourceInternal, Hostname: s.m.src.Hostname, Priority: alert.Informational,
			Message: "Falco metrics snapshot", Fields: fields,
		})
	}
	if s.file == nil {
		return nil
	}
	line := append([]byte(`{"output_fields":`), appendObject(nil, allFields(&alert.Alert{Fields: fields}))...)
	line = append(line, `,"sample":`...)
	line = append(strconv.AppendInt(line, int64(s.sample), 10), "}\n"...)
	if err := s.file.Write(Line{Bytes: line}); err != nil {
		return err
	}
	return s.file.Flush()
}

// fields are the numbers of a snapshot, with how they changed since the one before.
func (s *snapshots) fields(now time.Time) []alert.Field {
	out := []alert.Field{{Name: "evt.time", Value: now.UnixNano()}}
	values := map[string]uint64{}
	for _, n := range s.m.collect() {
		if n.key == "" {
			continue
		}
		u, isUint := n.value.(uint64)
		if isUint {
			values[n.key] = u
		}
		if n.always || s.m.conf.IncludeEmptyValues || !isUint && n.value != 0.0 || isUint && u != 0 {
			out = append(out, alert.Field{Name: n.key, Value: n.value})
		}
	}
	put := func(name string, v any) { out = append(out, alert.Field{Name: name, Value: v}) }
	seconds := max(now.Sub(s.at).Seconds(), 0.001)
	rate := func(key string) float64 { return float64(values[key]-s.prev[key]) / seconds }
	put("falco.num_evts_prev", s.prev["falco.num_evts"])
	put("falco.evts_rate_sec", rate("falco.num_evts"))
	if events, ok := values["scap.n_evts"]; ok {
		put("scap.n_evts_prev", s.prev["scap.n_evts"])
		put("scap.n_drops_prev", s.prev["scap.n_drops"])
		put("scap.evts_rate_sec", rate("scap.n_evts"))
		put("scap.evts_drop_rate_sec", rate("scap.n_drops"))
		share := 0.0
		if n := events - s.prev["scap.n_evts"]; n > 0 {
			share = 100 * float64(values["scap.n_drops"]-s.prev["scap.n_drops"]) / float64(n)
		}
		put("scap.n_drops_perc", share)
	}
	for name, addresses := range interfaces() {
		put(name, addresses)
	}
	s.prev, s.at = values, now
	return out
}

// interfaces returns the addresses of the network interfaces, the loopback left out.
func interfaces() map[string]string {
	out := map[string]string{}
	all, err := net.Interfaces()
	if err != nil {
		return out
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		families := map[string][]string{}
		for _, a := range addrs {
			ip, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			family := "ipv6"
			if ip.IP.To4() != nil {
				family = "ipv4"
			}
			families[family] = append(families[family], ip.IP.String())
		}
		for family, list := range families {
			out[fmt.Sprintf("falco.host_netinfo.interfaces.%s.protocols.%s.addresses", i.Name, family)] = strings.Join(list, ",")
		}
	}
	return out
}
