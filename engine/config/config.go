// SPDX-License-Identifier: Apache-2.0

// Package config holds the whole configuration as one tagged structure. From the tags come the defaults, the JSON Schema, the
// embedded falconet.yaml, the reference page of the manual and the checks of what a user wrote.
//
// The keys are those of Falco's falco.yaml, of 0.40 and of every release since, so that such a file loads unchanged. Keys for
// parts that do not exist here are known and without effect; Source.Warnings says so when a file asks to use one.
//
// Tags: koanf is the key; default is its value in YAML, the zero value where there is none; doc is one or more sentences; enum
// lists the allowed words, in any case, stored in the form written here; min and max bound numbers; scalar, on a list of
// structures, names the key that a plain string stands for.
package config

import "time"

// EmbeddedRules, as an entry of rules_files, stands for the rules inside the binary.
const EmbeddedRules = "embedded"

// Config is a complete, checked configuration. It is not changed once loaded; parts of it are handed on by value.
type Config struct {
	Files   Files   `koanf:",squash"`
	Rules   Rules   `koanf:",squash"`
	Engine  Engine  `koanf:"engine"`
	Syscall Syscall `koanf:",squash"`
	Plugins Plugins `koanf:",squash"`
	Render  Render  `koanf:",squash"`
	Outputs Outputs `koanf:",squash"`
	Web     Web     `koanf:"webserver"`
	Log     Log     `koanf:",squash"`
	Memory  Memory  `koanf:"memory"`
	Drops   Drops   `koanf:",squash"`
	Metrics Metrics `koanf:"metrics"`
	Capture Capture `koanf:"capture"`
	GRPC    GRPC    `koanf:",squash"`

	Source Source `koanf:"-"`

	tree *node // as it was written
}

// Source says where a configuration came from.
type Source struct {
	Main     string   // path of the main file, "" where the embedded configuration was used
	Files    []string // every file that was read, in order of reading
	Warnings []string // one line each, for the user to see
}

// Memory bounds what is kept.
type Memory struct {
	BudgetMB int `koanf:"budget_mb" default:"256" min:"64" max:"1048576" doc:"How many megabytes the program may use, the rings of events not counted: its tables are sized by it, and its memory is collected the more eagerly the nearer it comes. The variable GOMEMLIMIT goes before it."`
}

// size fills in what the memory's budget decides where nothing else is said.
func (c *Config) size() {
	if q := &c.Outputs.Queue; q.Capacity == 0 {
		q.Capacity = min(64*c.Memory.BudgetMB, 16384)
	}
}

// Blame wraps an error that a value turned out to cause after loading, with the key and where it was written.
func (c *Config) Blame(key string, err error) error {
	if err == nil {
		return nil
	}
	root := c.tree
	if root == nil {
		root = &node{kind: mapNode}
	}
	return &Problem{Key: key, At: place(root, key), Text: err.Error()}
}

// Files names further configuration files.
type Files struct {
	Includes []Include `koanf:"config_files" scalar:"path" default:"[/etc/falconet/config.d]" doc:"More configuration files, or directories of them, merged over this file in order. A directory gives its files sorted by name. What does not exist is skipped. An entry is a path, or a map with path and strategy."`
	Watch    bool      `koanf:"watch_config_files" default:"true" doc:"Reload when a configuration or rule file changes."`
}

// Include is one entry of config_files.
type Include struct {
	Path     string `koanf:"path" doc:"A file, or a directory of files."`
	Strategy string `koanf:"strategy" default:"append" enum:"append,override,add-only" doc:"How its top-level keys are merged: append adds to lists and replaces everything else, override replaces, add-only takes only keys that are not there yet."`
}

