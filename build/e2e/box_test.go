// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// boxFields are the fields that name and image come with.
var boxFields = []string{
	"proc.args", "proc.pid.ts", "proc.duration", "proc.is_container_healthcheck", "proc.is_container_liveness_probe", "proc.is_container_readiness_probe",
	"container.id", "container.full_id", "container.name", "container.type", "container.image", "container.image.id", "container.image.digest", "container.privileged",
	"container.host_pid", "container.host_network", "container.host_ipc", "container.mounts", "container.mount[0]", "container.mount.source[/data]", "container.mount.dest[*]",
	"container.mount.mode[*]", "container.mount.rdwr[*]", "container.mount.propagation[*]", "container.healthcheck", "container.liveness_probe", "container.readiness_probe",
	"container.ip", "container.cni.json", "container.label.tier", "container.labels", "container.start_ts", "container.duration",
	"k8s.ns.name", "k8s.pod.name", "k8s.pod.id", "k8s.pod.uid", "k8s.pod.sandbox_id", "k8s.pod.full_sandbox_id", "k8s.pod.label.app", "k8s.pod.labels", "k8s.pod.ip", "k8s.pod.cni.json",
	"k8s.ns.id", "k8s.ns.label.a", "k8s.ns.labels", "k8s.rc.name", "k8s.rc.id", "k8s.rc.label.a", "k8s.rc.labels", "k8s.svc.name", "k8s.svc.id", "k8s.svc.label.a", "k8s.svc.labels",
	"k8s.rs.name", "k8s.rs.id", "k8s.rs.label.a", "k8s.rs.labels", "k8s.deployment.name", "k8s.deployment.id", "k8s.deployment.label.a", "k8s.deployment.labels",
}

var boxRule = "- rule: Container facts\n  desc: d\n  condition: evt.type in (execve, execveat) and container.id != host and proc.args contains facts-\n  output: '%" +
	strings.Join(boxFields, " %") + "'\n  priority: NOTICE\n"

// fact waits for the alert of a program that is started with an argument.
func (d *daemon) fact(t *testing.T, from int, arg string, also func(a alert) bool) (found alert) {
	t.Helper()
	until(t, "the alert of "+arg, func() bool {
		return slices.ContainsFunc(d.alerts(from), func(a alert) bool {
			found = a
			return a.Rule == "Container facts" && strings.Contains(a.str("proc.args"), arg) && (also == nil || also(a))
		})
	})
	return found
}

// absentOf are the fields that only the cluster's API server could tell, and others that have no value.
func absentOf(more ...string) map[string]string {
	want := make(map[string]string)
	for _, f := range boxFields {
		for _, of := range []string{"k8s.ns.id", "k8s.ns.label", "k8s.rc.", "k8s.svc.", "k8s.rs.", "k8s.deployment."} {
			if strings.HasPrefix(f, of) {
				want[f] = "<NA>"
			}
		}
	}
	for _, f := range more {
		want[f] = "<NA>"
	}
	return want
}

