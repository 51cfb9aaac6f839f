// SPDX-License-Identifier: Apache-2.0

// Package arch tests the shape of the house: which package may import which, and how long a file may be.
package arch

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "falconet"

// layers are the product's packages, from the ground up. A package imports only packages of lower layers.
var layers = [][]string{
	{"engine/event", "engine/config", "engine/alert", "embed"},
	{"engine/state", "engine/container", "engine/privilege", "probe/live", "probe/scap", "outputs"},
	{"engine/field"},
	{"engine/filter", "engine/format"},
	{"engine/rules", "engine/pushdown"},
	{"engine"},
	{"", "engine/cli"},
}

// sideways are imports within one layer that the design allows.
var sideways = map[string][]string{"": {"engine/cli"}}

// forbidden are imports that the layers would allow and the design does not.
var forbidden = []struct{ from, to, why string }{
	{"engine", "probe/", "the pipeline declares what it needs of a source; main joins them"},
	{"engine", "outputs", "the pipeline declares what it needs of a receiver; main joins them"},
	{"engine/", "probe/", "nothing but main knows where records come from"},
	{"engine/", "outputs", "nothing but main knows where alerts go"},
	{"probe/", "outputs", "the probe knows nothing of alerts"},
	{"outputs", "probe/", "outputs know nothing of records"},
}

// thirdParties are the only packages that may import each foreign module.
var thirdParties = map[string][]string{
	"github.com/cilium/ebpf":              {"probe/live"},
	"github.com/knadh/koanf":              {"engine/config"},
	"github.com/go-viper/mapstructure":    {"engine/config"},
	"go.yaml.in/yaml":                     {"engine/config", "engine/rules"},
	"github.com/spf13/cobra":              {"engine/cli"},
	"github.com/spf13/pflag":              {"engine/cli"},
	"go.uber.org/automaxprocs":            {""},
	"github.com/rs/zerolog":               {"", "engine/cli", "engine", "engine/state", "engine/container", "probe/live", "probe/scap", "outputs"},
	"github.com/prometheus/client_golang": {"outputs"},
	"golang.org/x/sys":                    nil, // anywhere
	"kernel.org/pub/linux/libs/security":  {"engine/privilege"},
}

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
	Standard   bool
}

func list(t *testing.T) (out []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	cmd.Dir = root(t)
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(b))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// inside returns the path within the module; ok is false for other modules.
func inside(path string) (string, bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func layerOf(p string) int {
	return slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, p) })
}

func TestImportsFollowTheLayers(t *testing.T) {
	for _, p := range list(t) {
		from, _ := inside(p.ImportPath)
		if strings.HasPrefix(from, "build/") || strings.Contains(from, "testdata") {
			continue
		}
		layer := layerOf(from)
		if layer < 0 {
			t.Errorf("package %q has no layer: give it one in the design and here", from)
			continue
		}
		for _, imported := range p.Imports {
			to, own := inside(imported)
			if !own {
				continue
			}
			if strings.HasPrefix(to, "build/") {
				t.Errorf("%q imports %q: nothing under build is part of the product", from, to)
			}
			if l := layerOf(to); l >= layer && !slices.Contains(sideways[from], to) {
				t.Errorf("%q (layer %d) imports %q (layer %d): a package imports lower layers only", from, layer, to, l)
			}
			for _, f := range forbidden {
				match := from == f.from || strings.HasSuffix(f.from, "/") && strings.HasPrefix(from, f.from)
				if match && strings.HasPrefix(to, f.to) {
					t.Errorf("%q imports %q: %s", from, to, f.why)
				}
			}
		}
	}
}

func TestThirdPartiesStayWhereTheyBelong(t *testing.T) {
	for _, p := range list(t) {
		from, _ := inside(p.ImportPath)
		if strings.HasPrefix(from, "build/") || strings.Contains(from, "testdata") {
			continue
		}
		for _, imported := range p.Imports {
			if _, own := inside(imported); own || !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				continue
			}
			known := false
			for prefix, where := range thirdParties {
				if imported != prefix && !strings.HasPrefix(imported, prefix+"/") {
					continue
				}
				known = true
				if where != nil && !slices.Contains(where, from) {
					t.Errorf("%q imports %s, which belongs in %q", from, imported, where)
				}
			}
			if !known {
				t.Errorf("%q imports %s: a new dependency is a decision, write it down here", from, imported)
			}
		}
	}
}

// longFiles are the files that may be longer than maxLines: tables of one row a line.
var longFiles = []string{"engine/event/syscalls_table.go", "engine/event/flagsets.go"}

const maxLines = 600

func TestFilesAreShort(t *testing.T) {
	err := filepath.WalkDir(root(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && (d.Name() == ".git" || d.Name() == "bin") {
				return filepath.SkipDir
			}
			return err
		}
		rel, _ := filepath.Rel(root(t), path)
		if ext := filepath.Ext(path); ext != ".go" && ext != ".c" && ext != ".h" || slices.Contains(longFiles, rel) {
			return nil
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		n := 0
		for s := bufio.NewScanner(f); s.Scan(); {
			n++
		}
		if n > maxLines {
			t.Errorf("%s has %d lines, more than %d", rel, n, maxLines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// topLevel is what the repository's root may hold.
var topLevel = []string{
	"main.go", "probe", "engine", "outputs", "embed", "build", "Containerfile.distroless", "Makefile", "go.mod", "go.sum", "README.md", "LICENSE",
}

func TestTopLevelIsFixed(t *testing.T) {
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) {
			t.Errorf("%s has no place in the repository's root", e.Name())
		}
	}
}

// TestNoPackageHoldsALoggerOrConfiguration looks at the types of package variables.
func TestNoPackageHoldsALoggerOrConfiguration(t *testing.T) {
	for _, p := range list(t) {
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				ast.Inspect(g, func(n ast.Node) bool {
					if _, ok := n.(*ast.FuncLit); ok {
						return false
					}
					if s, ok := n.(*ast.SelectorExpr); ok {
						if x, ok := s.X.(*ast.Ident); ok && (x.Name == "zerolog" && s.Sel.Name != "Level" && !strings.HasSuffix(s.Sel.Name, "Level") || x.Name == "config" && s.Sel.Name == "Config") {
							t.Errorf("%s/%s: a package variable holds %s.%s", p.ImportPath, name, x.Name, s.Sel.Name)
						}
					}
					return true
				})
			}
		}
	}
}
