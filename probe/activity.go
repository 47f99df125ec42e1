package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// reportTime is for one report: connecting, at most 2 s, and all its statements.
const reportTime = 6 * time.Second

// Activity reads the sessions, replication slots and archiver of an instance's
// PostgreSQL: one login to its own port as the monitoring user, read-only, closed at the end. With
// text it has the beginning of each query, which may hold secrets.
func (p *Prober) Activity(ctx context.Context, c *model.Cluster, in *model.Instance, text bool) (rep model.ServerReport, err error) {
	err = p.OnPostgres(ctx, c, in, c.Monitor, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		rep, err = postgres.ReadActivity(ctx, conn, text)
		return err
	})
	return rep, err
}

// Backend reads one session of an instance's PostgreSQL, nil when there is none with
// that process ID.
func (p *Prober) Backend(ctx context.Context, c *model.Cluster, in *model.Instance, pid int) (b *model.Backend, err error) {
	err = p.OnPostgres(ctx, c, in, c.Monitor, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		b, err = postgres.ReadBackend(ctx, conn, pid)
		return err
	})
	return b, err
}

// OnPostgres logs in to an instance's own PostgreSQL, calls do, and ends the
// connection, all within 6 s. Every transaction on it is read-only. The error is in
// plain words; ErrCrowded in it means that the server has no free connection.
func (p *Prober) OnPostgres(ctx context.Context, c *model.Cluster, in *model.Instance, login model.Login, do func(context.Context, *pgconn.PgConn) error) error {
	if login.User == "" || in.PgPort == 0 {
		return &source.Hint{Err: fmt.Errorf("the inventory lacks a login user or a port for %s", in.Name), Try: "set pg_monitor_username and pg_port"}
	}
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	addr := net.JoinHostPort(string(in.Host), strconv.Itoa(int(in.PgPort)))
	err := errors.New("no database to connect to")
	for _, db := range login.Databases {
		if err = p.onDatabase(ctx, addr, login, db, do); err == nil || postgres.FaultOf(err, addr, postgres.WaitConnect).Fault != model.FaultDatabase {
			break
		}
	}
	if err == nil {
		return nil
	}
	return p.postgresError(err, in, login, addr)
}

func (p *Prober) onDatabase(ctx context.Context, addr string, login model.Login, db string, do func(context.Context, *pgconn.PgConn) error) error {
	line := p.line(addr)
	line.Params = postgres.ReportParams()
	defer line.Close()
	conn, err := line.LoginWithin(ctx, login, db)
	if err != nil {
		return err
	}
	defer goodbye(conn)
	return do(ctx, conn)
}

// ErrCrowded is in the error of a PostgreSQL that has max_connections sessions.
var ErrCrowded = errors.New("it accepts no more sessions (max_connections)")

// postgresError reports in plain words why a PostgreSQL was not read.
func (p *Prober) postgresError(err error, in *model.Instance, login model.Login, addr string) error {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == "53300" {
		return &source.Hint{Err: fmt.Errorf("PostgreSQL of %s: %w", in.Name, ErrCrowded),
			Try: "ssh " + string(in.Host) + " sudo -iu postgres psql has a reserved connection; then end idle sessions"}
	}
	try := postgres.FaultOf(err, addr, postgres.WaitConnect)
	switch try.Fault {
	case model.FaultTimeout:
		if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
			try.Text = pe.Message
		}
	case model.FaultAuth:
		try.Text = strings.Replace(try.Text, "the monitoring user is", login.User+" is", 1)
		return &source.Hint{Err: fmt.Errorf("PostgreSQL of %s: %s", in.Name, try.Text), Try: "check its password and pg_hba.conf: ssh " + string(in.Host) + " sudo cat /pg/data/pg_hba.conf"}
	}
	return &source.Hint{Err: fmt.Errorf("PostgreSQL of %s: %s", in.Name, try.Text), Try: "pgtui status; ssh " + string(in.Host) + " systemctl status patroni"}
}