// Rules says which rules are loaded and how they match.
type Rules struct {
	Files        []string          `koanf:"rules_files" default:"[embedded, /etc/falconet/rules.d]" doc:"Rule files, or directories of them, loaded in order. The word embedded stands for the rules inside the binary. What does not exist is skipped."`
	File         []string          `koanf:"rules_file" doc:"Old name of rules_files; not both."`
	Select       []Selection       `koanf:"rules" doc:"Enables and disables rules by name (with * as wildcard) or by tag, in order, after all files are loaded."`
	Matching     string            `koanf:"rule_matching" default:"first" enum:"first,all" doc:"Whether an event raises an alert for the first rule that matches or for all of them."`
	Priority     string            `koanf:"priority" default:"debug" enum:"emergency,alert,critical,error,warning,notice,informational,debug" doc:"Rules less urgent than this are not loaded."`
	Append       []Append          `koanf:"append_output" doc:"Adds text or fields to the output of the rules that match."`
	StaticFields map[string]string `koanf:"static_fields" doc:"Fields static.NAME with a fixed value, for use in outputs."`
}

// Selection is one entry of rules: exactly one of the two is set.
type Selection struct {
	Enable  *RuleMatch `koanf:"enable" doc:"Enables what matches."`
	Disable *RuleMatch `koanf:"disable" doc:"Disables what matches."`
}

// RuleMatch names rules.
type RuleMatch struct {
	Rule string `koanf:"rule" doc:"A rule's name; * stands for any text."`
	Tag  string `koanf:"tag" doc:"A tag."`
}

// Append is one entry of append_output.
type Append struct {
	Match           AppendMatch `koanf:"match" doc:"Which rules; all of them where nothing is said."`
	ExtraOutput     string      `koanf:"extra_output" doc:"Text, with %fields, added to the output."`
	ExtraFields     []any       `koanf:"extra_fields" doc:"Fields added to the JSON output_fields: a field name, or a map of one name to a text with %fields."`
	SuggestedOutput bool        `koanf:"suggested_output" doc:"Adds the fields that sources suggest."`
}

// AppendMatch selects rules for an Append.
type AppendMatch struct {
	Source string   `koanf:"source" doc:"An event source."`
	Tags   []string `koanf:"tags" doc:"Tags that the rule must all have."`
	Rule   string   `koanf:"rule" doc:"A rule's name."`
}

// Engine says where events come from.
type Engine struct {
	Kind       string `koanf:"kind" default:"modern_ebpf" enum:"modern_ebpf,replay,nodriver,kmod,ebpf,gvisor" doc:"Where events come from: modern_ebpf is the live kernel, replay a capture file, nodriver nothing. kmod and ebpf, which are other drivers of Falco, mean the live kernel here."`
	ModernEBPF Probe  `koanf:"modern_ebpf"`
	Replay     Replay `koanf:"replay"`
	Kmod       Driver `koanf:"kmod"`
	EBPF       EBPF   `koanf:"ebpf"`
	Gvisor     Gvisor `koanf:"gvisor"`
}

// Probe sizes the live probe.
type Probe struct {
	CPUsForEachBuffer int  `koanf:"cpus_for_each_buffer" default:"2" min:"0" max:"65535" doc:"How many CPUs share a buffer for events, 0 for all of them."`
	BufSizePreset     int  `koanf:"buf_size_preset" default:"4" min:"1" max:"10" doc:"Size of each buffer for events on their way from the kernel, as an index: 1, 2, 4, 8, 16, 32, 64, 128, 256 or 512 MB."`
	DropFailedExit    bool `koanf:"drop_failed_exit" default:"false" doc:"Leave out system calls that failed. A connect that is under way (EINPROGRESS) has not failed."`
	DisableIterators  bool `koanf:"disable_iterators" default:"false" doc:"Read /proc at start, not the kernel's task iterator."`
}

// BufferBytes is the size of each buffer.
func (p Probe) BufferBytes() int { return 1 << 20 << (p.BufSizePreset - 1) }

// Replay names a capture file.
type Replay struct {
	CaptureFile string `koanf:"capture_file" doc:"The capture file to read when engine.kind is replay."`
}

// Driver is what Falco knows of its kernel module. Without effect.
type Driver struct {
	BufSizePreset  int  `koanf:"buf_size_preset" default:"4" min:"1" max:"10" doc:"Known from Falco, without effect."`
	DropFailedExit bool `koanf:"drop_failed_exit" default:"false" doc:"Known from Falco, without effect."`
}

