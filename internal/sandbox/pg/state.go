package pg

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Instance is one PostgreSQL as its clients see it.
type Instance struct {
	Addr, SystemID, Cluster string
	Up, Starting, Primary   bool
	Started                 time.Time
	Timeline                int
	Version                 string   // server_version, "15.20"
	WAL                     int64    // written by a primary, replayed by a replica, bytes
	Standbys                []string // that stream from it
}

// State is the server behind a connection.
type State struct {
	Instance
	Pooler  *Pooler // the pgbouncer in front of it; nil: none
	Release Release // of pgbouncer
	// Sessions are those of the PostgreSQL; nil answers nothing of them.
	Sessions *Sessions
	Now      time.Time
}

// admit is the error that a client gets instead of a login; nil when there is
// none. The console sends its release before the login.
func (s *State) admit(c *Conn) error {
	_, err := s.row()
	_, reported := errors.AsType[*Error](err)
	switch p := s.Pooler; {
	case s.console(c) && (err == nil || reported):
		if p.refuses {
			return &Error{"08P01", "not allowed"}
		}
		c.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: s.Release.Version + "/bouncer"})
	case err != nil:
		return err
	case p == nil:
		c.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: s.Version})
	case p.full:
		return &Error{"08P01", "no more connections allowed (max_client_conn)"}
	case p.db(c.database).disabled:
		return &Error{"08P01", fmt.Sprintf("database %q is disabled", c.database)}
	}
	return nil
}

// console reports whether a client talks to pgbouncer itself.
func (s *State) console(c *Conn) bool { return s.Pooler != nil && c.database == consoleDatabase }

// answer sends the answer to one query; "" is any other message.
func (s *State) answer(c *Conn, query string) error {
	if s.console(c) {
		if cols, rows := s.show(query); cols != nil {
			c.table("SHOW", cols, rows...)
		} else {
			c.fail("ERROR", &Error{"08P01", "invalid command"})
		}
		return nil
	}
	if s.Pooler != nil && s.Pooler.pauses(c.database, s.Now) {
		return ErrSilent
	}
	row, err := s.row()
	if err != nil {
		return err
	}
	if s.Pooler == nil && s.activity(c, query) {
		return nil
	}
	if strings.Contains(query, "pg_postmaster_start_time()") {
		c.row(row)
		return nil
	}
	if s.Pooler == nil && s.facts(c, query) {
		return nil
	}
	return &Error{"0A000", "the sandbox has no PostgreSQL: it answers pgtui's own queries only"}
}

// facts answers what pgtui queries on PostgreSQL's own port besides: of a primary
// what its shutdown waits for, of a replica its replay. An idle server has
// nothing open, and its archive is up to date.
func (s *State) facts(c *Conn, query string) bool {
	switch {
	case strings.Contains(query, "from pg_stat_archiver"):
		c.Send(&pgproto3.CommandComplete{CommandTag: []byte("SET")})
		c.row([]string{"f", "on", "0", "0", "0", "0", "0", "t", s.Now.UTC().Format("2006-01-02 15:04:05.000000"), "", "", "0",
			"100", "8", "10", "0", "64"})
		c.row([]string{"0"})
		c.row([]string{"30000000"})
	case strings.Contains(query, "pg_last_wal_replay_lsn()"):
		c.row([]string{strconv.FormatInt(s.WAL, 10), "0"})
	default:
		return false
	}
	return true
}

// row is the answer of PostgreSQL to pgtui's query.
func (s *State) row() ([]string, error) {
	pooled := s.Pooler != nil
	switch {
	case pooled && s.Pooler.Down:
		return nil, ErrClosed
	case !s.Up && pooled:
		return nil, &Error{"08P01", "pgbouncer cannot connect to server"}
	case !s.Up:
		return nil, ErrClosed
	case s.Starting:
		return nil, &Error{"57P03", "the database system is starting up"}
	}
	row := []string{s.Addr, s.Started.UTC().Format("2006-01-02 15:04:05.000000"), s.SystemID, s.Cluster, "f", "off", fmt.Sprintf("%08X", s.Timeline)}
	if pooled {
		row[0] = ""
	}
	if !s.Primary {
		row[4], row[5], row[6] = "t", "on", strconv.Itoa(s.Timeline)
	}
	return row, nil
}
