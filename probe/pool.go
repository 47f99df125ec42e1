package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// How long the last answer of a pgbouncer's console lasts before it is asked
// again. Every question is a login. One that keeps clients out is asked more
// often: whoever waits for the end of a PAUSE looks at the screen.
const (
	consoleGap = 5 * time.Second
	heldGap    = 3 * time.Second
	// A console that refuses the login writes that into its log.
	refusedGap = 5 * time.Minute
	// Where there are more ports than fewPorts. The first questions of a watch
	// are spread over manyConsolesStart: the screen comes first.
	manyConsolesGap   = time.Minute
	manyConsolesStart = 20 * time.Second
	// max_client_conn changes with a reload of pgbouncer only.
	maxClientsAge = 5 * time.Minute
)

// What one console may send.
const (
	maxConsoleBytes  = 4 << 20
	maxConsoleRows   = 20000 // of one answer: pools are databases by users
	maxPoolDatabases = 1000  // that are kept
)

// pool is the console of an instance's pgbouncer.
type pool struct {
	addr  string
	login model.Login
	gap   time.Duration
	from  time.Time // it is not asked earlier; zero is at once
}

// poolOf is the console that is asked for an instance: nil where no service
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
	for i := range targets {
		for j := range targets[i].instances {
			if pl := targets[i].instances[j].pool; pl != nil && pl.gap == manyConsolesGap {
				pl.from = now.Add(time.Duration(jitter() * float64(manyConsolesStart)))
			}
		}
	}
}

// unasked leaves the consoles of a large fleet out of a single look: a login and
// its questions cost as much as a third of everything else that is asked. It
// reports whether it did.
func unasked(targets []target) bool {
	ports := 0
	for i := range targets {
		for j := range targets[i].instances {
			ports += len(targets[i].instances[j].ports)
		}
	}
	if ports <= fewPorts {
		return false
	}
	for i := range targets {
		for j := range targets[i].instances {
			targets[i].instances[j].pool = nil
		}
	}
	return true
}

// due reports whether a console is to be asked again.
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

// askPool asks a pgbouncer's console what it keeps its clients from. A port
// that does not answer has said enough.
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
	r.view(ctx, in, func(v *model.PatroniView) bool {
		old := v.Pool
		v.Pool = got.after(old)
		return isNews(old, got, samePool)
	})
}

// samePool compares what keeps clients out, and no counters.
func samePool(a, b model.PoolState) bool {
	return a.Paused == b.Paused && slices.EqualFunc(a.Databases, b.Databases, func(x, y model.PoolDatabase) bool {
		return x.Name == y.Name && a.Held(&x) == b.Held(&y) && (x.MaxWait < model.PoolWait) == (y.MaxWait < model.PoolWait)
	})
}

// console logs in as the monitoring user and reads what the pgbouncer says of
// itself. A login that is refused is a model.ConsoleRefused.
func (p *Prober) console(ctx context.Context, pl *pool, old source.Observed[model.PoolState]) (st model.PoolState, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	line := p.line(pl.addr)
	line.wire = maxConsoleBytes
	defer line.close()
	conn, err := line.login(ctx, pl.login, "pgbouncer")
	if err != nil {
		return p.refusedConsole(err, pl)
	}
	defer func() {
		_ = conn.Close(ctx) // the questions are answered or lost already
	}()
	st.Version = versionOf(conn)
	c := &console{ctx: ctx, now: p.o.Now, conn: conn}
	c.state(&st)
	c.databases(&st, &old.Value)
	c.lists(&st, old)
	if c.err != nil {
		return model.PoolState{}, p.consoleError(c.err, pl)
	}
	return st, nil
}

