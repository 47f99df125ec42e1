package postgres

import (
	"cmp"
	"context"
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

// MaxClientsAge is how long max_client_conn counts: it changes with a reload of
// pgbouncer only.
const MaxClientsAge = 5 * time.Minute

// What one console may send.
const (
	MaxConsoleBytes  = 4 << 20
	MaxConsoleRows   = 20000 // of one answer: pools are databases by users
	MaxPoolDatabases = 1000  // that are kept
	maxPools         = 500   // that are kept of a report
	maxPoolClients   = 100   // that wait, and are kept of a report
)

// ReadPool reads what a pgbouncer reports of itself, over a connection to its
// own database. old is the last answer: what changes seldom is kept of it.
func ReadPool(ctx context.Context, conn *pgconn.PgConn, now func() time.Time, old source.Observed[model.PoolState]) (model.PoolState, error) {
	st := model.PoolState{Version: VersionOf(conn)}
	c := &console{ctx: ctx, now: now, conn: conn}
	c.state(&st)
	c.databases(&st, &old.Value)
	c.lists(&st, old)
	return st, c.err
}

// ReadPoolReport reads everything that a pgbouncer reports on demand, over a
// connection to its own database. Clients are listed only where some wait.
func ReadPoolReport(ctx context.Context, conn *pgconn.PgConn, now func() time.Time) (model.PoolReport, error) {
	rep := model.PoolReport{PoolState: model.PoolState{Version: VersionOf(conn)}}
	c := &console{ctx: ctx, now: now, conn: conn, report: &rep}
	c.state(&rep.PoolState)
	c.databases(&rep.PoolState, &model.PoolState{})
	c.lists(&rep.PoolState, source.Observed[model.PoolState]{})
	if n, _ := rep.Waiting(); n > 0 && c.err == nil {
		c.clients(&rep)
		if c.err != nil {
			rep.WaitingClients, rep.MoreClients, rep.ClientsUnread = nil, 0, text.Line(LastCause(c.err), text.MaxNote)
			c.err = nil // the rest was read before it
		}
	}
	return rep, c.err
}

// console is one connection to a pgbouncer's own database. Its columns are
// found by name: each release has others.
type console struct {
	ctx  context.Context
	now  func() time.Time
	conn *pgconn.PgConn
	err  error // the first; nothing is queried after it
	// report gets each pool and the limits too; nil keeps only what a watch shows.
	report *model.PoolReport
}

// record is one row of a console's answer.
type record struct {
	cols map[string]int
	vals [][]byte
}

// text is a column as harmless text; "" when there is no column of that name.
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

// duration is a column in seconds, with its part in microseconds beside it.
func (r record) duration(col string) time.Duration {
	return time.Duration(r.number(col))*time.Second + time.Duration(r.number(col+"_us"))*time.Microsecond
}

// show sends one SHOW and gives each row to keep.
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
			if rows++; rows > MaxConsoleRows {
				c.err = fmt.Errorf("SHOW %s answers more than %d rows", what, MaxConsoleRows)
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

// state reports of a PAUSE of everything. Releases before 1.19 do not know the
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
		servers := 0
		for _, col := range []string{"sv_active", "sv_active_cancel", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login"} {
			servers += r.number(col)
		}
		d.Servers += servers
		wait := r.duration("maxwait")
		if r.number("cl_waiting") > 0 {
			d.MaxWait = max(d.MaxWait, wait)
		}
		if c.report != nil {
			c.report.Pools = append(c.report.Pools, model.Pool{Database: d.Name, User: r.text("user"), Mode: r.text("pool_mode"),
				ClientsActive: r.number("cl_active"), ClientsWaiting: r.number("cl_waiting"), Active: r.number("sv_active"), Idle: r.number("sv_idle"),
				Used: r.number("sv_used"), Login: r.number("sv_login"), Servers: servers, MaxWait: wait, Size: d.Size})
		}
	})
	c.pools()
	for i := range all {
		c.stalled(&all[i], old.Database(all[i].Name))
	}
	// Too many: those that keep clients out or waiting count first.
	if st.More = max(0, len(all)-MaxPoolDatabases); st.More > 0 {
		easy := func(d *model.PoolDatabase) int {
			if st.Held(d) != "" || d.Waiting > 0 {
				return 0
			}
			return 1
		}
		slices.SortStableFunc(all, func(a, b model.PoolDatabase) int { return cmp.Compare(easy(&a), easy(&b)) })
		all = slices.Clone(all[:MaxPoolDatabases])
	}
	slices.SortFunc(all, func(a, b model.PoolDatabase) int { return strings.Compare(a.Name, b.Name) })
	st.Databases = all
}

// pools puts the pools of a report in order and bounds them.
func (c *console) pools() {
	if c.report == nil {
		return
	}
	all := c.report.Pools
	slices.SortStableFunc(all, func(a, b model.Pool) int {
		return cmp.Or(cmp.Compare(min(b.ClientsWaiting, 1), min(a.ClientsWaiting, 1)), cmp.Compare(b.MaxWait, a.MaxWait),
			strings.Compare(a.Database, b.Database), strings.Compare(a.User, b.User))
	})
	if c.report.MorePools = max(0, len(all)-maxPools); c.report.MorePools > 0 {
		c.report.Pools = slices.Clone(all[:maxPools])
	}
}

// clients are those that wait for a server connection.
func (c *console) clients(rep *model.PoolReport) {
	c.show("CLIENTS", func(r record) {
		if r.text("state") != "waiting" || r.text("database") == "pgbouncer" {
			return
		}
		addr := r.text("addr")
		if port := r.number("port"); port > 0 && addr != "unix" {
			addr += ":" + strconv.Itoa(port)
		}
		rep.WaitingClients = append(rep.WaitingClients, model.PoolClient{Database: r.text("database"), User: r.text("user"), Addr: addr,
			Application: r.text("application_name"), Wait: r.duration("wait")})
	})
	slices.SortStableFunc(rep.WaitingClients, func(a, b model.PoolClient) int { return cmp.Compare(b.Wait, a.Wait) })
	if rep.MoreClients = max(0, len(rep.WaitingClients)-maxPoolClients); rep.MoreClients > 0 {
		rep.WaitingClients = slices.Clone(rep.WaitingClients[:maxPoolClients])
	}
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
	if old.Err == nil && st.MaxClients > 0 && st.Clients < st.MaxClients*9/10 && c.now().Sub(st.MaxClientsAt) < MaxClientsAge {
		return
	}
	st.MaxClients, st.MaxClientsAt = 0, c.now()
	c.show("CONFIG", func(r record) {
		key := r.text("key")
		if key == "max_client_conn" {
			st.MaxClients = r.number("value")
		}
		if rep := c.report; rep != nil {
			switch key {
			case "pool_mode":
				rep.Mode = r.text("value")
			case "default_pool_size":
				rep.DefaultSize = r.number("value")
			case "reserve_pool_size":
				rep.Reserve = r.number("value")
			case "max_db_connections":
				rep.MaxDB = r.number("value")
			case "query_wait_timeout":
				rep.QueryWait = time.Duration(r.number("value")) * time.Second
			}
		}
	})
}
