// SPDX-License-Identifier: Apache-2.0

package container

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The containers in testdata/host, whose files runtimes wrote: docker 20.10, podman 4.3 with runc, containerd 1.6.
const (
	dockerID     = "c67c3c9c1396e5727205a14aa94ec48c8e491b588314ba8b98ef24dc2b48e545"
	privilegedID = "48fe5f3c4213f62e0db6178c157ec99c786add24335363a86873ab74891e5f21"
	podmanID     = "6b9c57b556d35ac7010ab38a670a4e7cde5e39befec210d3fdc255633dd3d67e"
	criID        = "e9598e8f4924dd87910cf99733e6532820d54f21e4eb5687e2c560cff82bbec9"
	sandboxID    = "fbb0b47dfc307b44cc9552d35667fcf8fe8cabfaebc96b4d234d28bd724edd84"
	criPrivID    = "e2c605c72b7fd12d5eab37625a2600ce6c8706bf516a225ec8dffe8f87a300c7"
)

const (
	imageName = "registry.local:5000/acme/busy:v1.2"
	imageRepo = "registry.local:5000/acme/busy"
)

func TestDisk(t *testing.T) {
	d := disk{host: "testdata/host", on: allEnabled}
	d.host, _ = filepath.Abs(d.host)
	find := func(id, kind string) *Metadata {
		t.Helper()
		m := d.find(Info{ID: id[:min(12, len(id))], FullID: id, Type: kind})
		if m == nil {
			t.Fatalf("%s: nothing is found", kind)
		}
		if m.From != FromDisk {
			t.Errorf("%s: found by %s", kind, m.From)
		}
		return m
	}
	same := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	image := func(what string, m *Metadata) {
		t.Helper()
		same(what+" image", m.Image, imageName)
		same(what+" repository", m.Repository, imageRepo)
		same(what+" tag", m.Tag, "v1.2")
	}

	m := find(dockerID, "docker")
	image("docker", m)
	same("docker name", m.Name, "web1")
	same("docker image id", len(m.ImageID), 64)
	same("docker labels", len(m.Labels), 2)
	label, _ := m.Label("tier")
	same("docker label", label, "front")
	same("docker health check", m.Healthcheck.String(), "/bin/true x")
	same("docker liveness", m.Liveness.String(), "NONE")
	same("docker privileged", m.Privileged, false)
	same("docker ip", strings.HasPrefix(m.IP, "172."), true)
	same("docker mounts", len(m.Mounts), 2)
	same("docker mount", m.Mounts[0], Mount{Source: "/srv/root", Dest: "/data", Mode: "ro,z", Propagation: "rprivate"})
	same("docker volume", m.Mounts[1].RW, true)
	same("docker pod", m.InPod, false)
	same("docker knows", m.Have, Facts(hasAll))

	m = find(privilegedID, "docker")
	same("docker privileged", m.Privileged && m.HostPID && m.HostNetwork && !m.HostIPC, true)
	same("docker before start", m.Name, "priv1")
	same("docker host network knows its address", m.Have&HasIP != 0, true)
	same("a bare id of a pod's is docker's", find(dockerID, "cri").Type, "docker")

	m = find(podmanID, "podman")
	image("podman", m)
	same("podman name", m.Name, "pw")
	same("podman digest", strings.HasPrefix(m.Digest, "sha256:96b92d0a"), true)
	same("podman image id", strings.HasPrefix(m.ImageID, "e056a672b82c"), true)
	same("podman mounts", len(m.Mounts), 1)
	same("podman mount", m.Mounts[0], Mount{Source: "/srv/root", Dest: "/data", Propagation: "rprivate"})
	same("podman privileged", m.Privileged || m.HostPID || m.HostNetwork, false)
	same("podman does not know labels", m.Have&HasLabels, Facts(0))

	m = find("ctrweb2", "containerd")
	same("containerd name", m.Name, "ctrweb2")
	label, _ = m.Label("tier")
	same("containerd label", label, "front")
	same("containerd does not know the image", m.Have&HasImage, Facts(0))

	for _, kind := range []string{"cri", "containerd", "docker"} {
		m = find(criID, kind)
		image("cri", m)
		same("cri type", m.Type, "containerd")
		same("cri name", m.Name, "web")
		same("cri pod", m.PodName+"/"+m.PodNamespace+"/"+m.PodUID, "podx/ns1/u-1")
		same("cri sandbox", m.SandboxID, sandboxID)
		same("cri is in a pod", m.InPod && !m.IsSandbox, true)
		same("cri host network, by its sandbox", m.HostNetwork, true)
		same("cri host pid and ipc", m.HostPID || m.HostIPC || m.Privileged, false)
		same("cri mount", m.Mounts[len(m.Mounts)-1], Mount{Source: "/srv", Dest: "/data", Propagation: "rprivate"})
	}
	m = find(sandboxID, "cri")
	same("sandbox", m.IsSandbox && m.InPod, true)
	same("sandbox name", m.Name, "podx")
	same("sandbox of itself", m.SandboxID, sandboxID)
	m = find(criPrivID, "cri")
	same("cri does not know rights without its sandbox", m.Have&HasRights, Facts(0))
	var spec ociSpec
	if err := d.tree("/run/containerd/"+taskDirs[0]).decode("k8s.io/"+criPrivID+"/config.json", &spec); err != nil {
		t.Fatal(err)
	}
	same("cri privileged", spec.privileged(), true)

	m = find("web5", "lxc")
	same("lxc name", m.Name, "web5")

	for _, id := range []string{"", "..", ".", "a/b", strings.Repeat("0", 64), strings.Repeat("x", 300)} {
		for _, kind := range []string{"docker", "podman", "cri", "containerd", "cri-o"} {
			if m := d.find(Info{FullID: id, Type: kind}); m != nil {
				t.Errorf("%q of %s is found: %+v", id, kind, m)
			}
		}
	}
	for kind, on := range map[string]Enabled{"docker": {CRI: true, Podman: true}, "podman": {Docker: true, CRI: true}, "cri": {Docker: true}} {
		d.on = on
		if m := d.find(Info{FullID: map[string]string{"docker": dockerID, "podman": podmanID, "cri": criID}[kind], Type: "cri"}); m != nil {
			t.Errorf("a container of %s is found, which is not wanted", kind)
		}
	}
}

