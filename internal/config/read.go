package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"

	"pgtui/internal/text"
)

// The bounds of refresh.
const (
	shortest = 500 * time.Millisecond
	longest  = 10 * time.Minute
)

// reader collects what is wrong while values are taken out of nodes.
type reader struct {
	file     string
	known    Known
	problems []Problem
	at       map[string]int // line of each top-level key
}

func (r *reader) bad(n *yaml.Node, try, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: n.Line, Text: fmt.Sprintf(format, args...), Try: try})
}

// each calls read for the keys of a mapping. names are the ones it may have;
// nil accepts all.
func (r *reader) each(n *yaml.Node, what string, names []string, read func(string, *yaml.Node)) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.bad(n, "", "%s: expected keys with values", what)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case seen[k.Value]:
			r.bad(k, "", "%s: %s is listed twice", what, k.Value)
			continue
		case names != nil && !slices.Contains(names, k.Value):
			r.bad(k, text.Nearest(k.Value, names), "%s: unknown key %q%s", what, k.Value, r.instead(k.Value, names))
			continue
		}
		seen[k.Value] = true
		if what == "the file" {
			if r.at == nil {
				r.at = map[string]int{}
			}
			r.at[k.Value] = k.Line
		}
		read(k.Value, v)
	}
}

// instead lists the names there are where none is near and they are few.
func (r *reader) instead(word string, names []string) string {
	if text.Nearest(word, names) != "" || len(names) > 12 {
		return ""
	}
	return "; expected " + strings.Join(names, ", ")
}

// columns reads screens with their columns, whose names are written in any case.
func (r *reader) columns(n *yaml.Node) map[string][]string {
	seen := map[string]bool{}
	return r.lists(n, "columns", slices.Sorted(maps.Keys(r.known.Columns)), func(screen string, item *yaml.Node) {
		have, name := r.known.Columns[screen], strings.ToLower(item.Value)
		switch {
		case have != nil && !slices.Contains(have, name):
			r.bad(item, text.Nearest(name, have), "columns.%s: no column %q; expected %s", screen, item.Value, strings.Join(have, ", "))
		case seen[screen+" "+name]:
			r.bad(item, "", "columns.%s: %s is listed twice", screen, name)
		}
		seen[screen+" "+name] = true
	})
}

func (r *reader) text(n *yaml.Node, what string, to *string) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.bad(n, "", "%s: expected text", what)
		return
	}
	*to = n.Value
}

func (r *reader) yes(n *yaml.Node, what string, to *bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Decode(to) != nil {
		r.bad(n, text.Nearest(n.Value, []string{"true", "false"}), "%s: expected true or false, found %q", what, n.Value)
	}
}

func (r *reader) interval(n *yaml.Node, what string, to *time.Duration) {
	d, err := time.ParseDuration(n.Value)
	switch {
	case n.Kind == yaml.ScalarNode && n.Value == "automatic":
		*to = Automatic
	case n.Kind != yaml.ScalarNode || err != nil:
		try := ""
		if n.Tag == "!!int" || n.Tag == "!!float" {
			try = n.Value + "s"
		}
		r.bad(n, try, "%s: expected a time such as 2s or 500ms, found %q", what, n.Value)
	case d < shortest || d > longest:
		r.bad(n, "", "%s: %s is not between %s and %s", what, d, shortest, longest)
	default:
		*to = d
	}
}

func (r *reader) oneOf(n *yaml.Node, what string, of []string, to *string) {
	if n.Kind != yaml.ScalarNode || !slices.Contains(of, n.Value) {
		r.bad(n, text.Nearest(n.Value, of), "%s: expected one of %s, found %q", what, strings.Join(of, ", "), n.Value)
		return
	}
	*to = n.Value
}

