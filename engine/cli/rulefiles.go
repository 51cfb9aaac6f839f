// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"falconet/embed"
	"falconet/engine/config"
	"falconet/engine/rules"

	"github.com/rs/zerolog"
)

// findRules reads the rule files: those of -r, which must exist, else those of the configuration. A file that cannot be read is among
// them, with the reason.
func (c *command) findRules(conf *config.Config) ([]rules.File, error) {
	paths, must := c.rulePaths(conf), len(c.ruleFiles) > 0
	var files []rules.File
	for _, p := range paths {
		found := c.readOnce(p)
		if len(found) == 1 && errors.Is(found[0].Err, os.ErrNotExist) && !must {
			continue
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no rule files were found (looked for %s)", strings.Join(paths, ", "))
	}
	for i := range files {
		var pe *os.PathError
		if errors.As(files[i].Err, &pe) {
			files[i].Err = pe.Err // the file is named anyway
		}
	}
	return files, nil
}

// maxRules bounds one rules file.
const maxRules = 64 << 20

// readRules reads a file, the rules inside, or the YAML files of a directory in the order of their names.
func readRules(path string) (files []rules.File) {
	if path == config.EmbeddedRules {
		for _, a := range assets.Rules() {
			files = append(files, rules.File{Name: "embedded/" + a.Name, Data: a.Data})
		}
		return files
	}
	info, err := os.Stat(path)
	if err != nil {
		return []rules.File{{Name: path, Err: err}}
	}
	if !info.IsDir() {
		return []rules.File{readFile(path)}
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return []rules.File{{Name: path, Err: err}}
	}
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		if ext := filepath.Ext(name); ext != ".yaml" && ext != ".yml" {
			continue
		}
		switch info, err := os.Stat(name); {
		case errors.Is(err, os.ErrNotExist): // a link to nothing, as there is for a moment while Kubernetes changes a volume
		case err != nil:
			files = append(files, rules.File{Name: name, Err: err})
		case info.Mode().IsRegular():
			files = append(files, readFile(name))
		}
	}
	return files
}

// readFile reads a file of bounded size. It does not wait for a pipe or a device, unless it is one that the caller handed over open.
func readFile(name string) rules.File {
	f := rules.File{Name: name}
	flags := os.O_RDONLY
	open := handed(name)
	if !open {
		flags |= syscall.O_NONBLOCK
	}
	in, err := os.OpenFile(name, flags, 0)
	if err != nil {
		f.Err = err
		return f
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	switch {
	case err != nil:
		f.Err = err
		return f
	case !open && !info.Mode().IsRegular():
		f.Err = errors.New("it is not a regular file")
		return f
	}
	f.Data, f.Err = io.ReadAll(io.LimitReader(in, maxRules+1))
	if len(f.Data) > maxRules {
		f.Data, f.Err = nil, fmt.Errorf("the file is larger than %d bytes", maxRules)
	}
	return f
}

// warnWritable says which rule files everybody can write, who could take rules away; with --strict that is an error.
func (c *command) warnWritable(log zerolog.Logger, files []rules.File) error {
	for _, f := range files {
		info, err := os.Stat(f.Name)
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o002 == 0 {
			continue // one inside the binary is no file
		}
		text := f.Name + ": can be written by everybody, who could take rules away: chmod o-w it"
		if c.strict {
			return errors.New(text)
		}
		log.Warn().Msg(text)
	}
	return nil
}