// EBPF is what Falco knows of its former probe. Without effect.
type EBPF struct {
	Probe          string `koanf:"probe" doc:"Known from Falco, without effect."`
	BufSizePreset  int    `koanf:"buf_size_preset" default:"4" min:"1" max:"10" doc:"Known from Falco, without effect."`
	DropFailedExit bool   `koanf:"drop_failed_exit" default:"false" doc:"Known from Falco, without effect."`
}

// Gvisor is what Falco knows of gVisor. Without effect.
type Gvisor struct {
	Config string `koanf:"config" doc:"Known from Falco, without effect."`
	Root   string `koanf:"root" doc:"Known from Falco, without effect."`
}

// Syscall says what is captured beyond what the rules ask for, and where container metadata comes from.
type Syscall struct {
	Base       BaseSyscalls     `koanf:"base_syscalls"`
	Libs       Libs             `koanf:"falco_libs"`
	Containers ContainerEngines `koanf:"container_engines"`
}

// BaseSyscalls adds system calls to those that the loaded rules ask for, or removes some.
type BaseSyscalls struct {
	CustomSet []string `koanf:"custom_set" doc:"Names of system calls to capture besides those that rules ask for; with a leading ! such a call is never captured."`
	Repair    bool     `koanf:"repair" default:"false" doc:"Keep execve and execveat, which tell of new programs, also where custom_set excludes them. What is known of processes needs no further calls."`
	All       bool     `koanf:"all" default:"false" doc:"Capture the high-volume system calls too when a rule asks for them (option -A)."`
}

// Libs bounds the process table and the data taken from buffers.
type Libs struct {
	ThreadTableSize    int `koanf:"thread_table_size" default:"262144" min:"0" max:"4294967295" doc:"How many processes are remembered at most."`
	Snaplen            int `koanf:"snaplen" default:"80" min:"0" max:"65535" doc:"How many bytes of a buffer that is read or written are kept (option -S). 0 means 80."`
	PurgingIntervalS   int `koanf:"thread_table_auto_purging_interval_s" default:"300" min:"0" max:"4294967295" doc:"Known from Falco, without effect: entries leave the table when their process ends or when room is needed."`
	PurgingThreadIdleS int `koanf:"thread_table_auto_purging_thread_timeout_s" default:"300" min:"0" max:"4294967295" doc:"Known from Falco, without effect."`
}

// ContainerEngines switches the look-up of container metadata.
type ContainerEngines struct {
	Docker     Switch `koanf:"docker"`
	CRI        CRI    `koanf:"cri"`
	Podman     Switch `koanf:"podman"`
	LXC        Switch `koanf:"lxc"`
	LibvirtLXC Switch `koanf:"libvirt_lxc"`
	BPM        Switch `koanf:"bpm"`
	Rocket     Switch `koanf:"rocket"`
	WaitMS     int    `koanf:"wait_ms" default:"200" min:"0" max:"10000" doc:"How many milliseconds an event may wait for what a rule asks of its container and a runtime's socket has to tell: it is matched again then. 0 means not at all."`
}

// Patience is how long an event may wait for what is asked of its container.
func (c ContainerEngines) Patience() time.Duration {
	if c.CRI.DisableAsync || c.CRI.DisableCRIAsync {
		return 10 * time.Second
	}
	return time.Duration(c.WaitMS) * time.Millisecond
}

// Switch turns one container engine on or off.
type Switch struct {
	Enabled bool `koanf:"enabled" default:"true" doc:"Look for containers of this engine."`
}

// CRI is the Kubernetes container runtime interface.
type CRI struct {
	Enabled         bool     `koanf:"enabled" default:"true" doc:"Look for containers of this engine."`
	Sockets         []string `koanf:"sockets" default:"[/run/containerd/containerd.sock, /run/crio/crio.sock, /run/k3s/containerd/containerd.sock, /run/host-containerd/containerd.sock]" doc:"Sockets to ask for what is not on the disk, one after another until one knows the container."`
	DisableAsync    bool     `koanf:"disable_async" default:"false" doc:"Let events wait for the answer for ten seconds, not wait_ms."`
	DisableCRIAsync bool     `koanf:"disable-cri-async" default:"false" doc:"Another spelling of disable_async."`
}

