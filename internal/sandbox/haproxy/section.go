package haproxy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// proxyStatement is one line of a defaults, listen, frontend or backend section.
func (c *parser) proxyStatement(w []string) {
	p, arg := c.in, second(w)
	switch w[0] {
	case "bind":
		c.bind(arg)
		if c.kind == "listen" || c.kind == "frontend" {
			c.bindWords(w)
		}
	case "mode":
		if !slices.Contains([]string{"tcp", "http", "health"}, arg) {
			c.alert("unknown proxy mode '%s'.", arg)
			return
		}
		if len(w) > 2 {
			c.alert("'mode' cannot handle unexpected argument '%s'.", w[2])
		}
		p.mode = arg
	case "maxconn":
		p.maxConn = atoi(arg)
		switch {
		case arg == "":
			c.alert("'maxconn' expects an integer argument.")
		case len(w) > 2:
			c.alert("'maxconn' cannot handle unexpected argument '%s'.", w[2])
		}
	case "balance":
		c.balance(arg)
	case "option":
		c.option(w)
	case "http-check":
		c.httpCheck(w)
	case "stats":
		c.stats(w)
	case "timeout":
		c.timeout(w)
	case "retries":
		if arg == "" {
			c.alert("'retries' expects an integer argument (dispatch counts for one).")
		}
	case "default-server":
		c.serverArgs(&p.server, w[1:], "default-server", "default-server")
	case "server":
		c.serverLine(w)
	case "http-request":
		p.promex = p.promex || strings.Contains(strings.Join(w, " "), "use-service prometheus-exporter")
		if !known(httpRequestWords(), arg) {
			c.at("'http-request' expects one of its actions, but got '%s'.", arg)
		}
	default:
		if !known(proxyWords(), w[0]) {
			c.alert("unknown keyword '%s' in '%s' section", w[0], c.kind)
		}
	}
}

// second is the word after the keyword; "" when there is none.
func second(w []string) string {
	if len(w) < 2 {
		return ""
	}
	return w[1]
}

func (c *parser) bind(arg string) {
	for _, a := range strings.Split(arg, ",") {
		if strings.HasPrefix(a, "/") || strings.Contains(a, "@") {
			c.in.binds = append(c.in.binds, a)
			continue
		}
		host, port, ok := cutLast(a, ":")
		switch n, err := strconv.Atoi(port); {
		case arg == "":
			c.alert("'bind' expects [<addr>:]<port>[,...] or an absolute path as arguments.")
			return
		case !ok:
			c.alert("'bind' : missing port specification in '%s'", a)
		case err != nil || n < 1 || n > 65535:
			c.alert("'bind' : invalid port '%s'", port)
		case host != "" && host != "*" && !isIP(host):
			c.alert("'bind' : invalid address: '%s' in '%s'", host, a)
		default:
			c.in.binds = append(c.in.binds, a)
		}
	}
}

