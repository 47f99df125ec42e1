// Package config reads pgtui's own configuration: bytes in, values and
// problems with their lines out. It touches no file and no environment.
package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"pgtui/internal/text"
)

// Config is the content of the file. The zero value is that without a file.
type Config struct {
	Context  string        // the context to open; "" is none
	Contexts []Context     // in the order of the file
	Refresh  time.Duration // between two rounds of probing; 0 is not set
	Theme    string        // "" is the terminal's own 16 colours
	ReadOnly bool          // nothing may be changed
	// RequireAuth is how PostgreSQL may request a password, as libpq's
	// require_auth; "" is any but clear text.
	RequireAuth string
	NoMouse     bool // the terminal keeps the mouse from the start
	Ago         bool // the console shows how long ago events were
	NoFiles     bool // the console does not read the nodes' files by itself
	SSH         SSH
	Record      Record
	Keys        map[string][]string // action to the keys that ask for it
	Columns     map[string][]string // screen to the columns it shows, in order
	Commands    []Command           // the operator's own, in the order of the file
	// EntryPoints are endpoints outside the inventory, in the order of the file.
	EntryPoints []EntryPoint
	// Stores are the stores of metrics and logs, in the order of the file; nil leaves
	// them to the inventory.
	Stores []Store
}

// Store is one site that stores metrics or logs.
type Store struct {
	Name         string
	Metrics      string // URL of a Prometheus or a VictoriaMetrics; "" is none
	Logs         string // URL of a VictoriaLogs; "" is none
	User         string // of HTTP basic authentication; "" is none
	PasswordFile string // its first line is the password
	CA           string // file; "" trusts the system's and the inventory's
}

// Automatic is a Refresh that leaves the time to pgtui.
const Automatic time.Duration = -1

// Command is one that the console runs on what is under the cursor.
type Command struct {
	Name     string
	Key      string // "" has none
	Help     string
	Argv     []string // with shell, one line
	Shell    bool
	Confirm  bool
	ReadOnly bool     // it is run in a read-only console too
	Pages    []string // screens; nil is all
	key      *yaml.Node
}

// EntryPoint is a way into a cluster beside those of the inventory.
type EntryPoint struct {
	Name    string
	Host    string // a name or an address
	Cluster string // "" is every cluster that has its ports
	Scheme  string // "external" unless the file says another
	Ports   []Port // nil is the services' own
	Line    int    // where it stands
	// Consul is the address of the agent that has the name, "" without one, and
	// the ports of its API and its DNS.
	Consul                string
	ConsulHTTP, ConsulDNS uint16
}

// Port is one port of an entry point.
type Port struct {
	Service string // "" leaves it to the number
	Number  uint16
}

// Context is one inventory and how to treat it. Empty fields leave what holds
// without the context.
type Context struct {
	Name        string
	Inventory   string
	PigstyHome  string
	VaultFile   string
	Environment string // "production" and "prod" get a banner that cannot be missed
	Colour      string // of the banner; "" is red for production, none for others
	ReadOnly    bool
	Refresh     time.Duration
	Theme       string
	SSH         SSH
	EntryPoints []EntryPoint // beside those of the whole file
	Line        int          // where it stands
}

// Record is what the flight recorder keeps. The zero value is pgtui's own choice.
type Record struct {
	Off  bool          // nothing is recorded
	Size int64         // of all recordings, bytes; 0 is not set
	Keep time.Duration // of one; 0 is not set
}

// SSH is how the OpenSSH client is called.
type SSH struct {
	Config     string // in place of ~/.ssh/config
	Program    string // "" is ssh
	ControlDir string // of shared connections
}

// Production reports that the context is one where mistakes reach customers.
func (c Context) Production() bool {
	return strings.HasPrefix(strings.ToLower(c.Environment), "prod")
}

// Of is the context of that name.
func (c Config) Of(name string) (Context, bool) {
	for _, x := range c.Contexts {
		if x.Name == name {
			return x, true
		}
	}
	return Context{}, false
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	File string
	Line int // from 1; 0 when the whole file is meant
	Text string
	Try  string // what to write instead; "" when unknown
	// Warning says that the file is valid: it may be intended.
	Warning bool
}

