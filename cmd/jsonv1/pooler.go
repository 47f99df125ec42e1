package jsonv1

import (
	"time"

	"pgtui/model"
	"pgtui/source"
)

// Pooler is the document of `pgtui pgbouncer -o json`.
type Pooler struct {
	Version   int        `json:"version"`
	TakenAt   time.Time  `json:"taken_at"`
	Inventory string     `json:"inventory"`
	Cluster   string     `json:"cluster"`
	Instance  string     `json:"instance"`
	Host      string     `json:"host"`
	Port      int        `json:"port"`
	Health    string     `json:"health"`
	Summary   string     `json:"summary"`
	ExitCode  int        `json:"exit_code"`
	Pool      *Pool      `json:"pool"` // as of `pgtui status`
	Pools     []PoolRow  `json:"pools"`
	MorePools int        `json:"more_pools"` // left out: there are too many
	Limits    PoolLimits `json:"limits"`
	// WaitingClients are the longest first; null: they were not read, and why is in
	// waiting_clients_error.
	WaitingClients      []PoolClient `json:"waiting_clients"`
	MoreWaitingClients  int          `json:"more_waiting_clients"`
	WaitingClientsError string       `json:"waiting_clients_error,omitempty"`
}

// PoolRow is one row of SHOW POOLS, with pgbouncer's own names.
type PoolRow struct {
	Database  string `json:"database"`
	User      string `json:"user"`
	PoolMode  string `json:"pool_mode"`
	ClActive  int    `json:"cl_active"`
	ClWaiting int    `json:"cl_waiting"`
	SvActive  int    `json:"sv_active"`
	SvIdle    int    `json:"sv_idle"`
	SvUsed    int    `json:"sv_used"`
	SvLogin   int    `json:"sv_login"`
	Servers   int    `json:"servers"` // connections to PostgreSQL in every state
	PoolSize  int    `json:"pool_size"`
	MaxWaitMs int64  `json:"max_wait_ms"`
	State     string `json:"state"` // paused, disabled, stalled, full; "": clients get through
}

// PoolLimits are settings of the pgbouncer by its own names.
type PoolLimits struct {
	MaxClientConn    int     `json:"max_client_conn"`
	DefaultPoolSize  int     `json:"default_pool_size"`
	ReservePoolSize  int     `json:"reserve_pool_size"`
	MaxDBConnections int     `json:"max_db_connections"` // 0: no limit
	PoolMode         string  `json:"pool_mode"`
	QueryWaitTimeout float64 `json:"query_wait_timeout"` // seconds; 0: no limit
}

// PoolClient is a client that waits for a server connection.
type PoolClient struct {
	Database    string `json:"database"`
	User        string `json:"user"`
	Addr        string `json:"addr"`
	Application string `json:"application"`
	WaitMs      int64  `json:"wait_ms"`
}

// NewPooler makes the document of a report that was read just now.
func NewPooler(inv *model.Inventory, c *model.Cluster, in *model.Instance, r *model.PoolReport, now time.Time) Pooler {
	health, summary := r.Verdict(c)
	out := Pooler{Version: 1, TakenAt: now.UTC(), Inventory: inv.Source, Cluster: string(c.Name), Instance: string(in.Name), Host: string(in.Host), Port: int(in.BouncerPort),
		Health: health.String(), Summary: summary, ExitCode: int(health), Pools: []PoolRow{}, MorePools: r.MorePools,
		Pool: newPool(c, &source.Observed[model.PoolState]{Value: r.PoolState, At: now, Tried: now}, now),
		Limits: PoolLimits{MaxClientConn: r.MaxClients, DefaultPoolSize: r.DefaultSize, ReservePoolSize: r.Reserve, MaxDBConnections: r.MaxDB,
			PoolMode: r.Mode, QueryWaitTimeout: r.QueryWait.Seconds()},
		MoreWaitingClients: r.MoreClients, WaitingClientsError: r.ClientsUnread}
	for i := range r.Pools {
		p := &r.Pools[i]
		out.Pools = append(out.Pools, PoolRow{Database: p.Database, User: p.User, PoolMode: p.Mode, ClActive: p.ClientsActive, ClWaiting: p.ClientsWaiting,
			SvActive: p.Active, SvIdle: p.Idle, SvUsed: p.Used, SvLogin: p.Login, Servers: p.Servers, PoolSize: p.Size, MaxWaitMs: p.MaxWait.Milliseconds(), State: r.StateOf(p)})
	}
	if r.ClientsUnread == "" {
		out.WaitingClients = []PoolClient{}
	}
	for _, x := range r.WaitingClients {
		out.WaitingClients = append(out.WaitingClients, PoolClient{Database: x.Database, User: x.User, Addr: x.Addr, Application: x.Application, WaitMs: x.Wait.Milliseconds()})
	}
	return out
}
