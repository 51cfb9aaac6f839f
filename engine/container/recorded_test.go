// SPDX-License-Identifier: Apache-2.0

package container

import (
	"reflect"
	"strings"
	"testing"
)

// boxIn resolves a container of a recording and returns what is known of it.
func boxIn(t *testing.T, r *Resolver, id string) *Metadata {
	t.Helper()
	k := Key{V2: 9}
	r.Learn(k, []byte("cpu=/docker/"+id+"\x00"))
	b := r.Box(k)
	if b == nil || !b.Settled() {
		t.Fatalf("box %+v", b)
	}
	return b.Metadata()
}

// What a recording of ours says of a container is all that was known.
func TestRecorded(t *testing.T) {
	id := strings.Repeat("ab", 32)
	want := &Metadata{
		Have: hasAll &^ HasDigest, From: FromDisk, Type: "containerd", Name: "n", Image: "r/i:t", ImageID: "77", Repository: "r/i", Tag: "t",
		Labels: []Label{{"a", "b"}}, Mounts: []Mount{{"/s", "/d", "ro", "private", true}}, Privileged: true, HostPID: true, IP: "10.0.0.1", CNI: "{}",
		Healthcheck: Probe{"/bin/true", []string{"x"}, "/bin/true x"}, InPod: true, IsSandbox: true, PodName: "p", PodNamespace: "ns", PodUID: "u", SandboxID: "s",
		PodLabels: []Label{{"c", "d"}}, PodIP: "10.0.0.2", PodCNI: "[]",
	}
	r := NewRecorded()
	info := Info{ID: id[:12], FullID: id, Type: "docker"}
	r.Tell(Recorded(info, want))
	if got := boxIn(t, r, id); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// What Falco's libraries write is understood; what is none of it, or of which they found nothing, is not known.
func TestTell(t *testing.T) {
	id := strings.Repeat("cd", 32)
	r := NewRecorded()
	for _, text := range []string{"", "{", `{"container":{}}`, `{"container":{"id":"` + id[:12] + `","name":"early","lookup_state":2}}`} {
		r.Tell([]byte(text))
		if m := boxIn(t, r, id); m.Have != 0 {
			t.Errorf("%q is taken for %+v", text, m)
		}
	}
	r.Tell([]byte(`{"container":{"Mounts":[{"Source":"/a","Destination":"/b","Mode":"z","RW":true,"Propagation":"rprivate"}],"id":"` + id[:12] + `","type":6,"name":"web",
		"image":"docker.io/nginx:1","imagerepo":"docker.io/nginx","imagetag":"1","imageid":"ee","imagedigest":"sha256:ff","privileged":true,"is_pod_sandbox":false,"lookup_state":1,
		"ip":"0.0.0.0","labels":{"io.kubernetes.pod.name":"pod","x":"y"},"pod_sandbox_id":"` + id + `","Healthcheck":{"exe":"/hc","args":["a","b"]}}}`))
	m := boxIn(t, r, id)
	if m.Name != "web" || m.Type != "cri" || m.Repository != "docker.io/nginx" || m.Tag != "1" || m.Digest != "sha256:ff" || !m.Privileged || m.IP != "" ||
		m.PodName != "pod" || m.SandboxID != id || m.Healthcheck.String() != "/hc a b" || len(m.Mounts) != 1 || m.Mounts[0].Dest != "/b" || m.Have != hasAll {
		t.Errorf("%+v", m)
	}
}
