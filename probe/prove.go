package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

const (
	// proveTimeout is for one connection: connecting, login and one query. It
	// is longer than the 3 s in which HAProxy gives up on a port that refuses,
	// so that its own end of the matter is seen.
	proveTimeout = 4 * time.Second
	// dialTimeout is for a look at one server's port without HAProxy.
	dialTimeout = time.Second
	// maxTries bounds the connections to one port.
	maxTries = 100
)

// whoQuery asks a server who it is. It goes over the simple protocol: a pooler
// in transaction mode knows no prepared statements.
const whoQuery = `select coalesce(host(inet_server_addr()), ''),` +
	` to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),` +
	` (select system_identifier from pg_control_system()),` +
	` current_setting('cluster_name'), pg_is_in_recovery(), current_setting('transaction_read_only'),` +
	` case when pg_is_in_recovery() then coalesce((select received_tli from pg_stat_wal_receiver),` +
	` (select timeline_id from pg_control_checkpoint()))::text` +
	` else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end`

// Prove connects count times to every service port of the named clusters, of
// all clusters when none is named, through every HAProxy, as the monitoring
// user, and asks who answers. Each connection ends within 4 s; at most two
// are open at once to one node. A port that lets nobody in is data.
func (p *Prober) Prove(ctx context.Context, inv *model.Inventory, count int, only ...model.ClusterName) map[model.PortKey]source.Observed[model.Proof] {
	count = min(max(count, 1), maxTries)
	out := map[model.PortKey]source.Observed[model.Proof]{}
	slots := slotsOf(inv)
	var mu sync.Mutex
	var g guard.Group
	keep := func(proof model.Proof, start time.Time) {
		mu.Lock()
		defer mu.Unlock()
		at := p.o.Now()
		out[proof.PortKey] = source.Observed[model.Proof]{Value: proof, At: at, Tried: at, Took: at.Sub(start)}
	}
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if len(only) > 0 && !slices.Contains(only, c.Name) {
			continue
		}
		for j := range c.LoadBalancers {
			f := &c.LoadBalancers[j]
			for k := range f.Services {
				t := &trial{p: p, login: c.Monitor, svc: &f.Services[k], host: f.Host, slots: slots}
				g.Go("trying "+t.svc.Proxy()+" on "+string(t.host), func() {
					start := p.o.Now()
					keep(t.run(ctx, count), start)
				}, func(err error) {
					proof := t.proof()
					proof.Tries = []model.Try{faultyTry(err)}
					keep(proof, p.o.Now())
				})
			}
		}
	}
	g.Wait()
	return out
}

// slotsOf gives every host of the inventory its share of connections.
func slotsOf(inv *model.Inventory) map[model.Host]chan struct{} {
	out := map[model.Host]chan struct{}{}
	for i := range inv.Clusters {
		for j := range inv.Clusters[i].LoadBalancers {
			f := &inv.Clusters[i].LoadBalancers[j]
			out[f.Host] = make(chan struct{}, perNode)
			for k := range f.Services {
				servers, _ := f.Services[k].Servers()
				for _, s := range servers {
					out[s.Host] = make(chan struct{}, perNode)
				}
			}
		}
	}
	return out
}

// trial is one port that is tried.
type trial struct {
	p     *Prober
	login model.Login
	svc   *model.Service
	host  model.Host
	slots map[model.Host]chan struct{} // of each node

	mu sync.Mutex
	db int // which of the login's databases lets us in
}

// faultyTry is a connection that pgtui itself has failed over. It says nothing
// of the port.
func faultyTry(err error) model.Try { return model.Try{Fault: model.FaultOther, Text: err.Error()} }

// proof is one of the port without any tries.
func (t *trial) proof() model.Proof {
	return model.Proof{PortKey: model.PortKey{HAProxy: t.host, Cluster: t.svc.Cluster, Service: t.svc.Name}, Port: t.svc.Port}
}

