package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/source/refs"
)

// PoolWait is how long a client may wait for a server connection before that
// is worth a finding; pgbouncer itself gives up after query_wait_timeout, 120 s.
const PoolWait = 3 * time.Second

// PoolState is what a pgbouncer reports on its own console: SHOW STATE, SHOW
// DATABASES, SHOW POOLS, SHOW LISTS and SHOW CONFIG.
type PoolState struct {
	Version string // "1.24.1"; "" when not reported
	// Paused is a PAUSE without a database, or SUSPEND. It is known when PauseKnown,
	// since pgbouncer 1.19: SHOW DATABASES does not show it.
	Paused     bool
	PauseKnown bool
	// Full means that it refuses even its console: "no more connections allowed".
	Full       bool
	Clients    int // connections of clients, without pgtui's own
	MaxClients int // max_client_conn; 0 when not reported
	// MaxClientsAt is when MaxClients was read: it changes seldom, and is probed seldom.
	MaxClientsAt time.Time
	// Databases are those that clients may connect to, by name, without its own.
	Databases []PoolDatabase
	// More counts the databases that were left out because there are too many.
	More int
}

// PoolDatabase is one database of a pgbouncer, with the pools of all its users.
type PoolDatabase struct {
	Name     string
	Paused   bool          // PAUSE or KILL of this database
	Disabled bool          // DISABLE: no new clients
	Active   int           // clients that do not wait
	Waiting  int           // clients that wait for a server connection
	MaxWait  time.Duration // how long the first of them has waited; 0 when none waits, or it is not reported
	// StalledAt is when it was first seen that clients wait and there is no
	// connection to PostgreSQL; zero when it is not so. pgbouncer counts no time for
	// clients that wait to be let in.
	StalledAt  time.Time
	Servers    int // connections to PostgreSQL, those that log in included
	Busy       int // of those, in use by a client
	Size       int // pool_size, of each user
	MaxServers int // max_db_connections; 0 is no limit
	Clients    int // 0 before pgbouncer 1.24
	MaxClients int // max_db_client_connections; 0 is no limit, and before pgbouncer 1.24
}

// ConsoleRefused is the error of a pgbouncer that does not let the monitoring
// user read its console. It reports nothing of the pool.
type ConsoleRefused struct{ Text string }

func (e *ConsoleRefused) Error() string { return e.Text }

// PoolHold is why a pool gives a client no server connection.
type PoolHold string

// The holds. The zero value is none.
const (
	PoolPaused   PoolHold = "paused"
	PoolDisabled PoolHold = "disabled"
	PoolFull     PoolHold = "full"
	PoolStalled  PoolHold = "stalled" // clients wait, and there is no connection to PostgreSQL
)

// Word is what a server that clients are sent to is called: its port refuses
// them when there is no hold.
func (h PoolHold) Word() string {
	if h == "" {
		return "port shut"
	}
	return "pool " + string(h)
}

// Held is why clients of the database get nothing from the pool; "" when they do.
func (p *PoolState) Held(d *PoolDatabase) PoolHold {
	switch {
	case p.Paused || d.Paused:
		return PoolPaused
	case d.Disabled:
		return PoolDisabled
	case p.full() || d.MaxClients > 0 && d.Clients >= d.MaxClients:
		return PoolFull
	case d.Waiting > 0 && d.Servers == 0 && d.MaxWait >= PoolWait:
		return PoolStalled
	}
	return ""
}

// Holds reports whether clients of any database get nothing.
func (p *PoolState) Holds() bool {
	return p.Paused || p.full() || slices.ContainsFunc(p.Databases, func(d PoolDatabase) bool { return p.Held(&d) != "" })
}

// full reports whether max_client_conn keeps the next client out.
func (p *PoolState) full() bool {
	return p.Full || p.MaxClients > 0 && p.Clients >= p.MaxClients
}

// Waiting is how many clients wait in all databases, and for how long the
// first of them.
func (p *PoolState) Waiting() (n int, longest time.Duration) {
	for i := range p.Databases {
		n, longest = n+p.Databases[i].Waiting, max(longest, p.Databases[i].MaxWait)
	}
	return n, longest
}