// keys reads actions with their keys. A key has one meaning: of two actions only
// one would ever run.
func (r *reader) keys(n *yaml.Node) map[string][]string {
	of, at := map[string]string{}, map[string]*yaml.Node{}
	to := r.lists(n, "keys", r.known.Actions, func(action string, item *yaml.Node) {
		key := item.Value
		was, taken := of[key]
		switch {
		case !isKey(key):
			try := ""
			if isKey(strings.ToLower(key)) {
				try = strings.ToLower(key)
			} else if mods, name := modifiers(key); len([]rune(name)) > 1 {
				if near := text.Nearest(name, keyNames()); near != "" {
					try = mods + near
				}
			}
			r.bad(item, try, "keys.%s: unknown key %q", action, key)
		case taken:
			r.bad(item, "", "keys.%s: %s is already the key of %s", action, key, was)
		default:
			of[key], at[key] = action, item
		}
	})
	r.shadowed(to, at)
	return to
}

// shadowed warns of actions that have a key on some screen without the file, and
// none with it, although the file does not remove their keys. at is where each key is
// given to an action.
func (r *reader) shadowed(to map[string][]string, at map[string]*yaml.Node) {
	type loss struct{ key, from, by string }
	var losses []loss
	on := map[loss][]string{}
	for _, s := range r.known.Screens {
		before, after := owners(s.Bindings, nil), owners(s.Bindings, to)
		for _, b := range s.Bindings {
			names, given := to[b.Action]
			if !given {
				names = b.Keys
			}
			has := func(owner map[string]string) func(string) bool {
				return func(key string) bool { return owner[key] == b.Action }
			}
			if !slices.ContainsFunc(b.Keys, has(before)) || slices.ContainsFunc(names, has(after)) {
				continue
			}
			i := slices.IndexFunc(names, func(key string) bool { return at[key] != nil && after[key] != "" })
			if i < 0 {
				continue // it was to have none
			}
			l := loss{names[i], b.Action, after[names[i]]}
			if on[l] == nil {
				losses = append(losses, l)
			}
			on[l] = append(on[l], s.Name)
		}
	}
	for _, l := range losses {
		try := fmt.Sprintf("another key, or keys.%s: [] for none", l.from)
		if _, given := to[l.from]; given {
			try = "another key"
		}
		r.bad(at[l.key], "", "keys: on %s, %s is the key of %s, so %s has none there; give it %s", few(on[l]), l.key, l.by, l.from, try)
		r.problems[len(r.problems)-1].Warning = true
	}
}

// owners maps each key to its action: the first that has it.
func owners(table []Binding, to map[string][]string) map[string]string {
	out := map[string]string{}
	for _, b := range table {
		names, given := to[b.Action]
		if !given {
			names = b.Keys
		}
		for _, key := range names {
			if _, taken := out[key]; !taken {
				out[key] = b.Action
			}
		}
	}
	return out
}

