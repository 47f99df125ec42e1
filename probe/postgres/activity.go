package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// What one report keeps, and how much it costs the server.
const (
	mostBackends  = 300 // sessions that are listed
	mostBlockers  = 50  // sessions more, which block one of those
	mostBlocked   = 50  // sessions whose blockers are looked up: each look locks the lock table for a moment
	mostStates    = 20
	mostSlots     = 100
	QueryText     = 240 // characters of a query
	mostBlockedBy = 20  // process IDs of one session
)

// ReportParams are the settings of a connection that reads a report: it writes
// nothing, and no statement of it takes long or waits for a lock.
func ReportParams() map[string]string {
	return map[string]string{"default_transaction_read_only": "on", "statement_timeout": "3000", "lock_timeout": "1000", "idle_in_transaction_session_timeout": "10000"}
}

// headQuery is one row: the server, its limits, its archiver.
const headQuery = `select pg_is_in_recovery(), extract(epoch from clock_timestamp() - pg_postmaster_start_time()),` +
	` current_setting('max_connections'), current_setting('superuser_reserved_connections'),` +
	` pg_has_role(current_user, 'pg_read_all_stats', 'usage'), current_setting('archive_mode'),` +
	` last_archived_wal, extract(epoch from clock_timestamp() - last_archived_time),` +
	` last_failed_wal, extract(epoch from clock_timestamp() - last_failed_time), failed_count from pg_stat_archiver`

// statesQuery counts the sessions of clients by state.
const statesQuery = `select coalesce(state, ''), count(*) from pg_stat_activity` +
	` where datid is not null and coalesce(backend_type, 'client backend') = 'client backend' and pid <> pg_backend_pid()` +
	` group by 1 order by 2 desc, 1 limit 20`

// listed are the sessions that a report may have: those of a database, and walsenders.
const listed = `pid <> pg_backend_pid() and (datid is not null or backend_type = 'walsender')`

// orderOf puts the oldest transactions first, then running queries, then the rest.
const orderOf = `case when xact_start is not null then 0 when state = 'active' then 1 else 2 end, coalesce(xact_start, query_start), pid`

// backendsQuery is the sessions that match. With text it has the beginning of the
// query, which may hold secrets; else its first word only.
func backendsQuery(match, blocked string, limit int, text bool) string {
	query := `''`
	if text {
		query = fmt.Sprintf(`left(query, %d)`, QueryText)
	}
	return `select pid, (extract(epoch from backend_start) * 1000000)::bigint, backend_type, datname, usename, left(application_name, 64),` +
		` coalesce(host(client_addr), 'local'), state, wait_event_type, wait_event,` +
		` extract(epoch from clock_timestamp() - xact_start), extract(epoch from clock_timestamp() - query_start),` +
		` extract(epoch from clock_timestamp() - state_change), (extract(epoch from query_start) * 1000000)::bigint, ` + blocked + `,` +
		` upper(substring(query from '^\s*([A-Za-z_]{1,20})')), ` + query + `, total` +
		` from (select *, row_number() over (order by ` + orderOf + `) as place, count(*) over () as total,` +
		` count(*) filter (where wait_event_type = 'Lock') over (order by ` + orderOf + `) as waiting` +
		` from pg_stat_activity where ` + listed + match + `) a where place <= ` + strconv.Itoa(limit) + ` order by place`
}

// blockedBy is the process IDs that a session waits for.
func blockedBy() string {
	return fmt.Sprintf(`case when wait_event_type = 'Lock' and waiting <= %d then array_to_string(pg_blocking_pids(pid), ' ') end`, mostBlocked)
}

// slotsQuery is the replication slots; wal_status exists since PostgreSQL 13.
func slotsQuery(major int) string {
	status := "''"
	if major >= 13 {
		status = "wal_status"
	}
	return `select slot_name, slot_type, database, active, active_pid,` +
		` pg_wal_lsn_diff(case when pg_is_in_recovery() then coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) else pg_current_wal_lsn() end, restart_lsn),` +
		` ` + status + `, count(*) over () from pg_replication_slots order by 6 desc nulls last, 1 limit ` + strconv.Itoa(mostSlots)
}

