package access

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/model"
)

// DSN is who connects where, without a password. Hosts and Ports are of one
// length, and longer than 1 for clients that choose themselves.
type DSN struct {
	Hosts    []string
	Ports    []uint16
	User     string
	Database string
	Attrs    string // target_session_attrs; "" leaves it to the client: any
}

// DsnOf is the DSN of a port on a host.
func DsnOf(c *model.Cluster, p model.EntryPort, port uint16, host string) DSN {
	u := userFor(c, p)
	return DSN{Hosts: []string{host}, Ports: []uint16{port}, User: u.Name, Database: databaseFor(c, p)}
}

// userFor is the user that a port is meant for: the first that the cluster
// declares and, where a pooler is on the way, the pooler knows; where the port
// is for administration or for ad-hoc queries, who has the role for that.
func userFor(c *model.Cluster, p model.EntryPort) model.User {
	has := func(role string) *model.User {
		for i := range c.Users {
			if slices.Contains(c.Users[i].Roles, role) && (c.Users[i].Pooled || !p.Pooled) {
				return &c.Users[i]
			}
		}
		return nil
	}
	switch {
	case p.Target == model.TargetOffline:
		if u := has("dbrole_offline"); u != nil {
			return *u
		}
	case p.Service != "" && p.Target == model.TargetPrimary && !p.Pooled && c.Admin.Name != "":
		return c.Admin
	}
	for _, u := range c.Users {
		if u.Pooled || !p.Pooled {
			return u
		}
	}
	return c.Admin
}

// databaseFor is the first declared database that the port can reach.
func databaseFor(c *model.Cluster, p model.EntryPort) string {
	for _, d := range c.Databases {
		if d.Pooled || !p.Pooled {
			return d.Name
		}
	}
	return "postgres"
}

// Form is a way to write a DSN.
type Form string

// The forms.
const (
	FormURI    Form = "uri"    // psql, libpq and most drivers
	FormKV     Form = "kv"     // libpq key=value
	FormJDBC   Form = "jdbc"   // PgJDBC
	FormGo     Form = "go"     // pgx, as a line of Go
	FormPython Form = "python" // psycopg 3, as a line of Python
)

// Forms are all of them, in the order they are shown.
func Forms() []Form { return []Form{FormURI, FormKV, FormJDBC, FormGo, FormPython} }

// Text is the DSN in that form. No form has a password in it: clients find it
// in ~/.pgpass.
func (d DSN) Text(f Form) string {
	switch f {
	case FormKV:
		return d.kv()
	case FormJDBC:
		return d.jdbc()
	case FormGo:
		return "pgx.Connect(ctx, " + strconv.Quote(d.uri()) + ")"
	case FormPython:
		return "psycopg.connect(" + pythonQuote(d.kv()) + ")"
	default:
		return d.uri()
	}
}

func (d DSN) uri() string {
	out := "postgres://" + escape(d.User) + "@" + d.hostList() + "/" + escape(d.Database)
	if d.Attrs != "" {
		out += "?target_session_attrs=" + d.Attrs
	}
	return out
}

func (d DSN) hostList() string {
	parts := make([]string, len(d.Hosts))
	for i := range d.Hosts {
		parts[i] = model.Endpoint{Host: d.Hosts[i], Port: d.Ports[i]}.String()
	}
	return strings.Join(parts, ",")
}

func (d DSN) kv() string {
	ports := make([]string, len(d.Ports))
	for i, p := range d.Ports {
		ports[i] = strconv.Itoa(int(p))
	}
	out := fmt.Sprintf("host=%s port=%s user=%s dbname=%s", kvQuote(strings.Join(d.Hosts, ",")), strings.Join(ports, ","), kvQuote(d.User), kvQuote(d.Database))
	if d.Attrs != "" {
		out += " target_session_attrs=" + d.Attrs
	}
	return out
}

// jdbc writes PgJDBC's own words for what libpq calls target_session_attrs.
func (d DSN) jdbc() string {
	out := "jdbc:postgresql://" + d.hostList() + "/" + escape(d.Database) + "?user=" + escape(d.User)
	if t := map[string]string{"primary": "primary", "read-write": "primary", "standby": "secondary", "read-only": "secondary",
		"prefer-standby": "preferSecondary", "any": "any"}[d.Attrs]; t != "" {
		out += "&targetServerType=" + t
	}
	return out
}

// kvQuote is a value of a key=value string.
func kvQuote(s string) string {
	if s != "" && !strings.ContainsAny(s, " '\\\t\n") {
		return s
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// pythonQuote is a Python string literal.
func pythonQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// escape percent-encodes what may not stand in a part of a URI as it is.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		ch := s[i]
		if 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' || strings.IndexByte("-._~", ch) >= 0 {
			b.WriteByte(ch)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", ch)
	}
	return b.String()
}

// SmartURI is a DSN with every instance in it: the client finds the right one.
type SmartURI struct {
	DSN
	Port  string // "postgres" or "pgbouncer"
	Needs string // what of libpq, PgJDBC or the pooler it takes
	Why   string // what it leads to
}

// smartURIs are the multi-host DSNs of the direct and of the pooled ports.
func smartURIs(c *model.Cluster) []SmartURI {
	if len(c.Instances) == 0 {
		return nil
	}
	attrs := []struct{ name, why, needs string }{
		{"primary", "the one that is not in recovery", "libpq 14, pgx 5"},
		{"read-write", "one that takes writes; libpq before 14 queries each server", "libpq 10"},
		{"prefer-standby", "a replica, else the primary", "libpq 14, pgx 5"},
		{"standby", "a replica, else none", "libpq 14, pgx 5"},
		{"read-only", "one that takes no writes", "libpq 14, pgx 5"},
		{"any", "the first that answers, whichever it is", "libpq 10"},
	}
	var out []SmartURI
	for _, p := range []model.EntryPort{{Name: "postgres"}, {Name: "pgbouncer", Pooled: true}} {
		d := DSN{User: userFor(c, p).Name, Database: databaseFor(c, p)}
		for i := range c.Instances {
			in := &c.Instances[i]
			port := in.PgPort
			if p.Pooled {
				port = in.BouncerPort
			}
			d.Hosts, d.Ports = append(d.Hosts, string(in.Host)), append(d.Ports, port)
		}
		for _, a := range attrs {
			d.Attrs = a.name
			u := SmartURI{DSN: d, Port: p.Name, Why: a.why, Needs: a.needs}
			if p.Pooled && a.name != "any" {
				u.Needs += "; through pgbouncer the client may have to query each server"
			}
			out = append(out, u)
		}
	}
	return out
}