func (t *trial) run(ctx context.Context, count int) model.Proof {
	proof := t.proof()
	proof.Tries = make([]model.Try, count)
	var g guard.Group
	for i := range proof.Tries {
		g.Go("trying "+t.svc.Proxy()+" on "+string(t.host), func() { proof.Tries[i] = t.try(ctx) }, func(err error) { proof.Tries[i] = faultyTry(err) })
	}
	g.Wait()
	for _, try := range proof.Tries {
		if try.Fault != "" && try.Fault != model.FaultNotTried || try.Connect >= model.SlowConnect {
			proof.Direct = t.direct(ctx)
			break
		}
	}
	if t.db < len(t.login.Databases) {
		proof.Database = t.login.Databases[t.db]
	}
	return proof
}

// try makes one connection within the limits, and another one to the next
// database where a pooler does not know the first.
func (t *trial) try(ctx context.Context) model.Try {
	leave, err := t.enter(ctx, t.host)
	if err != nil {
		return model.Try{Fault: model.FaultNotTried, Text: "not tried: its turn did not come"}
	}
	defer leave()
	addr := net.JoinHostPort(string(t.host), t.svc.Port)
	for {
		t.mu.Lock()
		i := t.db
		t.mu.Unlock()
		if i >= len(t.login.Databases) {
			return model.Try{Fault: model.FaultDatabase, Text: "no database is known to connect to"}
		}
		try := t.p.connect(ctx, addr, t.login, t.login.Databases[i])
		if try.Fault != model.FaultDatabase || i+1 >= len(t.login.Databases) {
			return try
		}
		t.mu.Lock()
		t.db = max(t.db, i+1)
		t.mu.Unlock()
	}
}

// enter waits until one more connection to the host is allowed.
func (t *trial) enter(ctx context.Context, h model.Host) (leave func(), err error) {
	if err := take(ctx, t.slots[h]); err != nil {
		return nil, err
	}
	if err := take(ctx, t.p.slots); err != nil {
		<-t.slots[h]
		return nil, err
	}
	return func() { <-t.p.slots; <-t.slots[h] }, nil
}

// connect is one connection, one question, one goodbye.
func (p *Prober) connect(ctx context.Context, addr string, login model.Login, db string) model.Try {
	ctx, cancel := context.WithTimeout(ctx, proveTimeout)
	defer cancel()
	line := p.line(addr)
	defer line.close()
	start := p.o.Now()
	conn, err := line.login(ctx, login, db)
	if err != nil {
		fault := faultOf(err, addr)
		fault.Dial = line.opened()
		return fault
	}
	defer func() {
		_ = conn.Close(ctx) // the question is answered or lost already
	}()
	try := model.Try{Dial: line.opened(), Connect: p.o.Now().Sub(start)}
	start = p.o.Now()
	row, err := OneRow(ctx, conn, whoQuery)
	rows := []*pgconn.Result{{Rows: [][][]byte{row}}}
	if err != nil && !errors.Is(err, errOneRow) {
		fault := faultOf(err, addr)
		fault.Dial, fault.Connect = try.Dial, try.Connect
		return fault
	}
	try.Query = p.o.Now().Sub(start)
	if err == nil {
		try.Answer, err = parseWho(rows)
	}
	if err != nil {
		return model.Try{Fault: model.FaultOther, Text: err.Error(), Dial: try.Dial, Connect: try.Connect}
	}
	return try
}

// line is one TCP connection. The library would open another one by itself, to
// cancel a question whose connection is lost, and leave it to the background:
// there is none but the first.
type line struct {
	dial DialFunc
	addr string
	now  func() time.Time
	wire int    // the most bytes that the server may send; 0 is mostWire
	auth string // what the server may ask for, as in libpq's require_auth; "" is anyLogin

	mu   sync.Mutex
	conn net.Conn // nil before it is opened and after it is closed
	used bool
	took time.Duration // until the first was open; 0 when it never was
}

