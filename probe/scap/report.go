// SPDX-License-Identifier: Apache-2.0

package scap

import "github.com/rs/zerolog"

// Log says what was read, and what was not.
func (s Stats) Log(log zerolog.Logger) {
	log.Info().Uint64("events", s.Events).Uint64("records", s.Records).Uint64("unknown", s.Unknown).Msg("end of capture")
	if s.Damaged > 0 {
		log.Warn().Uint64("places", s.Damaged).Int64("bytes", s.Skipped).Str("first", s.First.Error()).Msg("damaged parts of the capture were passed over")
	}
	if s.Overflow > 0 {
		log.Warn().Uint64("times", s.Overflow).Msg("threads and descriptors of the capture found no room (falco_libs.thread_table_size)")
	}
}
