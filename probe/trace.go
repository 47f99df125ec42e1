package probe

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// maxTraceHosts bounds the hosts of one DSN.
const maxTraceHosts = 32

// ParseDSN reads a connection string as libpq does: URI or key=value, with
// what PG… variables, pg_service.conf and ~/.pgpass add. Its errors do not
// repeat it: there may be a password in it.
func ParseDSN(dsn string) (trace.Target, error) {
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return trace.Target{}, &source.Hint{Err: errors.New("the connection string cannot be understood; it is not repeated, for there may be a password in it"),
			Try: "postgres://user@host:5433/database, or host=… port=… user=… dbname=…"}
	}
	t := trace.Target{DSN: access.DSN{User: cfg.User, Database: cfg.Database, Attrs: attrsOf(cfg)}}
	if t.Database == "" {
		t.Database = cfg.User
	}
	add := func(host string, port uint16) error {
		if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") {
			return errors.New("a unix socket has no way to trace")
		}
		n := len(t.Hosts)
		// With sslmode=prefer each host is there twice, with TLS and without.
		if n > 0 && t.Hosts[n-1] == host && t.Ports[n-1] == port {
			return nil
		}
		if n == maxTraceHosts {
			return errors.New("more than 32 hosts")
		}
		t.Hosts, t.Ports = append(t.Hosts, host), append(t.Ports, port)
		return nil
	}
	if err := add(cfg.Host, cfg.Port); err != nil {
		return trace.Target{}, err
	}
	for _, f := range cfg.Fallbacks {
		if err := add(f.Host, f.Port); err != nil {
			return trace.Target{}, err
		}
	}
	t.Login = model.Login{User: cfg.User, Password: model.Secret(cfg.Password), Databases: []string{t.Database}, Auth: cfg.RequireAuth}
	return t, nil
}

// attrsOf is target_session_attrs. The library keeps it only as the function
// that holds a server against it.
func attrsOf(cfg *pgconn.Config) string {
	if cfg.ValidateConnect == nil {
		return ""
	}
	got := reflect.ValueOf(cfg.ValidateConnect).Pointer()
	for name, f := range map[string]pgconn.ValidateConnectFunc{
		"read-write": pgconn.ValidateConnectTargetSessionAttrsReadWrite, "read-only": pgconn.ValidateConnectTargetSessionAttrsReadOnly,
		"primary": pgconn.ValidateConnectTargetSessionAttrsPrimary, "standby": pgconn.ValidateConnectTargetSessionAttrsStandby,
		"prefer-standby": pgconn.ValidateConnectTargetSessionAttrsPreferStandby,
	} {
		if reflect.ValueOf(f).Pointer() == got {
			return name
		}
	}
	return ""
}

// Connect goes through the hosts of a target as libpq does, until one is what
// target_session_attrs wants, and returns every address that was tried. Each
// connection ends within limit, and within 4 s. Where one fails behind
// HAProxy and look is set, the servers' ports are probed without it.
func (p *Prober) Connect(ctx context.Context, inv *model.Inventory, t trace.Target, limit time.Duration, look bool) []trace.Attempt {
	if limit <= 0 || limit > postgres.ProveTimeout {
		limit = postgres.ProveTimeout
	}
	var out []trace.Attempt
	for _, attrs := range t.Passes() {
		for i := range t.Hosts {
			for _, a := range p.addresses(ctx, inv, model.Endpoint{Host: t.Hosts[i], Port: t.Ports[i]}) {
				kept := p.attempt(ctx, t.Login, attrs, limit, &a)
				if look && a.Addr != "" && a.Try.Fault != "" {
					a.Direct = p.behind(ctx, inv, &a)
				}
				out = append(out, a)
				if kept || ctx.Err() != nil {
					return out
				}
			}
		}
	}
	return out
}

// addresses are the ones that a host has; one without an address when its name
// gives none.
func (p *Prober) addresses(ctx context.Context, inv *model.Inventory, e model.Endpoint) []trace.Attempt {
	lookups := p.Resolve(ctx, inv, e.Host)
	if lookups == nil {
		return []trace.Attempt{{Endpoint: e, Addr: e.Host}}
	}
	base := trace.Attempt{Endpoint: e, Lookups: lookups, Disagree: access.Disagreement(e.Host, lookups, access.LeadsOf(inv, e.Host))}
	addrs := (access.EntryCheck{Lookups: lookups}).Addrs()
	if len(addrs) == 0 {
		base.Skipped = "the name does not resolve"
		base.Try = model.Try{Fault: model.FaultNotTried, Text: "the name does not resolve: " + lookups[0].Error}
		return []trace.Attempt{base}
	}
	var out []trace.Attempt
	for _, addr := range addrs {
		a := base
		a.Addr = addr
		out = append(out, a)
	}
	return out
}

// attempt connects once and reports whether libpq would go no further.
func (p *Prober) attempt(ctx context.Context, login model.Login, attrs string, limit time.Duration, a *trace.Attempt) bool {
	if a.Addr == "" {
		return false
	}
	addr := net.JoinHostPort(a.Addr, strconv.Itoa(int(a.Port)))
	for _, db := range login.Databases {
		if a.Try = p.connect(ctx, addr, login, db, limit); a.Try.Fault != model.FaultDatabase {
			break
		}
	}
	a.Try.Text = strings.TrimPrefix(a.Try.Text, "the monitoring user is ")
	if a.Try.Fault != "" {
		if !a.Try.Fault.EndsIt() {
			a.Skipped = a.Try.Text
		}
		return a.Try.Fault.EndsIt()
	}
	a.Skipped = a.Try.Answer.Unfit(attrs)
	return a.Skipped == ""
}

// behind looks at the ports of the service's servers without HAProxy.
func (p *Prober) behind(ctx context.Context, inv *model.Inventory, a *trace.Attempt) []model.DirectPort {
	way := trace.WayInOf(inv, a.Addr, a.Port)
	if way.Service == nil {
		return nil
	}
	t := &trial{p: p, svc: way.Service, host: model.Host(a.Addr), slots: slotsOf(inv)}
	return t.direct(ctx)
}
