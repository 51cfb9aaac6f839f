// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"falconet/engine/config"

	"github.com/rs/zerolog"
)

func TestLogShapes(t *testing.T) {
	for _, c := range []struct {
		name string
		conf config.Log
		iso  bool
		want string
	}{
		{"text", config.Log{Stderr: true, Level: "info"}, false,
			`^[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9]{4}: watching rules=3\n.{24}: Warning: careful\n.{24}: Error: broken error=why\n$`},
		{"iso", config.Log{Stderr: true, Level: "error"}, true, `^[0-9-]{10}T[0-9:]{8}\+0000: Error: broken error=why\n$`},
		{"json", config.Log{Stderr: true, Level: "error", Format: "json"}, false, `^\{"level":"error","error":"why","time":"[^"]+","message":"broken"\}\n$`},
		{"none", config.Log{Level: "debug"}, false, `^$`},
	} {
		var out strings.Builder
		log := newLog(&out, c.conf, c.iso)
		log.Debug().Msg("small")
		log.Info().Int("rules", 3).Msg("watching")
		log.Warn().Msg("careful")
		log.Error().Err(errors.New("why")).Msg("broken")
		if got := out.String(); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestThrottleCounts(t *testing.T) {
	now := time.Unix(0, 0)
	var out strings.Builder
	log := zerolog.New(&out).Hook(newThrottle(func() time.Time { return now }))
	for range throttleLines + 30 {
		log.Error().Msg("again")
	}
	log.Error().Msg("another")
	if n := strings.Count(out.String(), "again"); n != throttleLines || !strings.Contains(out.String(), "another") {
		t.Errorf("%d lines\n%s", n, out.String())
	}
	now = now.Add(throttleTime)
	out.Reset()
	log.Error().Msg("again")
	log.Error().Msg("again")
	if out.String() != `{"level":"error","hidden":30,"message":"again"}`+"\n"+`{"level":"error","message":"again"}`+"\n" {
		t.Errorf("%s", out.String())
	}
	for i := range 2 * throttleTexts {
		log.Error().Msg(strings.Repeat("x", i))
	}
}
