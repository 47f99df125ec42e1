package probe

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// SQL logs in to every member of the cluster at once, as the monitoring user: to
// PostgreSQL's own port and to pgbouncer's, where services lead there. A server
// that takes writes reports what its shutdown waits for, a replica with a backlog
// how fast it replays. A port that lets no one in is data; an error is pgtui's own
// failure. It takes at most a third more than one request's timeout.
func (p *Prober) SQL(ctx context.Context, _ *model.Inventory, c *model.Cluster) map[model.InstanceName]source.Observed[model.ServerFacts] {
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout+p.o.Timeout/3)
	defer cancel()
	ports := portsOf(c)
	members := make([]*model.Instance, len(c.Instances))
	for i := range c.Instances {
		members[i] = &c.Instances[i]
	}
	return guard.Collect(members, func(in *model.Instance) string { return "logging in to " + string(in.Name) },
		func(in *model.Instance) (model.InstanceName, source.Observed[model.ServerFacts]) {
			return in.Name, source.Observe(p.o.Now, func() (model.ServerFacts, error) { return p.login(ctx, c, in, ports[in.Name]), whole.Err() })
		},
		func(in *model.Instance, err error) (model.InstanceName, source.Observed[model.ServerFacts]) {
			return in.Name, source.Observed[model.ServerFacts]{}.Next(model.ServerFacts{}, err, p.o.Now(), 0)
		})
}

// login tries both ports of one member.
func (p *Prober) login(ctx context.Context, c *model.Cluster, in *model.Instance, ports []serverPort) model.ServerFacts {
	out := model.ServerFacts{
		Direct: model.Try{Fault: model.FaultNotTried}, Pooled: model.Try{Fault: model.FaultNotTried},
		ArchiveReady: -1, Bytes: -1, ReplayRate: -1,
	}
	addr := func(port uint16) string { return net.JoinHostPort(string(in.Host), strconv.Itoa(int(port))) }
	var g guard.Group
	if in.PgPort != 0 {
		g.Go("logging in to "+string(in.Name), func() { p.direct(ctx, c, addr(in.PgPort), &out) }, func(err error) { out.Direct = faultyTry(err) })
	}
	for _, pt := range ports {
		if pt.pooler {
			g.Go("logging in through pgbouncer of "+string(in.Name), func() { out.Pooled = p.pooled(ctx, c, pt.addr) }, func(err error) { out.Pooled = faultyTry(err) })
		}
	}
	g.Wait()
	return out
}

// within is one login's share of the time.
func (p *Prober) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, p.o.Timeout)
}

// pooled is one login through pgbouncer, to the first database that it knows.
func (p *Prober) pooled(ctx context.Context, c *model.Cluster, addr string) model.Try {
	ctx, cancel := p.within(ctx)
	defer cancel()
	try := model.Try{Fault: model.FaultDatabase, Text: "no database to connect to"}
	for _, db := range c.Monitor.Databases {
		if try = p.connect(ctx, addr, c.Monitor, db, p.o.Timeout); try.Fault != model.FaultDatabase {
			break
		}
	}
	return try
}

// direct is one login to PostgreSQL itself, with what it shows.
func (p *Prober) direct(ctx context.Context, c *model.Cluster, addr string, out *model.ServerFacts) {
	limited, cancel := p.within(ctx)
	defer cancel()
	out.Direct = model.Try{Fault: model.FaultDatabase, Text: "no database to connect to"}
	for _, db := range c.Monitor.Databases {
		if p.directTo(limited, addr, c.Monitor, db, out); out.Direct.Fault != model.FaultDatabase {
			break
		}
	}
}

func (p *Prober) directTo(ctx context.Context, addr string, login model.Login, db string, out *model.ServerFacts) {
	line := p.line(addr)
	defer line.Close()
	conn, try := p.identify(ctx, line, login, db, p.o.Timeout)
	out.Direct = try
	if conn == nil {
		return
	}
	defer goodbye(conn)
	if try.Fault == "" {
		postgres.Facts(ctx, conn, out, try.Answer.Recovery, p.o.Now)
	}
}

// identify logs in on a line and queries who answers. The connection is nil when
// there is none.
func (p *Prober) identify(ctx context.Context, line *postgres.Line, login model.Login, db string, limit time.Duration) (*pgconn.PgConn, model.Try) {
	start := p.o.Now()
	conn, err := line.Login(ctx, login, db)
	if err != nil {
		fault := postgres.FaultOf(err, line.Addr, limit)
		fault.Dial = line.Opened()
		return nil, fault
	}
	try := model.Try{Dial: line.Opened(), Connect: p.o.Now().Sub(start)}
	start = p.o.Now()
	row, err := postgres.OneRow(ctx, conn, postgres.WhoQuery)
	if err != nil && !errors.Is(err, postgres.ErrOneRow) {
		fault := postgres.FaultOf(err, line.Addr, limit)
		fault.Dial, fault.Connect = try.Dial, try.Connect
		return conn, fault
	}
	try.Query = p.o.Now().Sub(start)
	if err == nil {
		try.Answer, err = postgres.ParseWho([]*pgconn.Result{{Rows: [][][]byte{row}}})
	}
	if err != nil {
		return conn, model.Try{Fault: model.FaultOther, Text: err.Error(), Dial: try.Dial, Connect: try.Connect}
	}
	return conn, try
}

// goodbye ends a connection whose answers were read, or are lost.
func goodbye(conn *pgconn.PgConn) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = conn.Close(ctx) // nothing is left to lose
}
