package sandbox

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// consoleDatabase is pgbouncer's own, which is its console.
const consoleDatabase = "pgbouncer"

// The limits of every pgbouncer that is played: Pigsty's.
const (
	poolMaxClients = 20000
	poolSize       = 50
)

// poolDatabases are what every pgbouncer has for clients.
func poolDatabases() []string { return []string{"app", monitorDatabase} }

// pooler is what somebody has made of a node's pgbouncer. The zero value is one
// that nobody has touched.
type pooler struct {
	paused  bool // PAUSE without a database
	full    bool // as many clients as max_client_conn
	refuses bool // the monitoring user is not in stats_users
	dbs     map[string]*pooledDB
}

// pooledDB is one database of a pgbouncer.
type pooledDB struct {
	paused, disabled bool
	busy             int       // server connections that are in use
	waiting          int       // clients that wait for one
	since            time.Time // since when the first does
}

// db is the state of a database.
func (p *pooler) db(name string) *pooledDB {
	if p.dbs == nil {
		p.dbs = map[string]*pooledDB{}
	}
	if p.dbs[name] == nil {
		p.dbs[name] = &pooledDB{}
	}
	return p.dbs[name]
}

// forget lets nobody wait in these databases, nor use a server connection.
func (p *pooler) forget(dbs ...string) {
	for _, name := range dbs {
		p.db(name).waiting, p.db(name).busy = 0, 0
	}
}

func (w *world) poolVerb(a []string) error {
	if len(a) < 2 {
		return fmt.Errorf("expected NODE and what its pgbouncer does")
	}
	n, err := w.node(a[0])
	if err != nil {
		return err
	}
	p, db := &n.pool, ""
	if len(a) > 2 {
		if db = a[2]; !slices.Contains(poolDatabases(), db) {
			return fmt.Errorf("pgbouncer of %s has no database %q: one of %s", n.name, db, strings.Join(poolDatabases(), ", "))
		}
	}
	switch what := a[1]; {
	case (what == "pause" || what == "resume") && db == "":
		p.paused = what == "pause"
		p.forget(poolDatabases()...)
	case what == "pause" || what == "resume":
		p.db(db).paused = what == "pause"
		p.forget(db)
	case (what == "disable" || what == "enable") && db != "":
		p.db(db).disabled = what == "disable"
	case what == "full" || what == "roomy":
		p.full = what == "full"
	case what == "refuse" || what == "admit":
		p.refuses = what == "refuse"
	case what == "waiting" && len(a) == 4:
		clients, err := strconv.Atoi(a[3])
		if err != nil || clients < 0 || clients > 10000 {
			return fmt.Errorf("%q: expected how many clients wait", a[3])
		}
		d := p.db(db)
		if d.waiting, d.busy, d.since = clients, 0, w.now; clients > 0 && !p.paused && !d.paused {
			d.busy = poolSize
		}
	default:
		return fmt.Errorf("%q: expected pause, resume, disable, enable, full, roomy, waiting, refuse or admit", strings.Join(a[1:], " "))
	}
	return nil
}

// admits is the error that a client of the database gets instead of a login; nil
// when there is none. No pool is PostgreSQL itself.
func (s *Sandbox) admits(n *node, database string) error {
	if n == nil {
		return nil
	}
	s.lock()
	defer s.unlock()
	switch {
	case n.pool.full:
		return &pgError{"08P01", "no more connections allowed (max_client_conn)"}
	case n.pool.db(database).disabled:
		return &pgError{"08P01", fmt.Sprintf("database %q is disabled", database)}
	}
	return nil
}

// pauses reports whether a client's query hangs. As pgbouncer does, it counts
// the client as one that waits until the PAUSE ends, though it may have left.
func (s *Sandbox) pauses(n *node, database string) bool {
	if n == nil {
		return false
	}
	w := s.lock()
	defer s.unlock()
	d := n.pool.db(database)
	if !n.pool.paused && !d.paused {
		return false
	}
	if d.waiting++; d.waiting == 1 {
		d.since = w.now
	}
	return true
}

// console is one connection to a pgbouncer's own database.
func (s *Sandbox) console(c net.Conn, params map[string]string, n *node, who func() ([]string, error)) error {
	refuses, version, err := s.consoleOf(n, who)
	if err != nil {
		return turnAway(c, err)
	}
	if refuses {
		return refuse(c, &pgError{"08P01", "not allowed"})
	}
	if _, err := c.Write(framed('S', []byte("server_version\x00"+version+"/bouncer\x00"))); err != nil {
		return err
	}
	if err := login(c, params); err != nil {
		return refuse(c, err)
	}
	for {
		kind, body, err := message(c)
		if err != nil || kind == 'X' {
			return err
		}
		out := append(framed('E', []byte("SERROR\x00VERROR\x00C08P01\x00Minvalid command\x00\x00")), "Z\x00\x00\x00\x05I"...)
		if cols, rows := s.show(n, strings.TrimRight(string(body), "\x00")); kind == 'Q' && cols != nil {
			out = tableMessages("SHOW", cols, rows...)
		}
		if _, err := c.Write(out); err != nil {
			return err
		}
	}
}

