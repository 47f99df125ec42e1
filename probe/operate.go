package probe

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// SignalRights is why the administrator of the inventory may not end a session of an
// instance; nil where it may. It logs in as the administrator and ends nothing.
func (p *Prober) SignalRights(ctx context.Context, c *model.Cluster, in *model.Instance, pid int) error {
	why := ""
	err := p.OnPostgres(ctx, c, in, c.Operator, func(ctx context.Context, conn *pgconn.PgConn) error {
		row, err := postgres.OneRow(ctx, conn, postgres.RightsQuery(pid))
		if err == nil {
			why, err = postgres.MaySignal(row)
		}
		return err
	})
	if err == nil && why == "" {
		return nil
	}
	if err == nil {
		err = errors.New(why)
	}
	return &source.Hint{Err: fmt.Errorf("%s (pg_admin_username) may not end sessions of %s: %w", c.Operator.User, in.Name, err),
		Try: fmt.Sprintf("ssh %s sudo -iu postgres psql -c 'select pg_terminate_backend(%d)', or pg_cancel_backend", in.Host, pid)}
}

// ErrAnswered is in the error of a statement that PostgreSQL itself refuses: it did not
// do it.
var ErrAnswered = errors.New("PostgreSQL refuses it")

// Operate logs in to an instance's PostgreSQL as the administrator of the inventory and
// sends one statement whose answer is one column of at most one row. sending is called
// right before the statement is sent. An error before that means that nothing was sent.
// A later error without ErrAnswered means that the result is unknown. probe only reads;
// apply makes the statements that change something.
func (p *Prober) Operate(ctx context.Context, c *model.Cluster, in *model.Instance, statement string, sending func()) (value string, ok bool, err error) {
	var answered error
	err = p.OnPostgres(ctx, c, in, c.Operator, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		sending()
		value, ok, err = postgres.AtMostOne(ctx, conn, statement)
		if pe, is := errors.AsType[*pgconn.PgError](err); is && pe.Severity != "FATAL" {
			answered = fmt.Errorf("%w: %s", ErrAnswered, text.Line(pe.Message, 160))
		}
		return err
	})
	if answered != nil {
		return "", false, fmt.Errorf("%s: %w", in.Name, answered)
	}
	return value, ok, err
}
