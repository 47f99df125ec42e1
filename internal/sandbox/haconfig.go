package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// haFile is one configuration file.
type haFile struct {
	path string
	data []byte
}

// haConfig is a parsed HAProxy configuration, as far as the simulation and
// the check of it need.
type haConfig struct {
	proxies  []*proxyConf
	users    map[string]string // name -> password, over all userlists
	admins   map[string]bool   // users of a group called admin
	defaults proxyConf
	// alerts are the errors, as HAProxy words them, in its order.
	alerts []string

	root    string // directory that stands for "/", for files it names
	section string
	proxy   *proxyConf
	file    string
	line    int
}

// proxyConf is one listen, frontend or backend section.
type proxyConf struct {
	name, kind string
	file       string
	line       int
	binds      []string
	mode       string
	maxConn    int
	balance    string
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
	server     serverConf // default-server
	servers    []*serverConf
}

// serverConf is one server line, with what default-server adds.
type serverConf struct {
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

// readConfigs reads what one -f names: a file, or a directory's .cfg files in
// HAProxy's order.
func readConfigs(path string) ([]haFile, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		b, err := os.ReadFile(path)
		return []haFile{{path, b}}, err
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	var out []haFile
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || strings.Index(name, ".cfg") != len(name)-len(".cfg") {
			continue
		}
		p := filepath.Join(path, name)
		if st, err := os.Stat(p); err != nil || !st.Mode().IsRegular() {
			continue
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		out = append(out, haFile{p, b})
	}
	return out, nil
}

// parseConfig reads the files in order, as one text: sections may span files.
func parseConfig(files []haFile, root string) *haConfig {
	c := &haConfig{users: map[string]string{}, admins: map[string]bool{}, root: root}
	for _, f := range files {
		before := len(c.alerts)
		c.file = f.path
		c.parse(string(f.data))
		if len(c.alerts) > before {
			c.alerts = append(c.alerts, "Error(s) found in configuration file : "+f.path)
		}
	}
	if len(c.alerts) > 0 {
		c.alerts = append(c.alerts, "Fatal errors found in configuration.")
	}
	return c
}

// listens reports whether anything is bound; HAProxy refuses to start without.
func (c *haConfig) listens() bool {
	return slices.ContainsFunc(c.proxies, func(p *proxyConf) bool { return len(p.binds) > 0 })
}

func (c *haConfig) parse(text string) {
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
func (c *haConfig) alert(format string, args ...any) {
	c.alerts = append(c.alerts, fmt.Sprintf("parsing [%s:%d] : ", c.file, c.line)+fmt.Sprintf(format, args...))
}

// at is alert in the wording of some other parts of it.
func (c *haConfig) at(format string, args ...any) {
	c.alerts = append(c.alerts, fmt.Sprintf("parsing [%s:%d]: ", c.file, c.line)+fmt.Sprintf(format, args...))
}

// onServer is the wording of errors in server lines.
func (c *haConfig) onServer(format string, args ...any) {
	c.alerts = append(c.alerts, fmt.Sprintf("[%s:%d] : ", c.file, c.line)+fmt.Sprintf(format, args...))
}

// splitWords splits a line as HAProxy does: blanks, quotes, backslashes, and
// comments from an unquoted #.
func splitWords(line string) (words []string, problem string) {
	var b strings.Builder
	in, quote := false, byte(0)
	flush := func() {
		if in {
			words = append(words, b.String())
			b.Reset()
			in = false
		}
	}
	for i := 0; i < len(line); i++ {
		ch := line[i]
		switch {
		case ch == '\\' && quote != '\'' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
			in = true
		case quote != 0 && ch == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(ch)
		case ch == '"' || ch == '\'':
			quote, in = ch, true
		case ch == '#':
			flush()
			return words, ""
		case ch == ' ' || ch == '\t' || ch == '\r':
			flush()
		default:
			b.WriteByte(ch)
			in = true
		}
	}
	if quote != 0 {
		return nil, fmt.Sprintf("unmatched quote below:\n  %s", line)
	}
	flush()
	return words, ""
}

func (c *haConfig) statement(w []string) {
	if slices.Contains(sectionWords(), w[0]) {
		c.open(w)
		return
	}
	switch c.section {
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
func (c *haConfig) open(w []string) {
	c.section = w[0]
	switch w[0] {
	case "defaults":
		c.defaults = proxyConf{mode: "tcp", method: "OPTIONS", uri: "/", server: defaultServer()}
		c.proxy = &c.defaults
	case "listen", "frontend", "backend":
		p := c.defaults
		if p.mode == "" {
			p = proxyConf{mode: "tcp", method: "OPTIONS", uri: "/", server: defaultServer()}
		}
		p.kind, p.file, p.line = w[0], c.file, c.line
		c.proxy = &p
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
		for _, o := range c.proxies {
			if o.name == p.name {
				c.alerts = append(c.alerts, fmt.Sprintf(
					"Parsing [%s:%d]: %s '%s' has the same name as %s '%s' declared at %s:%d.",
					c.file, c.line, kindWord(w[0]), p.name, kindWord(o.kind), o.name, o.file, o.line))
			}
		}
		c.proxies = append(c.proxies, &p)
	case "userlist":
		if len(w) < 2 {
			c.at("'%s' expects <name> as arguments.", w[0])
		}
	}
}

// badInName reports whether r may not stand in the name of a section.
func badInName(r rune) bool {
	return !(r == '-' || r == '_' || r == '.' || r == ':' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
}

func kindWord(kind string) string {
	if kind == "listen" {
		return "proxy"
	}
	return kind
}

func (c *haConfig) userStatement(w []string) {
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