// ReadActivity reads the sessions, slots and archiver of a PostgreSQL. With text it
// has the beginning of each query, which may hold secrets. The slots and the files
// that wait for the archive may be refused: that is in the report.
func ReadActivity(ctx context.Context, conn *pgconn.PgConn, queries bool) (model.ServerReport, error) {
	r := model.ServerReport{Version: VersionOf(conn)}
	head, err := OneRow(ctx, conn, headQuery)
	if err != nil {
		return r, err
	}
	if err := parseHead(head, &r); err != nil {
		return r, err
	}
	err = rowsOf(ctx, conn, statesQuery, 2, mostStates, func(v [][]byte) {
		n := int(max(number(v, 1), 0))
		r.States, r.Sessions = append(r.States, model.SessionState{State: word(v, 0), Count: n}), r.Sessions+n
	})
	if err != nil {
		return r, err
	}
	total := 0
	keep := func(v [][]byte) {
		b := backendOf(v)
		if b.PID > 0 {
			r.Backends, total = append(r.Backends, b), int(max(number(v, 17), 0))
		}
	}
	if err := rowsOf(ctx, conn, backendsQuery("", blockedBy(), mostBackends, queries), 18, mostBackends, keep); err != nil {
		return r, err
	}
	r.MoreBackends = max(total-len(r.Backends), 0)
	if more := missing(&r); len(more) > 0 {
		match := ` and pid in (` + strings.Join(more, ",") + `)`
		if err := rowsOf(ctx, conn, backendsQuery(match, blockedBy(), mostBlockers, queries), 18, mostBlockers, keep); err != nil {
			return r, err
		}
		r.MoreBackends = max(r.MoreBackends-len(more), 0)
	}
	slots := 0
	err = rowsOf(ctx, conn, slotsQuery(major(conn)), 8, mostSlots, func(v [][]byte) {
		r.Slots = append(r.Slots, model.Slot{Name: word(v, 0), Kind: word(v, 1), Database: word(v, 2), Active: string(v[3]) == "t",
			PID: int(max(number(v, 4), 0)), Retained: number(v, 5), Status: word(v, 6)})
		slots = int(max(number(v, 7), 0))
	})
	if r.MoreSlots = max(slots-len(r.Slots), 0); err != nil {
		if r.SlotsUnread, r.Slots = text.Line(LastCause(err), text.MaxNote), nil; !refusedBy(err) {
			return r, err
		}
	}
	r.Archiver.Ready = -1
	if major(conn) >= 12 && r.Archiver.Mode != "off" {
		if row, err := OneRow(ctx, conn, readyQuery); err == nil {
			r.Archiver.Ready = number(row, 0)
		}
	}
	return r, source.Ended(ctx)
}

// refusedBy reports whether the server itself answers with the error: the connection
// is good for another statement.
func refusedBy(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pe.Severity != "FATAL"
}

// parseHead reads the answer to headQuery.
func parseHead(v [][]byte, r *model.ServerReport) error {
	if len(v) != 11 {
		return ErrOneRow
	}
	r.Recovery, r.Uptime = string(v[0]) == "t", seconds(v[1])
	r.MaxConnections, r.Reserved = int(max(number(v, 2), 0)), int(max(number(v, 3), 0))
	r.Hidden = string(v[4]) != "t"
	a := &r.Archiver
	a.Mode, a.File, a.FailFile = word(v, 5), word(v, 6), word(v, 8)
	a.Archived, a.Since = len(v[7]) > 0, seconds(v[7])
	a.Failed, a.FailSince = len(v[9]) > 0, seconds(v[9])
	a.Failures = max(number(v, 10), 0)
	return nil
}

// backendOf reads one row of backendsQuery.
func backendOf(v [][]byte) model.Backend {
	b := model.Backend{BackendID: model.BackendID{PID: int(max(number(v, 0), 0)), Started: max(number(v, 1), 0)}, Kind: cmp.Or(word(v, 2), "client backend"),
		Database: word(v, 3), User: word(v, 4), Application: word(v, 5), Client: word(v, 6), State: word(v, 7), WaitType: word(v, 8), Wait: word(v, 9),
		InXact: len(v[10]) > 0, Xact: seconds(v[10]), Query: seconds(v[11]), Change: seconds(v[12]), QueryStarted: max(number(v, 13), 0),
		Verb: word(v, 15), Text: text.Line(string(v[16][:min(len(v[16]), 4*QueryText)]), QueryText)}
	for _, s := range strings.Fields(string(v[14][:min(len(v[14]), 400)])) {
		if pid, err := strconv.Atoi(s); err == nil && pid >= 0 && len(b.BlockedBy) < mostBlockedBy {
			b.BlockedBy = append(b.BlockedBy, pid)
		}
	}
	return b
}