// consoleOf is whether a pgbouncer's console refuses the monitoring user, and
// its release; an error when there is no way to it.
func (s *Sandbox) consoleOf(n *node, who func() ([]string, error)) (refuses bool, version string, err error) {
	if _, err := who(); err != nil {
		if _, said := errors.AsType[*pgError](err); !said {
			return false, "", err // the pooler itself does not answer
		}
	}
	w := s.lock()
	defer s.unlock()
	return n.pool.refuses, w.gen.pgbouncer, nil
}

// show is the answer to a SHOW of the console; nil columns when it knows none.
func (s *Sandbox) show(n *node, query string) (cols []string, rows [][]string) {
	w := s.lock()
	defer s.unlock()
	yes := map[bool]string{true: "yes", false: "no"}
	switch what := strings.ToUpper(strings.TrimSuffix(strings.TrimSpace(query), ";")); {
	case what == "SHOW STATE" && w.gen.modern:
		return []string{"key", "value"}, [][]string{{"active", yes[!n.pool.paused]}, {"paused", yes[n.pool.paused]}, {"suspended", "no"}}
	case what == "SHOW DATABASES":
		return n.showDatabases(w)
	case what == "SHOW POOLS":
		return n.showPools(w)
	case what == "SHOW LISTS":
		used := 1 // this client
		if n.pool.full {
			used += poolMaxClients
		}
		return []string{"list", "items"}, [][]string{{"databases", "3"}, {"used_clients", strconv.Itoa(used)}, {"login_clients", "0"}}
	case what == "SHOW CONFIG":
		return []string{"key", "value", "default", "changeable"}, [][]string{{"max_client_conn", strconv.Itoa(poolMaxClients), "100", "yes"}, {"pool_mode", "transaction", "session", "yes"}}
	}
	return nil, nil
}

// showDatabases is SHOW DATABASES as pgbouncer 1.18 and 1.24 have it. PAUSE of
// everything is not in it.
func (n *node) showDatabases(w *world) (cols []string, rows [][]string) {
	cols = strings.Fields("name host port database force_user pool_size min_pool_size reserve_pool pool_mode max_connections current_connections paused disabled")
	if w.gen.modern {
		cols = strings.Fields("name host port database force_user pool_size min_pool_size reserve_pool_size server_lifetime pool_mode load_balance_hosts max_connections current_connections max_client_connections current_client_connections paused disabled")
	}
	number := map[bool]string{true: "1", false: "0"}
	for _, name := range append(poolDatabases(), consoleDatabase) {
		d := n.pool.db(name)
		rows = append(rows, inOrder(cols, map[string]string{"name": name, "database": name, "pool_size": strconv.Itoa(poolSize), "max_connections": "100",
			"paused": number[d.paused], "disabled": number[d.disabled]}))
	}
	return cols, rows
}

// showPools is SHOW POOLS, which 1.18 and 1.24 have alike but for the last column.
func (n *node) showPools(w *world) (cols []string, rows [][]string) {
	cols = strings.Fields("database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active sv_active_cancel sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode")
	if w.gen.modern {
		cols = append(cols, "load_balance_hosts")
	}
	for _, name := range poolDatabases() {
		d := n.pool.db(name)
		wait := time.Duration(0)
		if d.waiting > 0 {
			wait = w.now.Sub(d.since)
		}
		idle := 1 // a PAUSE ends every server connection
		if n.pool.paused || d.paused || d.busy > 0 {
			idle = 0
		}
		rows = append(rows, inOrder(cols, map[string]string{"database": name, "user": "dbuser_app", "pool_mode": "transaction", "cl_waiting": strconv.Itoa(d.waiting),
			"cl_active": strconv.Itoa(d.busy), "sv_active": strconv.Itoa(d.busy), "sv_idle": strconv.Itoa(idle),
			"maxwait": strconv.Itoa(int(wait / time.Second)), "maxwait_us": strconv.Itoa(int(wait % time.Second / time.Microsecond))}))
	}
	return cols, rows
}

// inOrder is a row of those values in the order of the columns; what is not
// given is 0.
func inOrder(cols []string, values map[string]string) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		if out[i] = "0"; values[c] != "" {
			out[i] = values[c]
		}
	}
	return out
}
