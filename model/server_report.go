package model

import "time"

// ServerReport is what a PostgreSQL reports of itself on demand: its sessions, its
// replication slots and its archiver. Ages are by the server's own clock at the time
// of the report. The zero value reports nothing.
type ServerReport struct {
	Version  string // "17.5"
	Recovery bool   // it replays WAL: a replica
	Uptime   time.Duration
	// MaxConnections is max_connections; Reserved of them are for superusers and for
	// pg_use_reserved_connections only.
	MaxConnections, Reserved int
	// Hidden means that the monitoring user may not see the sessions of others: it
	// lacks pg_read_all_stats.
	Hidden   bool
	Sessions int            // of clients, without pgtui's own
	States   []SessionState // of the clients' sessions, most first
	// Backends are those that an operator may want to end, and those that block
	// others: the oldest transactions first, then queries, then the rest.
	Backends     []Backend
	MoreBackends int // left out because there are too many

	Slots     []Slot // the one that retains most WAL first
	MoreSlots int
	// SlotsUnread is why the slots were not read; "" where they were.
	SlotsUnread string
	Archiver    Archiver
}

// SessionState is how many sessions are in one state of pg_stat_activity.
type SessionState struct {
	State string // "active", "idle in transaction"; "" where the user may not see it
	Count int
}

// BackendID distinguishes a session from a later one with the same process ID.
type BackendID struct {
	PID     int   `json:"pid"`
	Started int64 `json:"started_us"` // backend_start, microseconds since 1970
}

// Backend is a row of pg_stat_activity.
type Backend struct {
	BackendID
	Kind        string // backend_type: "client backend", "walsender"
	Database    string
	User        string
	Application string
	Client      string // client_addr; "local" for a socket
	State       string
	WaitType    string // wait_event_type
	Wait        string // wait_event
	Xact        time.Duration
	InXact      bool          // a transaction is open: Xact is its age
	Query       time.Duration // the age of the query that runs, or of the last one
	Change      time.Duration // since its state changed
	// QueryStarted is query_start, microseconds since 1970; 0 for none.
	QueryStarted int64
	// BlockedBy are the process IDs that it waits for; 0 is a prepared transaction.
	BlockedBy []int
	// Verb is the first word of its query, in capitals: "SELECT". Text is the
	// beginning of the query, "" where it was not requested: it may hold secrets.
	Verb, Text string
}

// Active reports whether a query runs now.
func (b *Backend) Active() bool { return b.State == "active" }

// Blocked reports whether it waits for another session.
func (b *Backend) Blocked() bool { return len(b.BlockedBy) > 0 }

// LockWait is how long it has waited for a lock, at most: since its query began; 0
// when it waits for none.
func (b *Backend) LockWait() time.Duration {
	if b.WaitType != "Lock" {
		return 0
	}
	return b.Query
}

// Slot is a replication slot.
type Slot struct {
	Name, Kind string // slot_type: "physical", "logical"
	Database   string // of a logical one
	Active     bool
	PID        int   // active_pid
	Retained   int64 // WAL that it keeps, bytes; -1 when that is unknown
	// Status is wal_status: "reserved", "extended", "unreserved", "lost"; "" before
	// PostgreSQL 13.
	Status string
}

// Archiver is pg_stat_archiver.
type Archiver struct {
	Mode      string // archive_mode: off, on, always
	Archived  bool   // a file was archived; Since is how long ago
	Since     time.Duration
	File      string // the last one that was archived
	Failed    bool   // an attempt failed; FailedSince is how long ago
	FailSince time.Duration
	FailFile  string
	Failures  int64 // since the statistics were reset
	Ready     int64 // WAL files that wait for archive_command; -1 when unknown
}

// Fails reports whether the last attempt failed.
func (a *Archiver) Fails() bool {
	return a.Mode != "off" && a.Failed && (!a.Archived || a.FailSince < a.Since)
}

// NodeStore is what a node reports of an instance's files and backups, over SSH.
type NodeStore struct {
	Data, WAL Volume // of /pg/data and its pg_wal
	Backup    Backup
}

// Volume is the file system of a directory.
type Volume struct {
	Mount       string // where it is mounted; "" when df did not show it
	Total, Free int64  // bytes
}

// Used is the used share of the volume, in percent; 0 when it is unknown.
func (v Volume) Used() int {
	if v.Total <= 0 {
		return 0
	}
	return int(100 - v.Free*100/v.Total)
}

// Backup is what `pgbackrest info` reports of a cluster's stanza.
type Backup struct {
	Why    string // why there is no report: no pgbackrest, an error; "" where there is one
	Stanza string
	Code   int    // of the stanza's status; 0 is ok
	Status string // "ok", "no valid backups"
	Count  int
	// Last is when the newest backup ended, LastFull the newest full one; zero when
	// there is none.
	Last, LastFull time.Time
	Kind           string // of the newest: full, diff, incr
	Size           int64  // of the databases in it, bytes
}