// missing are the sessions that block one of the report and are not in it, at most
// mostBlockers.
func missing(r *model.ServerReport) []string {
	have := map[int]bool{0: true}
	for i := range r.Backends {
		have[r.Backends[i].PID] = true
	}
	var out []string
	for i := range r.Backends {
		for _, pid := range r.Backends[i].BlockedBy {
			if !have[pid] && len(out) < mostBlockers {
				have[pid], out = true, append(out, strconv.Itoa(pid))
			}
		}
	}
	return out
}

// word is a column as one harmless line; "" for null.
func word(v [][]byte, i int) string {
	return text.Line(string(v[i][:min(len(v[i]), 400)]), 100)
}

// rowsOf sends a query and gives each row to keep. Other columns than cols, or more
// rows than most, are an error: the connection is of no use any more then.
func rowsOf(ctx context.Context, conn *pgconn.PgConn, query string, cols, most int, keep func([][]byte)) error {
	answers := conn.Exec(ctx, query)
	rows := 0
	for answers.NextResult() {
		for r := answers.ResultReader(); r.NextRow(); {
			v := r.Values()
			if rows++; rows > most || len(v) != cols {
				closeNow(conn)
				return ErrForm
			}
			keep(v)
		}
	}
	return answers.Close()
}

// ErrForm reports an answer with other rows or columns than were requested.
var ErrForm = errors.New("the answer is not in the expected form")

// ReadBackend reads one session, nil when there is none with that process ID.
func ReadBackend(ctx context.Context, conn *pgconn.PgConn, pid int) (*model.Backend, error) {
	var out *model.Backend
	err := rowsOf(ctx, conn, backendsQuery(fmt.Sprintf(` and pid = %d`, pid), `''`, 1, false), 18, 1, func(v [][]byte) {
		b := backendOf(v)
		out = &b
	})
	return out, err
}

// WaitConnect is how long a report may take to connect and log in.
const WaitConnect = 2 * time.Second

// LoginWithin is Login that gives up after 2 s; ctx bounds it too.
func (l *Line) LoginWithin(ctx context.Context, login model.Login, db string) (*pgconn.PgConn, error) {
	ctx, cancel := context.WithTimeout(ctx, WaitConnect)
	defer cancel()
	return l.Login(ctx, login, db)
}

// AtMostOne sends one statement whose answer is one column of at most one row. ok is
// whether there was a row.
func AtMostOne(ctx context.Context, conn *pgconn.PgConn, statement string) (value string, ok bool, err error) {
	err = rowsOf(ctx, conn, statement, 1, 1, func(v [][]byte) { value, ok = word(v, 0), true })
	return value, ok, err
}

// RightsQuery is one row: whether the user is a superuser, whether it has
// pg_signal_backend, whether the session of that process is a superuser's, and whether
// the user has its role.
func RightsQuery(pid int) string {
	session := fmt.Sprintf(`(select %%s from pg_stat_activity a join pg_roles r on r.oid = a.usesysid where a.pid = %d)`, pid)
	return `select (select rolsuper from pg_roles where rolname = current_user), pg_has_role(current_user, 'pg_signal_backend', 'usage'),` +
		` coalesce(` + fmt.Sprintf(session, `r.rolsuper`) + `, true), coalesce(` + fmt.Sprintf(session, `pg_has_role(current_user, r.oid, 'usage')`) + `, false)`
}

// MaySignal reads the answer to RightsQuery: why the user may not end the session, ""
// where it may.
func MaySignal(row [][]byte) (why string, err error) {
	if len(row) != 4 {
		return "", ErrOneRow
	}
	has := func(i int) bool { return string(row[i]) == "t" }
	switch super, signals, target, member := has(0), has(1), has(2), has(3); {
	case super, !target && (signals || member):
		return "", nil
	case target:
		return "the session is a superuser's, and only a superuser may end it", nil
	}
	return "the role pg_signal_backend is missing", nil
}
