package pg

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sessions are the client sessions of a node's PostgreSQL. The zero value has none: a
// PostgreSQL that starts gets a few idle ones, and one that runs a query.
type Sessions struct {
	boot time.Time // of the PostgreSQL that they belong to
	next int       // process ID of the next
	all  []session
}

// session is one row of pg_stat_activity.
type session struct {
	pid                        int
	kind                       string // backend_type
	user, db, app, state, text string
	began, query, change       time.Time
	xact                       time.Time // zero outside a transaction
	blockedBy                  int       // 0 waits for no session
}

// SessionVerbs are the words that Sessions.Do knows.
const SessionVerbs = "block [N], idle, free"

// of are the sessions of the PostgreSQL that started then.
func (s *Sessions) of(in *Instance, now time.Time) {
	if !s.boot.Equal(in.Started) || s.all == nil {
		s.boot, s.next, s.all = in.Started, 4200, []session{}
		for range 3 {
			s.add(session{user: "dbuser_app", db: "app", app: "app", state: "idle", began: in.Started, query: now, change: now, text: "COMMIT"})
		}
		s.add(session{user: "dbuser_app", db: "app", app: "report", state: "active", began: in.Started,
			text: "SELECT region, sum(amount) FROM orders WHERE card = '4111-secret' GROUP BY region"})
	}
	for i := range s.all {
		if x := &s.all[i]; x.app == "report" && x.state == "active" { // one query after the other
			x.query = in.Started.Add(now.Sub(in.Started).Truncate(7 * time.Second))
			x.xact, x.change = x.query, x.query
		}
	}
	s.all = slices.DeleteFunc(s.all, func(x session) bool { return x.kind == walsender && !slices.Contains(in.Standbys, x.app) })
	for _, name := range in.Standbys {
		if s.sender(name) == 0 {
			s.add(session{kind: walsender, user: "replicator", app: name, state: "active", began: now, query: now, change: now, text: "START_REPLICATION SLOT"})
		}
	}
}

// walsender is the backend_type of a session that streams WAL.
const walsender = "walsender"

// sender is the process that streams to a standby; 0 when there is none.
func (s *Sessions) sender(name string) int {
	for _, x := range s.all {
		if x.kind == walsender && x.app == name {
			return x.pid
		}
	}
	return 0
}

func (s *Sessions) add(x session) int {
	s.next++
	x.pid, x.kind = s.next, cmp.Or(x.kind, "client backend")
	s.all = append(s.all, x)
	return x.pid
}

// Do changes the sessions of a PostgreSQL: "block N" has one session hold a lock that
// N others wait for, "idle" has one idle in a transaction, "free" ends both.
func (s *Sessions) Do(in *Instance, words []string, now time.Time) error {
	s.of(in, now)
	switch n := 2; {
	case words[0] == "block" && len(words) <= 2:
		if len(words) == 2 {
			var err error
			if n, err = strconv.Atoi(words[1]); err != nil || n < 1 || n > 200 {
				return fmt.Errorf("%q: expected how many sessions wait", words[1])
			}
		}
		ago := now.Add(-90 * time.Second)
		root := s.add(session{user: "dbuser_app", db: "app", app: "psql", state: "idle in transaction", began: ago, xact: ago, query: ago, change: ago,
			text: "UPDATE accounts SET balance = 0 WHERE token = 's3cret-token'"})
		for i := range n {
			at := now.Add(time.Duration(i-60) * time.Second / 2)
			s.add(session{user: "dbuser_app", db: "app", app: "app", state: "active", began: s.boot, xact: at, query: at, change: at, blockedBy: root, text: "UPDATE accounts SET seen = now() WHERE id = 7"})
		}
	case words[0] == "idle" && len(words) == 1:
		ago := now.Add(-30 * time.Minute)
		s.add(session{user: "dbuser_app", db: "app", app: "worker", state: "idle in transaction", began: ago, xact: ago, query: ago, change: ago, text: "SELECT 1"})
	case words[0] == "free" && len(words) == 1:
		s.all = slices.DeleteFunc(s.all, func(x session) bool { return x.blockedBy != 0 || x.state == "idle in transaction" })
	default:
		return fmt.Errorf("%q: expected one of %s", strings.Join(words, " "), SessionVerbs)
	}
	return nil
}

// end ends a session, or its query; false when there is none.
func (s *Sessions) end(pid int, whole bool, now time.Time) bool {
	i := slices.IndexFunc(s.all, func(x session) bool { return x.pid == pid })
	if i < 0 {
		return false
	}
	if x := &s.all[i]; !whole {
		if x.state == "active" && x.kind == "client backend" {
			x.state, x.xact, x.change, x.blockedBy = "idle", time.Time{}, now, 0
		}
		return true
	}
	s.all = slices.Delete(s.all, i, i+1)
	for k := range s.all {
		if x := &s.all[k]; x.blockedBy == pid { // it gets the lock, and is done
			x.state, x.xact, x.change, x.blockedBy = "idle", time.Time{}, now, 0
		}
	}
	return true
}

var (
	onePID = regexp.MustCompile(`pid = (\d+)`)
	somes  = regexp.MustCompile(`pid in \(([\d,]+)\)`)
)

