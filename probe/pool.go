package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// How long the last answer of a pgbouncer's console lasts before it is read
// again. Every reading is a login. One that keeps clients out is read more
// often: whoever waits for the end of a PAUSE looks at the screen.
const (
	consoleGap = 5 * time.Second
	heldGap    = 3 * time.Second
	// A console that refuses the login writes that into its log.
	refusedGap = 5 * time.Minute
	// Where there are more ports than fewPorts. The first readings of a watch
	// are spread over manyConsolesStart: the screen comes first.
	manyConsolesGap   = time.Minute
	manyConsolesStart = 20 * time.Second
)

// pool is the console of an instance's pgbouncer.
type pool struct {
	addr  string
	login model.Login
	gap   time.Duration
	from  time.Time // it is not probed earlier; zero is at once
}

// poolOf is the console that is probed for an instance: nil where no service
// leads to its pgbouncer, or the inventory names no user for it.
func poolOf(c *model.Cluster, in *model.Instance, ports []serverPort) *pool {
	i := slices.IndexFunc(ports, func(p serverPort) bool { return p.pooler && in.BouncerPort != in.PgPort })
	if i < 0 || c.Monitor.User == "" {
		return nil
	}
	return &pool{addr: ports[i].addr, login: c.Monitor, gap: consoleGap}
}

// spread keeps the first questions to the consoles of a large fleet apart.
func spread(targets []target, now time.Time, jitter func() float64) {
	for in := range instancesOf(targets) {
		if in.pool != nil && in.pool.gap == manyConsolesGap {
			in.pool.from = now.Add(time.Duration(jitter() * float64(manyConsolesStart)))
		}
	}
}

// unasked leaves the consoles of a large fleet out of a single look: a login and
// its questions cost as much as a third of everything else that is probed. It
// reports whether it did.
func unasked(targets []target) bool {
	if !manyPorts(targets) {
		return false
	}
	for in := range instancesOf(targets) {
		in.pool = nil
	}
	return true
}

// due reports whether a console is to be probed again.
func (pl *pool) due(old source.Observed[model.PoolState], now time.Time) bool {
	gap := pl.gap
	switch _, refused := errors.AsType[*model.ConsoleRefused](old.Err); {
	case old.Tried.IsZero():
		return !now.Before(pl.from)
	case refused:
		gap = max(gap, refusedGap)
	case old.Err == nil && old.Value.Holds():
		gap = min(gap, heldGap)
	}
	return now.Sub(old.Tried) >= gap
}

// askPool reads from a pgbouncer's console what it keeps its clients from. A port
// that does not answer needs no other query.
func (r *turn) askPool(ctx context.Context, in instance) {
	r.p.mu.Lock()
	v := r.p.patroni[in.place()]
	r.p.mu.Unlock()
	old := v.Pool
	if !in.pool.due(old, r.p.o.Now()) {
		return
	}
	got := do(ctx, r, func(ctx context.Context) (model.PoolState, error) { return r.p.console(ctx, in.pool, old) })
	got.holds = max(got.holds, 2*in.pool.gap)
	r.view(ctx, in, func(v *model.PatroniView) bool { return got.replace(&v.Pool, samePool) })
}

// samePool compares what keeps clients out, and no counters.
func samePool(a, b model.PoolState) bool {
	return a.Paused == b.Paused && slices.EqualFunc(a.Databases, b.Databases, func(x, y model.PoolDatabase) bool {
		return x.Name == y.Name && a.Held(&x) == b.Held(&y) && (x.MaxWait < model.PoolWait) == (y.MaxWait < model.PoolWait)
	})
}

