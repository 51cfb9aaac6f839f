// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"falconet/engine/config"
)

// maxConns bounds the connections to the web server: nobody needs many.
const maxConns = 64

// Web serves health, versions and metrics.
type Web struct {
	server   *http.Server
	listener net.Listener
}

// WebOptions say what is served.
type WebOptions struct {
	Conf     config.Web
	Versions []byte       // JSON
	Healthy  func() error // an error means that the program does not do its work
	Metrics  *Metrics     // nil to serve none
	Blame    func(key string, err error) error
}

// OpenWeb listens at the address of the configuration.
func OpenWeb(o WebOptions) (*Web, error) {
	blame := func(key string, err error) error {
		if o.Blame != nil {
			return o.Blame(key, err)
		}
		return &keyError{key, err}
	}
	mux := http.NewServeMux()
	answer := func(path string, h http.Handler) {
		mux.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				w.Header().Set("Allow", "GET, HEAD")
				http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
				return
			}
			if r.URL.Path != path {
				http.NotFound(w, r)
				return
			}
			h.ServeHTTP(w, r)
		}))
	}
	health := o.Conf.HealthEndpoint
	if !strings.HasPrefix(health, "/") || strings.ContainsAny(health, "{} ?#") || health == "/versions" || health == "/metrics" {
		return nil, blame("webserver.k8s_healthz_endpoint", fmt.Errorf("must be a path such as /healthz, not %q", health))
	}
	answer(health, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := o.Healthy(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write(append(appendString([]byte(`{"status": `), err.Error()), '}'))
			return
		}
		_, _ = io.WriteString(w, `{"status": "ok"}`)
	}))
	answer("/versions", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(o.Versions)
	}))
	if o.Metrics != nil {
		answer("/metrics", o.Metrics.handler())
	}
	s := &Web{server: &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}}
	var pair tls.Certificate
	if o.Conf.SSL {
		var err error
		if pair, err = loadPair(o.Conf.Certificate, o.Conf.Certificate); err != nil {
			return nil, blame("webserver.ssl_certificate", err)
		}
	}
	var err error
	address := net.JoinHostPort(strings.Trim(o.Conf.ListenAddress, "[]"), strconv.Itoa(o.Conf.ListenPort))
	if s.listener, err = net.Listen("tcp", address); err != nil {
		return nil, blame("webserver.listen_port", err)
	}
	s.listener = &bounded{Listener: s.listener, room: make(chan struct{}, maxConns)}
	if o.Conf.SSL {
		s.listener = tls.NewListener(s.listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	return s, nil
}

// Serve answers until Close.
func (s *Web) Serve() error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	return nil
}

// Close lets requests end, for a moment, and stops.
func (s *Web) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	_ = s.listener.Close()
}

// bounded is a listener that has only so many connections open at a time.
type bounded struct {
	net.Listener
	room chan struct{}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.room <- struct{}{}:
			return &boundedConn{Conn: conn, room: b.room}, nil
		default:
			_ = conn.Close()
		}
	}
}

type boundedConn struct {
	net.Conn
	room chan struct{}
	once sync.Once
}

func (c *boundedConn) Close() error {
	c.once.Do(func() { <-c.room })
	return c.Conn.Close()
}
