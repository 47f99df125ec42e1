package jsonv1

import (
	"time"

	"pgtui/model"
	"pgtui/model/activity"
	"pgtui/source"
)

// Postgres is the document of `pgtui postgres -o json`.
type Postgres struct {
	Version   int       `json:"version"`
	TakenAt   time.Time `json:"taken_at"`
	Inventory string    `json:"inventory"`
	Cluster   string    `json:"cluster"`
	Instance  string    `json:"instance"`
	Host      string    `json:"host"`
	Port      int       `json:"port"`
	Health    string    `json:"health"`
	Summary   string    `json:"summary"`
	Troubles  []string  `json:"troubles"` // sentences, the most urgent first
	ExitCode  int       `json:"exit_code"`

	ServerVersion  string         `json:"server_version"`
	InRecovery     bool           `json:"in_recovery"`
	UptimeS        float64        `json:"uptime_s"`
	MaxConnections int            `json:"max_connections"`
	Reserved       int            `json:"superuser_reserved_connections"`
	Sessions       int            `json:"sessions"` // of clients, without pgtui's own
	States         map[string]int `json:"states"`   // of them, by state
	Hidden         bool           `json:"hidden"`   // the monitoring user may not see the sessions of others
	Backends       []Backend      `json:"backends"`
	MoreBackends   int            `json:"more_backends"`
	Slots          []Slot         `json:"slots"` // null: unknown, slots_error has the reason
	MoreSlots      int            `json:"more_slots"`
	SlotsError     string         `json:"slots_error,omitempty"`
	Archiver       Archiver       `json:"archiver"`
	Node           *NodeStore     `json:"node"` // null: it was not read, node_error has the reason
	NodeError      string         `json:"node_error,omitempty"`
}

// Backend is a session by the names of pg_stat_activity; ages are in seconds.
type Backend struct {
	PID          int      `json:"pid"`
	BackendStart string   `json:"backend_start"`
	Kind         string   `json:"backend_type"`
	Database     string   `json:"datname"`
	User         string   `json:"usename"`
	Application  string   `json:"application_name"`
	Client       string   `json:"client_addr"` // local: a socket
	State        string   `json:"state"`
	WaitType     string   `json:"wait_event_type"`
	Wait         string   `json:"wait_event"`
	XactS        *float64 `json:"xact_s"`  // null: no transaction is open
	QueryS       float64  `json:"query_s"` // since the query that runs, or the last one, began
	StateS       float64  `json:"state_s"` // since the state changed
	BlockedBy    []int    `json:"blocked_by"`
	Blocks       int      `json:"blocks"` // sessions that wait for it
	Depth        int      `json:"depth"`  // below the session that blocks it
	Command      string   `json:"command"`
	Query        *string  `json:"query"` // null without --query-text
}

// Slot is a replication slot.
type Slot struct {
	Name          string `json:"slot_name"`
	Kind          string `json:"slot_type"`
	Database      string `json:"database"`
	Active        bool   `json:"active"`
	RetainedBytes *int64 `json:"retained_bytes"` // null: unknown
	Status        string `json:"wal_status"`
}

// Archiver is pg_stat_archiver; ages are in seconds, null for never.
type Archiver struct {
	Mode          string   `json:"archive_mode"`
	LastArchivedS *float64 `json:"last_archived_s"`
	LastArchived  string   `json:"last_archived_wal"`
	LastFailedS   *float64 `json:"last_failed_s"`
	LastFailed    string   `json:"last_failed_wal"`
	Failed        int64    `json:"failed_count"`
	Fails         bool     `json:"fails"` // the last attempt failed
	ReadyFiles    *int64   `json:"ready_files"`
}

// NodeStore is what the node reports.
type NodeStore struct {
	Data   Volume `json:"data"`
	WAL    Volume `json:"wal"`
	Backup Backup `json:"backup"`
}

// Volume is a file system; zeros are unknown.
type Volume struct {
	Mount      string `json:"mount"`
	TotalBytes int64  `json:"total_bytes"`
	FreeBytes  int64  `json:"free_bytes"`
}