// Error is file:line: text.
func (p Problem) Error() string {
	s := p.File
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if s += ": "; p.Warning {
		s += "warning: "
	}
	s += p.Text
	if p.Try != "" {
		s += " · did you mean " + p.Try + "?"
	}
	return s
}

// config are the keys of the top level, in the order of the documentation. A new
// one is a field of Config, a field here, and a row of Sections.
func (r *reader) config(c *Config) []field {
	not := func(to *bool) func(*yaml.Node, string) {
		return func(n *yaml.Node, what string) {
			yes := true
			r.yes(n, what, &yes)
			*to = !yes
		}
	}
	times := "clock"
	return []field{
		{"context", into(r.text, &c.Context)},
		{"refresh", into(r.interval, &c.Refresh)},
		{"theme", r.among(Themes(), &c.Theme)},
		{"read-only", into(r.yes, &c.ReadOnly)},
		{"require-auth", into(r.text, &c.RequireAuth)},
		{"read-files", not(&c.NoFiles)},
		{"mouse", not(&c.NoMouse)},
		{"times", func(n *yaml.Node, what string) {
			r.oneOf(n, what, []string{"clock", "ago"}, &times)
			c.Ago = times == "ago"
		}},
		{"ssh", into(r.ssh, &c.SSH)},
		{"record", into(r.record, &c.Record)},
		{"keys", func(n *yaml.Node, _ string) { c.Keys = r.keys(n) }},
		{"commands", func(n *yaml.Node, what string) { c.Commands = r.commands(n, what) }},
		{"columns", func(n *yaml.Node, _ string) { c.Columns = r.columns(n) }},
		{"entry-points", func(n *yaml.Node, what string) { c.EntryPoints = r.entryPoints(n, what) }},
		{"stores", func(n *yaml.Node, what string) { c.Stores = r.stores(n, what) }},
		{"contexts", func(n *yaml.Node, _ string) { r.contexts(n, c) }},
	}
}

// Themes are the names of the colour themes.
func Themes() []string { return []string{"terminal", "dark", "light", "colour-blind", "none"} }

// Colours are the names a banner may have.
func Colours() []string {
	return []string{"red", "yellow", "green", "blue", "magenta", "cyan"}
}

// Known are the names that the file may use and other packages define. An empty
// list accepts every name.
type Known struct {
	Actions []string            // of the keys section
	Columns map[string][]string // of the columns section, by screen
	Schemes []string            // of an entry point
	Values  []string            // that stand in braces in the arguments of a command
	Screens []Screen            // and the keys they have without a file
}

// Screen is one screen of the console with its keys, and those that work
// everywhere behind them: the first that has a key gets it.
type Screen struct {
	Name     string
	Bindings []Binding
}

// Binding is an action and the keys that ask for it.
type Binding struct {
	Action string
	Keys   []string
}

// Parse reads the bytes of a file of that name. The Config has what could be read
// even when there are problems.
func Parse(name string, data []byte, known Known) (Config, []Problem) {
	var c Config
	r := &reader{file: name, known: known}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		r.problems = append(r.problems, syntax(name, err))
		return c, r.problems
	}
	if len(doc.Content) == 0 {
		return c, nil
	}
	r.fields(doc.Content[0], "the file", r.config(&c)...)
	r.collide(&c)
	if _, ok := c.Of(c.Context); c.Context != "" && !ok {
		var have []string
		for _, x := range c.Contexts {
			have = append(have, x.Name)
		}
		r.problems = append(r.problems, Problem{File: name, Line: r.at["context"], Text: fmt.Sprintf("context: no context %q in contexts", c.Context), Try: text.Nearest(c.Context, have)})
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	return c, r.problems
}

// syntax is yaml's own error, with the line taken out of its text.
func syntax(name string, err error) Problem {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	p := Problem{File: name, Text: said}
	var line int
	if _, err := fmt.Sscanf(said, "line %d:", &line); err == nil {
		_, rest, _ := strings.Cut(said, ": ")
		p.Line, p.Text = line, rest
	}
	return p
}
