package model

import "time"

// ServerFacts is what one member reports to a login: whether its ports take one,
// and on the leader what its shutdown will wait for. It is read on demand, as the
// monitoring user. The zero value is a member on which nothing was tried.
type ServerFacts struct {
	// Direct and Pooled are a login on PostgreSQL's own port and on pgbouncer's;
	// FaultNotTried where there is no such port.
	Direct, Pooled Try
	// Read reports that the rest was read: it comes from Direct.
	Read bool

	Prepared       int           // prepared transactions
	OldestPrepared time.Duration // the age of the oldest; 0 when there is none
	Long           int           // transactions of clients that run for a minute or longer; -1 when the user may not see them
	OldestXact     time.Duration // the age of the oldest; 0 when there is none
	Sessions       int           // sessions of clients
	// ArchiveMode is archive_mode: off, on, always; "" when it was not read.
	ArchiveMode  string
	ArchiveReady int64     // WAL files that wait for archive_command; -1 when unknown
	Archived     time.Time // when the last file was archived; zero when none was
	ArchiveFail  time.Time // when archive_command last failed; zero when it never did
	FailedFile   string    // the file that it failed on
	FailedCount  int64     // how often it failed since the statistics were reset
	Bytes        int64     // the size of all databases; -1 when unknown
	// Standby are the parameters of StandbyParameters as the server runs, by name; of
	// one that takes writes. A parameter that was not read is missing.
	Standby map[string]int64

	// ReplayRate is how much WAL a replica replayed, bytes per second, during
	// ReplaySpan; -1 when it was not measured, as where there is little to replay.
	ReplayRate int64
	ReplaySpan time.Duration
}

// StandbyParameters are those that a replica must not have lower than its leader:
// raise them on replicas first, lower them on the leader first.
func StandbyParameters() []string {
	return []string{"max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"}
}

// ArchiverFails reports whether the last attempt of archive_command failed.
func (f *ServerFacts) ArchiverFails() bool {
	return f.Read && !f.ArchiveFail.IsZero() && f.ArchiveFail.After(f.Archived)
}
