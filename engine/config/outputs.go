// SPDX-License-Identifier: Apache-2.0

package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// check finds what is wrong with the outputs and no single key shows.
func (o *Outputs) check(fail func(key, format string, args ...any)) {
	if o.HTTP.Enabled {
		// Falco takes the URL with quotes around it too.
		for _, q := range []string{"\"", "'"} {
			if text, ok := strings.CutPrefix(o.HTTP.URL, q); ok {
				o.HTTP.URL = strings.TrimSuffix(text, q)
			}
		}
		u, err := url.Parse(o.HTTP.URL)
		switch {
		case o.HTTP.URL == "":
			fail("http_output.url", "must be a URL when http_output is enabled")
		case err != nil:
			fail("http_output.url", "must be a URL: %v", err)
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			fail("http_output.url", "must be a URL that begins with http:// or https://, not %q", o.HTTP.URL)
		}
		if strings.ContainsAny(o.HTTP.UserAgent, "\r\n") {
			fail("http_output.user_agent", "must be one line")
		}
	}
	if s := o.Syslog; s.Enabled && s.Address != "" {
		if _, _, err := SyslogAddress(s.Address); err != nil {
			fail("syslog_output.address", "must be udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT, not %q", s.Address)
		}
		if (s.ClientCert == "") != (s.ClientKey == "") {
			fail("syslog_output.client_cert", "and client_key are of use together only")
		}
	}
	if o.HTTP.Enabled && o.Program.Enabled && o.HTTP.Spool.Path != "" && o.HTTP.Spool.Path == o.Program.Spool.Path {
		fail("program_output.spool.path", "must not be that of http_output")
	}
}

// SyslogAddress splits the address of a log server into scheme and host with port.
func SyslogAddress(text string) (scheme, address string, err error) {
	scheme, address, ok := strings.Cut(text, "://")
	if !ok || scheme != "udp" && scheme != "tcp" && scheme != "tls" {
		return "", "", net.UnknownNetworkError(scheme)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", "", err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", err
	}
	return scheme, address, nil
}
