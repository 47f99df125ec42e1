package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	line := p.line(pl.addr)
	line.Wire = postgres.MaxConsoleBytes
	defer line.Close()
	conn, err := line.Login(ctx, pl.login, "pgbouncer")
	if err != nil {
		return p.refusedConsole(err, pl)
	}
	defer func() {
		_ = conn.Close(ctx) // the questions are answered or lost already
	}()
	if st, err = postgres.ReadPool(ctx, conn, p.o.Now, old); err != nil {
		return model.PoolState{}, p.consoleError(err, pl)
	}
	return st, nil
}

// refusedConsole is what a failed login shows of the pool: nothing, unless it is
// full.
func (p *Prober) refusedConsole(err error, pl *pool) (model.PoolState, error) {
	try := postgres.FaultOf(err, pl.addr)
	pe, said := errors.AsType[*pgconn.PgError](err)
	switch {
	case said && strings.Contains(pe.Message, "max_client_conn"):
		return model.PoolState{Full: true}, nil
	case said:
		return model.PoolState{}, &model.ConsoleRefused{Text: fmt.Sprintf("pgbouncer's console refuses %s: %s", pl.login.User, text.Line(pe.Message, 160))}
	case try.Fault == model.FaultAuth:
		return model.PoolState{}, &model.ConsoleRefused{Text: "pgbouncer's console: " + try.Text}
	}
	return model.PoolState{}, p.consoleError(err, pl)
}

// consoleError reports in plain words why a console was not read.
func (p *Prober) consoleError(err error, pl *pool) error {
	try := postgres.FaultOf(err, pl.addr)
	if try.Fault == model.FaultTimeout {
		try.Text = strings.Replace(try.Text, postgres.ProveTimeout.String(), p.o.Timeout.String(), 1)
	}
	return errors.New("pgbouncer's console: " + try.Text)
}
