package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"pgtui/model"
	"pgtui/source"
)

// server of one PostgreSQL that answers by what a statement contains.
type fakePostgres struct {
	version string
	refuses string // the code and message of the login; "" lets everyone in
	answers []canned

	mu     sync.Mutex
	asked  []string
	params string // the startup packet
}

// canned is the answer to the first statement that contains it; null is a null.
type canned struct {
	contains string
	rows     [][]string
	code     string // of an error
}

const null = "\x00null"

func (f *fakePostgres) serve(c net.Conn) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return
	}
	start := make([]byte, binary.BigEndian.Uint32(size[:])-4)
	if _, err := io.ReadFull(c, start); err != nil {
		return
	}
	f.mu.Lock()
	f.params = string(start)
	f.mu.Unlock()
	if f.refuses != "" {
		code, text, _ := strings.Cut(f.refuses, " ")
		_, _ = c.Write(frame('E', []byte("SFATAL\x00VFATAL\x00C"+code+"\x00M"+text+"\x00\x00")))
		return
	}
	out := append(frame('R', []byte{0, 0, 0, 0}), frame('S', []byte("server_version\x00"+f.version+"\x00"))...)
	_, _ = c.Write(append(out, "Z\x00\x00\x00\x05I"...))
	for {
		var head [5]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(c, body); err != nil || head[0] != 'Q' {
			return
		}
		query := strings.TrimRight(string(body), "\x00")
		f.mu.Lock()
		f.asked = append(f.asked, query)
		f.mu.Unlock()
		_, _ = c.Write(append(f.answer(query), "Z\x00\x00\x00\x05I"...))
	}
}

func (f *fakePostgres) answer(query string) (out []byte) {
	for _, a := range f.answers {
		if !strings.Contains(query, a.contains) {
			continue
		}
		if a.code != "" {
			return frame('E', []byte("SERROR\x00VERROR\x00C"+a.code+"\x00Mpermission denied for view\x00\x00"))
		}
		if len(a.rows) > 0 {
			out = frame('T', columns(make([]string, len(a.rows[0]))))
		}
		for _, r := range a.rows {
			row := binary.BigEndian.AppendUint16(nil, uint16(len(r)))
			for _, v := range r {
				if v == null {
					row = binary.BigEndian.AppendUint32(row, 0xffffffff)
					continue
				}
				row = append(binary.BigEndian.AppendUint32(row, uint32(len(v))), v...)
			}
			out = append(out, frame('D', row)...)
		}
		return append(out, frame('C', []byte("SELECT\x00"))...)
	}
	return frame('E', []byte("SERROR\x00VERROR\x00C42601\x00Munexpected statement\x00\x00"))
}

// row is one of backendsQuery.
func row(pid, blocked, verb, text, total string) []string {
	return []string{pid, "1700000000000000", "client backend", "app", "u", "web", "10.0.0.7", "active", "Lock", "transactionid", "12.5", "3.25", "3.25", "1700000001000000", blocked, verb, text, total}
}

// quiet is a PostgreSQL with that list of sessions.
func quiet(rows ...[]string) *fakePostgres {
	return &fakePostgres{version: "17.5 (Debian)", answers: []canned{
		{contains: "superuser_reserved_connections", rows: [][]string{{"f", "3600", "100", "3", "t", "on", "0000A", "40.5", null, null, "0"}}},
		{contains: "group by 1", rows: [][]string{{"active", "2"}, {"idle", "5"}}},
		{contains: " and pid in (", rows: [][]string{row("99", null, "BEGIN", "", "1")}},
		{contains: "row_number() over", rows: rows},
		{contains: "pg_replication_slots", rows: [][]string{{"s1", "physical", null, "f", null, "1073741824", "extended", "3"}, {"s2", "logical", "app", "t", "7", null, "lost", "3"}}},
		{contains: "pg_ls_archive_statusdir", rows: [][]string{{"4"}}},
	}}
}

// read is one report of the fake.
func (f *fakePostgres) read(t *testing.T, text bool) (model.ServerReport, error) {
	t.Helper()
	host, port, _ := net.SplitHostPort(server(t, f.serve))
	in := &model.Instance{Name: "pg-test-1", Host: model.Host(host)}
	_, _ = fmt.Sscan(port, &in.PgPort)
	c := &model.Cluster{Name: "pg-test", Monitor: model.Login{User: "dbuser_monitor", Password: "S3cret.Password", Databases: []string{"postgres"}}}
	return New(Options{}).Activity(t.Context(), c, in, text)
}