// refusedConsole is what a failed login says of the pool: nothing, unless it is
// full.
func (p *Prober) refusedConsole(err error, pl *pool) (model.PoolState, error) {
	try := faultOf(err, pl.addr)
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

// consoleError says in plain words why a console was not read.
func (p *Prober) consoleError(err error, pl *pool) error {
	try := faultOf(err, pl.addr)
	if try.Fault == model.FaultTimeout {
		try.Text = strings.Replace(try.Text, proveTimeout.String(), p.o.Timeout.String(), 1)
	}
	return errors.New("pgbouncer's console: " + try.Text)
}

// console is one connection to a pgbouncer's own database. Its columns are
// found by name: each release has others.
type console struct {
	ctx  context.Context
	now  func() time.Time
	conn *pgconn.PgConn
	err  error // the first; nothing is asked after it
}

// record is one row of a console's answer.
type record struct {
	cols map[string]int
	vals [][]byte
}

// text is a column as harmless text; "" when there is none of that name.
func (r record) text(col string) string {
	if i, ok := r.cols[col]; ok && i < len(r.vals) {
		return text.Line(string(r.vals[i][:min(len(r.vals[i]), 400)]), 120)
	}
	return ""
}

// number is the first of the columns that there is; 0 when it holds none.
func (r record) number(cols ...string) int {
	for _, col := range cols {
		if i, ok := r.cols[col]; ok && i < len(r.vals) {
			n, err := strconv.Atoi(string(r.vals[i]))
			if err != nil || n < 0 {
				return 0
			}
			return n
		}
	}
	return 0
}

// show asks one SHOW and gives each row to keep.
func (c *console) show(what string, keep func(record)) {
	if c.err != nil {
		return
	}
	all := c.conn.Exec(c.ctx, "SHOW "+what)
	rows := 0
	for all.NextResult() {
		rr := all.ResultReader()
		cols := map[string]int{}
		for i, f := range rr.FieldDescriptions() {
			cols[f.Name] = i
		}
		for rr.NextRow() {
			if rows++; rows > maxConsoleRows {
				c.err = fmt.Errorf("SHOW %s answers more than %d rows", what, maxConsoleRows)
				return // the line is closed over it
			}
			keep(record{cols, rr.Values()})
		}
		if _, err := rr.Close(); err != nil {
			c.err = err
		}
	}
	if err := all.Close(); c.err == nil {
		c.err = err
	}
}

// state tells of a PAUSE of everything. Releases before 1.19 do not know the
// question, and would log it as an error.
func (c *console) state(st *model.PoolState) {
	if st.PauseKnown = tellsState(st.Version); !st.PauseKnown {
		return
	}
	c.show("STATE", func(r record) {
		if key := r.text("key"); key == "paused" || key == "suspended" {
			st.Paused = st.Paused || r.text("value") == "yes"
		}
	})
}

// tellsState reports whether a release of pgbouncer knows SHOW STATE.
func tellsState(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err := strconv.Atoi(major)
	b, err2 := strconv.Atoi(strings.TrimRight(minor, "abcdefghijklmnopqrstuvwxyz"))
	return err == nil && err2 == nil && (a > 1 || a == 1 && b >= 19)
}

// databases are those of SHOW DATABASES with the pools that SHOW POOLS has for them.
func (c *console) databases(st, old *model.PoolState) {
	var all []model.PoolDatabase
	at := map[string]int{}
	c.show("DATABASES", func(r record) {
		name := r.text("name")
		if _, twice := at[name]; twice || name == "" || name == "pgbouncer" {
			return
		}
		at[name] = len(all)
		all = append(all, model.PoolDatabase{Name: name, Paused: r.number("paused") > 0, Disabled: r.number("disabled") > 0,
			Size: r.number("pool_size"), MaxServers: r.number("max_connections"),
			Clients: r.number("current_client_connections"), MaxClients: r.number("max_client_connections")})
	})
	c.show("POOLS", func(r record) {
		i, ok := at[r.text("database")]
		if !ok {
			return
		}
		d := &all[i]
		d.Active += r.number("cl_active")
		d.Waiting += r.number("cl_waiting")
		d.Busy += r.number("sv_active")
		for _, col := range []string{"sv_active", "sv_active_cancel", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login"} {
			d.Servers += r.number(col)
		}
		wait := time.Duration(r.number("maxwait"))*time.Second + time.Duration(r.number("maxwait_us"))*time.Microsecond
		if r.number("cl_waiting") > 0 {
			d.MaxWait = max(d.MaxWait, wait)
		}
	})
	for i := range all {
		c.stalled(&all[i], old.Database(all[i].Name))
	}
	// Too many: those that keep clients out or waiting count first.
	if st.More = max(0, len(all)-maxPoolDatabases); st.More > 0 {
		easy := func(d *model.PoolDatabase) int {
			if st.Held(d) != "" || d.Waiting > 0 {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(all, func(a, b model.PoolDatabase) int { return cmp.Compare(easy(&a), easy(&b)) })
		all = slices.Clone(all[:maxPoolDatabases])
	}
	slices.SortFunc(all, func(a, b model.PoolDatabase) int { return strings.Compare(a.Name, b.Name) })
	st.Databases = all
}

// stalled notes since when clients of a database wait without any connection to
// PostgreSQL. Those that wait to be let in have no waiting time of pgbouncer's:
// it is at least as long as that was seen.
func (c *console) stalled(d, old *model.PoolDatabase) {
	if d.Waiting == 0 || d.Servers > 0 {
		return
	}
	if d.StalledAt = c.now(); old != nil && !old.StalledAt.IsZero() {
		d.StalledAt = old.StalledAt
	}
	if d.MaxWait == 0 {
		d.MaxWait = c.now().Sub(d.StalledAt)
	}
}

// lists are how many clients there are and may be.
func (c *console) lists(st *model.PoolState, old source.Observed[model.PoolState]) {
	c.show("LISTS", func(r record) {
		if r.text("list") == "used_clients" {
			st.Clients = max(0, r.number("items")-1) // this connection is one
		}
	})
	st.MaxClients, st.MaxClientsAt = old.Value.MaxClients, old.Value.MaxClientsAt
	if old.Err == nil && st.MaxClients > 0 && st.Clients < st.MaxClients*9/10 && c.now().Sub(st.MaxClientsAt) < maxClientsAge {
		return
	}
	st.MaxClients, st.MaxClientsAt = 0, c.now()
	c.show("CONFIG", func(r record) {
		if r.text("key") == "max_client_conn" {
			st.MaxClients = r.number("value")
		}
	})
}