// Database returns the database of that name, or nil.
func (p *PoolState) Database(name string) *PoolDatabase {
	return refs.Find(p.Databases, func(d *PoolDatabase) bool { return d.Name == name })
}

// PoolTrouble is what keeps clients of one pgbouncer from their databases. The
// zero value is nothing.
type PoolTrouble struct {
	Kind PoolHold       // the first in the order paused, disabled, full, stalled
	Held []PoolDatabase // those that are held, by name; nil when it is all of them at once
	// Whole means that no client gets through: every database that the inventory
	// gives to clients is held, or every one there is where it names none.
	Whole bool
	Text  string // "pgbouncer's database test is paused: 3 clients wait, the longest 12 s"
}

// PoolTroubleOf is what a pgbouncer keeps its clients from, judged by the
// databases that the cluster has for them.
func PoolTroubleOf(c *Cluster, p *PoolState) PoolTrouble {
	switch {
	case p.Paused:
		n, longest := p.Waiting()
		text := "pgbouncer is paused with all its databases"
		if len(p.Databases) > 0 {
			names := make([]string, len(p.Databases))
			for i := range names {
				names[i] = p.Databases[i].Name
			}
			text += " (" + listed(names, 5) + ")"
		}
		return PoolTrouble{Kind: PoolPaused, Whole: true, Text: text + ": " + waitText(n, longest)}
	case p.full():
		text := "pgbouncer accepts no more clients (max_client_conn)"
		if p.MaxClients > 0 {
			text = fmt.Sprintf("pgbouncer has %d of %d clients (max_client_conn) and accepts no more", p.Clients, p.MaxClients)
		}
		return PoolTrouble{Kind: PoolFull, Whole: true, Text: text}
	}
	var t PoolTrouble
	kinds := map[PoolHold][]*PoolDatabase{}
	for i := range p.Databases {
		if k := p.Held(&p.Databases[i]); k != "" {
			t.Held = append(t.Held, p.Databases[i])
			kinds[k] = append(kinds[k], &p.Databases[i])
		}
	}
	if len(t.Held) == 0 {
		return t
	}
	var parts []string
	for _, k := range []PoolHold{PoolPaused, PoolDisabled, PoolFull, PoolStalled} {
		if len(kinds[k]) > 0 {
			if t.Kind == "" {
				t.Kind = k
			}
			parts = append(parts, heldText(k, kinds[k], p.PauseKnown))
		}
	}
	t.Text, t.Whole = strings.Join(parts, "; "), heldWhole(c, p)
	return t
}

// heldWhole reports whether every database that clients use is held. These are
// the pooled ones of pg_databases that the pgbouncer knows; where it knows none
// of them, all that it has.
func heldWhole(c *Cluster, p *PoolState) bool {
	known := false
	for _, d := range c.Databases {
		if db := p.Database(d.Name); d.Pooled && db != nil {
			if known = true; p.Held(db) == "" {
				return false
			}
		}
	}
	return known || p.More == 0 && !slices.ContainsFunc(p.Databases, func(d PoolDatabase) bool { return p.Held(&d) == "" })
}

// heldText is one kind of hold and the databases that have it. known is whether
// the pgbouncer reports a PAUSE of all databases.
func heldText(k PoolHold, dbs []*PoolDatabase, known bool) string {
	names := make([]string, len(dbs))
	n, longest := 0, time.Duration(0)
	for i, d := range dbs {
		names[i] = d.Name
		n, longest = n+d.Waiting, max(longest, d.MaxWait)
	}
	what, is := "pgbouncer's database "+names[0], "is"
	if len(names) > 1 {
		what, is = "pgbouncer's databases "+listed(names, 5), "are"
	}
	switch k {
	case PoolDisabled:
		return what + " " + is + " disabled: no new client gets in"
	case PoolFull:
		return fmt.Sprintf("%s %s full: %d of %d clients", what, is, dbs[0].Clients, dbs[0].MaxClients)
	case PoolStalled:
		why := "pgbouncer is paused as a whole or cannot reach PostgreSQL"
		if known {
			why = "pgbouncer cannot reach PostgreSQL"
		}
		has := map[string]string{"is": "has", "are": "have"}[is]
		return fmt.Sprintf("%s %s no connection to PostgreSQL, and %s: %s", what, has, waitText(n, longest), why)
	}
	return fmt.Sprintf("%s %s paused: %s", what, is, waitText(n, longest))
}

