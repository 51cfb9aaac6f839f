// SPDX-License-Identifier: Apache-2.0

package container

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const id64 = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"

func TestMatch(t *testing.T) {
	const pod = "/kubepods/burstable/pod0f0f9b8e-7d7f-4c57-8a1a-1e3e5bd0d3a2/"
	short := id64[:12]
	for _, c := range []struct{ path, id, full, kind string }{
		{"/docker/" + id64, short, id64, "docker"},
		{"/" + id64, short, id64, "docker"},
		{"/system.slice/docker-" + id64 + ".scope", short, id64, "docker"},
		{"/kubepods.slice/kubepods-pod1.slice/docker-" + id64 + ".scope", short, id64, "docker"},
		{"/../../docker/" + id64, short, id64, "docker"},
		{"/docker/" + id64 + "/init.scope", short, id64, "docker"},
		{"/system.slice/docker-" + id64 + ".scope/system.slice/cron.service", short, id64, "docker"},
		{"/docker/" + strings.Repeat("0", 64) + "/docker/" + id64, short, id64, "docker"},
		{"/machine.slice/libpod-" + id64 + ".scope", short, id64, "podman"},
		{"/machine.slice/libpod-" + id64 + ".scope/container", short, id64, "podman"},
		{"/libpod_parent/libpod-" + id64, short, id64, "podman"},
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/podman-77.scope/" + id64, short, id64, "podman"},
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id64 + ".scope", short, id64, "podman"},
		{pod + id64, short, id64, "cri"},
		{pod + "crio-" + id64, short, id64, "cri-o"},
		{"/kubepods.slice/kubepods-pod1.slice/crio-" + id64 + ".scope", short, id64, "cri-o"},
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id64 + ".scope", short, id64, "containerd"},
		{"/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + id64, short, id64, "containerd"},
		{"/default/web", "web", "web", "containerd"},
		{"/default/a-rather-long-name", "a-rather-lon", "a-rather-long-name", "containerd"},
		{"/default/" + id64, short, id64, "containerd"},
		{"/lxc/web1", "web1", "web1", "lxc"},
		{"/lxc.payload/web2/init.scope", "web2", "web2", "lxc"},
		{"/lxc.payload.web3", "web3", "web3", "lxc"},
		{"/machine/web4.libvirt-lxc", "web4", "web4", "libvirt-lxc"},
		{`/machine.slice/machine-lxc\x2dweb5.scope`, "web5", "web5", "libvirt-lxc"},
		{`/machine.slice/machine-lxc\x2dweb5.scope/libvirt`, "web5", "web5", "libvirt-lxc"},
		{"/libvirt/lxc/web6/x", "web6", "web6", "libvirt-lxc"},
		{"/system.slice/runc-bpm-router.scope", "router", "router", "bpm"},
		{"/", "", "", ""},
		{"", "", "", ""},
		{"/user.slice/user-1000.slice/session-2.scope", "", "", ""},
		{"/system.slice/docker.service", "", "", ""},
		{"/default/x.service", "", "", ""},
		{"/docker/" + id64[:63], "", "", ""},
		{"/docker/" + id64 + "0", "", "", ""},
		{"/docker/" + "g" + id64[1:], "", "", ""},
		{"/system.slice/bpm-a b.scope", "", "", ""},
		{strings.Repeat("/x", 5000), "", "", ""},
	} {
		info, ok := Match(c.path)
		want := Info{ID: c.id, FullID: c.full, Type: c.kind}
		if strings.Contains(c.path, "user-1000.slice") && c.full != "" {
			want.UID = 1000
		}
		if info != want || ok != (c.full != "") {
			t.Errorf("%s: got %+v, %v, want %+v", c.path, info, ok, want)
		}
	}
}

func TestMatchListTakesTheFirstEngineOfAnyPath(t *testing.T) {
	info, ok := MatchList("cpuset=/\x00cpu=/lxc/a\x00memory=/docker/" + id64 + "\x00")
	if !ok || info.Type != "docker" {
		t.Errorf("got %+v, %v", info, ok)
	}
	if info, ok := MatchList("junk\x00=\x00cpu"); ok {
		t.Errorf("got %+v from junk", info)
	}
}

