package sandbox

import (
	"net"
	"slices"
	"strconv"
	"strings"
)

// proxyStatement is one line of a defaults, listen, frontend or backend section.
func (c *haConfig) proxyStatement(w []string) {
	p, arg := c.proxy, ""
	if len(w) > 1 {
		arg = w[1]
	}
	switch w[0] {
	case "bind":
		c.bind(arg)
		if c.section == "listen" || c.section == "frontend" {
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
			c.alert("unknown keyword '%s' in '%s' section", w[0], c.section)
		}
	}
}

func (c *haConfig) bind(arg string) {
	for _, a := range strings.Split(arg, ",") {
		if strings.HasPrefix(a, "/") || strings.Contains(a, "@") {
			c.proxy.binds = append(c.proxy.binds, a)
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
		case host != "" && host != "*" && net.ParseIP(strings.Trim(host, "[]")) == nil:
			c.alert("'bind' : invalid address: '%s' in '%s'", host, a)
		default:
			c.proxy.binds = append(c.proxy.binds, a)
		}
	}
}

// bindWords are the keywords behind the address.
func (c *haConfig) bindWords(w []string) {
	for i := 2; i < len(w); i++ {
		switch {
		case known(bindFlags(), w[i]):
		case known(bindWords(), w[i]):
			i++
		default:
			c.alert("'bind %s' in section '%s' : unknown keyword '%s'.", w[1], c.section, w[i])
			return
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (c *haConfig) balance(arg string) {
	name, _, _ := strings.Cut(arg, "(")
	switch name {
	case "": // HAProxy keeps its default
	case "roundrobin", "static-rr", "leastconn", "first", "source", "uri", "url_param", "hdr", "random", "rdp-cookie", "hash", "log-hash":
		c.proxy.balance = arg
	default:
		c.alert("balance only supports 'roundrobin', 'static-rr', 'leastconn', 'source', 'uri', 'url_param', 'hdr(name)' and 'rdp-cookie(name)' options.")
	}
}

func (c *haConfig) option(w []string) {
	if len(w) < 2 || !known(optionWords(), w[1]) {
		name := ""
		if len(w) > 1 {
			name = w[1]
		}
		c.alert("unknown option '%s'.", name)
		return
	}
	if len(w) > 2 && !known(optionsWithArgs(), w[1]) {
		c.alert("'option %s' cannot handle unexpected argument '%s'.", w[1], w[2])
		return
	}
	switch w[1] {
	case "httpchk":
		c.proxy.httpCheck = true
		switch {
		case len(w) > 3:
			c.proxy.method, c.proxy.uri = w[2], w[3]
		case len(w) > 2:
			c.proxy.uri = w[2]
		}
	case "allbackups":
		c.proxy.allBackups = true
	}
}

func (c *haConfig) httpCheck(w []string) {
	kind := ""
	if len(w) > 1 {
		kind = w[1]
	}
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

func (c *haConfig) httpCheckExpect(w []string) {
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
				c.proxy.expect = w[i]
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

func (c *haConfig) httpCheckSend(w []string) {
	for i := 0; i < len(w); i += 2 {
		if i+1 == len(w) {
			c.alert("'http-check send' : '%s' expects a string as argument..", w[i])
			return
		}
		switch w[i] {
		case "meth":
			c.proxy.method = w[i+1]
		case "uri", "uri-lf":
			c.proxy.uri = w[i+1]
		case "ver", "body", "body-lf":
		case "hdr":
			i++
		default:
			c.alert("'http-check send' expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '%s' as argument.", w[i])
			return
		}
	}
}

func (c *haConfig) stats(w []string) {
	arg := ""
	if len(w) > 1 {
		arg = w[1]
	}
	switch arg {
	case "uri":
		if len(w) < 3 {
			c.alert("'uri' needs an URI prefix.")
			return
		}
		c.proxy.statsURI, c.proxy.stats = w[2], true
	case "enable":
		c.proxy.stats = true
	case "admin":
		c.proxy.statsAdmin = true
	case "auth", "http-request":
		c.proxy.statsAuth, c.proxy.stats = true, true
	case "realm", "scope", "hide-version", "show-node", "show-desc", "show-legends", "show-modules", "refresh":
	default:
		c.at("unknown stats parameter '%s', expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', "+
			"'show-node', 'show-desc' or 'show-legends'.", arg)
	}
}

func (c *haConfig) timeout(w []string) {
	if len(w) < 2 || !known(timeoutWords(), w[1]) {
		name := ""
		if len(w) > 1 {
			name = w[1]
		}
		c.at("unknown 'timeout' option '%s'.", name)
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
		c.proxy.connect = d
	case "check":
		c.proxy.check = d
	}
}
