// SPDX-License-Identifier: Apache-2.0

package field

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"falconet/engine/container"
	"falconet/engine/event"
)

const (
	boxID     = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
	podBoxID  = "4ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
	sandboxID = "5ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
)

// runtimes makes a host on which docker has one container, and CRI-O one in a pod.
func runtimes(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	put := func(path, text string) {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("/var/lib/docker/containers/"+boxID+"/config.v2.json", `{"ID":"`+boxID+`","Name":"/web","Image":"sha256:`+podBoxID+`",
		"Config":{"Image":"reg:5000/acme/web:1.2","Labels":{"b":"2","a":"1\n2"},"Healthcheck":{"Test":["CMD-SHELL","true || exit 1"]}},
		"NetworkSettings":{"Networks":{"bridge":{"IPAddress":"172.17.0.9"}}},"MountPoints":{
		"/data":{"Source":"/srv/data","Destination":"/data","RW":false,"Relabel":"ro","Propagation":"rprivate"},
		"/log":{"Source":"/srv/log","Destination":"/log","RW":true,"Propagation":"rshared"}}}`)
	put("/var/lib/docker/containers/"+boxID+"/hostconfig.json", `{"Privileged":true,"PidMode":"host","NetworkMode":"bridge","IpcMode":"host"}`)
	put("/var/lib/docker/image/overlay2/repositories.json", `{"Repositories":{"reg:5000/acme/web":{"reg:5000/acme/web@sha256:feed":"sha256:`+podBoxID+`"}}}`)
	oci := func(id, annotations string) {
		put("/var/lib/containers/storage/overlay-containers/"+id+"/userdata/config.json",
			`{"annotations":{`+annotations+`},"linux":{"namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"}]}}`)
	}
	const crio = "io.kubernetes.cri-o."
	oci(podBoxID, `"`+crio+`ContainerType":"container","`+crio+`SandboxID":"`+sandboxID+`","`+crio+`ImageName":"quay.io/acme/shop:v2","`+crio+`Metadata":"{\"name\":\"shop\"}",
		"`+crio+`Labels":"{\"io.kubernetes.container.name\":\"shop\",\"io.kubernetes.pod.name\":\"shop-0\",\"io.kubernetes.pod.namespace\":\"prod\",\"io.kubernetes.pod.uid\":\"u1\"}",
		"`+crio+`Annotations":"{\"kubectl.kubernetes.io/last-applied-configuration\":\"{\\\"spec\\\":{\\\"containers\\\":[{\\\"name\\\":\\\"shop\\\",\\\"livenessProbe\\\":{\\\"exec\\\":{\\\"command\\\":[\\\"/bin/alive\\\",\\\"-q\\\"]}},\\\"readinessProbe\\\":{\\\"exec\\\":{\\\"command\\\":[\\\"/bin/ready\\\"]}}}]}}\"}"`)
	oci(sandboxID, `"`+crio+`ContainerType":"sandbox","`+crio+`SandboxID":"`+sandboxID+`","`+crio+`IP.0":"10.1.2.3","`+crio+`CNIResult":"{\"ips\":[]}",
		"`+crio+`Labels":"{\"app\":\"shop\",\"tier\":\"front\"}"`)
	return root
}

// boxed makes a kit whose events may be in the containers of runtimes: their cgroups are 1 and 2, that of the host is 3, and 4 is a
// container that nobody knows.
func boxed(t *testing.T) *kit {
	k := newKit(t)
	root := runtimes(t)
	k.host.Containers = container.NewResolver(root)
	store := container.NewStore(container.Options{Root: root, Enabled: container.Enabled{Docker: true, CRI: true, LXC: true}})
	t.Cleanup(store.Close)
	k.host.Containers.Use(store)
	for i, path := range []string{"/docker/" + boxID, "/kubepods/crio-" + podBoxID, "/user", "/docker/" + strings.Repeat("0", 64), "/lxc/web5"} {
		key := container.Key{V2: uint64(i + 1)}
		k.host.Containers.Learn(key, []byte("cpu="+path+"\x00"))
		if box := k.host.Containers.Box(key); box != nil {
			for end := time.Now().Add(time.Minute); !box.Settled() && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
		}
	}
	return k
}

func (k *kit) in(cgroup uint64, more ...func(h *event.Header)) {
	k.Helper()
	h := header("openat")
	h.Cgroup = cgroup
	for _, m := range more {
		m(&h)
	}
	k.event(h, piece(event.PartName, "/x"))
}

func TestMetadataFields(t *testing.T) {
	k := boxed(t)
	k.in(1)
	k.expect("docker", map[string]string{
		"container.id": boxID[:12], "container.full_id": boxID, "container.name": "web", "container.type": "docker",
		"container.image": "reg:5000/acme/web:1.2", "container.image.repository": "reg:5000/acme/web", "container.image.tag": "1.2",
		"container.image.id": podBoxID, "container.image.digest": "sha256:feed",
		"container.privileged": "true", "container.host_pid": "true", "container.host_network": "false", "container.host_ipc": "true",
		"container.mounts":   "/srv/data:/data:ro:false:rprivate,/srv/log:/log::true:rshared",
		"container.mount[0]": "/srv/data:/data:ro:false:rprivate", "container.mount[/srv/l*]": "/srv/log:/log::true:rshared",
		"container.mount[2]": "-", "container.mount[/nosuch]": "-",
		"container.mount.source[/data]": "/srv/data", "container.mount.source[1]": "/srv/log", "container.mount.source[/srv/data]": "-",
		"container.mount.dest[/srv/*]": "/data", "container.mount.mode[0]": "ro", "container.mount.mode[1]": "",
		"container.mount.rdwr[/srv/data]": "false", "container.mount.rdwr[1]": "true", "container.mount.propagation[1]": "rshared",
		"container.healthcheck": "/bin/sh -c true || exit 1", "container.liveness_probe": "NONE", "container.readiness_probe": "NONE",
		"container.ip": "172.17.0.9", "container.cni.json": "-",
		"container.label.a": "1\n2", "container.label[b]": "2", "container.label.c": "-", "container.labels": "a:1\n2,b:2",
		"container.metadata": "disk", "k8s.pod.name": "-", "k8s.ns.name": "-", "k8s.pod.labels": "-", "k8s.pod.sandbox_id": "-",
	})
	if lacks, _ := k.ctx.Lacking(); lacks {
		t.Error("something is lacking of a container that is known")
	}
	k.in(2)
	k.expect("pod", map[string]string{
		"container.id": podBoxID[:12], "container.name": "shop", "container.type": "cri-o", "container.image": "quay.io/acme/shop:v2",
		"container.privileged": "false", "container.host_network": "false", "container.ip": "10.1.2.3", "container.cni.json": `{"ips":[]}`,
		"container.healthcheck": "NONE", "container.liveness_probe": "/bin/alive -q", "container.readiness_probe": "/bin/ready",
		"k8s.ns.name": "prod", "k8s.pod.name": "shop-0", "k8s.pod.id": "u1", "k8s.pod.uid": "u1", "k8s.pod.sandbox_id": sandboxID[:12],
		"k8s.pod.full_sandbox_id": sandboxID, "k8s.pod.label.app": "shop", "k8s.pod.label[tier]": "front", "k8s.pod.label.x": "-",
		"k8s.pod.labels": "app:shop, tier:front", "k8s.pod.ip": "10.1.2.3", "k8s.pod.cni.json": `{"ips":[]}`,
		"k8s.rc.name": "-", "k8s.svc.label.app": "-", "k8s.ns.labels": "-", "k8s.deployment.id": "-", "k8s.rs.labels": "-",
	})
	k.in(3)
	k.expect("host", map[string]string{
		"container.id": "host", "container.name": "host", "container.type": "host", "container.image": "-", "container.privileged": "-",
		"container.mounts": "-", "container.mount[0]": "-", "container.labels": "-", "container.label.a": "-", "container.metadata": "-", "k8s.pod.name": "-",
		"container.full_id": "-", "container.healthcheck": "-", "container.ip": "-",
	})
	if lacks, _ := k.ctx.Lacking(); lacks {
		t.Error("the host lacks something")
	}
	k.in(4)
	k.expect("unknown", map[string]string{
		"container.id": "000000000000", "container.name": "-", "container.type": "docker", "container.image": "-", "container.privileged": "-",
		"container.mounts": "-", "container.labels": "-", "container.metadata": "none", "k8s.pod.name": "-",
	})
	if lacks, waits := k.ctx.Lacking(); !lacks || waits {
		t.Errorf("of a container that nobody knows something lacks: %v, and may come: %v", lacks, waits)
	}
	k.in(5)
	k.expect("lxc", map[string]string{"container.id": "web5", "container.name": "web5", "container.type": "lxc", "container.image": "-", "container.privileged": "-", "k8s.pod.name": "-"})
	if lacks, _ := k.ctx.Lacking(); lacks {
		t.Error("something lacks of a container that has nothing but a name")
	}
}

func TestProbes(t *testing.T) {
	k := boxed(t)
	run := func(pid, ppid uint32, cgroup uint64, exe, argv string) {
		k.exec(pid, ppid, exe[strings.LastIndexByte(exe, '/')+1:], exe, argv)
		k.in(cgroup, func(h *event.Header) {
			h.PID, h.TID, h.PPID, h.Start, h.TS = pid, pid, ppid, uint64(pid)*second, uint64(pid)*second+2
		})
	}
	expect := func(what, health, alive, ready string) {
		t.Helper()
		k.expect(what, map[string]string{
			"proc.is_container_healthcheck": health, "proc.is_container_liveness_probe": alive, "proc.is_container_readiness_probe": ready,
		})
	}
	run(50, 1, 1, "/bin/sh", "/bin/sh\x00-c\x00true || exit 1\x00")
	expect("health check", "true", "false", "false")
	run(51, 50, 1, "/bin/true", "true\x00")
	expect("its child", "true", "false", "false")
	run(52, 1, 1, "/bin/sh", "/bin/sh\x00-c\x00true\x00")
	expect("another command", "false", "false", "false")
	run(53, 1, 2, "/bin/alive", "/bin/alive\x00-q\x00")
	expect("liveness", "false", "true", "false")
	run(54, 1, 2, "/bin/alive", "/bin/alive\x00")
	expect("other arguments", "false", "false", "false")
	run(55, 1, 2, "/bin/ready", "/bin/ready\x00")
	expect("readiness", "false", "false", "true")
	run(56, 1, 1, "/bin/ready", "/bin/ready\x00")
	expect("in another container", "false", "false", "false")
}

func TestMetadataAllocatesNothing(t *testing.T) {
	k := boxed(t)
	for cgroup := uint64(1); cgroup <= 5; cgroup++ {
		k.in(cgroup)
		for _, d := range All() {
			if d.Class != "container" && d.Class != "k8s" {
				continue
			}
			for _, a := range withArgs(d) {
				d.Get(k.ctx, a)
				if n := testing.AllocsPerRun(10, func() {
					k.ctx.Begin(k.ctx.Rec, 1)
					d.Get(k.ctx, a)
				}); n != 0 {
					t.Errorf("%s %+v allocates %v times", d.Name, a, n)
				}
			}
		}
	}
}

func TestFreeze(t *testing.T) {
	k := boxed(t)
	k.family()
	k.in(4, func(h *event.Header) { h.PID, h.PPID, h.Start, h.TS = 42, 41, 42*second, 43*second })
	k.expect("before", map[string]string{"container.image": "-", "proc.name": "cat"})
	f := k.ctx.Freeze()
	want := map[string]string{}
	exprs := []string{"proc.name", "proc.pname", "proc.cmdline", "evt.num", "evt.rawtime", "evt.type", "container.id", "evt.arg.name", "proc.aname[2]", "evt.deltatime", "evt.reltime"}
	for _, e := range exprs {
		want[e] = k.text(e)
	}
	k.exec(42, 41, "other", "/bin/other", "other\x00")
	k.host.Procs.Tick()
	k.host.Procs.Tick()
	k.in(3)
	f.Again()
	now := k.ctx
	k.ctx = f
	k.expect("frozen", want)
	k.ctx = now
	if k.text("container.id") != "host" {
		t.Error("the frozen context is the other's")
	}
}
