// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"falconet/engine/config"
)

const (
	// maxAnswer is how much of an answer is read; a connection that has more to say is given up.
	maxAnswer = 64 << 10
	// maxRefusals is how often in a row a server may answer that it failed before the alert is held to be the reason.
	maxRefusals = 5
)

// HTTP posts every line to a URL.
type HTTP struct {
	format  Format
	conf    config.HTTPOutput
	timeout time.Duration
	client  *http.Client
	echo    io.Writer // nil to say nothing

	timeouts int // in a row
	refusals int // in a row
}

// keyError is an error that the value of a configuration key caused.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

// NewHTTP returns a sink over the URL of conf. It reads the certificates, but does not connect. A request may take as long as
// timeout; answers are written to echo where conf asks for that.
func NewHTTP(f Format, conf config.HTTPOutput, timeout time.Duration, echo io.Writer) (*HTTP, error) {
	u, err := url.Parse(conf.URL)
	if err != nil {
		return nil, &keyError{"http_output.url", err}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: 1, ForceAttemptHTTP2: true}
	dialer := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: conf.KeepAlive}}
	if !conf.KeepAlive {
		dialer.KeepAlive = -1
	}
	transport.DialContext = dialer.DialContext
	if u.Scheme == "https" {
		if transport.TLSClientConfig, err = httpTLS(conf); err != nil {
			return nil, err
		}
	}
	s := &HTTP{format: f, conf: conf, timeout: timeout, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if conf.Echo {
		s.echo = echo
	}
	return s, nil
}

// Try connects to the server, unless a proxy does that, and looks at its certificate.
func (s *HTTP) Try() error {
	transport := s.client.Transport.(*http.Transport)
	req, err := http.NewRequest(http.MethodPost, s.conf.URL, nil)
	if err != nil {
		return err
	}
	if proxy, err := transport.Proxy(req); proxy != nil || err != nil {
		return err
	}
	port := cmp.Or(req.URL.Port(), map[string]string{"http": "80", "https": "443"}[req.URL.Scheme])
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	conn, err := transport.DialContext(ctx, "tcp", net.JoinHostPort(req.URL.Hostname(), port))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if transport.TLSClientConfig == nil {
		return nil
	}
	c := transport.TLSClientConfig.Clone()
	c.ServerName = req.URL.Hostname()
	return tls.Client(conn, c).HandshakeContext(ctx)
}

func httpTLS(conf config.HTTPOutput) (*tls.Config, error) {
	c := &tls.Config{InsecureSkipVerify: conf.Insecure}
	var err error
	key := ""
	switch {
	case conf.CACert != "":
		key = "ca_cert"
		c.RootCAs, err = loadPool(conf.CACert)
	case conf.CABundle != "":
		key = "ca_bundle"
		c.RootCAs, err = loadPool(conf.CABundle)
	case !conf.Insecure:
		key = "ca_path"
		c.RootCAs, err = loadDir(conf.CAPath)
	}
	if err == nil && conf.MTLS {
		key = "client_cert"
		var pair tls.Certificate
		if pair, err = loadPair(conf.ClientCert, conf.ClientKey); err == nil {
			// The server's list of acceptable issuers, which would leave the certificate out, is not ours to judge.
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		}
	}
	if err != nil {
		return nil, &keyError{"http_output." + key, err}
	}
	return c, nil
}

// Name returns "http".
func (s *HTTP) Name() string { return "http" }

// Format returns the format given at construction.
func (s *HTTP) Format() Format { return s.format }

// Holds returns false: every line is a request of its own.
func (s *HTTP) Holds() bool { return false }

// Write posts the line.
func (s *HTTP) Write(l Line) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	req, err := s.request(ctx, bytes.TrimSuffix(l.Bytes, []byte("\n")))
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return s.unanswered(err)
	}
	defer resp.Body.Close()
	s.timeouts = 0
	// The status says whether the line was taken, whatever goes wrong after it.
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if s.echo != nil && len(answer) > 0 {
		_, _ = s.echo.Write(append(appendText(nil, string(bytes.TrimSpace(answer))), '\n'))
	}
	return s.judge(resp)
}

func (s *HTTP) request(ctx context.Context, body []byte) (*http.Request, error) {
	encoding := ""
	if s.conf.CompressUploads {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(body); err != nil {
			return nil, fmt.Errorf("compress alert: %w", err)
		}
		if err := z.Close(); err != nil {
			return nil, fmt.Errorf("compress alert: %w", err)
		}
		body, encoding = b.Bytes(), "gzip"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.conf.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("post alert: %w", err)
	}
	req.Header.Set("User-Agent", s.conf.UserAgent)
	req.Header.Set("Content-Type", "application/json")
	if s.format == FormatText {
		req.Header.Set("Content-Type", "text/plain")
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	return req, nil
}

// unanswered says what to do with a line whose request came to nothing.
func (s *HTTP) unanswered(err error) error {
	err = fmt.Errorf("post alert: %w", err)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		s.timeouts = 0
		return later(err)
	}
	s.timeouts++
	if s.timeouts > s.conf.MaxConsecutiveTimeouts && s.conf.Spool.Path == "" {
		s.timeouts = 0
		return err
	}
	return later(err)
}

// judge reads an answer's status. A server that is out of order or overloaded is tried again; one that fails, only so often.
func (s *HTTP) judge(resp *http.Response) error {
	code := resp.StatusCode
	if code < 300 {
		s.refusals = 0
		return nil
	}
	err := fmt.Errorf("post alert: the server answers %s", resp.Status)
	switch {
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests,
		code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		seconds, _ := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16)
		return &Later{Err: err, In: time.Duration(seconds) * time.Second}
	case code >= 500 && s.refusals < maxRefusals:
		s.refusals++
		return later(err)
	}
	s.refusals = 0
	return err
}

// Flush does nothing: every line is a request of its own.
func (s *HTTP) Flush() error { return nil }

// Reopen closes the connection; the next line makes a new one.
func (s *HTTP) Reopen() error {
	s.client.CloseIdleConnections()
	return nil
}

// Close closes the connection.
func (s *HTTP) Close() error { return s.Reopen() }