// fakeHost makes a root with a v2 hierarchy and returns it with the id of the cgroup at path.
func fakeHost(t *testing.T, path string) (root string, id uint64) {
	t.Helper()
	root = t.TempDir()
	base := filepath.Join(root, "sys/fs/cgroup")
	if err := os.MkdirAll(base+path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(base+"/cgroup.procs", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(base+path, &st); err != nil {
		t.Fatal(err)
	}
	return root, st.Ino
}

func proc(t *testing.T, root string, pid int, cgroup string) {
	t.Helper()
	dir := filepath.Join(root, "proc", strconv.Itoa(pid))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/cgroup", []byte(cgroup), 0o644); err != nil {
		t.Fatal(err)
	}
}

func yes() bool { return true }
func no() bool  { return false }

func TestResolverLearns(t *testing.T) {
	r := NewResolver(t.TempDir())
	k := Key{V2: 42, V1: 7}
	r.Learn(k, []byte("cpu=/docker/"+id64+"\x00"))
	info, in := r.Lookup(k, 1, no)
	if !in || info.FullID != id64 {
		t.Fatalf("got %+v, %v", info, in)
	}
	if n := testing.AllocsPerRun(100, func() { r.Lookup(k, 1, yes) }); n != 0 {
		t.Errorf("looking a known cgroup up allocates %v times", n)
	}
	if _, in := r.Lookup(Key{V2: 43}, 1, no); in {
		t.Error("an unknown cgroup is in a container")
	}
}

func TestResolverReadsProc(t *testing.T) {
	path := "/system.slice/docker-" + id64 + ".scope"
	root, cg := fakeHost(t, path)
	proc(t, root, 5, "0::"+path+"\n")
	r := NewResolver(root)
	if info, in := r.Lookup(Key{V2: cg}, 5, yes); !in || info.ID != id64[:12] {
		t.Errorf("got %+v, %v", info, in)
	}
	// A process that has moved since, or whose pid has passed on, says nothing of the cgroup.
	proc(t, root, 6, "0::/elsewhere\n")
	if err := os.MkdirAll(filepath.Join(root, "sys/fs/cgroup/elsewhere"), 0o755); err != nil {
		t.Fatal(err)
	}
	r = NewResolver(root)
	if _, in := r.Lookup(Key{V2: cg}, 6, yes); !in {
		t.Error("the cgroup that the process has left was not found by its id")
	}
	r = NewResolver(root)
	if _, in := r.Lookup(Key{V2: 1}, 5, no); in {
		t.Error("another process's cgroup was taken")
	}
}

func TestResolverWalks(t *testing.T) {
	root, cg := fakeHost(t, "/kubepods.slice/kubepods-pod1.slice/cri-containerd-"+id64+".scope")
	r := NewResolver(root)
	now := time.Unix(100, 0)
	r.now = func() time.Time { return now }
	if info, in := r.Lookup(Key{V2: cg, V1: 9}, 999, yes); !in || info.Type != "containerd" {
		t.Errorf("got %+v, %v", info, in)
	}
	walks := r.Stats().Walks
	for i := range uint64(50) { // unknown ids must not walk again and again
		r.Lookup(Key{V2: 1<<40 + i}, 999, yes)
		r.Lookup(Key{V2: 1 << 40}, 999, yes)
	}
	if got := r.Stats().Walks; got != walks {
		t.Errorf("%d walks within one moment", got-walks)
	}
	now = now.Add(time.Minute)
	r.Lookup(Key{V2: 1 << 40}, 999, yes)
	if got := r.Stats().Walks; got != walks+1 {
		t.Errorf("an unknown cgroup was not looked for again")
	}
}

func TestResolverIsBounded(t *testing.T) {
	r := NewResolver(t.TempDir())
	r.max = 10
	for i := range uint64(100) {
		r.Learn(Key{V2: i + 1}, []byte("cpu=/lxc/c"+strconv.Itoa(int(i))))
	}
	if len(r.known) != 10 || r.Stats().Entries != 10 || r.Stats().Evictions != 90 || len(r.order) > 30 {
		t.Errorf("%d entries, %+v, %d in order", len(r.known), r.Stats(), len(r.order))
	}
	if info, in := r.Lookup(Key{V2: 100}, 1, no); !in || info.ID != "c99" {
		t.Errorf("the newest is gone: %+v", info)
	}
}
