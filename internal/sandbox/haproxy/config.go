package haproxy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pgtui/haproxy"
)

// File is one configuration file.
type File struct {
	Path string
	Data []byte
}

// Config is a parsed HAProxy configuration: what the simulation and the check
// of the configuration need.
type Config struct {
	sections []*section
	users    map[string]string // name -> password, over all userlists
	admins   map[string]bool   // users of a group called admin
	// Alerts are the errors in HAProxy's words and order; none when the
	// configuration is valid.
	Alerts []string
}

// parser is the position in the text of a configuration.
type parser struct {
	*Config
	root     string // directory that stands for "/", for the files that are named
	kind     string // keyword of the section at hand
	in       *section
	defaults section
	file     string
	line     int
}

// section is one listen, frontend or backend section.
type section struct {
	name, kind string
	file       string
	line       int
	binds      []string
	mode       string
	maxConn    int
	httpCheck  bool
	method     string
	uri        string
	expect     string // status, as given
	allBackups bool
	stats      bool
	statsURI   string
	statsAuth  bool
	statsAdmin bool
	promex     bool
	connect    time.Duration
	check      time.Duration
	server     serverLine // default-server
	servers    []*serverLine
}

// serverLine is one server line, with what default-server adds.
type serverLine struct {
	name, addr       string
	port, checkPort  int
	check, ssl       bool
	weight           int
	backup, disabled bool
	inter            time.Duration
	fast, down       time.Duration // 0 means inter
	slowStart        time.Duration
	rise, fall       int
	maxConn          int
	maxQueue         int
}

