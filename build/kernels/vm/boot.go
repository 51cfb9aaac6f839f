// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"falconet/build/kernels/guest"
)

// boot runs the machine to its end and returns what it reported. An error means that the machine itself failed; the verdicts
// that came before are returned with it.
func boot(o *options, dir, kernel, initramfs string) ([]guest.Verdict, error) {
	verdictFile := filepath.Join(dir, "verdicts")
	console := filepath.Join(dir, "console")
	cmdline := "console=" + guest.ConsolePort + ",115200 panic=-1 quiet loglevel=4 net.ifnames=0 mitigations=off random.trust_cpu=on syscall.x32=y"
	if o.verbose {
		cmdline = "console=" + guest.ConsolePort + ",115200 panic=-1 mitigations=off random.trust_cpu=on syscall.x32=y"
	}
	cmd := exec.Command("qemu-system-x86_64",
		"-accel", "tcg,thread=single", "-cpu", "max", "-smp", strconv.Itoa(o.cpus), "-m", strconv.Itoa(o.memory),
		"-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot",
		"-serial", "file:"+console, "-serial", "stdio", "-serial", "file:"+verdictFile,
		"-kernel", kernel, "-initrd", initramfs, "-append", cmdline)
	// A starter that is killed must not leave a machine behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stdout = os.Stdout
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	// A pipe that is never written: with /dev/null the port would see an end of file.
	idle, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make qemu's input: %w", err)
	}
	defer idle.Close()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start qemu-system-x86_64 (Debian: qemu-system-x86): %w", err)
	}
	late := false
	timer := time.AfterFunc(o.timeout, func() {
		late = true
		_ = cmd.Process.Kill()
	})
	waitErr := cmd.Wait()
	timer.Stop()
	verdicts, done := readVerdicts(verdictFile)
	if o.verbose {
		showTail(console, 1<<20)
	}
	switch {
	case late:
		showTail(console, 4<<10)
		return verdicts, fmt.Errorf("not done after %s, machine killed", o.timeout)
	case waitErr != nil:
		return verdicts, fmt.Errorf("run qemu: %w: %s", waitErr, bytes.TrimSpace(complaint.Bytes()))
	case !done:
		showTail(console, 4<<10)
		return verdicts, errors.New("the machine stopped before its plan was done")
	}
	return verdicts, nil
}

func readVerdicts(file string) (list []guest.Verdict, done bool) {
	f, err := os.Open(file)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var v guest.Verdict
		if json.Unmarshal(sc.Bytes(), &v) == nil {
			list = append(list, v)
			done = done || v.Done
		}
	}
	return list, done
}

// showTail prints the end of the kernel's messages, where a panic or an out-of-memory kill says so.
func showTail(file string, most int64) {
	f, err := os.Open(file)
	if err != nil {
		return
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-most), io.SeekStart)
		_, _ = io.Copy(os.Stderr, f)
	}
}