// isIP reports whether host is an IP address, in brackets or not.
func isIP(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// bindWords are the keywords behind the address.
func (c *parser) bindWords(w []string) {
	for i := 2; i < len(w); i++ {
		switch {
		case known(bindFlags(), w[i]):
		case known(bindWords(), w[i]):
			i++
		default:
			c.alert("'bind %s' in section '%s' : unknown keyword '%s'.", w[1], c.kind, w[i])
			return
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

func (c *parser) balance(arg string) {
	switch name, _, _ := strings.Cut(arg, "("); name {
	case "": // HAProxy keeps its default
	case "roundrobin", "static-rr", "leastconn", "first", "source", "uri", "url_param", "hdr", "random", "rdp-cookie", "hash", "log-hash":
	default:
		c.alert("balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hdr(name)' and 'rdp-cookie(name)' options.")
	}
}

func (c *parser) option(w []string) {
	if !known(optionWords(), second(w)) {
		c.alert("unknown option '%s'.", second(w))
		return
	}
	if len(w) > 2 && !known(optionsWithArgs(), w[1]) {
		c.alert("'option %s' cannot handle unexpected argument '%s'.", w[1], w[2])
		return
	}
	switch w[1] {
	case "httpchk":
		c.in.httpCheck = true
		switch {
		case len(w) > 3:
			c.in.method, c.in.uri = w[2], w[3]
		case len(w) > 2:
			c.in.uri = w[2]
		}
	case "allbackups":
		c.in.allBackups = true
	}
}

func (c *parser) httpCheck(w []string) {
	kind := second(w)
	name, _, _ := strings.Cut(kind, "(")
	switch {
	case kind == "send":
		c.httpCheckSend(w[2:])
	case kind == "expect":
		c.httpCheckExpect(w[2:])
	case slices.Contains([]string{"disable-on-404", "send-state", "comment", "connect", "set-var-fmt", "set-var", "unset-var"}, name):
	default:
		c.alert("'http-check' only supports 'disable-on-404', 'send-state', 'comment', 'connect', 'send', 'expect', "+
			"'set-var-fmt(*)', 'set-var(*)', 'unset-var(*)'. but got '%s'", kind)
	}
}

func (c *parser) httpCheckExpect(w []string) {
	for i := 0; i < len(w); i++ {
		switch word := strings.TrimPrefix(w[i], "!"); word {
		case "":
			continue
		case "status", "rstatus", "string", "rstring", "string-lf", "min-recv", "comment", "error-status", "ok-status",
			"tout-status", "on-success", "on-error", "status-code", "hdr", "fhdr":
			i++
			if i == len(w) {
				c.alert("'http-check expect' : '%s' expects a <pattern> as argument.", word)
				return
			}
			if word == "status" {
				c.in.expect = w[i]
			}
			if word == "hdr" || word == "fhdr" {
				i = len(w)
			}
		default:
			c.alert("'http-check expect' : 'only supports min-recv, [!]string', '[!]rstring', '[!]string-lf', '[!]status', "+
				"'[!]rstatus', [!]hdr, [!]fhdr or comment but got '%s' as argument..", w[i])
			return
		}
	}
}

func (c *parser) httpCheckSend(w []string) {
	for i := 0; i < len(w); i += 2 {
		if i+1 == len(w) {
			c.alert("'http-check send' : '%s' expects a string as argument..", w[i])
			return
		}
		switch w[i] {
		case "meth":
			c.in.method = w[i+1]
		case "uri", "uri-lf":
			c.in.uri = w[i+1]
		case "ver", "body", "body-lf":
		case "hdr":
			i++
		default:
			c.alert("'http-check send' expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '%s' as argument.", w[i])
			return
		}
	}
}

func (c *parser) stats(w []string) {
	switch arg := second(w); arg {
	case "uri":
		if len(w) < 3 {
			c.alert("'uri' needs an URI prefix.")
			return
		}
		c.in.statsURI, c.in.stats = w[2], true
	case "enable":
		c.in.stats = true
	case "admin":
		c.in.statsAdmin = true
	case "auth", "http-request":
		c.in.statsAuth, c.in.stats = true, true
	case "realm", "scope", "hide-version", "show-node", "show-desc", "show-legends", "show-modules", "refresh":
	default:
		c.at("unknown stats parameter '%s', expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', "+
			"'show-node', 'show-desc' or 'show-legends'.", arg)
	}
}

func (c *parser) timeout(w []string) {
	if !known(timeoutWords(), second(w)) {
		c.at("unknown 'timeout' option '%s'.", second(w))
		return
	}
	if len(w) < 3 {
		c.at("'timeout %s' expects an integer value (in milliseconds)", w[1])
		return
	}
	d, bad := haTime(w[2])
	if bad != "" {
		c.at("unexpected character '%s' in 'timeout %s'", bad, w[1])
		return
	}
	switch w[1] {
	case "connect":
		c.in.connect = d
	case "check":
		c.in.check = d
	}
}
