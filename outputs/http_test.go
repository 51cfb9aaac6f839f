// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"falconet/engine/config"
)

// pki makes a certificate authority and certificates that it signed, as PEM files in a directory.
type pki struct {
	t    *testing.T
	dir  string
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newPKI(t *testing.T) *pki {
	p := &pki{t: t, dir: t.TempDir()}
	p.ca, p.key = p.make("ca", nil)
	return p
}

func (p *pki) path(name string) string { return filepath.Join(p.dir, name) }

func (p *pki) make(name string, change func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	p.last++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(p.last), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: p.ca == nil,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(c)
	}
	parent, signer := p.ca, p.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		p.t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	for suffix, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(p.path(name+suffix), pem.EncodeToMemory(block), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		p.t.Fatal(err)
	}
	return cert, key
}

func (p *pki) server(h http.Handler, clients bool) *httptest.Server {
	p.t.Helper()
	p.make("server", nil)
	pair, err := tls.LoadX509KeyPair(p.path("server.crt"), p.path("server.key"))
	if err != nil {
		p.t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients {
		s.TLS.ClientAuth = tls.RequireAndVerifyClientCert
		s.TLS.ClientCAs = x509.NewCertPool()
		s.TLS.ClientCAs.AddCert(p.ca)
	}
	s.StartTLS()
	p.t.Cleanup(s.Close)
	return s
}

func newHTTP(t *testing.T, conf config.HTTPOutput, echo io.Writer) *HTTP {
	t.Helper()
	s, err := NewHTTP(FormatJSON, conf, 5*time.Second, echo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestHTTPPosts(t *testing.T) {
	for _, compress := range []bool{false, true} {
		var got, agent, kind string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := io.Reader(r.Body)
			if r.Header.Get("Content-Encoding") == "gzip" {
				z, err := gzip.NewReader(r.Body)
				if err != nil {
					t.Error(err)
					return
				}
				body = z
			}
			b, err := io.ReadAll(body)
			if err != nil {
				t.Error(err)
			}
			got, agent, kind = r.Method+" "+string(b), r.UserAgent(), r.Header.Get("Content-Type")+" "+r.Header.Get("Content-Encoding")
			fmt.Fprint(w, "thanks\x1b[2J\n")
		}))
		defer srv.Close()
		var echo strings.Builder
		s := newHTTP(t, config.HTTPOutput{URL: srv.URL, UserAgent: "me/1", CompressUploads: compress, Echo: true}, &echo)
		if err := s.Write(Line{Bytes: []byte("{\"a\":1}\n")}); err != nil {
			t.Fatal(err)
		}
		wantKind := "application/json "
		if compress {
			wantKind += "gzip"
		}
		if got != `POST {"a":1}` || agent != "me/1" || kind != wantKind {
			t.Errorf("%q from %q as %q", got, agent, kind)
		}
		if echo.String() != "thanks\\u001b[2J\n" {
			t.Errorf("echo is %q", echo.String())
		}
	}
}