// Plugins names what Falco loads as shared libraries.
type Plugins struct {
	Load     []string `koanf:"load_plugins" doc:"Names of plugins to use, of those that the key plugins describes. Plugins are shared libraries, which a static binary does not load: what the container plugin gives is built in, others are reported and left out."`
	Plugins  []Plugin `koanf:"plugins" doc:"Plugins that can be named in load_plugins."`
	HostInfo bool     `koanf:"plugins_hostinfo" default:"true" doc:"Known from Falco, without effect."`
}

// Plugin describes one plugin.
type Plugin struct {
	Name        string `koanf:"name" doc:"Its name."`
	LibraryPath string `koanf:"library_path" doc:"Its shared library."`
	InitConfig  any    `koanf:"init_config" doc:"Its configuration: a text or a map."`
	OpenParams  string `koanf:"open_params" doc:"What it opens."`
}

// Render says how alerts are written.
type Render struct {
	JSON             bool `koanf:"json_output" default:"false" doc:"Write alerts as one JSON object a line, not as text."`
	JSONOutput       bool `koanf:"json_include_output_property" default:"true" doc:"JSON: include output, the whole text line."`
	JSONMessage      bool `koanf:"json_include_message_property" default:"false" doc:"JSON: include message, the text without time and priority."`
	JSONTags         bool `koanf:"json_include_tags_property" default:"true" doc:"JSON: include tags."`
	JSONOutputFields bool `koanf:"json_include_output_fields_property" default:"true" doc:"JSON: include output_fields, the typed values."`
	ISOTime          bool `koanf:"time_format_iso_8601" default:"false" doc:"Times in text as ISO 8601 in UTC, not as the local time of day."`
	BufferBase64     bool `koanf:"buffer_format_base64" default:"false" doc:"Buffers that were read or written in base64, not as text with dots (option -b)."`
	Buffered         bool `koanf:"buffered_outputs" default:"false" doc:"Outputs may hold lines back for up to a second to write several at once. Option -U turns it off."`
}

// Outputs says where alerts go.
type Outputs struct {
	Queue     Queue         `koanf:"outputs_queue"`
	Stdout    StdoutOutput  `koanf:"stdout_output"`
	Syslog    SyslogOutput  `koanf:"syslog_output"`
	File      FileOutput    `koanf:"file_output"`
	Program   ProgramOutput `koanf:"program_output"`
	HTTP      HTTPOutput    `koanf:"http_output"`
	TimeoutMS int           `koanf:"output_timeout" default:"2000" min:"1" max:"4294967295" doc:"Milliseconds that one output may take for one write before it is reported as stuck, and that closing waits for each."`
}

// Queue bounds the alerts on their way to the outputs.
type Queue struct {
	Capacity int `koanf:"capacity" default:"0" min:"0" max:"16777216" doc:"How many alerts may wait; an alert that finds no room is dropped and counted. 0 means 64 for each megabyte of memory.budget_mb, up to 16384."`
}

// StdoutOutput writes alerts to the standard output.
type StdoutOutput struct {
	Enabled bool   `koanf:"enabled" default:"true" doc:"Write alerts to the standard output."`
	Format  string `koanf:"format" default:"auto" enum:"auto,text,json,ocsf,ecs" doc:"How alerts are written here: auto is what json_output says; ocsf is an OCSF Detection Finding, ecs a document of the Elastic Common Schema, both as one JSON object a line."`
}

// SyslogOutput sends alerts to the system's log, or to another one.
type SyslogOutput struct {
	Enabled    bool   `koanf:"enabled" default:"false" doc:"Send alerts to syslog, with the priority of the rule."`
	Format     string `koanf:"format" default:"auto" enum:"auto,text,json,ocsf,ecs" doc:"How alerts are written here: auto is what json_output says; ocsf is an OCSF Detection Finding, ecs a document of the Elastic Common Schema, both as one JSON object a line."`
	Address    string `koanf:"address" doc:"A log server, as udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT, which gets messages of RFC 5424. Nothing stands for the log of this machine."`
	Insecure   bool   `koanf:"insecure" default:"false" doc:"Do not check the server's certificate."`
	CACert     string `koanf:"ca_cert" doc:"A file with the certificates that the server's must be signed with. Nothing stands for those that the system trusts."`
	ClientCert string `koanf:"client_cert" doc:"A certificate of our own to show the server."`
	ClientKey  string `koanf:"client_key" doc:"Its key."`
}