// line is a connection that is not open yet.
func (p *Prober) line(addr string) *line {
	return &line{dial: p.o.Dial, addr: addr, now: p.o.Now, auth: p.o.RequireAuth}
}

// opened is how long the TCP connection took; 0 when there was none.
func (l *line) opened() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.took
}

func (l *line) open(ctx context.Context, network, _ string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used {
		return nil, errors.New("one connection is enough")
	}
	l.used = true
	start := l.now()
	c, err := l.dial(ctx, network, l.addr)
	if err == nil && l.took == 0 {
		l.took = max(l.now().Sub(start), 1) // a coarse clock must not hide that it was opened
	}
	l.conn = c
	return c, err
}

// close ends the connection for good.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = true
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// again ends the connection and allows another one.
func (l *line) again() {
	l.close()
	l.mu.Lock()
	l.used = false
	l.mu.Unlock()
}

// login opens a connection without TLS, and with it where the server insists.
// What PGHOST and its like say does not count.
// A password in clear text is not sent to whoever asks for it.
func (l *line) login(ctx context.Context, login model.Login, db string) (*pgconn.PgConn, error) {
	cfg, err := pgconn.ParseConfig("host=localhost port=5432 user=x password=x dbname=x sslmode=disable connect_timeout=4 target_session_attrs=any")
	if err != nil {
		return nil, fmt.Errorf("a PG… variable of the environment cannot be understood, PGSERVICE for one: %s", text.Line(lastCause(err), 120))
	}
	host, port, err := net.SplitHostPort(l.addr)
	n, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil || host == "" {
		return nil, fmt.Errorf("%q is not a port", text.Line(l.addr, 80))
	}
	cfg.Host, cfg.Port, cfg.User, cfg.Password, cfg.Database = host, uint16(n), login.User, string(login.Password), db
	cfg.RuntimeParams = map[string]string{"application_name": "pgtui"}
	cfg.Fallbacks, cfg.ConnectTimeout = nil, 0
	cfg.LookupFunc = func(_ context.Context, h string) ([]string, error) { return []string{h}, nil }
	cfg.DialFunc = l.open
	boundWire(cfg, cmp.Or(l.wire, mostWire))
	cfg.RequireAuth = cmp.Or(l.auth, login.Auth, anyLogin)
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && wantsTLS(pe) {
		// As libpq's sslmode=require: what is proven is who answers, not that
		// nobody stands between; the password goes out as a SCRAM proof.
		l.again()
		cfg.TLSConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // see above
		conn, err = pgconn.ConnectConfig(ctx, cfg)
	}
	return conn, err
}

// wantsTLS reports whether the server refuses for the lack of TLS.
func wantsTLS(pe *pgconn.PgError) bool {
	return strings.Contains(pe.Message, "no encryption") || strings.Contains(pe.Message, "SSL off") || strings.Contains(pe.Message, "SSL required")
}

// parseWho reads the answer to whoQuery.
func parseWho(results []*pgconn.Result) (model.Answer, error) {
	var a model.Answer
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 7 {
		return a, errOneRow
	}
	row := results[0].Rows[0]
	raw := func(i int) string { return text.Line(string(row[i]), 80) }
	a.Addr, a.SystemID, a.ClusterName = raw(0), raw(2), raw(3)
	a.Recovery, a.ReadOnly = raw(4) == "t", raw(5) == "on"
	if t, err := time.Parse("2006-01-02 15:04:05.999999", raw(1)); err == nil {
		a.Started = t
	}
	base := 16
	if a.Recovery {
		base = 10
	}
	if n, err := strconv.ParseUint(raw(6), base, 31); err == nil {
		a.Timeline = int(n)
	}
	return a, nil
}