func TestHTTPTrust(t *testing.T) {
	p := newPKI(t)
	p.make("client", nil)
	other := newPKI(t)
	other.make("client", nil)
	cas := t.TempDir()
	if err := os.Link(p.path("ca.crt"), filepath.Join(cas, "ca.pem")); err != nil {
		// another file system
		b, _ := os.ReadFile(p.path("ca.crt"))
		if err := os.WriteFile(filepath.Join(cas, "ca.pem"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	name := ""
	srv := p.server(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { name = r.TLS.PeerCertificates[0].Subject.CommonName }), true)
	mtls := config.HTTPOutput{URL: srv.URL, MTLS: true, ClientCert: p.path("client.crt"), ClientKey: p.path("client.key")}
	for _, c := range []struct {
		name   string
		change func(*config.HTTPOutput)
		err    string
	}{
		{"ca_cert", func(c *config.HTTPOutput) { c.CACert = p.path("ca.crt") }, ""},
		{"ca_bundle", func(c *config.HTTPOutput) { c.CABundle = p.path("ca.crt") }, ""},
		{"ca_path", func(c *config.HTTPOutput) { c.CAPath = cas }, ""},
		{"insecure", func(c *config.HTTPOutput) { c.Insecure = true }, ""},
		{"the server's is not signed by ours", func(c *config.HTTPOutput) { c.CACert = other.path("ca.crt") }, "certificate signed by unknown authority"},
		{"no client certificate", func(c *config.HTTPOutput) { c.CACert, c.MTLS = p.path("ca.crt"), false }, "certificate required"},
		{"ours is not signed by the server's", func(c *config.HTTPOutput) {
			c.CACert, c.ClientCert, c.ClientKey = p.path("ca.crt"), other.path("client.crt"), other.path("client.key")
		}, "tls: "},
	} {
		conf := mtls
		c.change(&conf)
		name = ""
		err := newHTTP(t, conf, nil).Write(Line{Bytes: []byte("x\n")})
		switch {
		case c.err == "" && (err != nil || name != "client"):
			t.Errorf("%s: %v, the server saw %q", c.name, err, name)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || name != ""):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestHTTPBadFiles(t *testing.T) {
	p := newPKI(t)
	p.make("a", nil)
	p.make("b", nil)
	if err := os.Chmod(p.path("b.key"), 0o602); err != nil {
		t.Fatal(err)
	}
	good := config.HTTPOutput{URL: "https://127.0.0.1:1/", CACert: p.path("ca.crt"), MTLS: true, ClientCert: p.path("a.crt"), ClientKey: p.path("a.key")}
	for _, c := range []struct {
		change func(*config.HTTPOutput)
		err    string
	}{
		{func(c *config.HTTPOutput) { c.CACert = "/none" }, "http_output.ca_cert: stat /none: no such file or directory"},
		{func(c *config.HTTPOutput) { c.CACert = p.path("a.key") }, "http_output.ca_cert: " + p.path("a.key") + " holds no certificate"},
		{func(c *config.HTTPOutput) { c.CACert, c.CABundle = "", p.dir }, "http_output.ca_bundle: " + p.dir + " is no file of certificates"},
		{func(c *config.HTTPOutput) { c.CACert, c.CAPath = "", t.TempDir() }, "holds no certificate"},
		{func(c *config.HTTPOutput) { c.ClientCert = p.path("b.crt") }, "http_output.client_cert: tls: private key does not match public key"},
		{func(c *config.HTTPOutput) { c.ClientCert, c.ClientKey = p.path("b.crt"), p.path("b.key") }, "b.key can be written by everybody"},
	} {
		conf := good
		c.change(&conf)
		if _, err := NewHTTP(FormatJSON, conf, time.Second, nil); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v, want %s", err, c.err)
		}
	}
}

func TestHTTPJudgesAnswers(t *testing.T) {
	code, after := 0, ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(code)
	}))
	defer srv.Close()
	s := newHTTP(t, config.HTTPOutput{URL: srv.URL}, nil)
	post := func(c int) (taken, again bool) {
		code = c
		err := s.Write(Line{Bytes: []byte("x\n")})
		return err == nil, errors.As(err, new(*Later))
	}
	for c, want := range map[int][2]bool{200: {true, false}, 204: {true, false}, 302: {}, 400: {}, 403: {}, 408: {false, true}, 429: {false, true}, 503: {false, true}} {
		if taken, again := post(c); taken != want[0] || again != want[1] {
			t.Errorf("%d: taken %v, again %v", c, taken, again)
		}
	}
	for i := range maxRefusals + 1 {
		if _, again := post(500); again != (i < maxRefusals) {
			t.Errorf("failure %d: again %v", i, again)
		}
	}
	after, code = "7", 429
	var l *Later
	if err := s.Write(Line{}); !errors.As(err, &l) || l.In != 7*time.Second {
		t.Errorf("%v", err)
	}
}

func TestHTTPTimeouts(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	conf := config.HTTPOutput{URL: srv.URL, MaxConsecutiveTimeouts: 2}
	for _, spool := range []string{"", "/somewhere"} {
		conf.Spool.Path = spool
		s, err := NewHTTP(FormatJSON, conf, 20*time.Millisecond, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			err := s.Write(Line{Bytes: []byte("x\n")})
			if again := errors.As(err, new(*Later)); err == nil || again != (i < 2 || spool != "") {
				t.Errorf("timeout %d with spool %q: again %v: %v", i, spool, again, err)
			}
		}
	}
}
