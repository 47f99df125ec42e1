package pg

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// consoleDatabase is the database of pgbouncer's console.
const consoleDatabase = "pgbouncer"

// The limits of every simulated pgbouncer: Pigsty's.
const (
	poolMaxClients = 20000
	poolSize       = 50
)

// databases are the databases that every pgbouncer has for clients.
func databases() []string { return []string{"app", monitorDatabase} }

// Pooler is the state of a node's pgbouncer. The zero value runs, and has no
// PAUSE and no waiting clients.
type Pooler struct {
	Down    bool // it does not run
	paused  bool // PAUSE without a database
	full    bool // as many clients as max_client_conn
	refuses bool // the monitoring user is not in stats_users
	dbs     map[string]*pooledDB
}

// Release is a release of pgbouncer.
type Release struct{ Version string }

// Bookworm is the release of Debian bookworm.
func Bookworm() Release { return Release{"1.18.0"} }

// Trixie is the release of Debian trixie.
func Trixie() Release { return Release{"1.24.1"} }

// modern reports whether the console has the columns of 1.24.
func (r Release) modern() bool { return r == Trixie() }

// pooledDB is one database of a pgbouncer.
type pooledDB struct {
	paused, disabled bool
	busy             int       // server connections that are in use
	waiting          int       // clients that wait for one
	since            time.Time // since when the first waits
}

// db is the state of a database.
func (p *Pooler) db(name string) *pooledDB {
	if p.dbs == nil {
		p.dbs = map[string]*pooledDB{}
	}
	if p.dbs[name] == nil {
		p.dbs[name] = &pooledDB{}
	}
	return p.dbs[name]
}

// forget ends every wait and every use of a server connection in these databases.
func (p *Pooler) forget(dbs ...string) {
	for _, name := range dbs {
		p.db(name).waiting, p.db(name).busy = 0, 0
	}
}

// Verbs are the words that Do knows.
const Verbs = "pause, resume, disable, enable, full, roomy, waiting, refuse, admit"

// Do changes the pgbouncer: words are a verb, a database and a number, as the
// verb requires them; there is at least the verb.
func (p *Pooler) Do(words []string, now time.Time) error {
	db := ""
	if len(words) > 1 {
		if db = words[1]; !slices.Contains(databases(), db) {
			return fmt.Errorf("pgbouncer has no database %q: one of %s", db, strings.Join(databases(), ", "))
		}
	}
	switch what := words[0]; {
	case (what == "pause" || what == "resume") && db == "":
		p.paused = what == "pause"
		p.forget(databases()...)
	case what == "pause" || what == "resume":
		p.db(db).paused = what == "pause"
		p.forget(db)
	case (what == "disable" || what == "enable") && db != "":
		p.db(db).disabled = what == "disable"
	case what == "full" || what == "roomy":
		p.full = what == "full"
	case what == "refuse" || what == "admit":
		p.refuses = what == "refuse"
	case what == "waiting" && len(words) == 3:
		clients, err := strconv.Atoi(words[2])
		if err != nil || clients < 0 || clients > 10000 {
			return fmt.Errorf("%q: expected the number of waiting clients", words[2])
		}
		d := p.db(db)
		if d.waiting, d.busy, d.since = clients, 0, now; clients > 0 && !p.paused && !d.paused {
			d.busy = poolSize
		}
	default:
		return fmt.Errorf("%q: expected one of %s", strings.Join(words, " "), Verbs)
	}
	return nil
}

// pauses reports whether a client's query hangs. As in pgbouncer, the client
// counts as waiting until the PAUSE ends, even when it has left.
func (p *Pooler) pauses(database string, now time.Time) bool {
	d := p.db(database)
	if !p.paused && !d.paused {
		return false
	}
	if d.waiting++; d.waiting == 1 {
		d.since = now
	}
	return true
}