// console logs in as the monitoring user and reads what the pgbouncer reports of
// itself. A login that is refused is a model.ConsoleRefused.
func (p *Prober) console(ctx context.Context, pl *pool, old source.Observed[model.PoolState]) (st model.PoolState, err error) {
	err = p.onConsole(ctx, pl, postgres.MaxConsoleBytes, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		st, err = postgres.ReadPool(ctx, conn, p.o.Now, old)
		return err
	})
	if errors.Is(err, errPoolFull) {
		return model.PoolState{Full: true}, nil
	}
	if err != nil {
		return model.PoolState{}, err
	}
	return st, nil
}

// onConsole logs in to a pgbouncer's console as the monitoring user, calls read,
// and ends the connection. wire is the most that it may send, bytes. The error is in
// plain words; errPoolFull where it accepts no more clients.
func (p *Prober) onConsole(ctx context.Context, pl *pool, wire int, read func(context.Context, *pgconn.PgConn) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	line := p.line(pl.addr)
	line.Wire = wire
	defer line.Close()
	conn, err := line.Login(ctx, pl.login, "pgbouncer")
	if err != nil {
		return p.refusedConsole(err, pl)
	}
	defer func() {
		_ = conn.Close(ctx) // the questions are answered or lost already
	}()
	if err := read(ctx, conn); err != nil {
		return p.consoleError(err, pl)
	}
	return nil
}

// errPoolFull is the answer of a pgbouncer that has max_client_conn clients.
var errPoolFull = errors.New("pgbouncer's console: no more connections allowed (max_client_conn)")

// wireOfReport is how much a pgbouncer may send for one report, bytes: a list of some
// 50,000 clients.
const wireOfReport = 16 << 20

// Pooler reads everything that the pgbouncer of an instance reports of itself: one
// login to its console as the monitoring user, within the prober's timeout.
func (p *Prober) Pooler(ctx context.Context, c *model.Cluster, in *model.Instance) (rep model.PoolReport, err error) {
	if c.Monitor.User == "" || in.BouncerPort == 0 {
		return rep, &source.Hint{Err: fmt.Errorf("the inventory has no monitoring user or no pgbouncer for %s", in.Name), Try: "set pg_monitor_username and pgbouncer_port"}
	}
	pl := &pool{addr: net.JoinHostPort(string(in.Host), strconv.Itoa(int(in.BouncerPort))), login: c.Monitor}
	err = p.onConsole(ctx, pl, wireOfReport, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		rep, err = postgres.ReadPoolReport(ctx, conn, p.o.Now)
		return err
	})
	switch _, refused := errors.AsType[*model.ConsoleRefused](err); {
	case errors.Is(err, errPoolFull):
		return model.PoolReport{PoolState: model.PoolState{Full: true}}, nil
	case refused:
		return model.PoolReport{}, &source.Hint{Err: err, Try: "add " + c.Monitor.User + " to stats_users in pgbouncer.ini, with the password of pg_monitor_password"}
	case err != nil:
		return model.PoolReport{}, &source.Hint{Err: err, Try: "ssh " + string(in.Host) + " systemctl status pgbouncer"}
	}
	return rep, nil
}

// refusedConsole is what a failed login shows of the pool: nothing, unless it is
// full.
func (p *Prober) refusedConsole(err error, pl *pool) error {
	try := postgres.FaultOf(err, pl.addr, p.o.Timeout)
	pe, said := errors.AsType[*pgconn.PgError](err)
	switch {
	case said && strings.Contains(pe.Message, "max_client_conn"):
		return errPoolFull
	case said:
		return &model.ConsoleRefused{Text: fmt.Sprintf("pgbouncer's console refuses %s: %s", pl.login.User, text.Line(pe.Message, 160))}
	case try.Fault == model.FaultAuth:
		return &model.ConsoleRefused{Text: "pgbouncer's console: " + try.Text}
	}
	return p.consoleError(err, pl)
}

// consoleError reports in plain words why a console was not read.
func (p *Prober) consoleError(err error, pl *pool) error {
	return errors.New("pgbouncer's console: " + postgres.FaultOf(err, pl.addr, p.o.Timeout).Text)
}