// TestDiskOfCrio has the annotations that CRI-O's documentation lists: a container and its sandbox.
func TestDiskOfCrio(t *testing.T) {
	root := t.TempDir()
	const ctr, box = "aa" + dockerID, "bb" + dockerID
	put := func(id, annotations string) {
		write(t, root+"/var/lib/containers/storage/overlay-containers/"+id+"/userdata/config.json",
			`{"annotations":{`+annotations+`},"linux":{"namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"}]}}`)
	}
	put(ctr[:64], `"io.kubernetes.cri-o.ContainerType":"container","io.kubernetes.cri-o.SandboxID":"`+box[:64]+`",
		"io.kubernetes.cri-o.ImageName":"quay.io/acme/web:v2","io.kubernetes.cri-o.ImageRef":"quay.io/acme/web@sha256:ab","io.kubernetes.cri-o.Metadata":"{\"name\":\"web\"}",
		"io.kubernetes.cri-o.Labels":"{\"io.kubernetes.pod.name\":\"p\",\"io.kubernetes.pod.namespace\":\"n\",\"io.kubernetes.pod.uid\":\"u\",\"io.kubernetes.container.name\":\"web\"}"`)
	put(box[:64], `"io.kubernetes.cri-o.ContainerType":"sandbox","io.kubernetes.cri-o.SandboxID":"`+box[:64]+`","io.kubernetes.cri-o.IP.0":"10.1.2.3",
		"io.kubernetes.cri-o.CNIResult":"{}","io.kubernetes.cri-o.Labels":"{\"app\":\"shop\",\"io.kubernetes.pod.name\":\"p\"}"`)
	d := disk{host: root, on: allEnabled}
	m := d.find(Info{FullID: ctr[:64], Type: "cri-o"})
	if m == nil {
		t.Fatal("it is not found")
	}
	app, _ := m.PodLabel("app")
	_, internal := m.PodLabel("io.kubernetes.pod.name")
	got := []string{m.Name, m.Image, m.Digest, m.PodName, m.PodNamespace, m.PodUID, m.SandboxID, m.PodIP, m.IP, m.PodCNI, app, m.Type}
	want := []string{"web", "quay.io/acme/web:v2", "sha256:ab", "p", "n", "u", box[:64], "10.1.2.3", "10.1.2.3", "{}", "shop", "cri-o"}
	if strings.Join(got, " ") != strings.Join(want, " ") || internal || m.HostNetwork {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestCNI(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/var/lib/cni/results/net-"+sandboxID+"-eth0",
		`{"kind":"cniCacheV1","containerId":"`+sandboxID+`","ifName":"eth0","result":{"ips":[{"address":"fd00::2/64"},{"address":"10.88.0.5/16"}]}}`)
	write(t, root+"/var/lib/cni/results/loop-"+sandboxID+"-lo", `{"containerId":"`+sandboxID+`","ifName":"lo","result":{"ips":[{"address":"127.0.0.1/8"}]}}`)
	d := disk{host: root, on: allEnabled}
	m := &Metadata{SandboxID: sandboxID}
	d.cni(m)
	if m.IP != "10.88.0.5" || m.PodIP != m.IP || !strings.Contains(m.CNI, "fd00::2") {
		t.Errorf("got %+v", m)
	}
}

// TestHostileFiles has what the owner of a directory could put in place of a runtime's files.
func TestHostileFiles(t *testing.T) {
	root := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	write(t, outside, `{"ID":"`+dockerID+`","Name":"/stolen"}`)
	dir := root + "/var/lib/docker/containers/" + dockerID
	file := dir + "/config.v2.json"
	d := disk{host: root, on: allEnabled}
	for name, make := range map[string]func() error{
		"a link out of the root": func() error { return os.Symlink(outside, file) },
		"a link within the root": func() error { return os.Symlink("../other", file) },
		"a FIFO":                 func() error { return syscall.Mkfifo(file, 0o644) },
		"a directory":            func() error { return os.Mkdir(file, 0o755) },
		"no JSON":                func() error { return os.WriteFile(file, []byte(`{"ID":`), 0o644) },
		"another container":      func() error { return os.WriteFile(file, []byte(`{"ID":"x","Name":"/y"}`), 0o644) },
		"the wrong types":        func() error { return os.WriteFile(file, []byte(`[{"ID":1}]`), 0o644) },
		"far too deep":           func() error { return os.WriteFile(file, []byte(strings.Repeat("[", 1<<20)), 0o644) },
		"more than is read": func() error {
			return os.WriteFile(file, []byte(`{"ID":"`+dockerID+`","Name":"`+strings.Repeat("a", maxFile)+`"}`), 0o644)
		},
		"a file without end, sparse": func() error { return errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 1<<40)) },
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := make(); err != nil {
			t.Fatal(err)
		}
		if m := d.find(Info{FullID: dockerID, Type: "docker"}); m != nil {
			t.Errorf("%s is taken for %+v", name, m)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	// The directory itself may be elsewhere, as seen from the host's root.
	if err := os.RemoveAll(root + "/var/lib/docker"); err != nil {
		t.Fatal(err)
	}
	write(t, root+"/data/docker/containers/"+dockerID+"/config.v2.json", `{"ID":"`+dockerID+`","Name":"/web"}`)
	if err := os.Symlink("/data/docker", root+"/var/lib/docker"); err != nil {
		t.Fatal(err)
	}
	if m := d.find(Info{FullID: dockerID, Type: "docker"}); m == nil || m.Name != "web" {
		t.Errorf("a data directory that was moved is not found: %+v", m)
	}
}

func TestMetadataIsBounded(t *testing.T) {
	many := make(map[string]string)
	for i := range 10000 {
		many["k"+strings.Repeat("0", i%50)+string(rune('a'+i%26))] = strings.Repeat("v\n", i%3000)
	}
	many["huge"] = strings.Repeat("x", 10<<20)
	size := 0
	for _, l := range labels(many) {
		size += len(l.Key) + len(l.Value)
	}
	if size > labelBytes || size == 0 {
		t.Errorf("%d bytes of labels are kept", size)
	}
	m := &Metadata{}
	m.setImage(strings.Repeat("a", 1<<20) + ":tag")
	room := 0
	for range 10000 {
		m.addMount(Mount{Source: strings.Repeat("s", 1000), Dest: "/d"}, &room)
	}
	if len(m.Image) > maxText || len(m.Mounts) > 100 || len(m.Mounts) == 0 {
		t.Errorf("an image of %d bytes, %d mounts", len(m.Image), len(m.Mounts))
	}
}

func TestImageReferences(t *testing.T) {
	for ref, want := range map[string][4]string{
		"busybox":                        {"busybox", "busybox", "", ""},
		"busybox:1.36":                   {"busybox:1.36", "busybox", "1.36", ""},
		"reg:5000/a/b":                   {"reg:5000/a/b", "reg:5000/a/b", "", ""},
		"reg:5000/a/b:c":                 {"reg:5000/a/b:c", "reg:5000/a/b", "c", ""},
		"a/b@sha256:12":                  {"a/b@sha256:12", "a/b", "", "sha256:12"},
		"a/b:t@sha256:12":                {"a/b:t@sha256:12", "a/b", "t", "sha256:12"},
		"":                               {"", "", "", ""},
		"sha256:" + dockerID:             {"", "", "", ""},
		"reg:5000/a/b:c@x@y":             {"reg:5000/a/b:c@x@y", "reg:5000/a/b", "c", "x@y"},
		":":                              {":", "", "", ""},
		"registry/x:y/z:" + dockerID[:9]: {"registry/x:y/z:" + dockerID[:9], "registry/x:y/z", dockerID[:9], ""},
	} {
		m := &Metadata{}
		m.setImage(ref)
		if got := [4]string{m.Image, m.Repository, m.Tag, m.Digest}; got != want {
			t.Errorf("%q: %q, want %q", ref, got, want)
		}
	}
}

func TestStoreReadsTheDiskInTheBackground(t *testing.T) {
	host, _ := filepath.Abs("testdata/host")
	s := NewStore(Options{Root: host, Enabled: allEnabled})
	defer s.Close()
	r := NewResolver(host)
	r.Use(s)
	k := Key{V2: 7}
	r.Learn(k, []byte("cpu=/docker/"+dockerID+"\x00"))
	b := r.Box(k)
	if b == nil || !b.Wait(time.Minute) || b.Metadata().Name != "web1" || !b.Settled() {
		t.Fatalf("got %+v", b)
	}
	if n := testing.AllocsPerRun(100, func() { r.Box(k).Metadata() }); n != 0 {
		t.Errorf("looking at a known container allocates %v times", n)
	}
	other := Key{V2: 8}
	r.Learn(other, []byte("cpu=/docker/"+dockerID+"/nested\x00"))
	if r.Box(other) != b {
		t.Error("two cgroups of one container are two containers")
	}
	if got := s.Stats(); got.Containers != 1 || got.FromDisk != 1 {
		t.Errorf("%+v", got)
	}
}

// TestStoreReadsTheDiskAgain has a docker that no one can ask: the address of a container comes to the disk later.
func TestStoreReadsTheDiskAgain(t *testing.T) {
	root := t.TempDir()
	file := root + "/var/lib/docker/containers/" + dockerID + "/config.v2.json"
	config := func(ip string) string {
		return `{"ID":"` + dockerID + `","Name":"/web","Image":"` + dockerID + `","Config":{"Image":"a/b"},"NetworkSettings":{"Networks":{"n":{"IPAddress":"` + ip + `"}}}}`
	}
	write(t, file, config(""))
	s := NewStore(Options{Root: root, Enabled: allEnabled})
	defer s.Close()
	b := s.Box(Info{FullID: dockerID, Type: "docker"})
	if !b.Wait(time.Minute) || b.Metadata().Name != "web" || b.Metadata().Have&HasIP != 0 {
		t.Fatalf("at first there is %+v", b.Metadata())
	}
	write(t, file, config("10.0.0.7"))
	for end := time.Now().Add(time.Minute); !b.Settled() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	if m := b.Metadata(); m.IP != "10.0.0.7" || m.From != FromDisk {
		t.Errorf("at last there is %+v", m)
	}
}

func TestStoreIsBounded(t *testing.T) {
	s := NewStore(Options{Root: t.TempDir(), Enabled: allEnabled})
	defer s.Close()
	s.max = 10
	for i := range 1000 {
		s.Box(Info{FullID: dockerID[:60] + string(rune('a'+i/26/26%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26)), Type: "docker"})
	}
	if len(s.boxes) != 10 || len(s.order) > 30 || s.Stats().Evictions != 990 {
		t.Errorf("%d containers, %d in order, %+v", len(s.boxes), len(s.order), s.Stats())
	}
}

// TestStoreIsBoundedInBytes: containers with as much about them as is taken leave by what they take, but not those that events ask for; what has
// left is found out about again.
func TestStoreIsBoundedInBytes(t *testing.T) {
	root := t.TempDir()
	s := NewStore(Options{Root: root, Enabled: allEnabled})
	defer s.Close()
	r := NewResolver(root)
	r.Limit(1000, 200<<10)
	r.Use(s)
	much := strings.Repeat("x", 4000)
	id := func(i int) string { return fmt.Sprintf("%064x", i) }
	box := func(i int) *Box {
		key := Key{V2: uint64(i + 1)}
		r.Learn(key, []byte("cpu=/docker/"+id(i)))
		b := r.Box(key)
		if !b.Wait(time.Minute) {
			t.Fatal("the disk is not read")
		}
		return b
	}
	for i := range 100 {
		write(t, root+"/var/lib/docker/containers/"+id(i)+"/config.v2.json",
			`{"ID":"`+id(i)+`","Name":"/box`+strconv.Itoa(i)+`","Config":{"Image":"a/b","Labels":{"a":"`+much+`","b":"`+much+`","c":"`+much+`","d":"`+much+`","e":"`+much+`"}}}`)
		write(t, root+"/var/lib/docker/containers/"+id(i)+"/hostconfig.json", `{"NetworkMode":"none"}`)
		if b := box(i); b.Metadata().Name != "box"+strconv.Itoa(i) {
			t.Fatalf("box %d: %+v", i, b.Metadata())
		}
		if b := box(0); b.Metadata().Name != "box0" {
			t.Fatalf("after box %d: %+v", i, b.Metadata())
		}
	}
	s.mu.Lock()
	kept, sum := s.kept, 0
	for _, b := range s.boxes {
		sum += b.Metadata().size()
	}
	s.mu.Unlock()
	if most := 200<<10 + maxText + labelBytes + 4096; kept != sum || kept > most || s.Stats().Evictions < 80 || len(s.order)-s.head != len(s.boxes) {
		t.Errorf("%d bytes are kept, %d by the containers, want %d at most: %+v, %d in order", kept, sum, most, s.Stats(), len(s.order)-s.head)
	}
	if _, in := s.boxes[box(0).Info]; !in || s.Stats().Containers != uint64(len(s.boxes)) {
		t.Errorf("the container that is asked for has left: %+v", s.Stats())
	}
	if b := box(1); b.Metadata().Name != "box1" {
		t.Errorf("what had left: %+v", b.Metadata())
	}
}

func TestDisabledRuntimes(t *testing.T) {
	on := Enabled{Docker: true}
	if info, ok := on.Match("/lxc/web"); ok {
		t.Errorf("got %+v", info)
	}
	if info, ok := on.Match("/docker/" + dockerID); !ok || info.Type != "docker" {
		t.Errorf("got %+v", info)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
