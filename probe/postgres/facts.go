package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/text"
	"pgtui/model"
)

// statementLimit bounds each statement on the server.
const statementLimit = "set statement_timeout = 1500"

// stopQuery is what the shutdown of a server that takes writes waits for, or ends.
// Without pg_read_all_stats the transactions of others have no start.
const stopQuery = `select pg_is_in_recovery(), current_setting('archive_mode'),` +
	` (select count(*) from pg_prepared_xacts), (select extract(epoch from now() - min(prepared)) from pg_prepared_xacts),` +
	` a.long, a.oldest, a.sessions, pg_has_role(current_user, 'pg_read_all_stats', 'usage'),` +
	` to_char(s.last_archived_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'),` +
	` to_char(s.last_failed_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), s.last_failed_wal, s.failed_count,` +
	` current_setting('max_connections'), current_setting('max_worker_processes'), current_setting('max_wal_senders'),` +
	` current_setting('max_prepared_transactions'), current_setting('max_locks_per_transaction')` +
	` from pg_stat_archiver s, (select count(*) filter (where xact_start < now() - interval '1 minute') as long,` +
	` extract(epoch from now() - min(xact_start)) as oldest, count(*) as sessions` +
	` from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()) a`

// readyQuery counts the WAL files that wait for archive_command: since PostgreSQL
// 12, for pg_monitor.
const readyQuery = `select count(*) from pg_ls_archive_statusdir() f where f.name like '%.ready'`

// sizeQuery is the size of all databases; null when one of them may not be read.
const sizeQuery = `select case when bool_and(has_database_privilege(d.oid, 'connect') or pg_has_role(current_user, 'pg_read_all_stats', 'usage'))` +
	` then sum(case when has_database_privilege(d.oid, 'connect') or pg_has_role(current_user, 'pg_read_all_stats', 'usage') then pg_database_size(d.oid) else 0 end) end` +
	` from pg_database d`

// replayQuery is what a replica has replayed, and has to replay, bytes.
const replayQuery = `select pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())`

// How long the replay of a replica is watched, and from which backlog, bytes, on.
const (
	replayWatch = 300 * time.Millisecond
	replayWorth = 1 << 20
)

// Facts adds to f what a login shows beside who answers: on a server in recovery
// how fast it replays, on another one what its shutdown waits for. What is refused
// stays unknown.
func Facts(ctx context.Context, conn *pgconn.PgConn, f *model.ServerFacts, recovery bool, now func() time.Time) {
	f.ArchiveReady, f.Bytes, f.ReplayRate = -1, -1, -1
	if recovery {
		f.Read = true
		replayRate(ctx, conn, f, now)
		return
	}
	queries := []string{statementLimit, stopQuery}
	if major(conn) >= 12 {
		queries = append(queries, readyQuery)
	}
	// One message: the answer to a statement has arrived before the next one is
	// refused.
	rows := inOrder(ctx, conn, append(queries, sizeQuery))
	if len(rows) == 0 {
		return
	}
	f.Read = parseStop(rows[0], f) == nil
	rows = rows[1:]
	if major(conn) >= 12 && len(rows) > 0 {
		f.ArchiveReady, rows = number(rows[0], 0), rows[1:]
	}
	if len(rows) > 0 {
		f.Bytes = number(rows[0], 0)
	}
}

// major is the server's major version; 0 when it is not reported.
func major(conn *pgconn.PgConn) int {
	v, _, _ := strings.Cut(VersionOf(conn), ".")
	digits := strings.IndexFunc(v, func(r rune) bool { return r < '0' || r > '9' })
	if digits >= 0 {
		v = v[:digits]
	}
	n, _ := strconv.Atoi(v)
	return n
}

// inOrder sends statements in one message and returns the one row of each that
// has one, up to the first that is refused.
func inOrder(ctx context.Context, conn *pgconn.PgConn, statements []string) [][][]byte {
	answers := conn.Exec(ctx, strings.Join(statements, "; "))
	var out [][][]byte
	for answers.NextResult() {
		r := answers.ResultReader()
		var row [][]byte
		n := 0
		for r.NextRow() {
			if n++; n > 1 {
				closeNow(conn)
				return nil
			}
			for _, v := range r.Values() {
				row = append(row, append([]byte(nil), v...))
			}
		}
		if _, err := r.Close(); err == nil && n == 1 {
			out = append(out, row)
		}
	}
	_ = answers.Close() // what was refused is missing in out
	return out
}

// parseStop reads the answer to stopQuery.
func parseStop(row [][]byte, f *model.ServerFacts) error {
	standby := model.StandbyParameters()
	if len(row) != 12+len(standby) {
		return ErrOneRow
	}
	str := func(i int) string { return text.Line(string(row[i][:min(len(row[i]), 400)]), 80) }
	at := func(i int) time.Time {
		t, err := time.Parse("2006-01-02 15:04:05.999999", str(i))
		if err != nil {
			return time.Time{}
		}
		return t
	}
	prepared, long, sessions := number(row, 2), number(row, 4), number(row, 6)
	if prepared < 0 || long < 0 || sessions < 0 {
		return fmt.Errorf("%w: a count is missing", ErrOneRow)
	}
	f.ArchiveMode = str(1)
	f.Prepared, f.OldestPrepared = int(prepared), seconds(row[3])
	f.Long, f.Sessions = int(long), int(sessions)
	if f.OldestXact = seconds(row[5]); long == 0 {
		f.OldestXact = 0
	}
	if str(7) != "t" {
		f.Long, f.OldestXact = -1, 0
	}
	f.Standby = map[string]int64{}
	for i, name := range standby {
		if n := number(row, 12+i); n >= 0 {
			f.Standby[name] = n
		}
	}
	f.Archived, f.ArchiveFail, f.FailedFile, f.FailedCount = at(8), at(9), str(10), max(number(row, 11), 0)
	return nil
}

// number is a column as a whole number; -1 for null and for what is none.
func number(row [][]byte, i int) int64 {
	if i >= len(row) || len(row[i]) == 0 || len(row[i]) > 40 {
		return -1
	}
	n, err := strconv.ParseInt(string(row[i]), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// seconds is an interval in seconds; 0 for null.
func seconds(v []byte) time.Duration {
	s, err := strconv.ParseFloat(string(v[:min(len(v), 40)]), 64)
	if err != nil || !(s >= 0 && s < 1e9) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// replayRate measures how fast a replica with a backlog replays.
func replayRate(ctx context.Context, conn *pgconn.PgConn, f *model.ServerFacts, now func() time.Time) {
	was, backlog, err := replayed(ctx, conn)
	if err != nil || backlog < replayWorth {
		return
	}
	start := now()
	select {
	case <-ctx.Done():
		return
	case <-time.After(replayWatch):
	}
	is, _, err := replayed(ctx, conn)
	span := now().Sub(start)
	if err != nil || span <= 0 || is < was {
		return
	}
	f.ReplayRate, f.ReplaySpan = int64(float64(is-was)/span.Seconds()), span
}

func replayed(ctx context.Context, conn *pgconn.PgConn) (at, backlog int64, err error) {
	row, err := OneRow(ctx, conn, replayQuery)
	if err != nil {
		return 0, 0, err
	}
	if at, backlog = number(row, 0), number(row, 1); at < 0 {
		return 0, 0, errors.New("the server reports no position of its replay")
	}
	return at, backlog, nil
}
