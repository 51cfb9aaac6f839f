// SPDX-License-Identifier: Apache-2.0

package container

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Four calls of gRPC are all that is needed: their messages are a few texts and maps, which are written and read here as protocol
// buffers lay them out.

// The wire types of protocol buffers.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// message is a serialized message.
type message []byte

func (m message) text(field int, s string) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|wireBytes)
	m = binary.AppendUvarint(m, uint64(len(s)))
	return append(m, s...)
}

func (m message) flag(field int) message {
	return append(binary.AppendUvarint(m, uint64(field)<<3|wireVarint), 1)
}

var errMessage = errors.New("malformed message")

// fields calls each for every field of a message: with its bytes, or its number, which is 0 for a field of bytes.
func (m message) fields(each func(field int, b message, n uint64)) error {
	for len(m) > 0 {
		key, n := binary.Uvarint(m)
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29 {
			return errMessage
		}
		m = m[n:]
		var b message
		var number uint64
		switch key & 7 {
		case wireVarint:
			if number, n = binary.Uvarint(m); n <= 0 {
				return errMessage
			}
			m = m[n:]
		case wireBytes:
			size, n := binary.Uvarint(m)
			if n <= 0 || size > uint64(len(m)-n) {
				return errMessage
			}
			b, m = m[n:n+int(size)], m[n+int(size):]
		case wire64, wire32:
			size := 8
			if key&7 == wire32 {
				size = 4
			}
			if len(m) < size {
				return errMessage
			}
			m = m[size:]
		default:
			return errMessage
		}
		each(int(key>>3), b, number)
	}
	return nil
}

// sub returns the last field of that number as a message.
func (m message) sub(field int) (out message) {
	_ = m.fields(func(f int, b message, _ uint64) {
		if f == field {
			out = b
		}
	})
	return out
}

// pairs returns a map of texts.
func (m message) pairs(field int) map[string]string {
	out := make(map[string]string)
	_ = m.fields(func(f int, b message, _ uint64) {
		if f == field {
			out[string(b.sub(1))] = string(b.sub(2))
		}
	})
	return out
}

// statusNotFound is what gRPC says of a thing that is not there.
const statusNotFound = "5"

// call makes one call of gRPC. more are headers, name and value by turns.
func (s *socket) call(ctx context.Context, method string, request message, more ...string) (message, error) {
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(request)))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://runtime"+method, bytes.NewReader(append(frame, request...)))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("Te", "trailers")
	for i := 0; i+1 < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", s.path, err)
	}
	status, text := resp.Trailer.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")
	if status == "" { // an answer without a message has everything in its header
		status, text = resp.Header.Get("Grpc-Status"), resp.Header.Get("Grpc-Message")
	}
	switch {
	case status == statusNotFound:
		return nil, fmt.Errorf("ask %s: %w", s.path, errGone)
	case status != "0" || resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("ask %s: %s, gRPC status %q: %.200q", s.path, resp.Status, status, text)
	case len(b) < len(frame) || b[0] != 0 || uint64(binary.BigEndian.Uint32(b[1:])) != uint64(len(b)-len(frame)):
		return nil, fmt.Errorf("read answer of %s: %w", s.path, errMessage)
	}
	return b[len(frame):], nil
}