// FileOutput appends alerts to a file.
type FileOutput struct {
	Enabled   bool   `koanf:"enabled" default:"false" doc:"Append alerts to a file."`
	KeepAlive bool   `koanf:"keep_alive" default:"false" doc:"Keep the file open between alerts. It is opened anew on SIGUSR1."`
	Filename  string `koanf:"filename" default:"./events.txt" doc:"The file."`
	Format    string `koanf:"format" default:"auto" enum:"auto,text,json,ocsf,ecs" doc:"How alerts are written here: auto is what json_output says; ocsf is an OCSF Detection Finding, ecs a document of the Elastic Common Schema, both as one JSON object a line."`
}

// ProgramOutput gives alerts to a program.
type ProgramOutput struct {
	Enabled   bool   `koanf:"enabled" default:"false" doc:"Give alerts to a program on its standard input."`
	KeepAlive bool   `koanf:"keep_alive" default:"false" doc:"Start the program once and give it a line per alert, not once per alert. It is started anew on SIGUSR1 and when it ends."`
	Program   string `koanf:"program" doc:"A shell command, run with /bin/sh -c."`
	Format    string `koanf:"format" default:"auto" enum:"auto,text,json,ocsf,ecs" doc:"How alerts are written here: auto is what json_output says; ocsf is an OCSF Detection Finding, ecs a document of the Elastic Common Schema, both as one JSON object a line."`
	Spool     Spool  `koanf:"spool"`
}

// HTTPOutput posts alerts to a URL.
type HTTPOutput struct {
	Enabled                bool   `koanf:"enabled" default:"false" doc:"Post alerts to a URL."`
	URL                    string `koanf:"url" doc:"The URL."`
	UserAgent              string `koanf:"user_agent" default:"falcosecurity/falco" doc:"The User-Agent header."`
	Insecure               bool   `koanf:"insecure" default:"false" doc:"Do not check the server's certificate."`
	CACert                 string `koanf:"ca_cert" doc:"A file with the certificate that the server's must be signed with."`
	CABundle               string `koanf:"ca_bundle" doc:"A file with such certificates."`
	CAPath                 string `koanf:"ca_path" default:"/etc/ssl/certs" doc:"A directory with such certificates."`
	MTLS                   bool   `koanf:"mtls" default:"false" doc:"Show the server a certificate of our own."`
	ClientCert             string `koanf:"client_cert" default:"/etc/ssl/certs/client.crt" doc:"That certificate."`
	ClientKey              string `koanf:"client_key" default:"/etc/ssl/certs/client.key" doc:"Its key."`
	Echo                   bool   `koanf:"echo" default:"false" doc:"Print the server's answers to the standard output."`
	CompressUploads        bool   `koanf:"compress_uploads" default:"false" doc:"Compress with gzip."`
	KeepAlive              bool   `koanf:"keep_alive" default:"false" doc:"Send TCP keep-alive probes on the connection, which is used again either way."`
	MaxConsecutiveTimeouts int    `koanf:"max_consecutive_timeouts" default:"5" min:"0" max:"255" doc:"How often in a row a request may take longer than output_timeout before its alert is given up. With a spool no alert is given up for that."`
	Format                 string `koanf:"format" default:"auto" enum:"auto,text,json,ocsf,ecs" doc:"How alerts are written here: auto is what json_output says; ocsf is an OCSF Detection Finding, ecs a document of the Elastic Common Schema, both as one JSON object a line."`
	Spool                  Spool  `koanf:"spool"`
}

// Spool is room on disk for alerts that a receiver does not take for now.
type Spool struct {
	Path      string `koanf:"path" doc:"A directory for this output alone, where alerts wait that the receiver does not take, also over a restart. Nothing means that they wait in memory."`
	MaxSizeMB int    `koanf:"max_size_mb" default:"64" min:"1" max:"1048576" doc:"How much may wait there; alerts that find no room wait in memory, and are dropped and counted where that is full too."`
}

