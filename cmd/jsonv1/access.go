package jsonv1

import (
	"time"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
)

// Access is the document of `pgtui access -o json`.
type Access struct {
	Version int `json:"version"` // 1
	Past
	Inventory string         `json:"inventory"`
	Cluster   string         `json:"cluster"`
	Leader    string         `json:"leader"` // "" when none, or unknown
	Health    string         `json:"health"`
	Summary   string         `json:"summary"`
	ExitCode  int            `json:"exit_code"`
	Entries   []AccessEntry  `json:"entries"`
	Smart     []AccessSmart  `json:"smart"`
	Advice    []AccessAdvice `json:"advice"`
	Schemes   []AccessScheme `json:"schemes"`
	Notes     []string       `json:"notes"`
}

// AccessEntry is one host and port.
type AccessEntry struct {
	Host      string            `json:"host"`
	HostKind  string            `json:"host_kind"` // cluster, vip, instance, address, provider, external
	Port      uint16            `json:"port"`
	Name      string            `json:"name"` // postgres, pgbouncer, or the service's
	Pooled    bool              `json:"pooled"`
	Target    string            `json:"target"` // primary, replica, offline, sync, instance, other
	Use       string            `json:"use"`    // what the port is for, in plain words
	Way       string            `json:"way"`
	Should    []string          `json:"should"` // empty: it depends on what is unknown
	Now       []string          `json:"now"`
	Verdict   string            `json:"verdict"`
	Why       string            `json:"why"`
	Fine      bool              `json:"fine"`
	Reachable *bool             `json:"reachable"` // null: not tried
	DSN       map[string]string `json:"dsn"`       // by form: uri, kv, jdbc, go, python
	Lookups   []AccessLookup    `json:"lookups"`
	AgeMs     *int64            `json:"age_ms"`
}

// AccessLookup is one resolver's answer.
type AccessLookup struct {
	Server string   `json:"server"` // system, or the DNS server's address
	Addrs  []string `json:"addrs"`
	TTL    *int     `json:"ttl_s"` // null: not reported
	Error  string   `json:"error,omitempty"`
}

// AccessSmart is a DSN with every instance in it.
type AccessSmart struct {
	Port  string            `json:"port"` // postgres or pgbouncer
	Attrs string            `json:"target_session_attrs"`
	Why   string            `json:"why"`
	Needs string            `json:"needs"`
	DSN   map[string]string `json:"dsn"`
}

// AccessAdvice answers which port an application should use.
type AccessAdvice struct {
	Need string `json:"need"`
	Host string `json:"host"`
	Port uint16 `json:"port"`
	Why  string `json:"why"`
}

// AccessScheme is one way to bring clients here.
type AccessScheme struct {
	Code        string `json:"code"`
	Name        string `json:"name"`
	InUse       bool   `json:"in_use"`
	Declared    string `json:"declared"`
	Live        string `json:"live"`
	SinglePoint string `json:"single_point"`
	Hops        int    `json:"hops"`
	ClientIP    string `json:"client_ip"`
	DNSCache    string `json:"dns_cache"`
	FailoverS   *int   `json:"failover_s"` // null: up to something outside
	Limits      string `json:"limits"`
}

// NewAccess makes the document.
func NewAccess(inv *model.Inventory, b *board.Board, a *access.Access, now time.Time) Access {
	health, summary := access.Health(a)
	out := Access{Version: 1, Inventory: inv.Source, Cluster: string(a.Cluster.Name), Leader: string(b.Leader), Health: health.String(), Summary: summary,
		ExitCode: int(health), Entries: []AccessEntry{}, Smart: []AccessSmart{}, Advice: []AccessAdvice{}, Notes: append([]string{}, a.Notes...)}
	for i := range a.Entries {
		out.Entries = append(out.Entries, newAccessEntry(&a.Entries[i], now))
	}
	for _, u := range a.Smart {
		out.Smart = append(out.Smart, AccessSmart{Port: u.Port, Attrs: u.Attrs, Why: u.Why, Needs: u.Needs, DSN: forms(u.DSN)})
	}
	for _, x := range access.AdviceOf(a) {
		out.Advice = append(out.Advice, AccessAdvice{Need: x.Need, Host: x.Host, Port: x.Port, Why: x.Why})
	}
	for _, s := range access.SchemesOf(a) {
		n := AccessScheme{Code: string(s.Code), Name: s.Name, InUse: s.InUse, Declared: s.Declared, Live: s.Live, SinglePoint: s.SinglePoint, Hops: s.Hops,
			ClientIP: s.ClientIP, DNSCache: s.DNSCache, Limits: s.Limits}
		if s.Failover > 0 {
			sec := int(s.Failover.Seconds())
			n.FailoverS = &sec
		}
		out.Schemes = append(out.Schemes, n)
	}
	return out
}

func newAccessEntry(e *access.Entry, now time.Time) AccessEntry {
	out := AccessEntry{Host: e.Host, HostKind: string(e.On.Kind), Port: e.Port, Name: e.At.Name, Pooled: e.At.Pooled, Target: string(e.At.Target), Use: e.At.Use, Way: e.Way,
		Should: model.Strings(e.Should), Now: model.Strings(e.Now.Instances), Verdict: string(e.Now.Verdict), Why: e.Now.Why, Fine: e.Fine(),
		DSN: forms(e.DSN), Lookups: []AccessLookup{}, AgeMs: age(e.Check.At, now)}
	if e.Check.Known() {
		reached := len(e.Check.Value.Touches) > 0
		for _, t := range e.Check.Value.Touches {
			reached = reached && t.Fault == ""
		}
		out.Reachable = &reached
	}
	for _, l := range e.Check.Value.Lookups {
		n := AccessLookup{Server: l.Server, Addrs: append([]string{}, l.Addrs...), Error: l.Error}
		if !l.NoTTL && l.Error == "" {
			ttl := int(l.TTL.Seconds())
			n.TTL = &ttl
		}
		out.Lookups = append(out.Lookups, n)
	}
	return out
}

func forms(d access.DSN) map[string]string {
	out := map[string]string{}
	for _, f := range access.Forms() {
		out[string(f)] = d.Text(f)
	}
	return out
}
