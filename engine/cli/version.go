// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"os"
	"strings"

	"falconet/engine/config"
	"falconet/engine/rules"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// The versions of Falco's interfaces that this program serves.
const (
	schemaVersion = "4.5.1"
	apiVersion    = "10.1.0"
	libsVersion   = "0.25.2"
	pluginAPI     = "3.12.0"
)

type versions struct {
	Driver     string `json:"default_driver_version"`
	API        string `json:"driver_api_version"`
	Schema     string `json:"driver_schema_version"`
	Engine     string `json:"engine_version"`
	EngineFull string `json:"engine_version_semver"`
	Falco      string `json:"falco_version"`
	Libs       string `json:"libs_version"`
	PluginAPI  string `json:"plugin_api_version"`
}

func (c *command) versions() versions {
	return versions{
		Driver: "built-in", API: apiVersion, Schema: schemaVersion, Engine: strings.Split(rules.EngineVersion, ".")[1],
		EngineFull: rules.EngineVersion, Falco: c.Version, Libs: libsVersion, PluginAPI: pluginAPI,
	}
}

func (c *command) printVersion(json bool) error {
	v := c.versions()
	if json {
		return c.writeJSON(v)
	}
	return c.write([]byte(fmt.Sprintf(`falconet version: %s
Engine:           %s
Driver:
  API version:    %s
  Schema version: %s
  Default driver: %s
`, v.Falco, v.EngineFull, v.API, v.Schema, v.Driver)))
}

func (c *command) versionCommand() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use: "version", Short: "print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.printVersion(json) },
	}
	cmd.Flags().BoolVar(&json, "json", false, "as JSON")
	return cmd
}

func (c *command) printPageSize() error {
	return c.write([]byte(fmt.Sprintf("Your system page size is: %d\n", os.Getpagesize())))
}

func (c *command) printSupport(conf *config.Config, files []rules.File) error {
	type variant struct {
		Content string `json:"content"`
	}
	type file struct {
		Name     string    `json:"name"`
		Variants []variant `json:"variants"`
	}
	type system struct {
		Machine  string `json:"machine"`
		NodeName string `json:"nodename"`
		Release  string `json:"release"`
		SysName  string `json:"sysname"`
		Version  string `json:"version"`
	}
	out := struct {
		CmdLine string         `json:"cmdline"`
		Config  *config.Config `json:"config"`
		Engine  versions       `json:"engine_info"`
		Rules   []file         `json:"rules_files"`
		System  system         `json:"system_info"`
		Version string         `json:"version"`
	}{CmdLine: strings.Join(os.Args, " "), Config: conf, Engine: c.versions(), Version: c.Version}
	for _, f := range files {
		out.Rules = append(out.Rules, file{f.Name, []variant{{string(f.Data)}}})
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		text := func(b []byte) string { return unix.ByteSliceToString(b) }
		out.System = system{text(u.Machine[:]), text(u.Nodename[:]), text(u.Release[:]), text(u.Sysname[:]), text(u.Version[:])}
	}
	return c.writeJSON(out)
}
