package haproxy

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// haTime reads a time as HAProxy 2.6 and 3.0 do: a whole number and a unit,
// milliseconds without one. bad is the first character it cannot read.
func haTime(s string) (d time.Duration, bad string) {
	if s == "" {
		return 0, " "
	}
	i := digits(s)
	n, err := strconv.ParseInt(s[:i], 10, 48)
	if err != nil {
		return 0, s[:1]
	}
	units := map[string]time.Duration{
		"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
		"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}
	u, ok := units[s[i:]]
	if !ok {
		return 0, s[i : i+1]
	}
	return time.Duration(n) * u, ""
}

// serverLine is "server <name> <addr>[:<port>] …".
func (c *parser) serverLine(w []string) {
	p := c.in
	switch {
	case c.kind == "frontend":
		c.onServer("parsing [%s:%d] : 'server' not allowed because frontend '%s' has no backend capability.", c.file, c.line, p.name)
		return
	case c.kind == "defaults":
		c.alert("'server' not allowed in 'defaults' section.")
		return
	case len(w) < 3:
		c.onServer("'server' expects <name> and <addr>[:<port>] as arguments.")
		return
	}
	s := p.server
	s.name = w[1]
	host, port, ok := cutLast(w[2], ":")
	s.addr = host
	who := "'server " + p.name + "/" + s.name + "'"
	if ok {
		if s.port = atoi(port); s.port < 0 || s.port > 65535 {
			c.onServer("%s : invalid port '%s'", who, port)
		}
	}
	if !isIP(host) && !strings.ContainsAny(host, "/@") && !resolves(host) {
		c.onServer("%s : could not resolve address '%s'.", who, host)
	}
	c.serverArgs(&s, w[3:], who, s.name)
	for _, o := range p.servers {
		if o.name == s.name {
			c.onServer("'server %s/%s' : another server named '%s' was already defined at line %d, please use distinct names.",
				p.name, s.name, s.name, p.line)
		}
	}
	p.servers = append(p.servers, &s)
}

// atoi reads the number s begins with, as C does: what follows is ignored.
func atoi(s string) int {
	i := len(s) - len(strings.TrimPrefix(s, "-"))
	i += digits(s[i:])
	n, err := strconv.ParseInt(s[:i], 10, 32)
	if err != nil && i > 10 {
		return -1
	}
	return int(n)
}

// digits is the number of digits that s begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

// resolves reports whether host could be a name that DNS knows. DNS is not
// queried: any well-formed name with a dot resolves.
func resolves(host string) bool {
	return (host == "localhost" || strings.Contains(host, ".")) && !strings.ContainsFunc(host, badInHost)
}

// serverArgs reads the keywords of a server or default-server line.
func (c *parser) serverArgs(s *serverLine, w []string, who, name string) {
	for i := 0; i < len(w); i++ {
		word := w[i]
		if serverFlag(s, word) || known(serverFlags(), word) {
			continue
		}
		if !known(serverWords(), word) {
			c.onServer("%s : unknown keyword '%s'", who, word)
			return
		}
		i++
		if i == len(w) {
			c.onServer("%s : '%s' expects an argument.", who, word)
			return
		}
		if !c.serverArg(s, word, w[i], who, name) {
			return
		}
	}
}

// serverFlag sets the keywords that have no argument.
func serverFlag(s *serverLine, word string) bool {
	on := !strings.HasPrefix(word, "no-")
	switch word {
	case "check", "no-check":
		s.check = on
	case "backup", "no-backup":
		s.backup = on
	case "check-ssl", "no-check-ssl":
		s.ssl = on
	case "disabled", "enabled":
		s.disabled = word == "disabled"
	default:
		return false
	}
	return true
}

// serverArg reads one keyword with an argument; false stops the line.
func (c *parser) serverArg(s *serverLine, word, arg, who, name string) bool {
	number := func(min, max int, into *int) bool {
		if *into = atoi(arg); *into < min || *into > max {
			c.onServer("%s : '%s' has to be > 0.", who, word)
			return false
		}
		return true
	}
	duration := func(into *time.Duration) bool {
		d, bad := haTime(arg)
		if bad != "" {
			c.onServer("unexpected character '%s' in '%s' argument of server %s..", bad, "agent-inter", name)
			return false
		}
		*into = d
		return true
	}
	switch word {
	case "weight":
		n := atoi(arg)
		if n < 0 || n > 256 {
			c.onServer("%s : weight of server %s is not within 0 and 256 (%d)..", who, name, n)
			return false
		}
		s.weight = n
	case "port":
		return number(0, 65535, &s.checkPort)
	case "rise":
		return number(1, 1<<20, &s.rise)
	case "fall":
		return number(1, 1<<20, &s.fall)
	case "maxconn":
		s.maxConn = atoi(arg)
	case "maxqueue":
		s.maxQueue = atoi(arg)
	case "inter":
		return duration(&s.inter)
	case "fastinter":
		return duration(&s.fast)
	case "downinter":
		return duration(&s.down)
	case "slowstart":
		return duration(&s.slowStart)
	case "on-marked-down":
		if arg != "shutdown-sessions" {
			c.onServer("%s : 'on-marked-down' expects 'shutdown-sessions' but got '%s'", who, arg)
			return false
		}
	case "ca-file":
		return c.caFile(arg, who)
	}
	return true
}

func (c *parser) caFile(arg, who string) bool {
	if strings.HasPrefix(arg, "@") {
		return true
	}
	if _, err := os.Stat(filepath.Join(c.root, arg)); err != nil {
		c.onServer("%s : Couldn't open the ca-file '%s' (No such file or directory).", who, arg)
		return false
	}
	return true
}