// activity answers what pgtui queries of the sessions; false of anything else.
func (s *State) activity(c *Conn, query string) bool {
	if s.Sessions == nil || strings.HasPrefix(query, "set statement_timeout") { // the second is of facts
		return false
	}
	s.Sessions.of(&s.Instance, s.Now)
	switch {
	case strings.Contains(query, "superuser_reserved_connections"):
		recovery, archived := "t", ""
		if s.Primary {
			recovery, archived = "f", "40"
		}
		c.row([]string{recovery, s.seconds(s.Started), "100", "3", "t", "on", "000000010000000000000042", archived, "", "", "0"})
	case strings.Contains(query, "pg_signal_backend"):
		admin := map[bool]string{true: "t", false: "f"}[c.user == adminUser]
		c.row([]string{admin, admin, "f", admin})
	case strings.Contains(query, "pg_terminate_backend("), strings.Contains(query, "pg_cancel_backend("):
		s.signal(c, query)
	case strings.Contains(query, "group by 1 order by 2 desc"):
		s.states(c)
	case strings.Contains(query, "row_number() over"):
		s.backends(c, query)
	case strings.Contains(query, "from pg_replication_slots"):
		var rows [][]string
		for _, name := range s.Standbys {
			rows = append(rows, []string{strings.ReplaceAll(name, "-", "_"), "physical", "", "t", strconv.Itoa(s.Sessions.sender(name)), "0", "reserved", strconv.Itoa(len(s.Standbys))})
		}
		c.table("SELECT", make([]string, 8), rows...)
	case strings.Contains(query, "pg_ls_archive_statusdir"):
		c.row([]string{"0"})
	default:
		return false
	}
	return true
}

// seconds is the time since at, as extract(epoch …) prints it; "" for never.
func (s *State) seconds(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatFloat(s.Now.Sub(at).Seconds(), 'f', 6, 64)
}

func (s *State) states(c *Conn) {
	count := map[string]int{}
	for _, x := range s.Sessions.all {
		if x.kind == "client backend" {
			count[x.state]++
		}
	}
	var rows [][]string
	for state, n := range count {
		rows = append(rows, []string{state, strconv.Itoa(n)})
	}
	slices.SortFunc(rows, func(a, b []string) int {
		return cmp.Or(len(b[1])-len(a[1]), strings.Compare(b[1], a[1]), strings.Compare(a[0], b[0]))
	})
	c.table("SELECT", make([]string, 2), rows...)
}

// backends answers the query for sessions, with or without the text of their queries.
func (s *State) backends(c *Conn, query string) {
	want := func(session) bool { return true }
	if m := onePID.FindStringSubmatch(query); m != nil {
		want = func(x session) bool { return strconv.Itoa(x.pid) == m[1] }
	}
	if m := somes.FindStringSubmatch(query); m != nil {
		pids := strings.Split(m[1], ",")
		want = func(x session) bool { return slices.Contains(pids, strconv.Itoa(x.pid)) }
	}
	var some []session
	for _, x := range s.Sessions.all {
		if want(x) {
			some = append(some, x)
		}
	}
	rank := func(x session) int {
		switch {
		case !x.xact.IsZero():
			return 0
		case x.state == "active":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(some, func(a, b session) int {
		return cmp.Or(rank(a)-rank(b), a.xact.Compare(b.xact), a.query.Compare(b.query), a.pid-b.pid)
	})
	rows := make([][]string, 0, len(some))
	for _, x := range some {
		waitType, wait, blocked, text := "Client", "ClientRead", "", ""
		switch {
		case x.blockedBy != 0:
			waitType, wait, blocked = "Lock", "transactionid", strconv.Itoa(x.blockedBy)
		case x.state == "active":
			waitType, wait = "", ""
		}
		if strings.Contains(query, "left(query, ") {
			text = x.text
		}
		verb, _, _ := strings.Cut(x.text, " ")
		rows = append(rows, []string{strconv.Itoa(x.pid), strconv.FormatInt(x.began.UnixMicro(), 10), x.kind, x.db, x.user, x.app, "10.10.10.99", x.state, waitType, wait,
			s.seconds(x.xact), s.seconds(x.query), s.seconds(x.change), strconv.FormatInt(x.query.UnixMicro(), 10), blocked, verb, text, strconv.Itoa(len(some))})
	}
	c.table("SELECT", make([]string, 18), rows...)
}

// numbersIn are the numbers that a signal names: the process, when it began, and, of
// a cancel, when its query did.
var numbersIn = regexp.MustCompile(`pid = (\d+)(?:.*?backend_start\) \* 1000000\)::bigint = (\d+))?(?:.*?query_start\) \* 1000000\)::bigint = (\d+))?`)

// signal ends a session or its query, where it is still the one that is meant.
func (s *State) signal(c *Conn, query string) {
	m := numbersIn.FindStringSubmatch(query)
	if m == nil {
		c.fail("ERROR", &Error{"42601", "syntax error"})
		return
	}
	pid, _ := strconv.Atoi(m[1])
	i := slices.IndexFunc(s.Sessions.all, func(x session) bool {
		return x.pid == pid && strconv.FormatInt(x.began.UnixMicro(), 10) == m[2] && (m[3] == "" || strconv.FormatInt(x.query.UnixMicro(), 10) == m[3])
	})
	if i < 0 {
		c.table("SELECT", make([]string, 1))
		return
	}
	if c.user == monitorUser {
		c.fail("ERROR", &Error{"42501", "permission denied to terminate process"})
		return
	}
	s.Sessions.end(pid, strings.Contains(query, "pg_terminate_backend("), s.Now)
	c.row([]string{"t"})
}