// Web is the server for health and metrics.
type Web struct {
	Enabled        bool   `koanf:"enabled" default:"false" doc:"Serve health and metrics over HTTP."`
	Threadiness    int    `koanf:"threadiness" default:"0" min:"0" max:"4294967295" doc:"Known from Falco, without effect."`
	ListenPort     int    `koanf:"listen_port" default:"8765" min:"1" max:"65535" doc:"The port."`
	ListenAddress  string `koanf:"listen_address" default:"127.0.0.1" doc:"The IP address to listen on."`
	HealthEndpoint string `koanf:"k8s_healthz_endpoint" default:"/healthz" doc:"The path that answers that all is well."`
	Prometheus     bool   `koanf:"prometheus_metrics_enabled" default:"false" doc:"Serve /metrics, when metrics.enabled is set too."`
	SSL            bool   `koanf:"ssl_enabled" default:"false" doc:"Serve HTTPS."`
	Certificate    string `koanf:"ssl_certificate" default:"/etc/falconet/falconet.pem" doc:"A PEM file with key and certificate."`
}

// Log says where the program's own messages go, as opposed to alerts.
type Log struct {
	Stderr bool       `koanf:"log_stderr" default:"true" doc:"Write messages of the program itself to the standard error."`
	Syslog bool       `koanf:"log_syslog" default:"false" doc:"Send messages of the program itself to syslog."`
	Level  string     `koanf:"log_level" default:"info" enum:"emergency,alert,critical,error,warning,notice,info,debug" doc:"How urgent a message must be to be written."`
	Format string     `koanf:"log_format" default:"text" enum:"text,json" doc:"How messages of the program itself are written. A message that comes too often is hidden for a minute, and counted."`
	Libs   LibsLogger `koanf:"libs_logger"`
}

// LibsLogger is Falco's second logger. Without effect.
type LibsLogger struct {
	Enabled  bool   `koanf:"enabled" default:"false" doc:"Known from Falco, without effect: there is one logger."`
	Severity string `koanf:"severity" default:"debug" enum:"fatal,critical,error,warning,notice,info,debug,trace" doc:"Known from Falco, without effect."`
}

// Drops says what happens when events are lost.
type Drops struct {
	Timeouts EventTimeouts `koanf:"syscall_event_timeouts"`
	Drops    EventDrops    `koanf:"syscall_event_drops"`
}

// EventTimeouts is about a silent kernel. Without effect.
type EventTimeouts struct {
	MaxConsecutives int `koanf:"max_consecutives" default:"1000" min:"1" max:"4294967295" doc:"Known from Falco, without effect: a call that the program makes every second tells whether the probe delivers, and a probe that does not is logged."`
}

// EventDrops is about events that were lost.
type EventDrops struct {
	Threshold     float64  `koanf:"threshold" default:"0.1" min:"0" max:"1" doc:"The share of lost events within a second from which on the actions are taken."`
	Actions       []string `koanf:"actions" default:"[log, alert]" enum:"ignore,log,alert,exit" doc:"What to do: ignore, log, alert, exit."`
	Rate          float64  `koanf:"rate" default:"0.03333" min:"0" doc:"How often a second, at most, in the long run."`
	MaxBurst      float64  `koanf:"max_burst" default:"1" min:"0" doc:"How often in a row."`
	SimulateDrops bool     `koanf:"simulate_drops" default:"false" doc:"Act as if an event were lost every second."`
}

