// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// talk lets two sockets talk by datagrams and two by a connection, over the loopback. It prints the ports of server and client of each pair.
func talk(args []string) error {
	if len(args) > 0 {
		if err := apart(netip.MustParseAddr(args[0]).As4()); err != nil {
			return fmt.Errorf("make a network: %w", err)
		}
	}
	if err := datagrams(); err != nil {
		return fmt.Errorf("by datagrams: %w", err)
	}
	if err := connection(); err != nil {
		return fmt.Errorf("by connection: %w", err)
	}
	return nil
}

var home = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}

// apart moves to a network of its own and gives its loopback an address, which is home from now on.
func apart(addr [4]byte) error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return err
	}
	if err := lo.SetInet4Addr(addr[:]); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, lo); err != nil {
		return err
	}
	home.Addr = addr
	return unix.Close(fd)
}

// bound makes a socket at the loopback.
func bound(typ int) (fd int, at unix.Sockaddr, err error) {
	if fd, err = unix.Socket(unix.AF_INET, typ, 0); err != nil {
		return 0, nil, err
	}
	if err := unix.Bind(fd, home); err != nil {
		return 0, nil, err
	}
	at, err = unix.Getsockname(fd)
	return fd, at, err
}

func port(fd int) int {
	sa, _ := unix.Getsockname(fd)
	return sa.(*unix.SockaddrInet4).Port
}

func datagrams() error {
	server, at, err := bound(unix.SOCK_DGRAM)
	if err != nil {
		return err
	}
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	buf := make([]byte, 100)
	for _, text := range []string{"first secret-token", "second secret-token"} {
		if err := unix.Sendto(client, []byte(text), 0, at); err != nil {
			return err
		}
		_, from, err := unix.Recvfrom(server, buf, 0)
		if err != nil {
			return err
		}
		if err := unix.Sendto(server, []byte("answer"), 0, from); err != nil {
			return err
		}
		if _, _, err := unix.Recvfrom(client, buf, 0); err != nil {
			return err
		}
	}
	fmt.Println(port(server), port(client))
	return nil
}

func connection() error {
	listener, at, err := bound(unix.SOCK_STREAM)
	if err != nil {
		return err
	}
	if err := unix.Listen(listener, 1); err != nil {
		return err
	}
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(client, at); err != nil {
		return err
	}
	server, _, err := unix.Accept(listener)
	if err != nil {
		return err
	}
	text := "secret-token " + strings.Repeat("x", 300) + " end of the request"
	if _, err := unix.Write(client, []byte(text)); err != nil {
		return err
	}
	if _, err := unix.Read(server, make([]byte, len(text))); err != nil {
		return err
	}
	if _, err := unix.Writev(server, [][]byte{[]byte("secret-"), []byte("token answered")}); err != nil {
		return err
	}
	fmt.Println(port(server), port(client))
	return nil
}
