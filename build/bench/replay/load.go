// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// recordLoad records what a mixed load does: compiling, walks of a file tree, small programs, and a web server with many clients.
func recordLoad(ctx context.Context, bin, file string, events uint64) error {
	recorder := exec.CommandContext(ctx, bin, "record", "-w", file, "-n", strconv.FormatUint(events, 10))
	recorder.Stderr = os.Stderr
	if err := recorder.Start(); err != nil {
		return fmt.Errorf("start recorder: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	var loads sync.WaitGroup
	for _, load := range []func(context.Context){
		repeated("go", "build", "-a", "-o", os.DevNull, "./engine/event"),
		repeated("find", "/usr", "-xdev", "-newer", "/etc/passwd"),
		repeated("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do grep -c root /etc/passwd; ls /etc | wc -l; date; done"),
		serve,
	} {
		loads.Go(func() { load(ctx) })
	}
	err := recorder.Wait()
	stop()
	loads.Wait()
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// repeated runs a command again and again.
func repeated(name string, args ...string) func(context.Context) {
	return func(ctx context.Context) {
		for ctx.Err() == nil {
			if exec.CommandContext(ctx, name, args...).Run() != nil {
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		}
	}
}

// serve answers requests of its own over connections that are made for each.
func serve(ctx context.Context) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open("/etc/passwd")
		if err != nil {
			return
		}
		defer func() { _ = f.Close() }()
		_, _ = io.Copy(w, f)
	})}
	go func() { _ = server.Serve(listener) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String(), nil)
				if err != nil {
					return
				}
				if resp, err := client.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}
		})
	}
	clients.Wait()
	_ = server.Close()
}
