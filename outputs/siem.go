// SPDX-License-Identifier: Apache-2.0

package outputs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"falconet/engine/alert"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any // what an alert's field may hold, or an object
}

// put adds a member unless there is nothing to say.
func (o *object) put(name string, v any) {
	switch e := v.(type) {
	case nil:
		return
	case string:
		if e == "" {
			return
		}
	case object:
		if len(e) == 0 {
			return
		}
	case []any:
		if len(e) == 0 {
			return
		}
	}
	*o = append(*o, member{name, v})
}

func appendObject(dst []byte, o object) []byte {
	dst = append(dst, '{')
	for i, m := range o {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, m.name)
		dst = append(dst, ':')
		dst = appendValue(dst, m.value)
	}
	return append(dst, '}')
}

// values finds an alert's fields by name.
type values []alert.Field

// get returns the first value that one of the fields has.
func (v values) get(names ...string) any {
	for _, name := range names {
		for _, f := range v {
			if f.Name == name && f.Value != nil && f.Value != "" && f.Value != "<NA>" {
				return f.Value
			}
		}
	}
	return nil
}

func (v values) text(names ...string) string {
	s, _ := v.get(names...).(string)
	return s
}

var techniqueTag = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)

// techniques returns the MITRE ATT&CK techniques and tactics that tags name.
func techniques(tags []string) (ids, tactics []any) {
	for _, tag := range tags {
		if techniqueTag.MatchString(tag) {
			ids = append(ids, tag)
		}
		if name, ok := strings.CutPrefix(tag, "mitre_"); ok {
			words := strings.Split(name, "_")
			for i, w := range words {
				if w != "" && (i == 0 || w != "and") {
					words[i] = strings.ToUpper(w[:1]) + w[1:]
				}
			}
			tactics = append(tactics, strings.Join(words, " "))
		}
	}
	return ids, tactics
}

// texts returns tags as a list of values.
func texts(tags []string) (out []any) {
	for _, t := range tags {
		out = append(out, t)
	}
	return out
}

// allFields returns every field of the alert once, by name.
func allFields(a *alert.Alert) (out object) {
	last := ""
	for i, f := range sorted(a.Fields) {
		if i == 0 || f.Name != last {
			out = append(out, member{f.Name, f.Value})
		}
		last = f.Name
	}
	return out
}

// severities are OCSF's numbers and names for the priorities.
var severities = [...]struct {
	id   int64
	name string
}{
	alert.Emergency: {6, "Fatal"}, alert.Alarm: {5, "Critical"}, alert.Critical: {5, "Critical"}, alert.Error: {4, "High"},
	alert.Warning: {3, "Medium"}, alert.Notice: {2, "Low"}, alert.Informational: {1, "Informational"}, alert.Debug: {1, "Informational"},
}

// appendOCSF writes an alert as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework. What has no place in the
// schema is below unmapped.
func (r *Renderer) appendOCSF(dst []byte, a *alert.Alert) []byte {
	v := values(a.Fields)
	when := a.Time / int64(time.Millisecond)
	sev := severities[min(int(a.Priority), len(severities)-1)]

	info := object{{"uid", findingID(a)}, {"title", a.Rule}, {"desc", a.Message}, {"created_time", when},
		{"analytic", object{{"name", a.Rule}, {"type", "Rule"}, {"type_id", int64(1)}}}}
	info.put("types", texts(a.Tags))
	ids, tactics := techniques(a.Tags)
	var attacks []any
	for _, id := range ids {
		attacks = append(attacks, object{{"technique", object{{"uid", id}}}})
	}
	for _, name := range tactics {
		attacks = append(attacks, object{{"tactic", object{{"name", name}}}})
	}
	info.put("attacks", attacks)

	profiles := []any{"host"}
	process, container := ocsfProcess(v)
	if len(container) > 0 {
		profiles = append(profiles, "container")
	}
	product := object{{"name", "falconet"}, {"vendor_name", "falconet"}}
	product.put("version", r.version)
	out := object{
		{"activity_id", int64(1)}, {"activity_name", "Create"}, {"category_uid", int64(2)}, {"category_name", "Findings"},
		{"class_uid", int64(2004)}, {"class_name", "Detection Finding"}, {"type_uid", int64(200401)}, {"type_name", "Detection Finding: Create"},
		{"time", when}, {"severity_id", sev.id}, {"severity", sev.name}, {"status_id", int64(1)}, {"status", "New"}, {"message", a.Message},
		{"metadata", object{{"version", "1.3.0"}, {"product", product}, {"profiles", profiles}, {"log_name", a.Source}}},
		{"device", object{{"hostname", a.Hostname}, {"type_id", int64(1)}, {"type", "Server"}, {"os", object{{"name", "Linux"}, {"type", "Linux"}, {"type_id", int64(200)}}}}},
		{"finding_info", info},
	}
	var evidence object
	evidence.put("process", process)
	if p := v.text("fs.path.name", "fd.name"); strings.HasPrefix(p, "/") {
		evidence.put("file", object{{"path", p}, {"name", path.Base(p)}, {"type_id", int64(0)}})
	}
	evidence.put("src_endpoint", ocsfEndpoint(v.get("fd.cip"), v.get("fd.cport")))
	evidence.put("dst_endpoint", ocsfEndpoint(v.get("fd.sip"), v.get("fd.sport")))
	if len(evidence) > 0 {
		out.put("evidences", []any{evidence})
	}
	unmapped := object{{"priority", a.Priority.String()}}
	unmapped.put("output_fields", allFields(a))
	out.put("unmapped", unmapped)
	return appendObject(dst, out)
}