// readFiles reads what one -f names: a file, or a directory's .cfg files in
// HAProxy's order.
func readFiles(path string) ([]File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		b, err := os.ReadFile(path)
		return []File{{path, b}}, err
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	var out []File
	for _, e := range entries {
		name := e.Name()
		p := filepath.Join(path, name)
		st, err := os.Stat(p)
		if strings.HasPrefix(name, ".") || strings.Index(name, ".cfg") != len(name)-len(".cfg") || err != nil || !st.Mode().IsRegular() {
			continue
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		out = append(out, File{p, b})
	}
	return out, nil
}

// Parse reads the files in order, as one text: sections may span files.
// root is the directory that stands for "/".
func Parse(files []File, root string) *Config {
	c := &parser{Config: &Config{users: map[string]string{}, admins: map[string]bool{}}, root: root}
	for _, f := range files {
		before := len(c.Alerts)
		c.file = f.Path
		c.parse(string(f.Data))
		if len(c.Alerts) > before {
			c.Alerts = append(c.Alerts, "Error(s) found in configuration file : "+f.Path)
		}
	}
	if len(c.Alerts) > 0 {
		c.Alerts = append(c.Alerts, "Fatal errors found in configuration.")
	}
	return c.Config
}

// Load reads and checks the configuration that the node whose root directory is
// given starts its HAProxy with. The error is of the first file that cannot be
// read; errors in the files are in Alerts.
func Load(root string) (*Config, error) {
	var files []File
	for _, p := range startedWith() {
		f, err := readFiles(filepath.Join(root, p))
		if err != nil {
			return nil, err
		}
		files = append(files, f...)
	}
	return Parse(files, root), nil
}

// startedWith is what follows -f in Pigsty's systemd unit.
func startedWith() []string { return []string{"/etc/haproxy/haproxy.cfg", "/etc/haproxy/conf.d"} }

// listens reports whether anything is bound; HAProxy refuses to start without.
func (c *Config) listens() bool {
	return slices.ContainsFunc(c.sections, func(p *section) bool { return len(p.binds) > 0 })
}

func (c *parser) parse(text string) {
	c.line = 0
	for len(text) > 0 {
		line, rest, whole := strings.Cut(text, "\n")
		c.line++
		if !whole {
			c.at("Missing LF on last line, file might have been truncated at position %d.", len(line)+1)
			return
		}
		text = rest
		words, err := splitWords(line)
		switch {
		case err != "":
			c.alert("%s", err)
		case len(words) > 0:
			c.statement(words)
		}
	}
}

// alert adds an error at the current line, in the wording most of HAProxy uses.
func (c *parser) alert(format string, args ...any) {
	c.Alerts = append(c.Alerts, fmt.Sprintf("parsing [%s:%d] : ", c.file, c.line)+fmt.Sprintf(format, args...))
}

// at is alert in the wording of some other parts of it.
func (c *parser) at(format string, args ...any) {
	c.Alerts = append(c.Alerts, fmt.Sprintf("parsing [%s:%d]: ", c.file, c.line)+fmt.Sprintf(format, args...))
}

// onServer is the wording of errors in server lines.
func (c *parser) onServer(format string, args ...any) {
	c.Alerts = append(c.Alerts, fmt.Sprintf("[%s:%d] : ", c.file, c.line)+fmt.Sprintf(format, args...))
}

// splitWords splits a line as HAProxy does, without quotes and backslashes.
func splitWords(line string) (words []string, problem string) {
	words = haproxy.Words(line)
	for i, w := range words {
		word, closed := haproxy.Unquote(w)
		if !closed {
			return nil, fmt.Sprintf("unmatched quote below:\n  %s", line)
		}
		words[i] = word
	}
	return words, ""
}

func (c *parser) statement(w []string) {
	if haproxy.OpensSection(w[0]) {
		c.open(w)
		return
	}
	switch c.kind {
	case "":
		c.at("unknown keyword '%s' out of section.", w[0])
	case "listen", "frontend", "backend", "defaults":
		c.proxyStatement(w)
	case "userlist":
		c.userStatement(w)
	case "global":
		if !known(globalWords(), w[0]) {
			c.alert("unknown keyword '%s' in '%s' section", w[0], "global")
		}
	}
}

// open begins a section.
func (c *parser) open(w []string) {
	c.kind = w[0]
	switch w[0] {
	case "defaults":
		c.defaults = plainSection()
		c.in = &c.defaults
	case "listen", "frontend", "backend":
		p := c.defaults
		if p.mode == "" {
			p = plainSection()
		}
		p.kind, p.file, p.line = w[0], c.file, c.line
		c.in = &p
		if len(w) < 2 {
			c.alert("'%s' expects an <id> argument", w[0])
			return
		}
		p.name = w[1]
		if i := strings.IndexFunc(p.name, badInName); i >= 0 {
			c.alert("character '%c' is not permitted in '%s' name '%s'.", p.name[i], w[0], p.name)
			return
		}
		if len(w) > 2 && w[2] != "from" {
			c.alert("please use the 'bind' keyword for listening addresses.")
			return
		}
		for _, o := range c.sections {
			if o.name == p.name {
				c.Alerts = append(c.Alerts, fmt.Sprintf(
					"Parsing [%s:%d]: %s '%s' has the same name as %s '%s' declared at %s:%d.",
					c.file, c.line, kindWord(w[0]), p.name, kindWord(o.kind), o.name, o.file, o.line))
			}
		}
		c.sections = append(c.sections, &p)
	case "userlist":
		if len(w) < 2 {
			c.at("'%s' expects <name> as arguments.", w[0])
		}
	}
}

// badInName reports whether the name of a section must not contain r.
func badInName(r rune) bool { return r != ':' && badInHost(r) }

// badInHost reports whether a host name must not contain r.
func badInHost(r rune) bool {
	return !(r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
}

// plainSection is a section before its first line, where no defaults apply.
func plainSection() section {
	return section{mode: "tcp", method: "OPTIONS", uri: "/", server: serverLine{weight: 1, rise: 2, fall: 3, inter: 2 * time.Second}}
}

func kindWord(kind string) string {
	if kind == "listen" {
		return "proxy"
	}
	return kind
}

func (c *parser) userStatement(w []string) {
	switch {
	case w[0] == "user" && len(w) >= 4 && w[2] == "insecure-password":
		c.users[w[1]] = w[3]
	case w[0] == "user" && len(w) >= 2:
	case w[0] == "group" && len(w) >= 2:
		if w[1] != "admin" || len(w) < 4 {
			return
		}
		for _, u := range strings.Split(w[3], ",") {
			c.admins[u] = true
		}
	case w[0] == "user" || w[0] == "group":
		c.at("'%s' expects <name> as arguments.", w[0])
	default:
		c.alert("unknown keyword '%s' in '%s' section", w[0], "userlist")
	}
}

// MainFile is a node's haproxy.cfg, as Pigsty's node role writes it. port is of
// the stats page.
func MainFile(node, addr string, port int) string {
	return fmt.Sprintf(`#---------------------------------------------------------------------
# haproxy.cfg of %[1]s @ %[2]s
#---------------------------------------------------------------------
global
    daemon
    user        haproxy
    group       haproxy
    node        %[1]s
    pidfile     /var/run/haproxy.pid
    stats socket /var/run/haproxy.sock mode 600 level admin
    maxconn     65535

defaults
    mode               tcp
    retries            3
    timeout queue      3s
    timeout connect    3s
    timeout client     24h
    timeout server     24h
    timeout check      3s

userlist stats-auth
    group admin users admin
    user admin  insecure-password pigsty
    group readonly users haproxy
    user haproxy insecure-password haproxy

listen stats
    bind *:%[3]d
    mode  http
    stats enable
    stats hide-version
    stats uri /haproxy/%[1]s/
    stats refresh 30s
    stats show-node
    acl AUTH       http_auth(stats-auth)
    acl AUTH_ADMIN http_auth_group(stats-auth) admin
    stats http-request auth unless AUTH
    stats admin if AUTH_ADMIN
    http-request use-service prometheus-exporter if { path /metrics }
`, node, addr, port)
}

// Err is the configuration's errors in one; nil when it is valid.
func (c *Config) Err() error {
	if len(c.Alerts) == 0 {
		return nil
	}
	return errors.New("config : " + strings.Join(c.Alerts, "; "))
}
