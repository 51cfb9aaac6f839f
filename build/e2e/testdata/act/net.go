// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// loopback makes a TCP connection to itself and closes it.
func loopback() error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	here, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		return err
	}
	there, err := l.Accept()
	if err != nil {
		return err
	}
	if err := there.Close(); err != nil {
		return err
	}
	return here.Close()
}

// packet opens a socket below the network's protocols, as a sniffer does.
func packet() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return fmt.Errorf("open a packet socket: %w", err)
	}
	return unix.Close(fd)
}
