package model

import (
	"fmt"
	"slices"
	"time"
)

// PoolReport is all that a pgbouncer reports on demand: its state, each of its
// pools, the clients that wait, and its limits. The zero value reports nothing.
type PoolReport struct {
	PoolState
	// Pools are by database and user, those with waiting clients first, without
	// pgbouncer's own.
	Pools     []Pool
	MorePools int // left out because there are too many
	// Clients are those that wait for a server connection, the longest first.
	WaitingClients []PoolClient
	MoreClients    int
	// ClientsUnread is why SHOW CLIENTS was not read although clients wait; "" if
	// it was read or no client waits.
	ClientsUnread string

	Mode        string        // pool_mode, which a database or user may override
	DefaultSize int           // default_pool_size, connections of each pool
	Reserve     int           // reserve_pool_size
	MaxDB       int           // max_db_connections; 0 is no limit
	QueryWait   time.Duration // query_wait_timeout; 0 is no limit
}

// Pool is the connections of one user to one database: a row of SHOW POOLS.
type Pool struct {
	Database, User string
	Mode           string // pool_mode
	ClientsActive  int    // cl_active
	ClientsWaiting int    // cl_waiting
	Active         int    // sv_active: in use by a client
	Idle           int    // sv_idle
	Used           int    // sv_used: idle, and checked before the next use
	Login          int    // sv_login: logging in
	Servers        int    // connections to PostgreSQL in every state
	MaxWait        time.Duration
	Size           int // pool_size of the database; 0 when it is unknown
}

// Full reports whether clients wait because every connection of the pool is in use.
func (p *Pool) Full() bool { return p.ClientsWaiting > 0 && p.Size > 0 && p.Servers >= p.Size }

// PoolClient is a client that waits for a server connection: a row of SHOW CLIENTS.
type PoolClient struct {
	Database, User string
	Addr           string // "10.0.0.7:54311"; "unix" for a socket
	Application    string // application_name; "" before pgbouncer 1.18
	Wait           time.Duration
}

// StateOf is why clients of a pool wait: the hold of its database, or "full" where
// every connection of the pool is in use; "" when clients get through.
func (r *PoolReport) StateOf(p *Pool) string {
	if d := r.Database(p.Database); d != nil {
		if h := r.Held(d); h != "" {
			return string(h)
		}
	}
	if p.Full() {
		return "full"
	}
	return ""
}

// HeldWithoutPool are the paused or disabled databases that no client has
// used: SHOW POOLS has no row for them.
func (r *PoolReport) HeldWithoutPool() (out []PoolDatabase) {
	for i := range r.Databases {
		d := &r.Databases[i]
		if r.Held(d) != "" && !slices.ContainsFunc(r.Pools, func(p Pool) bool { return p.Database == d.Name }) {
			out = append(out, *d)
		}
	}
	return out
}

// Limits are the settings that decide how many clients get a connection, each with
// what is used of it where pgbouncer reports that.
func (r *PoolReport) Limits() []string {
	var out []string
	if r.MaxClients > 0 {
		out = append(out, fmt.Sprintf("clients %d of %d (max_client_conn, %d%%)", r.Clients, r.MaxClients, Share(r.Clients, r.MaxClients)))
	}
	if r.Mode != "" {
		out = append(out, "pool_mode "+r.Mode)
	}
	if r.DefaultSize > 0 {
		out = append(out, fmt.Sprintf("default_pool_size %d", r.DefaultSize))
	}
	if r.Reserve > 0 {
		out = append(out, fmt.Sprintf("reserve_pool_size %d", r.Reserve))
	}
	if r.MaxDB > 0 {
		out = append(out, fmt.Sprintf("max_db_connections %d", r.MaxDB))
	}
	if r.QueryWait > 0 {
		out = append(out, fmt.Sprintf("query_wait_timeout %.0f s", r.QueryWait.Seconds()))
	}
	return out
}

// NearLimit is the share of a limit, in percent, from which it is reported as near.
const NearLimit = 80

// Share is n of most in percent; 0 without a limit.
func Share(n, most int) int {
	if most <= 0 {
		return 0
	}
	return n * 100 / most
}

// Verdict is whether clients get through, judged by the databases that the cluster
// has for them, and a sentence.
func (r *PoolReport) Verdict(c *Cluster) (Health, string) {
	t := PoolTroubleOf(c, &r.PoolState)
	n, longest := r.Waiting()
	switch {
	case t.Whole:
		return HealthDown, t.Text
	case t.Kind != "":
		return HealthDegraded, t.Text
	case longest >= PoolWait:
		return HealthDegraded, waitText(n, longest)
	case Share(r.Clients, r.MaxClients) >= NearLimit:
		return HealthDegraded, fmt.Sprintf("%d of %d clients (max_client_conn): the limit is near", r.Clients, r.MaxClients)
	case n > 0:
		return HealthOK, waitText(n, longest)
	}
	return HealthOK, fmt.Sprintf("clients: %d; no client waits", r.Clients)
}
