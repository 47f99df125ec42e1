package soak

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/postgres"
)

// clientTimeout bounds one connection: login, query and answer. The next
// connection does not wait for it.
const clientTimeout = 2 * time.Second

// Answer is how one client's connection ended.
type Answer struct {
	Host       model.Host // the HAProxy it went to
	Service    model.ServiceName
	Start, End time.Time
	Node       model.InstanceName // the instance that answered; "" when there was no answer
	Recovery   bool               // that instance is read-only
	Fault      string             // the reason when there was no answer; else ""
	// Again is set by the judge: the port's latest connections ended the same
	// way. Of a failure: two of its last connections failed, one more than it
	// has servers. Of an answer: none failed.
	Again bool
}

// Connect makes one connection and reads the name of the instance. The lab's nodes
// have a setting for it: inet_server_addr() is null through pgbouncer.
func Connect(ctx context.Context, host, port string, login model.Login) Answer {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	cfg, err := pgconn.ParseConfig("host=localhost port=5432 user=x password=x dbname=x sslmode=disable target_session_attrs=any")
	if err != nil {
		return Answer{Fault: text.Line(err.Error(), 120)}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || len(login.Databases) == 0 {
		return Answer{Fault: "not a port, or no database: " + port}
	}
	cfg.Host, cfg.Port, cfg.User, cfg.Password, cfg.Database = host, uint16(n), login.User, string(login.Password), login.Databases[0]
	cfg.RuntimeParams = map[string]string{"application_name": "pgtui-soak"}
	cfg.Fallbacks, cfg.ConnectTimeout = nil, 0
	postgres.BoundWire(cfg)
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return Answer{Fault: faultOf(err)}
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
		defer cancel()
		_ = conn.Close(bye) // the answer has arrived or is lost already
	}()
	row, err := postgres.OneRow(ctx, conn, "select current_setting('lab.node'), pg_is_in_recovery()")
	switch {
	case err != nil:
		return Answer{Fault: faultOf(err)}
	case len(row) != 2:
		return Answer{Fault: "the answer has another form"}
	}
	return Answer{Node: model.InstanceName(text.Line(string(row[0]), 80)), Recovery: string(row[1]) == "t"}
}

// faultOf is a failure in a few words.
func faultOf(err error) string {
	var ne net.Error
	pe, server := errors.AsType[*pgconn.PgError](err)
	switch {
	case server:
		return text.Line(pe.Message, 120)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return "no answer within " + clientTimeout.String()
	case errors.Is(err, syscall.EHOSTUNREACH):
		return "no route"
	}
	for u := errors.Unwrap(err); u != nil; u = errors.Unwrap(err) {
		err = u
	}
	return "closed: " + text.Line(err.Error(), 80)
}
