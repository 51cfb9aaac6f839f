// SPDX-License-Identifier: Apache-2.0

// Package assets is everything that the binary carries: the compiled probe, the default configuration and rules, and the manual.
package assets

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed config/falconet.yaml rules/*.yaml manual/*.md
var files embed.FS

// Config returns the default configuration, falconet.yaml.
func Config() []byte { return list("config")[0].Data }

// Asset is one embedded file.
type Asset struct {
	Name string
	Data []byte
}

// Rules returns the embedded rule files, sorted by name.
func Rules() []Asset {
	return slices.DeleteFunc(list("rules"), func(a Asset) bool { return strings.HasSuffix(a.Name, "_test.yaml") })
}

// Manual returns the pages of the manual, sorted by name, which is the topic without ending.
func Manual() []Asset {
	pages := list("manual")
	for i := range pages {
		pages[i].Name = strings.TrimSuffix(pages[i].Name, ".md")
	}
	return pages
}

func list(dir string) (out []Asset) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		panic("BUG: read embedded directory " + dir + ": " + err.Error())
	}
	for _, e := range entries {
		data, err := files.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			panic("BUG: read embedded file " + e.Name() + ": " + err.Error())
		}
		out = append(out, Asset{Name: e.Name(), Data: data})
	}
	return out
}
