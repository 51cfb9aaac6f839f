// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"syscall"
	"time"
)

// errGone is wrapped by the errors of a runtime that answers, and does not know the container.
var errGone = errors.New("not known to the runtime")

// maxAnswer bounds what is read of a runtime's answer.
const maxAnswer = 8 << 20

// socket talks to a runtime through its unix socket. It is safe for concurrent use.
type socket struct {
	path string
	http *http.Client
}

// newSocket returns a client of the socket at that path of the host. h2 is for gRPC.
func newSocket(host, file string, h2 bool) *socket {
	file = path.Join("/", host, file)
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", file)
		},
		MaxIdleConns: 2, MaxConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
	}
	if h2 {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	return &socket{file, &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// get reads a JSON document.
func (s *socket) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://runtime"+path, nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", s.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return fmt.Errorf("ask %s: %w", s.path, errGone)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("ask %s: %s", s.path, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		return fmt.Errorf("read answer of %s: %w", s.path, err)
	}
	return nil
}

// inspect asks docker, or podman's service that answers like docker's, for a container.
func (s *socket) inspect(ctx context.Context, info Info) (*Metadata, error) {
	var c dockerConfig
	if err := s.get(ctx, "/v1.24/containers/"+url.PathEscape(info.FullID)+"/json", &c); err != nil {
		return nil, err
	}
	if c.ID != info.FullID {
		return nil, fmt.Errorf("ask %s: another container's answer: %w", s.path, errGone)
	}
	m := c.metadata()
	m.From, m.Type = FromAPI, info.Type
	if m.Type != "podman" {
		m.Type = "docker"
	}
	m.Have |= HasIP // it is known now whether there is one
	var image struct{ RepoTags, RepoDigests []string }
	if c.Image != "" && s.get(ctx, "/v1.24/images/"+url.PathEscape(c.Image)+"/json", &image) == nil {
		m.Have |= HasDigest
		for _, ref := range image.RepoDigests {
			if m.Digest == "" || strings.HasPrefix(ref, m.Repository+"@") {
				m.setDigest(ref)
			}
		}
		if m.Have&HasImage == 0 && len(image.RepoTags) > 0 {
			m.setImage(image.RepoTags[0])
		}
	}
	return m, nil
}

// refused reports whether nobody listens at a socket.
func refused(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EACCES)
}