// dockerFacts compares what alerts say of containers with what docker says of them when it is asked.
func (h *host) dockerFacts(t *testing.T, d *daemon, docker func(...string) []string) {
	for _, tc := range []struct {
		name string
		args []string
	}{
		{"facts-plain", []string{"--network", "none", "-v", h.dir + "/etc:/data:ro", "--label", "tier=back", "--label", "a=b,c"}},
		{"facts-open", []string{"--network", "host", "--pid", "host", "--ipc", "host", "-v", h.dir + "/run:/data", "--health-cmd", "/bin/act nothing facts-health", "--health-interval", "1s"}},
		{"facts-all", []string{"--network", "none", "--privileged", "-v", h.dir + "/etc:/data"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := *h
			h.t = t
			from := d.mark()
			run := docker(append(append([]string{"run", "-d", "--name", tc.name}, tc.args...), containerImage, "/bin/act", "wait", tc.name)...)
			out, err := exec.Command(run[0], run[1:]...).CombinedOutput()
			defer h.run(nil, docker("rm", "-f", tc.name)...)
			if strings.Contains(string(out), "unable to apply caps") {
				t.Skip("this machine has not all privileges to give")
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			a := d.fact(t, from, tc.name, nil)
			var all []struct {
				ID, Name, Image string
				Config          struct {
					Image       string
					Labels      map[string]string
					Healthcheck *struct{ Test []string }
				}
				HostConfig struct {
					Privileged                    bool
					PidMode, NetworkMode, IpcMode string
				}
				Mounts []struct {
					Source, Destination, Mode, Propagation string
					RW                                     bool
				}
				NetworkSettings struct{ IPAddress string }
			}
			if err := json.Unmarshal([]byte(h.run(nil, docker("inspect", tc.name)...)), &all); err != nil || len(all) != 1 || len(all[0].Mounts) != 1 {
				t.Fatalf("docker inspect: %v, %+v", err, all)
			}
			c, is := all[0], strconv.FormatBool
			m := c.Mounts[0]
			want := absentOf("container.image.digest", "container.cni.json", "k8s.ns.name", "k8s.pod.name", "k8s.pod.id", "k8s.pod.uid", "k8s.pod.sandbox_id", "k8s.pod.full_sandbox_id",
				"k8s.pod.label.app", "k8s.pod.labels", "k8s.pod.ip", "k8s.pod.cni.json")
			var labels []string
			for k, v := range c.Config.Labels {
				labels = append(labels, k+":"+v)
			}
			slices.Sort(labels)
			text := func(s string) string {
				if s == "" {
					return "<NA>"
				}
				return s
			}
			health := "NONE"
			if c.Config.Healthcheck != nil {
				health = "/bin/sh -c " + c.Config.Healthcheck.Test[1]
			}
			mount := fmt.Sprintf("%s:%s:%s:%t:%s", m.Source, m.Destination, m.Mode, m.RW, m.Propagation)
			for f, w := range map[string]string{
				"container.id": c.ID[:12], "container.full_id": c.ID, "container.name": strings.TrimPrefix(c.Name, "/"), "container.type": "docker", "container.image": c.Config.Image,
				"container.image.id": strings.TrimPrefix(c.Image, "sha256:"), "container.privileged": is(c.HostConfig.Privileged), "container.host_pid": is(c.HostConfig.PidMode == "host"),
				"container.host_network": is(c.HostConfig.NetworkMode == "host"), "container.host_ipc": is(c.HostConfig.IpcMode == "host"), "container.mounts": mount,
				"container.mount[0]": mount, "container.mount.source[/data]": m.Source, "container.mount.dest[*]": m.Destination, "container.mount.mode[*]": m.Mode,
				"container.mount.rdwr[*]": is(m.RW), "container.mount.propagation[*]": m.Propagation, "container.healthcheck": health, "container.liveness_probe": "NONE",
				"container.readiness_probe": "NONE", "container.ip": text(c.NetworkSettings.IPAddress), "container.label.tier": text(c.Config.Labels["tier"]), "container.labels": text(strings.Join(labels, ",")),
				"proc.is_container_healthcheck": "false", "proc.is_container_liveness_probe": "false", "proc.is_container_readiness_probe": "false",
			} {
				want[f] = w
			}
			if c.HostConfig.PidMode != "host" { // it is the first process of its namespace
				want["container.start_ts"], want["container.duration"] = a.str("proc.pid.ts"), a.str("proc.duration")
			}
			a.wants(t, want)
			if health != "NONE" {
				d.fact(t, from, "facts-health", func(a alert) bool { return a.str("proc.is_container_healthcheck") == "true" })
			}
		})
	}
}

// podFacts compares what an alert says of a container in a pod with what containerd says of it when it is asked as Kubernetes asks.
func (h *host) podFacts(t *testing.T, d *daemon, rs *runtimeService) {
	const pod, name, uid = "factpod", "facts-pod", "12345678-aaaa-bbbb-cccc-1234567890ab"
	labels := []string{"io.kubernetes.pod.name", pod, "io.kubernetes.pod.namespace", "shop", "io.kubernetes.pod.uid", uid}
	network := message(nil).number(1, 2) // the host's
	conf := message(nil).bytes(1, message(nil).text(1, pod).text(2, uid).text(3, "shop")).text(3, h.dir).
		pairs(6, append(labels, "app", "web", "of", "test")...).bytes(8, message(nil).text(1, "/kubepods-e2e/pod-"+pod).bytes(2, message(nil).bytes(1, network)))
	from := d.mark()
	sandbox := rs.call("RuntimeService/RunPodSandbox", message(nil).bytes(1, conf)).first()
	defer func() {
		rs.call("RuntimeService/StopPodSandbox", message(nil).text(1, sandbox))
		rs.call("RuntimeService/RemovePodSandbox", message(nil).text(1, sandbox))
	}()
	mount := message(nil).text(1, "/data").text(2, h.at("etc")).number(3, 1) // read-only
	c := message(nil).bytes(1, message(nil).text(1, name)).bytes(2, message(nil).text(1, containerImage)).text(3, "/bin/act", "wait", name).bytes(7, mount).
		pairs(9, append(labels, "tier", "back", "io.kubernetes.container.name", name)...).bytes(15, message(nil).bytes(2, message(nil).bytes(3, network)))
	box := rs.call("RuntimeService/CreateContainer", message(nil).text(1, sandbox).bytes(2, c).bytes(3, conf)).first()
	rs.call("RuntimeService/StartContainer", message(nil).text(1, box))
	a := d.fact(t, from, name, nil)
	image := message(rs.call("ImageService/ImageStatus", message(nil).bytes(1, message(nil).text(1, containerImage))).first()).first()
	want := absentOf()
	for f, w := range map[string]string{
		"container.id": box[:12], "container.full_id": box, "container.name": name, "container.type": "containerd", "container.image": containerImage,
		"container.image.id": strings.TrimPrefix(image, "sha256:"), "container.privileged": "false", "container.host_pid": "false", "container.host_network": "true",
		"container.host_ipc": "false", "container.healthcheck": "NONE", "container.liveness_probe": "NONE", "container.readiness_probe": "NONE", "container.mount.source[/data]": h.at("etc"), "container.label.tier": "back",
		"k8s.ns.name": "shop", "k8s.pod.name": pod, "k8s.pod.id": uid, "k8s.pod.uid": uid, "k8s.pod.sandbox_id": sandbox[:12], "k8s.pod.full_sandbox_id": sandbox,
		"k8s.pod.label.app": "web", "k8s.pod.labels": "app:web, of:test",
	} {
		want[f] = w
	}
	a.wants(t, want)
	if began := time.Unix(0, fieldNumber(t, a, "container.start_ts")); time.Since(began) > time.Hour || time.Since(began) < 0 {
		t.Errorf("container.start_ts = %v", began)
	}
}