// few lists the first names of many.
func few(names []string) string {
	if len(names) > 4 {
		return fmt.Sprintf("%s and %d more screens", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// keyNames are the keys that are not a letter, as Bubble Tea calls them.
func keyNames() []string {
	names := []string{"up", "down", "left", "right", "home", "end", "pgup", "pgdown", "insert", "delete", "backspace", "tab", "enter", "esc", "space"}
	for n := range 20 {
		names = append(names, "f"+strconv.Itoa(n+1))
	}
	return names
}

// modifiers takes them from the start of a key, in the order that Bubble Tea
// writes them in.
func modifiers(key string) (mods, name string) {
	name = key
	for _, m := range []string{"ctrl+", "alt+", "shift+", "meta+", "hyper+", "super+"} {
		if rest, ok := strings.CutPrefix(name, m); ok && rest != "" {
			name = rest
		}
	}
	return key[:len(key)-len(name)], name
}

func isKey(key string) bool {
	_, name := modifiers(key)
	r := []rune(name)
	return len(r) == 1 && unicode.IsPrint(r[0]) && r[0] != ' ' || slices.Contains(keyNames(), name)
}

// lists reads names with one text or a list of texts each; good, when there is
// one, looks at each text.
func (r *reader) lists(n *yaml.Node, what string, names []string, good func(key string, item *yaml.Node)) map[string][]string {
	out := map[string][]string{}
	r.each(n, what, names, func(key string, v *yaml.Node) {
		items := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			items = v.Content
		}
		list := []string{}
		for _, item := range items {
			var s string
			if r.text(item, what+"."+key, &s); s != "" {
				list = append(list, s)
				if good != nil {
					good(key, item)
				}
			}
		}
		out[key] = list
	})
	return out
}

// field is one key of a mapping and how its value is read.
type field struct {
	key  string
	read func(n *yaml.Node, what string)
}

// into reads a value with read into a variable.
func into[T any](read func(n *yaml.Node, what string, to *T), to *T) func(*yaml.Node, string) {
	return func(n *yaml.Node, what string) { read(n, what, to) }
}

// among is oneOf of these words.
func (r *reader) among(words []string, to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, what string) { r.oneOf(n, what, words, to) }
}

// fields reads a mapping that may have these keys only.
func (r *reader) fields(n *yaml.Node, what string, known ...field) {
	var names []string
	for _, f := range known {
		names = append(names, f.key)
	}
	r.each(n, what, names, func(key string, v *yaml.Node) {
		known[slices.Index(names, key)].read(v, strings.TrimPrefix(what+"."+key, "the file."))
	})
}

func (r *reader) ssh(n *yaml.Node, what string, to *SSH) {
	r.fields(n, what, field{"config", into(r.text, &to.Config)}, field{"program", into(r.text, &to.Program)}, field{"control-dir", into(r.text, &to.ControlDir)})
}

func (r *reader) record(n *yaml.Node, what string, to *Record) {
	on := true
	r.fields(n, what,
		field{"on", into(r.yes, &on)},
		field{"size", into(r.size, &to.Size)},
		field{"keep", func(v *yaml.Node, what string) {
			d, err := time.ParseDuration(v.Value)
			if err != nil || d < 10*time.Minute || d > 8760*time.Hour {
				r.bad(v, "24h", "%s: expected a time from 10m to 8760h, found %q", what, v.Value)
				return
			}
			to.Keep = d
		}})
	to.Off = !on
}

// size reads a number of bytes such as 64MB.
func (r *reader) size(n *yaml.Node, what string, to *int64) {
	for unit, bytes := range map[string]int64{"MB": 1 << 20, "GB": 1 << 30} {
		number, ok := strings.CutSuffix(n.Value, unit)
		v, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
		if ok && err == nil && v >= 1 && v*bytes <= 100<<30 {
			*to = v * bytes
			return
		}
	}
	r.bad(n, "64MB", "%s: expected a size from 1MB to 100GB, found %q", what, n.Value)
}

func (r *reader) contexts(n *yaml.Node, c *Config) {
	r.each(n, "contexts", nil, func(name string, v *yaml.Node) {
		x := Context{Name: name, Line: v.Line}
		what := "contexts." + name
		r.fields(v, what,
			field{"inventory", into(r.text, &x.Inventory)},
			field{"pigsty-home", into(r.text, &x.PigstyHome)},
			field{"vault-password-file", into(r.text, &x.VaultFile)},
			field{"environment", into(r.text, &x.Environment)},
			field{"colour", r.among(Colours(), &x.Colour)},
			field{"read-only", into(r.yes, &x.ReadOnly)},
			field{"refresh", into(r.interval, &x.Refresh)},
			field{"theme", r.among(Themes(), &x.Theme)},
			field{"ssh", into(r.ssh, &x.SSH)},
			field{"entry-points", func(v *yaml.Node, at string) { x.EntryPoints = r.entryPoints(v, at) }})
		if x.Inventory == "" {
			r.bad(v, "", "%s has no inventory", what)
		}
		c.Contexts = append(c.Contexts, x)
	})
}

// entryPoints reads names with a host each, and what belongs to it.
func (r *reader) entryPoints(n *yaml.Node, what string) []EntryPoint {
	var out []EntryPoint
	r.each(n, what, nil, func(name string, v *yaml.Node) {
		x := EntryPoint{Name: name, Scheme: "external", Line: v.Line}
		at := what + "." + name
		if name == "" || strings.ContainsAny(name, "=/ \t") {
			r.bad(v, "", "%s: %q is not a valid name: it must not have a blank, = or /", what, name)
		}
		host := v
		var agent, port *yaml.Node
		scheme := into(r.text, &x.Scheme)
		if len(r.known.Schemes) > 0 {
			scheme = r.among(r.known.Schemes, &x.Scheme)
		}
		r.fields(v, at,
			field{"host", func(v *yaml.Node, at string) { host = v; r.text(v, at, &x.Host) }},
			field{"cluster", into(r.text, &x.Cluster)},
			field{"scheme", scheme},
			field{"ports", func(v *yaml.Node, at string) { x.Ports = r.ports(v, at) }},
			field{"consul", func(v *yaml.Node, at string) {
				r.text(v, at, &x.Consul)
				if x.Consul == "" || strings.ContainsAny(x.Consul, "/ \t,[]@:") {
					r.bad(v, "", "%s: expected the agent's name or address, found %q; its ports are consul-http and consul-dns", at, x.Consul)
				}
				agent = v
			}},
			field{"consul-http", func(v *yaml.Node, at string) { port = v; r.port(v, at, &x.ConsulHTTP) }},
			field{"consul-dns", func(v *yaml.Node, at string) { port = v; r.port(v, at, &x.ConsulDNS) }})
		if agent != nil {
			x.ConsulHTTP, x.ConsulDNS = cmp.Or(x.ConsulHTTP, 8500), cmp.Or(x.ConsulDNS, 8600)
		}
		if port != nil && agent == nil {
			r.bad(port, "", "%s: a Consul port needs an agent: consul: ADDRESS", at)
		}
		if agent != nil && !strings.Contains(x.Host, ".service.") {
			r.bad(agent, "", "%s: consul belongs to a host such as primary.pg-test.service.consul, found %q", at, x.Host)
		}
		bare, number, found := strings.Cut(x.Host, ":")
		switch {
		case x.Host == "":
			r.bad(host, "", "%s has no host", at)
		case strings.ContainsAny(x.Host, "/ \t,[]@"):
			r.bad(host, "", "%s.host: expected a name or an address, found %q", at, x.Host)
		case found && !strings.Contains(number, ":"):
			r.bad(host, bare, "%s.host: a port belongs to ports, found %q", at, x.Host)
		}
		out = append(out, x)
	})
	return out
}

// stores reads names with the URLs of a site each.
func (r *reader) stores(n *yaml.Node, what string) []Store {
	var out []Store
	r.each(n, what, nil, func(name string, v *yaml.Node) {
		x, at := Store{Name: name}, what+"."+name
		address := func(to *string) func(*yaml.Node, string) {
			return func(v *yaml.Node, at string) {
				r.text(v, at, to)
				if u, err := url.Parse(*to); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
					r.bad(v, "", "%s: expected a URL such as http://10.10.10.10:8428, without a password", at)
				}
			}
		}
		r.fields(v, at,
			field{"metrics", address(&x.Metrics)},
			field{"logs", address(&x.Logs)},
			field{"user", into(r.text, &x.User)},
			field{"password-file", into(r.text, &x.PasswordFile)},
			field{"ca", into(r.text, &x.CA)})
		if x.Metrics == "" && x.Logs == "" {
			r.bad(v, "", "%s has neither metrics nor logs: a URL of one of them", at)
		}
		out = append(out, x)
	})
	return out
}

