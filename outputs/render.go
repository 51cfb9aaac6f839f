// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"falconet/engine/alert"
	"falconet/engine/config"
)

// Format is a way to write an alert.
type Format uint8

// The formats.
const (
	FormatText Format = iota
	FormatJSON
	FormatOCSF    // JSON of the Open Cybersecurity Schema Framework
	FormatECS     // JSON of the Elastic Common Schema
	FormatMessage // the message alone
	formats
)

// Renderer turns alerts into lines in the shapes that Falco gives them. It holds nothing that changes: any number of goroutines
// may use one.
type Renderer struct {
	conf    config.Render
	local   *time.Location
	version string // of this program
}

// NewRenderer returns a renderer. Times of day are shown in the zone local.
func NewRenderer(conf config.Render, local *time.Location) *Renderer {
	return &Renderer{conf: conf, local: local}
}

// Append appends the line of an alert, without the newline at its end. Whatever the alert holds, the line has no newline and no
// other control character in it and is valid UTF-8, and a line of a format that is JSON is one JSON object.
func (r *Renderer) Append(dst []byte, f Format, a *alert.Alert) []byte {
	switch f {
	case FormatJSON:
		return r.appendJSON(dst, a)
	case FormatOCSF:
		return r.appendOCSF(dst, a)
	case FormatECS:
		return r.appendECS(dst, a)
	case FormatMessage:
		return appendText(dst, a.Message)
	}
	return r.appendLine(dst, a, appendText)
}

// appendLine appends "<time>: <Priority> <message>", with texts that come from outside written by put.
func (r *Renderer) appendLine(dst []byte, a *alert.Alert, put func([]byte, string) []byte) []byte {
	t := time.Unix(0, a.Time)
	if r.conf.ISOTime && !a.Internal() {
		dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000-0700")
	} else {
		dst = t.In(r.local).AppendFormat(dst, "15:04:05.000000000")
	}
	dst = append(dst, ": "...)
	dst = append(dst, a.Priority.String()...)
	dst = append(dst, ' ')
	dst = put(dst, a.Message)
	if !a.Internal() {
		return dst
	}
	dst = append(dst, " ("...)
	for i, f := range sorted(a.Fields) {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = put(dst, f.Name)
		dst = append(dst, '=')
		dst = appendValue(dst, f.Value)
	}
	return append(dst, ')')
}

// appendJSON writes the keys in the order of their bytes, without spaces.
func (r *Renderer) appendJSON(dst []byte, a *alert.Alert) []byte {
	internal := a.Internal()
	dst = append(dst, `{"hostname":`...)
	dst = appendString(dst, a.Hostname)
	if r.conf.JSONMessage && !internal {
		dst = append(dst, `,"message":`...)
		dst = appendString(dst, a.Message)
	}
	switch {
	case internal:
		dst = append(dst, `,"output":`...)
		dst = appendString(dst, a.Message)
	case r.conf.JSONOutput:
		dst = append(dst, `,"output":"`...)
		dst = r.appendLine(dst, a, func(dst []byte, s string) []byte { return appendEscaped(dst, s, true) })
		dst = append(dst, '"')
	}
	if r.conf.JSONOutputFields || internal {
		dst = append(dst, `,"output_fields":`...)
		dst = r.appendFields(dst, a)
	}
	dst = append(dst, `,"priority":`...)
	dst = appendString(dst, a.Priority.String())
	dst = append(dst, `,"rule":`...)
	dst = appendString(dst, a.Rule)
	dst = append(dst, `,"source":`...)
	dst = appendString(dst, a.Source)
	if r.conf.JSONTags && !internal {
		dst = append(dst, `,"tags":[`...)
		for i, tag := range a.Tags {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, tag)
		}
		dst = append(dst, ']')
	}
	dst = append(dst, `,"time":"`...)
	dst = time.Unix(0, a.Time).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000Z")
	return append(dst, '"', '}')
}

// appendFields writes the fields of the output and that of the line's time, whose value is a number here unless the alert has a field of
// that name.
func (r *Renderer) appendFields(dst []byte, a *alert.Alert) []byte {
	fields := a.Fields
	if !a.Internal() {
		name := "evt.time"
		if r.conf.ISOTime {
			name = "evt.time.iso8601"
		}
		fields = slices.Concat(fields, []alert.Field{{Name: name, Value: a.Time}})
	}
	dst = append(dst, '{')
	first := true
	last := ""
	for _, f := range sorted(fields) {
		if !first && f.Name == last {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first, last = false, f.Name
		dst = appendString(dst, f.Name)
		dst = append(dst, ':')
		dst = appendValue(dst, f.Value)
	}
	return append(dst, '}')
}

// sorted returns the fields by name; of equal names the one that came first comes first.
func sorted(fields []alert.Field) []alert.Field {
	out := slices.Clone(fields)
	slices.SortStableFunc(out, func(a, b alert.Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// appendValue writes a field's value as JSON. What an alert may not hold becomes null, so that the line stays valid.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case bool:
		return strconv.AppendBool(dst, v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(dst, "null"...)
		}
		return strconv.AppendFloat(dst, v, 'g', -1, 64)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendValue(dst, e)
		}
		return append(dst, ']')
	case object:
		return appendObject(dst, v)
	}
	return append(dst, "null"...)
}
