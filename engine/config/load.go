// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// EnvPrefix begins the name of an environment variable that overrides a key: FALCONET_CFG__metrics__enabled=true is
// metrics.enabled. Orchestrators set variables such as FALCONET_PORT for a service of that name; this is none of them.
const EnvPrefix = "FALCONET_CFG__"

// embeddedFile is how the configuration inside the binary is called.
const embeddedFile = "embedded falconet.yaml"

// A configuration file larger than this is refused.
const maxFile = 4 << 20

// SearchPaths returns where a configuration is looked for when none is named, in order.
func SearchPaths() []string {
	return []string{"/etc/falconet/falconet.yaml", "/etc/falco/falco.yaml"}
}

// Options say what to load.
type Options struct {
	File      string   // a file that must be there; "" to search
	Search    []string // where to look when File is ""; nil means SearchPaths
	Embedded  []byte   // used when nothing was found; nil means the defaults
	Overrides []string // "key=value", as the option -o takes them, in order
	Environ   []string // "NAME=value"; nil means none of the environment's overrides
	Lenient   bool     // unknown keys are warnings
}

// Default returns the configuration of a user who said nothing.
func Default() *Config {
	c, err := decode(&node{kind: mapNode}, false, &Source{})
	if err != nil {
		panic("BUG: defaults are not valid: " + err.Error())
	}
	return c
}

// Load reads a configuration: the defaults, under the main file, under the files it names, under environment variables, under
// overrides. An error of type Problems lists all that is wrong with the values; any other is about reading a file or an option.
func Load(o Options) (*Config, error) {
	src := &Source{}
	root, err := o.readMain(src)
	if err != nil {
		return nil, err
	}
	env, err := environOverrides(o.Environ)
	if err != nil {
		return nil, err
	}
	opts, err := optionOverrides(o.Overrides)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(env, opts)
	// What overrides say of config_files comes before the includes it names, everything else after them.
	for _, v := range all {
		if v.path[0].key == "config_files" {
			if err := v.apply(root); err != nil {
				return nil, err
			}
		}
	}
	if err := mergeIncludes(root, o.Lenient, src); err != nil {
		return nil, err
	}
	for _, v := range all {
		if v.path[0].key != "config_files" {
			if err := v.apply(root); err != nil {
				return nil, err
			}
		}
	}
	return decode(root, o.Lenient, src)
}

func (o *Options) readMain(src *Source) (*node, error) {
	if o.File != "" {
		return readFile(o.File, src, true)
	}
	search := o.Search
	if search == nil {
		search = SearchPaths()
	}
	for _, path := range search {
		root, err := readFile(path, src, true)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return root, err
	}
	root, _, err := readYAML(embeddedFile, o.Embedded, true)
	return root, err
}