// port reads one port.
func (r *reader) port(v *yaml.Node, what string, into *uint16) {
	number, err := strconv.ParseUint(v.Value, 10, 16)
	if v.Kind != yaml.ScalarNode || v.Tag != "!!int" || err != nil || number == 0 {
		r.bad(v, "", "%s: expected a port from 1 to 65535, found %q", what, v.Value)
		return
	}
	*into = uint16(number)
}

// ports reads a list of numbers, or services with a number each.
func (r *reader) ports(n *yaml.Node, what string) []Port {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	out := []Port{}
	seen := map[Port]bool{}
	one := func(service string, v *yaml.Node) {
		p := Port{Service: service}
		if r.port(v, what, &p.Number); p.Number == 0 {
			return
		}
		if seen[p] {
			r.bad(v, "", "%s: %d is listed twice", what, p.Number)
			return
		}
		seen[p] = true
		out = append(out, p)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for _, v := range n.Content {
			one("", v)
		}
	case yaml.MappingNode:
		r.each(n, what, nil, one)
	default:
		r.bad(n, "", "%s: expected ports, or services with a port each", what)
	}
	if len(out) == 0 && len(n.Content) == 0 && (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode) {
		r.bad(n, "", "%s is empty; remove it for the services' own ports", what)
	}
	return out
}