func ocsfProcess(v values) (process, container object) {
	process.put("pid", v.get("proc.pid"))
	process.put("name", v.get("proc.name"))
	process.put("cmd_line", v.get("proc.cmdline"))
	if exe := v.text("proc.exepath"); exe != "" {
		process.put("file", object{{"path", exe}, {"name", path.Base(exe)}, {"type_id", int64(1)}})
	}
	var parent object
	parent.put("pid", v.get("proc.ppid"))
	parent.put("name", v.get("proc.pname"))
	parent.put("cmd_line", v.get("proc.pcmdline"))
	process.put("parent_process", parent)
	var user object
	user.put("name", v.get("user.name"))
	if uid := v.get("user.uid"); uid != nil {
		user.put("uid", fmt.Sprint(uid))
	}
	process.put("user", user)
	if id := v.text("container.id"); id != "" && id != "host" {
		container.put("uid", id)
		container.put("name", v.get("container.name"))
		var image object
		image.put("name", v.get("container.image.repository", "container.image"))
		image.put("tag", v.get("container.image.tag"))
		container.put("image", image)
		process.put("container", container)
	}
	return process, container
}

func ocsfEndpoint(ip, port any) (out object) {
	out.put("ip", ip)
	out.put("port", port)
	return out
}

// findingID is the same for the same alert whenever it is rendered, and another for any other.
func findingID(a *alert.Alert) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\x00%s\x00%s\x00%s", a.Time, a.Hostname, a.Rule, a.Message)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// appendECS writes an alert as a document of the Elastic Common Schema. What has no place in the schema is below falconet.
func (r *Renderer) appendECS(dst []byte, a *alert.Alert) []byte {
	v := values(a.Fields)
	kind := "alert"
	if a.Internal() {
		kind = "event"
	}
	out := object{
		{"@timestamp", time.Unix(0, a.Time).UTC().Format("2006-01-02T15:04:05.000000000Z")},
		{"ecs", object{{"version", "8.11.0"}}},
		{"message", a.Message},
		{"event", object{{"kind", kind}, {"category", []any{"intrusion_detection"}}, {"type", []any{"info"}}, {"module", "falconet"}, {"dataset", "falconet.alerts"},
			{"provider", a.Source}, {"severity", int64(a.Priority)}, {"id", findingID(a)}}},
		{"log", object{{"level", strings.ToLower(a.Priority.String())}}},
		{"rule", object{{"name", a.Rule}}},
		{"host", object{{"hostname", a.Hostname}, {"name", a.Hostname}}},
	}
	observer := object{{"vendor", "falconet"}, {"product", "falconet"}, {"type", "hids"}}
	observer.put("version", r.version)
	out.put("observer", observer)
	out.put("tags", texts(a.Tags))
	ids, tactics := techniques(a.Tags)
	if len(ids)+len(tactics) > 0 {
		threat := object{{"framework", "MITRE ATT&CK"}}
		if len(ids) > 0 {
			threat.put("technique", object{{"id", ids}})
		}
		if len(tactics) > 0 {
			threat.put("tactic", object{{"name", tactics}})
		}
		out.put("threat", threat)
	}
	var process, parent, user, file, container object
	process.put("pid", v.get("proc.pid"))
	process.put("name", v.get("proc.name"))
	process.put("executable", v.get("proc.exepath"))
	process.put("command_line", v.get("proc.cmdline"))
	process.put("working_directory", v.get("proc.cwd"))
	parent.put("pid", v.get("proc.ppid"))
	parent.put("name", v.get("proc.pname"))
	parent.put("command_line", v.get("proc.pcmdline"))
	process.put("parent", parent)
	out.put("process", process)
	user.put("name", v.get("user.name"))
	if uid := v.get("user.uid"); uid != nil {
		user.put("id", fmt.Sprint(uid))
	}
	out.put("user", user)
	if p := v.text("fs.path.name", "fd.name"); strings.HasPrefix(p, "/") {
		file.put("path", p)
		file.put("name", path.Base(p))
		file.put("directory", path.Dir(p))
	}
	out.put("file", file)
	out.put("source", ocsfEndpoint(v.get("fd.cip"), v.get("fd.cport")))
	out.put("destination", ocsfEndpoint(v.get("fd.sip"), v.get("fd.sport")))
	if id := v.text("container.id"); id != "" && id != "host" {
		container.put("id", id)
		container.put("name", v.get("container.name"))
		var image object
		image.put("name", v.get("container.image.repository", "container.image"))
		if tag := v.get("container.image.tag"); tag != nil {
			image.put("tag", []any{tag})
		}
		container.put("image", image)
	}
	out.put("container", container)
	var pod object
	pod.put("namespace", v.get("k8s.ns.name"))
	if name := v.get("k8s.pod.name"); name != nil {
		pod.put("resource", object{{"type", "pod"}, {"name", name}})
	}
	out.put("orchestrator", pod)
	out.put("falconet", object{{"output_fields", allFields(a)}})
	return appendObject(dst, out)
}