// listed joins at most most names.
func listed(names []string, most int) string {
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// waitText is "3 clients wait, the longest 12 s".
func waitText(n int, longest time.Duration) string {
	switch {
	case n == 0:
		return "no client waits yet"
	case longest == 0:
		return fmt.Sprintf("clients that wait: %d", n)
	case n == 1:
		return fmt.Sprintf("1 client waits, %s so far", secondsText(longest))
	}
	return fmt.Sprintf("%d clients wait, the longest %s", n, secondsText(longest))
}

// WaitText is who waits for a connection of the database, and how many there are.
func (d *PoolDatabase) WaitText() string {
	if d.Waiting == 0 {
		return fmt.Sprintf("no client of database %s waits; %d of %d connections to PostgreSQL are in use", d.Name, d.Busy, d.Servers)
	}
	who := fmt.Sprintf("%d clients of database %s wait for a server connection, the longest %s", d.Waiting, d.Name, secondsText(d.MaxWait))
	if d.Waiting == 1 {
		who = fmt.Sprintf("1 client of database %s has waited %s for a server connection", d.Name, secondsText(d.MaxWait))
	}
	return fmt.Sprintf("%s; %d of %d connections to PostgreSQL are in use", who, d.Busy, d.Servers)
}

// secondsText is a duration to the tenth of a second below ten, else to the second.
func secondsText(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// PoolNow is what the instance's pgbouncer reports of itself at now; nil when that
// is unknown.
func (v *PatroniView) PoolNow(now time.Time) *PoolState {
	if !v.Pool.Known() || v.Pool.Age(now) > max(PortAge, v.Pool.Holds) {
		return nil
	}
	return &v.Pool.Value
}

// PoolTrouble is what the instance's pgbouncer keeps clients from at now; the
// zero value when nothing is known of it, or when its Patroni does not answer.
func (s *Snapshot) PoolTrouble(c *Cluster, name InstanceName, now time.Time) PoolTrouble {
	v := s.Patroni[name]
	if p := v.PoolNow(now); p != nil && v.Status.Current(now) {
		return PoolTroubleOf(c, p)
	}
	return PoolTrouble{}
}

// PoolCommand is what to type on a pgbouncer's console, as the cluster's
// administrator.
func PoolCommand(c *Cluster, in *Instance, command string) string {
	return fmt.Sprintf("psql -h %s -p %d -U %s pgbouncer -c '%s'", in.Host, in.BouncerPort, c.Admin.Name, command)
}

// PoolEnds is the command that ends the trouble of an instance's pgbouncer, or
// shows what to do about it.
func PoolEnds(c *Cluster, in *Instance, t *PoolTrouble) string {
	db := ""
	if len(t.Held) > 0 {
		db = " " + consoleName(t.Held[0].Name)
	}
	switch t.Kind {
	case PoolPaused:
		return PoolCommand(c, in, "RESUME"+db) + " ends it; check first that the maintenance is over"
	case PoolDisabled:
		return PoolCommand(c, in, "ENABLE"+db) + " ends it"
	case PoolFull:
		return PoolCommand(c, in, "SHOW CLIENTS") + " shows who is connected"
	}
	return PoolCommand(c, in, "SHOW SERVERS") + "; RESUME there ends a PAUSE"
}

// consoleName is a database as the console reads it: quoted unless it is plain.
// One that would leave the quotes of a shell is not repeated.
func consoleName(name string) string {
	plain, safe := true, name != ""
	for _, r := range name {
		word := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_'
		plain = plain && word
		safe = safe && (word || r >= 'A' && r <= 'Z' || r == '-' || r == '.' || r == ' ')
	}
	switch {
	case !safe:
		return "DATABASE"
	case !plain:
		return `"` + name + `"`
	}
	return name
}
