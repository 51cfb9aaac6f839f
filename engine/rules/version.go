// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
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

func parseVersion(s string) (v version, ok bool) {
	s = strings.TrimPrefix(s, "v")
	if i := strings.IndexAny(s, "-+"); i >= 0 {
		s = s[:i]
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
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
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		text = fmt.Sprintf("0.%d.0", n)
	}
	need, ok := parseVersion(text)
	if !ok {
		it.fail(ErrYAMLValidate, fmt.Sprintf("'%s' is not a version", it.name))
		return false
	}
	if have, _ := parseVersion(EngineVersion); !have.satisfies(need) {
		it.fail(ErrValidate, fmt.Sprintf("rules file needs engine version %s, this is %s", text, EngineVersion))
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
		it.fail(ErrYAMLValidate, "'required_plugin_versions' is not a sequence")
		return false
	}
	for _, e := range n.Content {
		e = resolve(e)
		p := readPlugin(e)
		if p.Name == "" || p.Version == "" {
			it.file.fail(ErrYAMLValidate, "an entry of 'required_plugin_versions' has a name and a version", it.where(), at("plugin", p.Name, e))
			return false
		}
		c.needs.plugins = append(c.needs.plugins, p)
		if !p.there() {
			it.file.warn(UnknownItem, fmt.Sprintf("plugin '%s' %s is not part of this program", p.Name, p.Version), it.where(), at("plugin", p.Name, e))
		}
	}
	return true
}

// readPlugin reads a name, a version and what would do as well. What is not there is empty.
func readPlugin(n *yaml.Node) Plugin {
	p := Plugin{Name: mapValue(n, "name"), Version: mapValue(n, "version")}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "alternatives" {
			continue
		}
		for _, a := range resolve(n.Content[i+1]).Content {
			a = resolve(a)
			p.Alternatives = append(p.Alternatives, Plugin{Name: mapValue(a, "name"), Version: mapValue(a, "version")})
		}
	}
	return p
}

// there reports whether this program does what the plugin, or one of its alternatives, does.
func (p Plugin) there() bool {
	have, ok := parseVersion(builtinPlugins[p.Name])
	if need, valid := parseVersion(p.Version); ok && valid && have.satisfies(need) {
		return true
	}
	return slices.ContainsFunc(p.Alternatives, Plugin.there)
}

func mapValue(n *yaml.Node, key string) string {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return resolve(n.Content[i+1]).Value
		}
	}
	return ""
}
