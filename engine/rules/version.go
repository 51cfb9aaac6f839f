// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// EngineVersion is the newest version of Falco's engine whose rule files this program takes.
const EngineVersion = "0.63.0"

// builtinPlugins are the plugins of Falco whose work this program does itself, and the versions that it stands for.
var builtinPlugins = map[string]string{"container": "0.6.0"}

type version [3]int

// parseVersion reads three numbers with dots between them. What follows them does not count.
func parseVersion(s string) (v version, ok bool) {
	if i := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i >= 0 {
		s = s[:i]
	}
	parts := strings.SplitN(s, ".", 4)
	if len(parts) < 3 {
		return v, false
	}
	for i := range v {
		n, err := strconv.ParseUint(parts[i], 10, 32)
		if err != nil {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}

// satisfies reports whether v serves where need is asked for: the same major version, and not older.
func (v version) satisfies(need version) bool {
	if v[0] != need[0] {
		return false
	}
	return v[1] > need[1] || v[1] == need[1] && v[2] >= need[2]
}

func (c *collection) checkEngine(it *item) bool {
	text := it.name
	if n, ok := parseUint(text); ok {
		text = fmt.Sprintf("0.%d.0", n)
	}
	need, ok := parseVersion(text)
	if !ok {
		it.failKey(ErrYAMLValidate, it.kind, fmt.Sprintf("'%s' is neither a number nor a version of the form x.y.z", it.name))
		return false
	}
	if have, _ := parseVersion(EngineVersion); !have.satisfies(need) {
		it.failKey(ErrValidate, it.kind, fmt.Sprintf("the file needs version %s of the rule engine, this is %s", text, EngineVersion))
		return false
	}
	if c.needs.engine == "" || versionLess(c.needs.engine, text) {
		c.needs.engine = text
	}
	return true
}

func versionLess(a, b string) bool {
	x, _ := parseVersion(a)
	y, _ := parseVersion(b)
	return slices.Compare(x[:], y[:]) < 0
}

// checkPlugins warns of plugins that are not there; rules that need one use its fields, and are left out for that.
func (c *collection) checkPlugins(it *item) bool {
	n := it.keys["required_plugin_versions"]
	if n.Kind != yaml.SequenceNode {
		it.failKey(ErrYAMLValidate, it.kind, "'required_plugin_versions' is not a sequence")
		return false
	}
	for _, e := range n.Content {
		e = resolve(e)
		p, ok := it.readPlugin(e, true)
		if !ok || !it.plausible(p, e) {
			return false
		}
		c.needs.plugins = append(c.needs.plugins, p)
		if !p.there() {
			msg := fmt.Sprintf("plugin '%s' %s is not part of this program: rules that need it are left out", p.Name, p.Version)
			if builtinPlugins[p.Name] == "" {
				msg += didYouMean(p.Name, slices.Collect(maps.Keys(builtinPlugins)))
			}
			it.file.warn(NotSupported, msg, it.where(), at("plugin", p.Name, e))
		}
	}
	return true
}

// readPlugin reads a name, a version and, if it may have any, what would do as well.
func (it *item) readPlugin(n *yaml.Node, alternatives bool) (p Plugin, ok bool) {
	bad := func(n *yaml.Node, msg string) (Plugin, bool) {
		it.file.fail(ErrYAMLValidate, msg, it.where(), at("plugin", p.Name, n))
		return p, false
	}
	if n.Kind != yaml.MappingNode {
		return bad(n, "a plugin is a map with a name and a version")
	}
	values, labels := make(map[string]*yaml.Node), make(map[string]*yaml.Node)
	if !it.readMap(n, values, labels) {
		return p, false
	}
	for _, key := range []struct {
		name string
		to   *string
	}{{"name", &p.Name}, {"version", &p.Version}} {
		v := values[key.name]
		if v == nil {
			return bad(n, "a plugin has a name and a version")
		}
		if msg := notScalar(v); msg != "" {
			return bad(v, "'"+key.name+"' "+msg)
		}
		*key.to = v.Value
	}
	if list := values["alternatives"]; list != nil && alternatives {
		if list.Kind != yaml.SequenceNode {
			return bad(list, "'alternatives' is not a sequence")
		}
		for _, a := range list.Content {
			other, ok := it.readPlugin(resolve(a), false)
			if !ok {
				return p, false
			}
			p.Alternatives = append(p.Alternatives, other)
		}
	}
	return p, true
}

// plausible checks the versions of a requirement, and that no plugin is in it twice.
func (it *item) plausible(p Plugin, n *yaml.Node) bool {
	names := make(map[string]bool)
	for _, one := range append([]Plugin{p}, p.Alternatives...) {
		msg := ""
		if _, ok := parseVersion(one.Version); !ok {
			msg = fmt.Sprintf("'%s' is no version of the form x.y.z", one.Version)
		} else if names[one.Name] {
			msg = "plugin '" + one.Name + "' is required twice in one requirement"
		}
		if msg != "" {
			it.file.fail(ErrValidate, msg, it.where(), at("plugin", one.Name, n))
			return false
		}
		names[one.Name] = true
	}
	return true
}

// there reports whether this program does what the plugin, or one of its alternatives, does.
func (p Plugin) there() bool {
	have, ok := parseVersion(builtinPlugins[p.Name])
	if need, valid := parseVersion(p.Version); ok && valid && have.satisfies(need) {
		return true
	}
	return slices.ContainsFunc(p.Alternatives, Plugin.there)
}

// pluginFields are what the fields of plugins begin with, where that is not the plugin's name.
var pluginFields = map[string][]string{
	"k8saudit": {"ka", "jevt"}, "k8saudit-eks": {"ka", "jevt"}, "k8saudit-gke": {"ka", "jevt"}, "k8saudit-aks": {"ka", "jevt"}, "k8saudit-ovh": {"ka", "jevt"},
	"json": {"json", "jevt"}, "cloudtrail": {"ct"}, "gcpaudit": {"al", "gcp"},
}

// absent returns the required plugin that is not there and whose field or event type it is; "" when there is none.
func (r *requirements) absent(field, event string) string {
	for _, p := range r.plugins {
		if p.there() {
			continue
		}
		for _, one := range append([]Plugin{p}, p.Alternatives...) {
			for _, begin := range append([]string{one.Name}, pluginFields[one.Name]...) {
				if strings.HasPrefix(field, begin+".") || strings.HasPrefix(event, begin+"_") {
					return one.Name
				}
			}
		}
	}
	return ""
}