// show is the answer to a SHOW of the console; nil columns for an unknown query.
func (s *State) show(query string) (cols []string, rows [][]string) {
	yes := map[bool]string{true: "yes", false: "no"}
	switch what := strings.ToUpper(strings.TrimSuffix(strings.TrimSpace(query), ";")); {
	case what == "SHOW STATE" && s.Release.modern():
		return []string{"key", "value"}, [][]string{{"active", yes[!s.Pooler.paused]}, {"paused", yes[s.Pooler.paused]}, {"suspended", "no"}}
	case what == "SHOW DATABASES":
		return s.showDatabases()
	case what == "SHOW POOLS":
		return s.showPools()
	case what == "SHOW LISTS":
		used := 1 // this client
		if s.Pooler.full {
			used += poolMaxClients
		}
		return []string{"list", "items"}, [][]string{{"databases", "3"}, {"used_clients", strconv.Itoa(used)}, {"login_clients", "0"}}
	case what == "SHOW CONFIG":
		rows = [][]string{{"default_pool_size", strconv.Itoa(poolSize), "20", "yes"}, {"max_client_conn", strconv.Itoa(poolMaxClients), "100", "yes"},
			{"max_db_connections", "100", "0", "yes"}, {"pool_mode", "transaction", "session", "yes"}, {"query_wait_timeout", "120", "120", "yes"}, {"reserve_pool_size", "25", "0", "yes"}}
		return []string{"key", "value", "default", "changeable"}, rows
	case what == "SHOW CLIENTS":
		return s.showClients()
	}
	return nil, nil
}

// showDatabases is SHOW DATABASES as pgbouncer 1.18 and 1.24 have it. PAUSE of
// everything is not in it.
func (s *State) showDatabases() (cols []string, rows [][]string) {
	cols = strings.Fields("name host port database force_user pool_size min_pool_size reserve_pool pool_mode max_connections current_connections paused disabled")
	if s.Release.modern() {
		cols = strings.Fields("name host port database force_user pool_size min_pool_size reserve_pool_size server_lifetime pool_mode load_balance_hosts max_connections current_connections max_client_connections current_client_connections paused disabled")
	}
	number := map[bool]string{true: "1", false: "0"}
	for _, name := range append(databases(), consoleDatabase) {
		d := s.Pooler.db(name)
		rows = append(rows, inOrder(cols, map[string]string{"name": name, "database": name, "pool_size": strconv.Itoa(poolSize), "max_connections": "100",
			"paused": number[d.paused], "disabled": number[d.disabled]}))
	}
	return cols, rows
}

// showPools is SHOW POOLS, the same in 1.18 and 1.24 except the last column.
func (s *State) showPools() (cols []string, rows [][]string) {
	cols = strings.Fields("database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active sv_active_cancel sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode")
	if s.Release.modern() {
		cols = append(cols, "load_balance_hosts")
	}
	for _, name := range databases() {
		d := s.Pooler.db(name)
		wait := time.Duration(0)
		if d.waiting > 0 {
			wait = s.Now.Sub(d.since)
		}
		idle := 1 // a PAUSE ends every server connection
		if s.Pooler.paused || d.paused || d.busy > 0 {
			idle = 0
		}
		rows = append(rows, inOrder(cols, map[string]string{"database": name, "user": "dbuser_app", "pool_mode": "transaction", "cl_waiting": strconv.Itoa(d.waiting),
			"cl_active": strconv.Itoa(d.busy), "sv_active": strconv.Itoa(d.busy), "sv_idle": strconv.Itoa(idle),
			"maxwait": strconv.Itoa(int(wait / time.Second)), "maxwait_us": strconv.Itoa(int(wait % time.Second / time.Microsecond))}))
	}
	return cols, rows
}

// showClients is SHOW CLIENTS, the columns that 1.18 and 1.24 both have: this client,
// and those that wait, a second apart.
func (s *State) showClients() (cols []string, rows [][]string) {
	cols = strings.Fields("type user database state addr port local_addr local_port connect_time request_time wait wait_us close_needed ptr link remote_pid tls application_name")
	for _, name := range databases() {
		d := s.Pooler.db(name)
		for i := range d.waiting {
			wait := max(s.Now.Sub(d.since)-time.Duration(i)*time.Second, 0)
			rows = append(rows, inOrder(cols, map[string]string{"type": "C", "user": "dbuser_app", "database": name, "state": "waiting", "addr": "10.10.10.99",
				"port": strconv.Itoa(40000 + i), "application_name": "app", "wait": strconv.Itoa(int(wait / time.Second)), "wait_us": strconv.Itoa(int(wait % time.Second / time.Microsecond))}))
		}
	}
	return cols, append(rows, inOrder(cols, map[string]string{"type": "C", "user": monitorUser, "database": consoleDatabase, "state": "active", "addr": "10.10.10.1", "port": "40000"}))
}

// inOrder is a row of the values in the order of the columns. A missing value
// is 0.
func inOrder(cols []string, values map[string]string) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		if out[i] = "0"; values[c] != "" {
			out[i] = values[c]
		}
	}
	return out
}
