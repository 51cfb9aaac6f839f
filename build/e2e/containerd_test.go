// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	wire "encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// message is a serialized protocol buffer. The few calls that the test makes of containerd's service for Kubernetes are written by hand.
type message []byte

func (m message) bytes(field int, b []byte) message {
	m = wire.AppendUvarint(m, uint64(field)<<3|2)
	return append(wire.AppendUvarint(m, uint64(len(b))), b...)
}

func (m message) text(field int, s ...string) message {
	for _, s := range s {
		m = m.bytes(field, []byte(s))
	}
	return m
}

func (m message) number(field int, n uint64) message {
	return wire.AppendUvarint(wire.AppendUvarint(m, uint64(field)<<3), n)
}

func (m message) pairs(field int, pairs ...string) message {
	for i := 0; i < len(pairs); i += 2 {
		m = m.bytes(field, message(nil).text(1, pairs[i]).text(2, pairs[i+1]))
	}
	return m
}

// first returns the text of field 1, with which the answers begin that the test reads.
func (m message) first() string {
	if n, size := wire.Uvarint(m[min(1, len(m)):]); size > 0 && m[0] == 1<<3|2 && uint64(len(m)) >= 1+uint64(size)+n {
		return string(m[1+size:][:n])
	}
	return ""
}

// runtimeService calls the runtime interface of Kubernetes at a socket.
type runtimeService struct {
	t    *testing.T
	http *http.Client
}

func newRuntimeService(t *testing.T, socket string) *runtimeService {
	tr := &http.Transport{Protocols: new(http.Protocols), DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &runtimeService{t, &http.Client{Transport: tr, Timeout: deadline}}
}

func (s *runtimeService) try(method string, m message) (message, error) {
	body := append(wire.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
	req, err := http.NewRequest(http.MethodPost, "http://runtime/runtime.v1."+method, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("Te", "trailers")
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	status, text := resp.Trailer.Get("Grpc-Status")+resp.Header.Get("Grpc-Status"), resp.Trailer.Get("Grpc-Message")+resp.Header.Get("Grpc-Message")
	if err != nil || status != "0" || len(b) < 5 {
		return nil, fmt.Errorf("%s: status %s %s, %d bytes: %w", method, status, text, len(b), err)
	}
	return b[5:], nil
}

func (s *runtimeService) call(method string, m message) message {
	s.t.Helper()
	b, err := s.try(method, m)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// containerd starts a containerd with the image for containers and one for sandboxes.
func (h *host) containerd() (ctr func(args ...string) []string, socket string) {
	h.t.Helper()
	h.installed("containerd", "ctr", "runc")
	socket = h.at("run/containerd/containerd.sock")
	write(h.t, h.at("containerd.toml"), fmt.Sprintf(`version = 2
root = %q
state = %q
[grpc]
  address = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.local:5000/e2e/pause:1"
  restrict_oom_score_adj = true
  disable_tcp_service = true
`, h.at("var/lib/containerd"), h.at("run/containerd"), socket))
	h.background("containerd", "-c", h.at("containerd.toml"))
	ctr = func(args ...string) []string { return append([]string{"ctr", "--address", socket}, args...) }
	until(h.t, "containerd to answer", func() bool {
		_, err := newRuntimeService(h.t, socket).try("RuntimeService/Version", nil)
		return err == nil
	})
	return ctr, socket
}

func TestContainerdContainers(t *testing.T) {
	h := newHost(t)
	ctr, socket := h.containerd()
	rs := newRuntimeService(t, socket)
	for _, image := range []struct{ name, command string }{{containerImage, "nothing"}, {"registry.local:5000/e2e/pause:1", "wait"}} {
		file := h.at(strings.Map(func(r rune) rune {
			if r == '/' || r == ':' {
				return '_'
			}
			return r
		}, image.name) + ".tar")
		write(t, file, string(archive(t, image.name, h.image(), "/bin/act", image.command)))
		for _, namespace := range []string{"default", "k8s.io"} {
			h.run(nil, ctr("-n", namespace, "images", "import", file)...)
		}
	}
	d := h.watch()
	t.Run("pods", func(t *testing.T) {
		h, pod := *h, func(i int) string { return fmt.Sprintf("pod%d", i) }
		h.t, rs.t = t, t
		name := func(i int) string { return fmt.Sprintf("cri%d", i) }
		var pods []string
		h.check(d, func(i int) expected {
			return expected{name: name(i), kind: "containerd", tier: "front", pod: pod(i), namespace: "shop", app: "web"}
		}, func(i int) {
			labels := []string{"io.kubernetes.pod.name", pod(i), "io.kubernetes.pod.namespace", "shop", "io.kubernetes.pod.uid", "uid-" + pod(i)}
			network := message(nil).number(1, 2) // the host's
			conf := message(nil).bytes(1, message(nil).text(1, pod(i)).text(2, "uid-"+pod(i)).text(3, "shop")).text(3, h.dir).
				pairs(6, append(labels, "app", "web")...).bytes(8, message(nil).text(1, "/kubepods-e2e/pod-"+pod(i)).bytes(2, message(nil).bytes(1, network)))
			id := rs.call("RuntimeService/RunPodSandbox", message(nil).bytes(1, conf)).first()
			pods = append(pods, id)
			c := message(nil).bytes(1, message(nil).text(1, name(i))).bytes(2, message(nil).text(1, containerImage)).
				text(3, "/bin/act", "nothing", "first-"+name(i)).pairs(9, append(labels, "tier", "front", "io.kubernetes.container.name", name(i))...).
				bytes(15, message(nil).bytes(2, message(nil).bytes(3, network)))
			box := rs.call("RuntimeService/CreateContainer", message(nil).text(1, id).bytes(2, c).bytes(3, conf)).first()
			rs.call("RuntimeService/StartContainer", message(nil).text(1, box))
		})
		for _, id := range pods {
			rs.call("RuntimeService/StopPodSandbox", message(nil).text(1, id))
			rs.call("RuntimeService/RemovePodSandbox", message(nil).text(1, id))
		}
	})
	t.Run("facts", func(t *testing.T) {
		h := *h
		h.t, rs.t = t, t
		h.podFacts(t, d, rs)
	})
	t.Run("own tools", func(t *testing.T) {
		h := *h
		h.t = t
		name := func(i int) string { return fmt.Sprintf("ctr%d", i) }
		h.check(d, func(i int) expected { return expected{name: name(i), kind: "containerd", tier: "front"} }, func(i int) {
			h.run(nil, ctr("run", "--rm", "--label", "tier=front", containerImage, name(i), "/bin/act", "nothing", "first-"+name(i))...)
		})
	})
}

// archive is an image as docker saves it: one layer, and a program to run.
func archive(t *testing.T, name string, layer []byte, command ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(name string, b []byte) {
		err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(b))})
		if err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	text := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	add("layer.tar", layer)
	add("config.json", text(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": map[string]any{"Cmd": command},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	}))
	add("manifest.json", text([]any{map[string]any{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}}))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