// Metrics says which numbers are published.
type Metrics struct {
	Enabled            bool   `koanf:"enabled" default:"false" doc:"Publish numbers about the program itself."`
	Interval           string `koanf:"interval" default:"1h" doc:"How often: numbers with the units y, w, d, h, m, s, ms, in this order, such as 1h30m."`
	OutputRule         bool   `koanf:"output_rule" default:"true" doc:"Publish them as an alert."`
	OutputFile         string `koanf:"output_file" doc:"Publish them in a file, a JSON object a line."`
	Rules              bool   `koanf:"rules_counters_enabled" default:"true" doc:"Include how often each rule matched."`
	Resources          bool   `koanf:"resource_utilization_enabled" default:"true" doc:"Include CPU and memory."`
	State              bool   `koanf:"state_counters_enabled" default:"true" doc:"Include the process table."`
	KernelEvents       bool   `koanf:"kernel_event_counters_enabled" default:"true" doc:"Include the probe's counters."`
	KernelEventsPerCPU bool   `koanf:"kernel_event_counters_per_cpu_enabled" default:"false" doc:"Include them for each CPU."`
	KernelIterEvents   bool   `koanf:"kernel_iter_event_counters_enabled" default:"true" doc:"Known from Falco, without effect: the task iterator, which is used at the start alone, has no counters."`
	LibbpfStats        bool   `koanf:"libbpf_stats_enabled" default:"true" doc:"Known from Falco, without effect: the kernel's statistics of each program of the probe are what bpftool prog shows."`
	Plugins            bool   `koanf:"plugins_metrics_enabled" default:"true" doc:"Known from Falco, without effect."`
	Jemalloc           bool   `koanf:"jemalloc_stats_enabled" default:"false" doc:"Known from Falco, without effect."`
	ConvertMemoryToMB  bool   `koanf:"convert_memory_to_mb" default:"true" doc:"Memory in megabytes, not bytes."`
	IncludeEmptyValues bool   `koanf:"include_empty_values" default:"false" doc:"Include numbers that are zero."`
}

// Every returns Interval as a duration, 0 for a text without units.
func (m Metrics) Every() time.Duration {
	d, err := parseInterval(m.Interval)
	if err != nil {
		return 0
	}
	return d
}

// Capture says when events are recorded to a file.
type Capture struct {
	Enabled           bool   `koanf:"enabled" default:"false" doc:"Record the events around alerts in capture files, which engine.kind replay, Falco and sysdig read."`
	PathPrefix        string `koanf:"path_prefix" default:"/tmp/falco" doc:"What the names of the files begin with; time and number of the event follow."`
	Mode              string `koanf:"mode" default:"rules" enum:"rules,all_rules" doc:"Whether only rules with capture: true make a recording, or all."`
	DefaultDurationMS int    `koanf:"default_duration" default:"5000" min:"0" max:"4294967295" doc:"Milliseconds that a recording goes on behind the alert where the rule has no capture_duration. Another alert makes it longer."`
	MaxFileSizeMB     int    `koanf:"max_file_size_mb" default:"0" min:"0" max:"1048576" doc:"Megabytes at which a recording stops, 0 for no limit."`
	PreTriggerMS      int    `koanf:"pre_trigger" default:"5000" min:"0" max:"3600000" doc:"Milliseconds before the alert that a recording holds too, as far as a sixteenth of memory.budget_mb has room for them."`
}

// Recording says where events go that the command record writes.
type Recording struct {
	File    string // "-" for the standard output
	Gzip    bool
	Events  uint64 // at most, 0 for no limit
	SizeMB  int    // of a file on disk, about; 0 for no limit
	Seconds int    // that a file is about, 0 for no limit
	Files   int    // how many are kept, 0 for all
	Rotate  bool   // a limit of a file begins another, instead of ending the recording
}

// GRPC is Falco's former gRPC interface. Without effect.
type GRPC struct {
	Server GRPCServer `koanf:"grpc"`
	Output GRPCOutput `koanf:"grpc_output"`
}

// GRPCServer is the listener. Without effect.
type GRPCServer struct {
	Enabled     bool   `koanf:"enabled" default:"false" doc:"Known from Falco, without effect."`
	BindAddress string `koanf:"bind_address" doc:"Known from Falco, without effect."`
	Threadiness int    `koanf:"threadiness" default:"0" min:"0" max:"4294967295" doc:"Known from Falco, without effect."`
	PrivateKey  string `koanf:"private_key" doc:"Known from Falco, without effect."`
	CertChain   string `koanf:"cert_chain" doc:"Known from Falco, without effect."`
	RootCerts   string `koanf:"root_certs" doc:"Known from Falco, without effect."`
}

// GRPCOutput is the output. Without effect.
type GRPCOutput struct {
	Enabled bool `koanf:"enabled" default:"false" doc:"Known from Falco, without effect: effective only with grpc.enabled there."`
}
