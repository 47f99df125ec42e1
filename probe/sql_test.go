package probe

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"pgtui/model"
)

// fakeServer answers logins, who it is, and what else is queried: rows by a part
// of the statement, in the statements' order. A part that has no row is refused.
type fakeServer struct {
	version  string
	recovery string
	rows     map[string][]string
	delay    time.Duration // before each answer
}

func (f *fakeServer) serve(c net.Conn) {
	b := pgproto3.NewBackend(c, c)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: f.version})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	for b.Flush() == nil {
		m, err := b.Receive()
		q, ok := m.(*pgproto3.Query)
		if err != nil || !ok {
			return
		}
		time.Sleep(f.delay)
		for _, s := range strings.Split(q.String, "; ") {
			if !f.answer(b, s) {
				b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42501", Message: "permission denied"})
				break
			}
		}
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	}
}

func (f *fakeServer) answer(b *pgproto3.Backend, statement string) bool {
	switch {
	case strings.HasPrefix(statement, "set "):
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SET")})
		return true
	case strings.Contains(statement, "pg_postmaster_start_time"):
		table(b, "127.0.0.1", "2026-01-01 00:00:00.000000", "7", "pg-test", f.recovery, "off", "00000001")
		return true
	}
	for part, row := range f.rows {
		if strings.Contains(statement, part) {
			table(b, row...)
			return true
		}
	}
	return false
}