// Backup is what pgbackrest reports of the cluster's stanza.
type Backup struct {
	Error    string     `json:"error,omitempty"`
	Stanza   string     `json:"stanza"`
	Code     int        `json:"code"` // 0 is ok
	Status   string     `json:"status"`
	Count    int        `json:"count"`
	Last     *time.Time `json:"last"`
	LastFull *time.Time `json:"last_full"`
	Kind     string     `json:"type"` // of the last
}

// NewPostgres makes the document of a report that was read just now.
func NewPostgres(inv *model.Inventory, c *model.Cluster, in *model.Instance, r *model.ServerReport, store source.Observed[model.NodeStore], now time.Time) Postgres {
	var known *model.NodeStore
	if store.Known() {
		known = &store.Value
	}
	health, troubles := activity.Verdict(r, known)
	out := Postgres{Version: 1, TakenAt: now.UTC(), Inventory: inv.Source, Cluster: string(c.Name), Instance: string(in.Name), Host: string(in.Host), Port: int(in.PgPort),
		Health: health.String(), Summary: activity.Summary(r, troubles), Troubles: append([]string{}, troubles...), ExitCode: int(health),
		ServerVersion: r.Version, InRecovery: r.Recovery, UptimeS: r.Uptime.Seconds(), MaxConnections: r.MaxConnections, Reserved: r.Reserved,
		Sessions: r.Sessions, States: map[string]int{}, Hidden: r.Hidden, Backends: []Backend{}, MoreBackends: r.MoreBackends,
		MoreSlots: r.MoreSlots, SlotsError: r.SlotsUnread, Archiver: newArchiver(&r.Archiver), Node: newStore(known)}
	if store.Err != nil {
		out.NodeError = store.Err.Error()
	}
	for _, s := range r.States {
		out.States[s.State] = s.Count
	}
	for _, row := range activity.Rows(r) {
		out.Backends = append(out.Backends, newBackend(&row))
	}
	if r.SlotsUnread == "" {
		out.Slots = []Slot{}
	}
	for _, s := range r.Slots {
		out.Slots = append(out.Slots, Slot{Name: s.Name, Kind: s.Kind, Database: s.Database, Active: s.Active, RetainedBytes: nonNegative(s.Retained), Status: s.Status})
	}
	return out
}

func newBackend(row *activity.Row) Backend {
	b := row.Backend
	out := Backend{PID: b.PID, BackendStart: time.UnixMicro(b.Started).UTC().Format(time.RFC3339Nano), Kind: b.Kind, Database: b.Database, User: b.User,
		Application: b.Application, Client: b.Client, State: b.State, WaitType: b.WaitType, Wait: b.Wait, QueryS: b.Query.Seconds(), StateS: b.Change.Seconds(),
		BlockedBy: append([]int{}, b.BlockedBy...), Blocks: row.Blocks, Depth: row.Depth, Command: b.Verb}
	if b.InXact {
		s := b.Xact.Seconds()
		out.XactS = &s
	}
	if b.Text != "" {
		out.Query = &b.Text
	}
	return out
}

func newArchiver(a *model.Archiver) Archiver {
	out := Archiver{Mode: a.Mode, LastArchived: a.File, LastFailed: a.FailFile, Failed: a.Failures, Fails: a.Fails(), ReadyFiles: nonNegative(a.Ready)}
	if s := a.Since.Seconds(); a.Archived {
		out.LastArchivedS = &s
	}
	if s := a.FailSince.Seconds(); a.Failed {
		out.LastFailedS = &s
	}
	return out
}

func newStore(st *model.NodeStore) *NodeStore {
	if st == nil {
		return nil
	}
	b := &st.Backup
	out := &NodeStore{Data: Volume{st.Data.Mount, st.Data.Total, st.Data.Free}, WAL: Volume{st.WAL.Mount, st.WAL.Total, st.WAL.Free},
		Backup: Backup{Error: b.Why, Stanza: b.Stanza, Code: b.Code, Status: b.Status, Count: b.Count, Kind: b.Kind}}
	if at := b.Last.UTC(); !b.Last.IsZero() {
		out.Backup.Last = &at
	}
	if at := b.LastFull.UTC(); !b.LastFull.IsZero() {
		out.Backup.LastFull = &at
	}
	return out
}

// nonNegative is n; nil where it is negative: unknown.
func nonNegative(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}