// faultOf says in plain words why a connection failed.
func faultOf(err error, addr string) model.Try {
	fault := func(f model.Fault, format string, args ...any) model.Try {
		return model.Try{Fault: f, Text: fmt.Sprintf(format, args...)}
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return serverFault(pe)
	}
	switch {
	case strings.Contains(err.Error(), "require_auth"):
		if strings.Contains(err.Error(), "\""+anyLogin+"\"") {
			return fault(model.FaultAuth, "the server requests the password in clear text: it was not sent")
		}
		return fault(model.FaultAuth, "the server requests a login that require-auth does not allow: no password was sent")
	case errors.Is(err, errTalks), strings.Contains(err.Error(), errTalks.Error()):
		return fault(model.FaultOther, "%v", errTalks)
	case strings.Contains(err.Error(), "invalid body length"), strings.Contains(err.Error(), "message body"):
		return fault(model.FaultOther, "the server sends a message of more than %d kB", mostMessage>>10)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault(model.FaultRefused, "connection refused: nothing listens on %s", addr)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fault(model.FaultTimeout, "no route to %s", addr)
	case isTimeout(err), errors.Is(err, context.Canceled):
		return fault(model.FaultTimeout, "no answer within %v", proveTimeout)
	case isClosed(err), strings.Contains(err.Error(), "unexpected EOF"):
		return fault(model.FaultClosed, "accepted and closed the connection: no server behind it takes it")
	}
	return fault(model.FaultOther, "%s", text.Line(lastCause(err), 160))
}

// lastCause is the innermost text of an error: what pgconn puts around it
// repeats the user and the address.
func lastCause(err error) string {
	for {
		u := errors.Unwrap(err)
		if u == nil {
			return err.Error()
		}
		err = u
	}
}

// serverFault is an error that PostgreSQL or a pooler sent.
func serverFault(pe *pgconn.PgError) model.Try {
	msg := text.Line(pe.Message, 160)
	low := strings.ToLower(msg)
	kind, raw := model.FaultOther, msg+" ("+text.Line(pe.Code, 8)+")"
	switch {
	case pe.Code == "57P03" || strings.Contains(low, "is starting up") || strings.Contains(low, "is shutting down"):
		kind, raw = model.FaultStarting, msg
	case pe.Code == "3D000" || strings.Contains(low, "no such database"):
		kind, raw = model.FaultDatabase, msg
	case pe.Code == "28P01" || pe.Code == "28000" || strings.Contains(low, "no such user") || strings.Contains(low, "authentication failed"):
		kind, raw = model.FaultAuth, "the monitoring user is not let in: "+msg
	case strings.Contains(low, "pgbouncer cannot connect") || strings.Contains(low, "server_login_retry") ||
		strings.Contains(low, "query_wait_timeout") || strings.Contains(low, "server conn crashed") || strings.Contains(low, "connect failed"):
		kind, raw = model.FaultPooler, "pgbouncer answers and does not reach PostgreSQL: "+msg
	}
	return model.Try{Fault: kind, Text: raw}
}

// direct connects to the port of each server of the service without HAProxy,
// and says nothing to it.
func (t *trial) direct(ctx context.Context) []model.DirectPort {
	servers, _ := t.svc.Servers()
	out := make([]model.DirectPort, len(servers))
	var g guard.Group
	for i, s := range servers {
		out[i] = model.DirectPort{Instance: s.Name, Addr: net.JoinHostPort(string(s.Host), s.Port)}
		g.Go("trying "+out[i].Addr, func() {
			leave, err := t.enter(ctx, s.Host)
			if err != nil {
				out[i].Fault, out[i].Text = model.FaultNotTried, "not tried: its turn did not come"
				return
			}
			defer leave()
			ctx, cancel := context.WithTimeout(ctx, dialTimeout)
			defer cancel()
			conn, err := t.p.o.Dial(ctx, "tcp", out[i].Addr)
			if err != nil {
				try := faultOf(err, out[i].Addr)
				out[i].Fault, out[i].Text = try.Fault, strings.Replace(try.Text, proveTimeout.String(), dialTimeout.String(), 1)
				return
			}
			_ = conn.Close()
		}, func(err error) { out[i].Fault, out[i].Text = model.FaultNotTried, err.Error() })
	}
	g.Wait()
	return out
}
