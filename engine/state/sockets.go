// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"falconet/engine/event"
)

// maxSockTable bounds what is read of one of the kernel's lists of sockets.
const maxSockTable = 4 << 20

// sockTables are the lists of sockets of a network namespace, by their names in /proc/PID/net.
var sockTables = []struct {
	name string
	kind event.FileKind
}{
	{"tcp", event.KindIPv4}, {"tcp6", event.KindIPv6}, {"udp", event.KindIPv4}, {"udp6", event.KindIPv6}, {"unix", event.KindUnix},
	{"raw", event.KindIPv4}, {"raw6", event.KindIPv6}, {"icmp", event.KindIPv4}, {"icmp6", event.KindIPv6},
	{"netlink", event.KindNetlink}, {"packet", event.KindPacket},
}

// sockEnds finds sockets by their inode numbers in the lists below dir, which ends with a slash.
func sockEnds(dir string, inodes []uint64) map[uint64]Opened {
	found := make(map[uint64]Opened, len(inodes))
	buf := make([]byte, 64<<10)
	for _, table := range sockTables {
		if len(found) == len(inodes) {
			break
		}
		b, ok := readFile(dir+table.name, buf)
		if ok && len(b) == len(buf) && len(buf) < maxSockTable {
			buf = make([]byte, maxSockTable)
			b, ok = readFile(dir+table.name, buf)
		}
		if !ok {
			continue
		}
		text := string(b)
		_, text, _ = strings.Cut(text, "\n")
		switch table.kind {
		case event.KindIPv4, event.KindIPv6:
			inetEnds(text, table.kind, inodes, found)
		case event.KindUnix:
			wordEnds(text, table.kind, 6, 7, inodes, found)
		case event.KindNetlink:
			wordEnds(text, table.kind, 9, -1, inodes, found)
		case event.KindPacket:
			wordEnds(text, table.kind, 8, -1, inodes, found)
		}
	}
	return found
}

// wordEnds takes the sockets of a list without addresses of the internet: the inode is the word at place inode, the name the one at name.
func wordEnds(text string, kind event.FileKind, inode, name int, inodes []uint64, found map[uint64]Opened) {
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) <= inode {
			continue
		}
		n, err := strconv.ParseUint(w[inode], 10, 64)
		if err != nil || !slices.Contains(inodes, n) {
			continue
		}
		o := Opened{Kind: kind}
		if name >= 0 && name < len(w) {
			o.Name = w[name]
		}
		found[n] = o
	}
}

const tcpListening = "0A"

// inetEnds takes the sockets of a list of internet sockets. Which end is the server's no list says: it is ours where somebody listens on the
// local port.
func inetEnds(text string, kind event.FileKind, inodes []uint64, found map[uint64]Opened) {
	listened := make(map[uint16]bool)
	var mine []uint64
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) < 10 {
			continue
		}
		n, err := strconv.ParseUint(w[9], 10, 64)
		wanted := err == nil && slices.Contains(inodes, n)
		if !wanted && w[3] != tcpListening {
			continue
		}
		local, ok := procAddr(w[1])
		remote, ok2 := procAddr(w[2])
		if !ok || !ok2 {
			continue
		}
		if w[3] == tcpListening {
			listened[local.Port()] = true
		}
		if wanted {
			found[n] = Opened{Kind: kind, Local: local, Remote: remote, Listens: remote.Port() == 0}
			mine = append(mine, n)
		}
	}
	for _, n := range mine {
		o := found[n]
		o.Server = listened[o.Local.Port()]
		found[n] = o
	}
}

// procAddr reads an address and port as the kernel's lists have them: words of 32 bits in the order of the machine, then the port.
func procAddr(s string) (a netip.AddrPort, ok bool) {
	host, port, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(raw) != 4 && len(raw) != 16 {
		return a, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	ip, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(ip.Unmap(), uint16(n)), true
}