// TestActivity: one login reads sessions, slots and archiver; a blocker that is not
// listed is read too, and what a session sends cannot move the cursor.
func TestActivity(t *testing.T) {
	f := quiet(row("41", "40 99 0", "UPDATE", "UPDATE \x1b[2J\u202ex\nSET", "9"), row("40", null, null, null, "9"))
	r, err := f.read(t, true)
	if err != nil {
		t.Fatal(err)
	}
	b := r.Backends[0]
	got := fmt.Sprintf("%s %t %s %d/%d %d %v | %d %d %s %t %s %v %q %d | %d more | %v | %v", r.Version, r.Hidden, r.Uptime, r.MaxConnections, r.Reserved, r.Sessions, r.States,
		b.PID, b.Started, b.Xact, b.InXact, b.LockWait(), b.BlockedBy, b.Text, len(r.Backends), r.MoreBackends, r.Slots, r.Archiver)
	want := `17.5 false 1h0m0s 100/3 7 [{active 2} {idle 5}] | 41 1700000000000000 12.5s true 3.25s [40 99 0] "UPDATE [2Jx SET" 3 | 6 more | ` +
		`[{s1 physical  false 0 1073741824 extended} {s2 logical app true 7 -1 lost}] | {on true 40.5s 0000A false 0s  0 4}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if r.MoreSlots != 1 || r.Backends[2].PID != 99 {
		t.Errorf("%d more slots, sessions %v", r.MoreSlots, r.Backends)
	}
	for _, p := range []string{"default_transaction_read_only\x00on\x00", "statement_timeout\x003000\x00", "lock_timeout\x001000\x00", "application_name\x00pgtui\x00"} {
		if !strings.Contains(f.params, p) {
			t.Errorf("the connection does not begin with %q", p)
		}
	}
}

// TestActivityWithoutText: a query is not even requested.
func TestActivityWithoutText(t *testing.T) {
	f := quiet(row("41", null, "UPDATE", "", "1"))
	r, err := f.read(t, false)
	if err != nil || r.Backends[0].Verb != "UPDATE" {
		t.Errorf("%v, %v", r.Backends, err)
	}
	for _, q := range f.asked {
		if strings.Contains(q, "left(query") {
			t.Errorf("it requests %s", q)
		}
	}
}

// TestActivityRefused: what the server refuses of a report stays unknown, and a login
// that fails says why and what to type.
func TestActivityRefused(t *testing.T) {
	f := quiet(row("41", null, "UPDATE", "", "1"))
	f.answers[4] = canned{contains: "pg_replication_slots", code: "42501"}
	f.answers[5] = canned{contains: "pg_ls_archive_statusdir", code: "42501"}
	r, err := f.read(t, false)
	if err != nil || r.Slots != nil || !strings.Contains(r.SlotsUnread, "permission denied") || r.Archiver.Ready != -1 || len(r.Backends) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, tt := range []struct{ refuses, text, try string }{
		{"53300 sorry, too many clients already", "PostgreSQL of pg-test-1: it accepts no more sessions (max_connections)", "sudo -iu postgres psql"},
		{"28P01 password authentication failed for user \"dbuser_monitor\"", "dbuser_monitor is not let in", "pg_hba.conf"},
		{"57P03 the database system is starting up", "the database system is starting up", "systemctl status patroni"},
		{"3D000 database \"postgres\" does not exist", "does not exist", "pgtui status"},
	} {
		_, err := (&fakePostgres{refuses: tt.refuses}).read(t, false)
		if err == nil || !strings.Contains(err.Error(), tt.text) || !strings.Contains(source.TryOf(err), tt.try) || strings.Contains(fmt.Sprint(err, source.TryOf(err)), "S3cret") {
			t.Errorf("%s: %v, try %q", tt.refuses, err, source.TryOf(err))
		}
		if crowded := strings.HasPrefix(tt.refuses, "53300"); errors.Is(err, ErrCrowded) != crowded {
			t.Errorf("%s: crowded %t", tt.refuses, !crowded)
		}
	}
}

// TestActivityIsBounded: a server cannot make pgtui keep more rows than it requested,
// nor rows of another form.
func TestActivityIsBounded(t *testing.T) {
	var many [][]string
	for i := range 301 {
		many = append(many, row(fmt.Sprint(i+1), null, "SELECT", "", "301"))
	}
	for _, rows := range [][][]string{many, {{"41", "1"}}} {
		if _, err := quiet(rows...).read(t, false); err == nil || !strings.Contains(err.Error(), "not in the expected form") {
			t.Errorf("%d rows of %d columns: %v", len(rows), len(rows[0]), err)
		}
	}
}

// TestActivityEnds: a PostgreSQL that hangs does not hold the reading up.
func TestActivityEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := New(Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }})
	_, err := p.Activity(ctx, &model.Cluster{Monitor: model.Login{User: "u", Databases: []string{"postgres"}}}, &model.Instance{Name: "pg-test-1", Host: "10.0.0.1", PgPort: 5432}, false)
	if err == nil || !strings.Contains(err.Error(), "no answer within 2s") {
		t.Errorf("%v", err)
	}
}

// TestSignalRights: the right to end a session is read as the administrator, and a
// session is not touched by it.
func TestSignalRights(t *testing.T) {
	for _, tt := range []struct {
		row  []string // superuser, pg_signal_backend, of a superuser, member
		want string
	}{
		{[]string{"t", "t", "t", "t"}, ""},
		{[]string{"f", "t", "f", "f"}, ""},
		{[]string{"f", "f", "f", "t"}, ""},
		{[]string{"f", "t", "t", "f"}, "the session is a superuser's, and only a superuser may end it"},
		{[]string{"f", "f", "f", "f"}, "the role pg_signal_backend is missing"},
		{[]string{"f"}, "not in the expected form"},
	} {
		f := &fakePostgres{version: "17.5", answers: []canned{{contains: "pg_signal_backend", rows: [][]string{tt.row}}}}
		host, port, _ := net.SplitHostPort(server(t, f.serve))
		in := &model.Instance{Name: "pg-test-1", Host: model.Host(host)}
		_, _ = fmt.Sscan(port, &in.PgPort)
		c := &model.Cluster{Operator: model.Login{User: "dbuser_dba", Password: "S3cret.Password", Databases: []string{"postgres"}}}
		err := New(Options{}).SignalRights(t.Context(), c, in, 41)
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%v: %v, want %q", tt.row, err, tt.want)
		case err != nil && !strings.Contains(source.TryOf(err), "sudo -iu postgres psql -c 'select pg_terminate_backend(41)'"):
			t.Errorf("%v: try %q", tt.row, source.TryOf(err))
		}
		if len(f.asked) != 1 || strings.Contains(f.asked[0], "terminate_backend") || !strings.Contains(f.params, "dbuser_dba") {
			t.Errorf("it sends %v as %q", f.asked, f.params)
		}
	}
}

// TestOperate checks that a refusal of PostgreSQL, a lost reply and a statement that
// was not sent are different errors.
func TestOperate(t *testing.T) {
	for _, tt := range []struct {
		name     string
		f        *fakePostgres
		value    string
		ok, sent bool
		answered bool
		fails    bool
	}{
		{"done", &fakePostgres{answers: []canned{{contains: "pg_terminate_backend", rows: [][]string{{"t"}}}}}, "t", true, true, false, false},
		{"no such session", &fakePostgres{answers: []canned{{contains: "pg_terminate_backend"}}}, "", false, true, false, false},
		{"refused", &fakePostgres{answers: []canned{{contains: "pg_terminate_backend", code: "42501"}}}, "", false, true, true, true},
		{"two rows", &fakePostgres{answers: []canned{{contains: "pg_terminate_backend", rows: [][]string{{"t"}, {"t"}}}}}, "t", true, true, false, true},
		{"no login", &fakePostgres{refuses: "28P01 password authentication failed"}, "", false, false, false, true},
	} {
		host, port, _ := net.SplitHostPort(server(t, tt.f.serve))
		in := &model.Instance{Name: "pg-test-1", Host: model.Host(host)}
		_, _ = fmt.Sscan(port, &in.PgPort)
		sent := false
		value, ok, err := New(Options{}).Operate(t.Context(), &model.Cluster{Operator: model.Login{User: "dbuser_dba", Databases: []string{"postgres"}}}, in,
			"select pg_terminate_backend(pid) from pg_stat_activity", func() { sent = true })
		if value != tt.value || ok != tt.ok || sent != tt.sent || (err != nil) != tt.fails || errors.Is(err, ErrAnswered) != tt.answered {
			t.Errorf("%s: %q %t, sent %t, %v", tt.name, value, ok, sent, err)
		}
	}
}
