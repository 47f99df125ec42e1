// Package postgres connects to PostgreSQL and pgbouncer: a login that sends no
// password in clear text and reads a bounded answer, which server answered, what
// a pgbouncer's console reports, and why a connection failed, in plain words.
package postgres

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/text"
	"pgtui/model"
)

// DialFunc opens a connection; net.Dialer.DialContext is one.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// IsTimeout reports whether a deadline ended the attempt.
func IsTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// IsClosed reports whether the other side closed or reset the connection.
func IsClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// VersionOf is the server_version of a connection, "1.24.1"; "" when it was not reported.
func VersionOf(conn *pgconn.PgConn) string {
	v, _, _ := strings.Cut(text.Line(conn.ParameterStatus("server_version"), 60), " ")
	return strings.TrimSuffix(v, "/bouncer")
}

// SSLRequest sends PostgreSQL's SSLRequest to addr and reports whether TLS is offered.
func SSLRequest(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), addr string) (offered bool, err error) {
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}); err != nil {
		return false, err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return false, err
	}
	switch answer[0] {
	case 'N', 'E': // E: it cannot serve now, in its own protocol
		return false, nil
	case 'S':
		// A server that is left in the middle of a handshake complains in its log.
		c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // nothing is sent or believed
		return c.HandshakeContext(ctx) == nil, nil
	}
	return false, fmt.Errorf("the answer to a TLS request begins with %q: this is not PostgreSQL's protocol", answer[0])
}

// ProveTimeout is for one connection: connecting, login and one query. It is
// longer than the 3 s in which HAProxy gives up on a port that refuses, so that
// the error that HAProxy causes is seen.
const ProveTimeout = 4 * time.Second

// WhoQuery is the query that distinguishes servers. It goes over the simple protocol: a pooler
// in transaction mode knows no prepared statements.
const WhoQuery = `select coalesce(host(inet_server_addr()), ''),` +
	` to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),` +
	` (select system_identifier from pg_control_system()),` +
	` current_setting('cluster_name'), pg_is_in_recovery(), current_setting('transaction_read_only'),` +
	` case when pg_is_in_recovery() then coalesce((select received_tli from pg_stat_wal_receiver),` +
	` (select timeline_id from pg_control_checkpoint()))::text` +
	` else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end`

// Line is one TCP connection. The library would open another one by itself, to
// cancel a question whose connection is lost, and leave it to the background:
// there is none but the first.
type Line struct {
	Dial DialFunc
	Addr string
	Now  func() time.Time
	Wire int    // the most bytes that the server may send; 0 is mostWire
	Auth string // what the server may ask for, as in libpq's require_auth; "" is anyLogin
	// Params are settings that the connection begins with; nil is none beside
	// application_name. A pgbouncer refuses most.
	Params map[string]string

	mu   sync.Mutex
	conn net.Conn // nil before it is opened and after it is closed
	used bool
	took time.Duration // until the first was open; 0 when it never was
}

// Opened is how long the TCP connection took; 0 when there was none.
func (l *Line) Opened() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.took
}

func (l *Line) open(ctx context.Context, network, _ string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used {
		return nil, errors.New("one connection is enough")
	}
	l.used = true
	start := l.Now()
	c, err := l.Dial(ctx, network, l.Addr)
	if err == nil && l.took == 0 {
		l.took = max(l.Now().Sub(start), 1) // a coarse clock must not hide that it was opened
	}
	l.conn = c
	return c, err
}

// Close ends the connection for good.
func (l *Line) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = true
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// again ends the connection and allows another one.
func (l *Line) again() {
	l.Close()
	l.mu.Lock()
	l.used = false
	l.mu.Unlock()
}

// Login opens a connection without TLS, and with it where the server insists.
// PGHOST and its like do not count.
// A password in clear text is not sent to whoever requests it.
func (l *Line) Login(ctx context.Context, login model.Login, db string) (*pgconn.PgConn, error) {
	cfg, err := pgconn.ParseConfig("host=localhost port=5432 user=x password=x dbname=x sslmode=disable connect_timeout=4 target_session_attrs=any")
	if err != nil {
		return nil, fmt.Errorf("a PG… variable of the environment cannot be understood, PGSERVICE for one: %s", text.Line(LastCause(err), 120))
	}
	host, port, err := net.SplitHostPort(l.Addr)
	n, err2 := strconv.ParseUint(port, 10, 16)
	if err != nil || err2 != nil || host == "" {
		return nil, fmt.Errorf("%q is not a port", text.Line(l.Addr, 80))
	}
	cfg.Host, cfg.Port, cfg.User, cfg.Password, cfg.Database = host, uint16(n), login.User, string(login.Password), db
	cfg.RuntimeParams = map[string]string{"application_name": "pgtui"}
	maps.Copy(cfg.RuntimeParams, l.Params)
	cfg.Fallbacks, cfg.ConnectTimeout = nil, 0
	cfg.LookupFunc = func(_ context.Context, h string) ([]string, error) { return []string{h}, nil }
	cfg.DialFunc = l.open
	boundWire(cfg, cmp.Or(l.Wire, mostWire))
	cfg.RequireAuth = cmp.Or(l.Auth, login.Auth, anyLogin)
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && wantsTLS(pe) {
		// As libpq's sslmode=require: what is proven is who answers, not that
		// no one stands between; the password goes out as a SCRAM proof.
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

// ParseWho reads the answer to whoQuery.
func ParseWho(results []*pgconn.Result) (model.Answer, error) {
	var a model.Answer
	if len(results) != 1 || len(results[0].Rows) != 1 || len(results[0].Rows[0]) != 7 {
		return a, ErrOneRow
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

// FaultOf reports in plain words why a connection failed that had that time.
func FaultOf(err error, addr string, limit time.Duration) model.Try {
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
		return fault(model.FaultOther, "the server sends a message of more than %d kB", MostMessage>>10)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault(model.FaultRefused, "connection refused: nothing listens on %s", addr)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fault(model.FaultTimeout, "no route to %s", addr)
	case IsTimeout(err), errors.Is(err, context.Canceled):
		return fault(model.FaultTimeout, "no answer within %v", limit)
	case IsClosed(err), strings.Contains(err.Error(), "unexpected EOF"):
		return fault(model.FaultClosed, "accepted and closed the connection: no server behind it takes it")
	}
	return fault(model.FaultOther, "%s", text.Line(LastCause(err), 160))
}

// LastCause is the innermost text of an error: what pgconn puts around it
// repeats the user and the address.
func LastCause(err error) string {
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