// table is one row; "null" is null.
func table(b *pgproto3.Backend, row ...string) {
	d := &pgproto3.RowDescription{}
	r := &pgproto3.DataRow{}
	for _, v := range row {
		d.Fields = append(d.Fields, pgproto3.FieldDescription{Name: []byte("c"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1})
		if v == "null" {
			r.Values = append(r.Values, nil)
		} else {
			r.Values = append(r.Values, []byte(v))
		}
	}
	b.Send(d)
	b.Send(r)
	b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
}

// member is a cluster of one instance whose PostgreSQL is at direct, and whose
// pgbouncer is at pooled.
func member(t *testing.T, direct, pooled string) *model.Cluster {
	t.Helper()
	number := func(addr string) (string, uint16) {
		_, p, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		n, err := net.LookupPort("tcp", p)
		if err != nil {
			t.Fatal(err)
		}
		return p, uint16(n)
	}
	_, pg := number(direct)
	text, pool := number(pooled)
	svc := model.Service{Cluster: "pg-test", Name: "primary", Port: "5433", Members: []model.Server{{Name: "pg-test-1", Host: "127.0.0.1", Port: text}}}
	return &model.Cluster{Name: "pg-test",
		Instances:     []model.Instance{{Name: "pg-test-1", Host: "127.0.0.1", PgPort: pg, BouncerPort: pool}},
		LoadBalancers: []model.LoadBalancer{{Host: "127.0.0.1", Services: []model.Service{svc}}},
		Monitor:       model.Login{User: "dbuser_monitor", Password: "S3cret.Password", Databases: []string{"postgres"}}}
}

func stopRow() []string {
	return []string{"f", "on", "2", "3600.5", "1", "90", "7", "t", "2026-01-01 00:00:00.000000", "2026-01-01 00:00:05.000000", "0000000100000000000000AB", "9", "200", "8", "10", "0", "64"}
}

func TestSQLOfTheLeader(t *testing.T) {
	replica := func() *fakeServer { return &fakeServer{version: "15.4", recovery: "t"} }
	pool := server(t, replica().serve)
	facts := func(f *fakeServer) model.ServerFacts {
		c := member(t, server(t, f.serve), pool)
		o := New(Options{}).SQL(t.Context(), nil, c)["pg-test-1"]
		if !o.Known() || o.Value.Direct.Fault != "" || o.Value.Pooled.Fault != "" {
			t.Fatalf("%+v", o)
		}
		return o.Value
	}
	all := map[string][]string{"from pg_stat_archiver": stopRow(), "pg_ls_archive_statusdir": {"12"}, "from pg_database": {"123456"}}
	f := facts(&fakeServer{version: "15.4 (Debian)", recovery: "f", rows: all})
	if !f.Read || f.Prepared != 2 || f.OldestPrepared != 3600500*time.Millisecond || f.Long != 1 || f.OldestXact != 90*time.Second || f.Sessions != 7 ||
		f.ArchiveMode != "on" || f.ArchiveReady != 12 || f.FailedFile != "0000000100000000000000AB" || f.FailedCount != 9 || f.Bytes != 123456 || !f.ArchiverFails() ||
		len(f.Standby) != 5 || f.Standby["max_connections"] != 200 || f.Standby["max_locks_per_transaction"] != 64 {
		t.Errorf("%+v", f)
	}
	if f = facts(&fakeServer{version: "11.22", recovery: "f", rows: all}); !f.Read || f.ArchiveReady != -1 || f.Bytes != 123456 {
		t.Errorf("PostgreSQL 11 has no list of its archive status: %+v", f)
	}
	without := map[string][]string{"from pg_stat_archiver": stopRow(), "from pg_database": {"1"}}
	if f = facts(&fakeServer{version: "18.1", recovery: "f", rows: without}); !f.Read || f.ArchiveReady != -1 || f.Bytes != -1 || f.Prepared != 2 {
		t.Errorf("what is refused hides the rest: %+v", f)
	}
	if f = facts(&fakeServer{version: "18.1", recovery: "f"}); f.Read || f.ArchiveReady != -1 {
		t.Errorf("nothing was read: %+v", f)
	}
	blind := stopRow()
	blind[7] = "f"
	if f = facts(&fakeServer{version: "16devel", recovery: "f", rows: map[string][]string{"from pg_stat_archiver": blind}}); !f.Read || f.Long != -1 || f.OldestXact != 0 {
		t.Errorf("without pg_read_all_stats: %+v", f)
	}
	odd := stopRow()
	odd[2], odd[5] = "many", "NaN"
	if f = facts(&fakeServer{version: "15.4", recovery: "f", rows: map[string][]string{"from pg_stat_archiver": odd}}); f.Read {
		t.Errorf("a count that is no number: %+v", f)
	}
}

func TestSQLOfAReplica(t *testing.T) {
	pool := server(t, (&fakeServer{version: "15.4", recovery: "t"}).serve)
	for _, tt := range []struct {
		backlog string
		rate    int64
	}{{"100", -1}, {"9000000", 0}, {"null", -1}} {
		f := &fakeServer{version: "15.4", recovery: "t", rows: map[string][]string{"pg_last_wal_replay_lsn": {"500000000", tt.backlog}}}
		o := New(Options{}).SQL(t.Context(), nil, member(t, server(t, f.serve), pool))["pg-test-1"].Value
		if !o.Read || o.ReplayRate != tt.rate || (tt.rate >= 0) != (o.ReplaySpan > 0) || !o.Direct.Answer.Recovery {
			t.Errorf("backlog %s: %+v", tt.backlog, o)
		}
	}
}

// TestSQLIsBounded: a server that never answers does not hold the rest for ever.
func TestSQLIsBounded(t *testing.T) {
	hangs := server(t, func(net.Conn) { <-t.Context().Done() })
	slow := server(t, (&fakeServer{version: "15.4", recovery: "f", delay: time.Hour}).serve)
	p := New(Options{Timeout: 300 * time.Millisecond})
	for _, tt := range []struct {
		direct, pooled string
		fault          model.Fault
	}{{hangs, hangs, model.FaultTimeout}, {slow, slow, model.FaultTimeout}, {"127.0.0.1:1", "127.0.0.1:2", model.FaultRefused}} {
		o := p.SQL(t.Context(), nil, member(t, tt.direct, tt.pooled))["pg-test-1"]
		if f := o.Value; !o.Known() || f.Direct.Fault != tt.fault || f.Pooled.Fault != tt.fault || f.Read || strings.Contains(f.Direct.Text, "4s") {
			t.Errorf("%+v", o)
		}
	}
}