func readFile(path string, src *Source, main bool) (*node, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o002 != 0 {
		return nil, fmt.Errorf("read configuration: %s can be written by everybody, who could let falconet run programs: chmod o-w it", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("read configuration: %s is larger than %d bytes", path, maxFile)
	}
	root, warnings, err := readYAML(path, data, true)
	if err != nil {
		return nil, err
	}
	src.Files = append(src.Files, path)
	src.Warnings = append(src.Warnings, warnings...)
	if main {
		src.Main = path
	}
	return root, nil
}

func optionOverrides(texts []string) ([]*override, error) {
	var out []*override
	for _, text := range texts {
		o, err := parseOverride(text, origin{file: "option -o " + text})
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

func environOverrides(environ []string) ([]*override, error) {
	var out []*override
	for _, text := range environ {
		name, val, _ := strings.Cut(text, "=")
		key, ok := strings.CutPrefix(name, EnvPrefix)
		if !ok || key == "" {
			continue
		}
		key = strings.ToLower(strings.ReplaceAll(key, "__", "."))
		o, err := parseOverride(key+"="+val, origin{file: "environment variable " + name})
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].at.file < out[j].at.file })
	return out, nil
}

// mergeIncludes merges the files that config_files names into root.
func mergeIncludes(root *node, lenient bool, src *Source) error {
	p := schema().child("config_files")
	ck := &checker{lenient: lenient}
	list := p.defaultValue()
	if n, ok := root.get("config_files"); ok {
		list, ok = ck.value(p, n)
		if len(ck.problems) > 0 {
			return ck.problems
		}
		if !ok {
			return nil
		}
	}
	for _, item := range list.([]any) {
		include := item.(map[string]any)
		path, _ := include["path"].(string)
		strategy, _ := include["strategy"].(string)
		files, err := includedFiles(path, src.Main)
		if err != nil {
			return err
		}
		for _, file := range files {
			from, err := readFile(file, src, false)
			if err != nil {
				return err
			}
			if n, ok := from.get("config_files"); ok {
				return fmt.Errorf("%v: config_files: only the main file may name further files", n.at)
			}
			merge(root, from, strategy)
		}
	}
	return nil
}

// includedFiles returns the regular files that one entry of config_files stands for.
func includedFiles(path, main string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	if path == main {
		return nil, fmt.Errorf("%s: config_files: the file names itself", main)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if info.Mode().IsRegular() {
		return []string{path}, nil
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: config_files: %s is neither a file nor a directory", main, path)
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var files []string
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	return files, nil
}

// merge merges the top-level keys of from into root; deeper maps are never mixed.
func merge(root, from *node, strategy string) {
	for _, e := range from.keys {
		old, there := root.get(e.key)
		switch {
		case there && strategy == "add-only":
		case there && strategy == "append" && old.kind == listNode && e.val.kind == listNode:
			old.list = append(old.list, e.val.list...)
		default:
			root.set(e.key, e.at, e.val)
		}
	}
}

// decode checks the tree, lays it over the defaults and fills the structure.
func decode(root *node, lenient bool, src *Source) (*Config, error) {
	p := schema()
	ck := &checker{lenient: lenient}
	values, _ := ck.value(p, root)
	if len(ck.problems) > 0 {
		return nil, ck.problems
	}
	store := koanf.New(".")
	for _, layer := range []any{p.defaults(), values} {
		m, _ := layer.(map[string]any)
		if err := store.Load(confmap.Provider(m, ""), nil); err != nil {
			return nil, fmt.Errorf("merge configuration: %w", err)
		}
	}
	c := &Config{Source: *src, tree: root}
	conf := koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		Result: c, TagName: "koanf", ErrorUnused: true, WeaklyTypedInput: false,
	}}
	if err := store.UnmarshalWithConf("", c, conf); err != nil {
		return nil, fmt.Errorf("decode configuration: %w", err)
	}
	if problems := c.check(root); len(problems) > 0 {
		return nil, problems
	}
	c.size()
	c.Source.Warnings = append(c.Source.Warnings, ck.warnings...)
	c.Source.Warnings = append(c.Source.Warnings, notices(c)...)
	return c, nil
}

// check finds what no single key shows. root gives the places.
func (c *Config) check(root *node) Problems {
	var out Problems
	fail := func(key, format string, args ...any) {
		out = append(out, &Problem{Key: key, At: place(root, key), Text: fmt.Sprintf(format, args...)})
	}
	_, files := root.get("rules_files")
	if _, file := root.get("rules_file"); files && file {
		fail("rules_file", "is the old name of rules_files: only one of them may be there")
	} else if file {
		c.Rules.Files = c.Rules.File
	}
	for i, s := range c.Rules.Select {
		match, n := s.Enable, 0
		for _, m := range []*RuleMatch{s.Enable, s.Disable} {
			if m != nil {
				match = m
				n++
			}
		}
		if n != 1 || match.Rule == "" && match.Tag == "" {
			fail("rules", "entry %d must have either enable or disable, with a rule or a tag", i+1)
		}
	}
	if c.Engine.Kind == "replay" && c.Engine.Replay.CaptureFile == "" {
		fail("engine.replay.capture_file", "must name a file when engine.kind is replay")
	}
	if c.Outputs.File.Enabled && c.Outputs.File.Filename == "" {
		fail("file_output.filename", "must name a file when file_output is enabled")
	}
	if c.Outputs.Program.Enabled && c.Outputs.Program.Program == "" {
		fail("program_output.program", "must be a command when program_output is enabled")
	}
	c.Outputs.check(fail)
	if a := c.Web.ListenAddress; c.Web.Enabled {
		if _, err := netip.ParseAddr(strings.Trim(a, "[]")); err != nil {
			fail("webserver.listen_address", "must be an IP address, not %q", a)
		}
	}
	if d, err := parseInterval(c.Metrics.Interval); c.Metrics.Enabled && err != nil {
		fail("metrics.interval", "%v", err)
	} else if c.Metrics.Enabled && d < 100*time.Millisecond {
		fail("metrics.interval", "must be 100ms or more, not %q", c.Metrics.Interval)
	}
	if a := c.Drops.Drops.Actions; slices.Contains(a, "ignore") && (slices.Contains(a, "log") || slices.Contains(a, "alert")) {
		fail("syscall_event_drops.actions", "ignore excludes log and alert")
	}
	return out
}

// place returns where the value of key was written, or where the closest map above it was.
func place(root *node, key string) string {
	n := root
	for part := range strings.SplitSeq(key, ".") {
		next, ok := n.get(part)
		if !ok {
			break
		}
		n = next
	}
	if n.at.file == "" {
		return "configuration"
	}
	return n.at.String()
}
