package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// bouncer is a pgbouncer's console as one release has it.
type bouncer struct {
	version string
	answers map[string][]string // by question: the header, then the rows, with spaces between

	mu    sync.Mutex
	asked []string
}

func (b *bouncer) serve(c net.Conn) {
	readStartup(c)
	var out []byte
	out = append(out, frame('R', []byte{0, 0, 0, 0})...)
	out = append(out, frame('S', []byte("server_version\x00"+b.version+"/bouncer\x00"))...)
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
		what := strings.TrimPrefix(strings.TrimRight(string(body), "\x00"), "SHOW ")
		b.mu.Lock()
		b.asked = append(b.asked, what)
		b.mu.Unlock()
		table, ok := b.answers[what]
		if !ok {
			_, _ = c.Write(append(frame('E', []byte("SERROR\x00C08P01\x00Minvalid command\x00\x00")), "Z\x00\x00\x00\x05I"...))
			continue
		}
		out = frame('T', columns(strings.Fields(table[0])))
		for _, row := range table[1:] {
			out = append(out, frame('D', values(strings.Fields(row)))...)
		}
		_, _ = c.Write(append(append(out, frame('C', []byte("SHOW\x00"))...), "Z\x00\x00\x00\x05I"...))
	}
}

func frame(kind byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4)), body...)
}

func columns(names []string) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(names)))
	for _, n := range names {
		out = append(append(out, n...), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0)
	}
	return out
}

func values(vals []string) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(vals)))
	for _, v := range vals {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(v))), v...)
	}
	return out
}

// The columns of three releases; a dash is an empty text.
const (
	databases116 = "name host port database force_user pool_size min_pool_size reserve_pool pool_mode max_connections current_connections paused disabled"
	databases124 = "name host port database force_user pool_size min_pool_size reserve_pool_size server_lifetime pool_mode load_balance_hosts max_connections current_connections max_client_connections current_client_connections paused disabled"
	pools116     = "database user cl_active cl_waiting cl_cancel_req sv_active sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode"
	pools118     = "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active sv_active_cancel sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode"
)

func (b *bouncer) pool(t *testing.T) *pool {
	return &pool{addr: server(t, b.serve), login: model.Login{User: "dbuser_monitor", Password: "S3cret.Password"}, gap: consoleGap}
}

// TestConsole: what the releases say, by the names of their columns.
func TestConsole(t *testing.T) {
	lists := []string{"list items", "databases 2", "used_clients 6", "login_clients 0"}
	config := []string{"key value default changeable", "max_client_conn 20000 100 yes"}
	for _, tt := range []struct {
		b    *bouncer
		want string
	}{
		{&bouncer{version: "1.16.1", answers: map[string][]string{
			"DATABASES": {databases116, "app h 5432 app - 50 0 30 - 100 2 1 0", "pgbouncer - 6432 pgbouncer pgbouncer 2 0 0 statement 0 0 0 0"},
			"POOLS":     {pools116, "app u 1 2 0 1 1 0 0 0 4 500000 transaction", "app v 0 1 0 0 0 0 0 0 9 250000 transaction", "gone u 1 0 0 1 1 0 0 0 0 0 transaction"},
			"LISTS":     lists, "CONFIG": config,
		}}, "1.16.1 paused=false told=false 5/20000 [{app true false 1 3 9.25s 0001-01-01 00:00:00 +0000 UTC 2 1 50 100 0 0}]"},
		{&bouncer{version: "1.18.0", answers: map[string][]string{
			"DATABASES": {databases116, "app h 5432 app - 50 0 30 - 100 2 0 1"},
			"POOLS":     {pools118, "app u 1 0 0 0 1 1 1 1 1 1 1 0 0 transaction"},
			"LISTS":     lists, "CONFIG": config,
		}}, "1.18.0 paused=false told=false 5/20000 [{app false true 1 0 0s 0001-01-01 00:00:00 +0000 UTC 7 1 50 100 0 0}]"},
		{&bouncer{version: "1.25.0", answers: map[string][]string{
			"STATE":     {"key value", "active no", "paused yes", "suspended no"},
			"DATABASES": {databases124, "web h 5432 web - 20 0 30 600 - - 0 0 9 8 0 0", "app h 5432 app - 50 0 30 600 - - 100 2 0 3 0 0"},
			"POOLS":     {pools118 + " load_balance_hosts", "app u 1 0 0 0 0 0 0 0 0 0 0 7 0 transaction -"},
			"LISTS":     lists, "CONFIG": config,
		}}, "1.25.0 paused=true told=true 5/20000 [{app false false 1 0 0s 0001-01-01 00:00:00 +0000 UTC 0 0 50 100 3 0} {web false false 0 0 0s 0001-01-01 00:00:00 +0000 UTC 0 0 20 0 8 9}]"},
	} {
		st, err := New(Options{}).console(t.Context(), tt.b.pool(t), source.Observed[model.PoolState]{})
		got := fmt.Sprintf("%s paused=%t told=%t %d/%d %v", st.Version, st.Paused, st.PauseKnown, st.Clients, st.MaxClients, st.Databases)
		if err != nil || got != tt.want {
			t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
		}
		if tells := slices.Contains(tt.b.asked, "STATE"); tells != st.PauseKnown {
			t.Errorf("%s is asked %v: a release that does not know SHOW STATE logs it as an error", tt.b.version, tt.b.asked)
		}
	}
}

// TestAStallIsTimed: pgbouncer counts no time for clients that wait to be let in.
func TestAStallIsTimed(t *testing.T) {
	b := &bouncer{version: "1.18.0", answers: map[string][]string{"DATABASES": {databases116, "app h 5432 app - 50 0 30 - 100 2 0 0"},
		"POOLS": {pools118, "app u 0 1 0 0 0 0 0 0 0 0 0 0 0 transaction"}, "LISTS": {"list items"}, "CONFIG": {"key value"}}}
	pl, now := b.pool(t), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := New(Options{Now: func() time.Time { return now }})
	var old source.Observed[model.PoolState]
	for _, want := range []model.PoolHold{"", model.PoolStalled} {
		st, err := p.console(t.Context(), pl, old)
		if err != nil || len(st.Databases) != 1 || st.Held(&st.Databases[0]) != want {
			t.Fatalf("want %q: %+v, %v", want, st, err)
		}
		old.Value, now = st, now.Add(consoleGap)
	}
	b.answers["POOLS"][1] = "app u 0 1 0 0 0 0 0 0 0 0 1 0 0 transaction" // one logs in
	if st, _ := p.console(t.Context(), pl, old); st.Held(&st.Databases[0]) != "" || !st.Databases[0].StalledAt.IsZero() {
		t.Errorf("%+v", st.Databases)
	}
}

// TestConsoleAsksForItsLimitSeldom: max_client_conn changes with a reload.
func TestConsoleAsksForItsLimitSeldom(t *testing.T) {
	b := &bouncer{version: "1.18.0", answers: map[string][]string{"DATABASES": {databases116}, "POOLS": {pools118}, "LISTS": {"list items", "used_clients 6"}, "CONFIG": {"key value", "max_client_conn 100"}}}
	pl, now := b.pool(t), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := New(Options{Now: func() time.Time { return now }})
	old := source.Observed[model.PoolState]{}
	for _, tt := range []struct {
		later time.Duration
		limit int
		want  bool
	}{{0, 0, true}, {time.Minute, 100, false}, {postgres.MaxClientsAge, 100, true}, {time.Second, 5, true}} {
		now = now.Add(tt.later)
		b.asked = nil
		if tt.limit > 0 {
			old.Value.MaxClients = tt.limit
		}
		st, err := p.console(t.Context(), pl, old)
		if err != nil || st.MaxClients != 100 {
			t.Fatalf("%+v, %v", st, err)
		}
		if got := slices.Contains(b.asked, "CONFIG"); got != tt.want {
			t.Errorf("after %v with a limit of %d: asked %v", tt.later, tt.limit, b.asked)
		}
		old.Value = st
	}
}

// TestConsoleRefuses: a login that is refused says nothing of the pool, but for
// one that is full.
func TestConsoleRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		do      func(net.Conn)
		full    bool
		refused bool
		text    string
	}{
		{"not in stats_users", refusing("08P01", "not allowed"), false, true, "pgbouncer's console refuses dbuser_monitor: not allowed"},
		{"wrong password", refusing("08P01", "SASL authentication failed"), false, true, "pgbouncer's console refuses dbuser_monitor: SASL authentication failed"},
		{"clear text", func(c net.Conn) { readStartup(c); _, _ = c.Write(frame('R', []byte{0, 0, 0, 3})); readStartup(c) }, false, true, "the server requests the password in clear text: it was not sent"},
		{"full", refusing("08P01", "no more connections allowed (max_client_conn)"), true, false, ""},
		{"hangs up", func(c net.Conn) { readStartup(c) }, false, false, "pgbouncer's console: accepted and closed the connection"},
		{"a question fails", (&bouncer{version: "1.18.0"}).serve, false, false, "pgbouncer's console: invalid command (08P01)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st, err := New(Options{}).console(t.Context(), &pool{addr: server(t, tt.do), login: model.Login{User: "dbuser_monitor", Password: "S3cret.Password"}}, source.Observed[model.PoolState]{})
			_, refused := errors.AsType[*model.ConsoleRefused](err)
			if st.Full != tt.full || refused != tt.refused || (err == nil) != (tt.text == "") || err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%+v, %v", st, err)
			}
			if err != nil && strings.Contains(err.Error(), "S3cret") {
				t.Error("the password is in the error")
			}
		})
	}
}

// TestConsoleIsHostile: rows, bytes and names are bounded, and harmless.
func TestConsoleIsHostile(t *testing.T) {
	row := "app u 1 0 0 0 1 0 0 0 0 0 0 0 0 transaction"
	answers := func() map[string][]string {
		return map[string][]string{"DATABASES": {databases116}, "POOLS": {pools118}, "LISTS": {"list items"}, "CONFIG": {"key value"}}
	}
	many := &bouncer{version: "1.18.0", answers: answers()}
	for range postgres.MaxConsoleRows + 1 {
		many.answers["POOLS"] = append(many.answers["POOLS"], row)
	}
	wide := &bouncer{version: "1.18.0", answers: answers()}
	wide.answers["POOLS"] = append(wide.answers["POOLS"], strings.Repeat("x", postgres.MostMessage+1))
	endless := func(c net.Conn) {
		readStartup(c)
		_, _ = c.Write(append(frame('R', []byte{0, 0, 0, 0}), "Z\x00\x00\x00\x05I"...))
		notice := frame('N', append([]byte("SNOTICE\x00M"+strings.Repeat("n", 60000)+"\x00"), 0))
		for {
			if _, err := c.Write(notice); err != nil {
				return
			}
		}
	}
	huge := func(c net.Conn) {
		readStartup(c)
		_, _ = c.Write(append(frame('R', []byte{0, 0, 0, 0}), "Z\x00\x00\x00\x05I"...))
		_, _ = c.Write([]byte{'T', 0x3f, 0xff, 0xff, 0xff, 0, 1})
		_, _ = io.Copy(io.Discard, c)
	}
	for name, addr := range map[string]string{"rows": server(t, many.serve), "a wide row": server(t, wide.serve), "without end": server(t, endless), "a message of 1 GB": server(t, huge)} {
		if st, err := New(Options{Timeout: 20 * time.Second}).console(t.Context(), &pool{addr: addr, login: model.Login{User: "m"}}, source.Observed[model.PoolState]{}); err == nil || len(st.Databases) > 0 {
			t.Errorf("%s: %d databases, %v", name, len(st.Databases), err)
		}
	}
	b := &bouncer{version: "1.18.0\x1b[31m", answers: answers()}
	for i := range postgres.MaxPoolDatabases + 5 {
		paused := "0"
		if i == postgres.MaxPoolDatabases+4 {
			paused = "1"
		}
		b.answers["DATABASES"] = append(b.answers["DATABASES"], fmt.Sprintf("db\x1b[31m%05d h 5432 app - 50 0 30 - -100 2 %s 0", i, paused))
	}
	st, err := New(Options{Timeout: 20 * time.Second}).console(t.Context(), b.pool(t), source.Observed[model.PoolState]{})
	if err != nil || len(st.Databases) != postgres.MaxPoolDatabases || st.More != 5 || !st.Databases[postgres.MaxPoolDatabases-1].Paused || st.Databases[0].MaxServers != 0 {
		t.Errorf("%d databases, %d more, %v", len(st.Databases), st.More, err)
	}
	if strings.Contains(st.Databases[0].Name+st.Version, "\x1b") {
		t.Errorf("%q", st.Databases[0].Name)
	}
}

// TestALookAtALargeFleetAsksNoConsole: what a single look asks of 1,000 nodes
// stays what it was.
func TestALookAtALargeFleetAsksNoConsole(t *testing.T) {
	for n, want := range map[int]bool{fewPorts: false, fewPorts + 1: true} {
		targets := make([]target, n)
		for i := range targets {
			targets[i].instances = []instance{{ports: make([]serverPort, 1), pool: &pool{}}}
		}
		if got := unasked(targets); got != want || (targets[0].instances[0].pool == nil) != want {
			t.Errorf("%d ports: left out %v, want %v", n, got, want)
		}
	}
}

func TestConsoleIsAskedWhenDue(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	pl := &pool{gap: consoleGap}
	for _, tt := range []struct {
		name string
		ago  time.Duration
		st   model.PoolState
		err  error
		want bool
	}{
		{"well a moment ago", 4 * time.Second, model.PoolState{}, nil, false},
		{"well a while ago", consoleGap, model.PoolState{}, nil, true},
		{"paused", heldGap, model.PoolState{Paused: true}, nil, true},
		{"paused a moment ago", time.Second, model.PoolState{Paused: true}, nil, false},
		{"refused a while ago", time.Minute, model.PoolState{}, &model.ConsoleRefused{}, false},
		{"refused long ago", refusedGap, model.PoolState{}, &model.ConsoleRefused{}, true},
		{"no answer, and paused before", heldGap, model.PoolState{Paused: true}, errors.New("no answer"), false},
	} {
		if got := pl.due(source.Observed[model.PoolState]{Value: tt.st, Err: tt.err, Tried: now.Add(-tt.ago)}, now); got != tt.want {
			t.Errorf("%s: due %v", tt.name, got)
		}
	}
	if !pl.due(source.Observed[model.PoolState]{}, now) {
		t.Error("one that was never asked is not due")
	}
	many := []target{{instances: []instance{{pool: &pool{gap: manyConsolesGap}}, {pool: pl}, {}}}}
	spread(many, now, func() float64 { return 0.5 })
	if first := many[0].instances[0].pool; first.due(source.Observed[model.PoolState]{}, now) || !first.due(source.Observed[model.PoolState]{}, now.Add(manyConsolesStart)) || !pl.due(source.Observed[model.PoolState]{}, now) {
		t.Error("the consoles of a large fleet are asked at once, or never, or those of a small one are not")
	}
}

// TestPoolOf: the console is asked where services lead to it, and there is a user.
func TestPoolOf(t *testing.T) {
	ports := []serverPort{{number: "5432", addr: "h:5432"}, {number: "6432", addr: "h:6432", pooler: true}}
	c, in := &model.Cluster{Monitor: model.Login{User: "m"}}, &model.Instance{PgPort: 5432, BouncerPort: 6432}
	if pl := poolOf(c, in, ports); pl == nil || pl.addr != "h:6432" || pl.login.User != "m" {
		t.Errorf("%+v", pl)
	}
	if poolOf(c, in, ports[:1]) != nil || poolOf(&model.Cluster{}, in, ports) != nil || poolOf(c, &model.Instance{PgPort: 6432, BouncerPort: 6432}, ports) != nil {
		t.Error("a console is asked that is none, or without a user")
	}
}

// TestPoolerReport: each pool with its own numbers, the clients that wait, and the
// limits. What cannot be read of the clients takes nothing away from the rest.
func TestPoolerReport(t *testing.T) {
	clients := []string{"type user database state addr port wait wait_us application_name",
		"C u app waiting 10.0.0.7 41000 2 500000 web", "C u app active 10.0.0.8 41001 0 0 web", "C v app waiting unix 6432 9 0 \x1b[2J", "C m pgbouncer waiting 10.0.0.1 1 99 0 x"}
	b := &bouncer{version: "1.24.1", answers: map[string][]string{
		"STATE":     {"key value", "active yes", "paused no", "suspended no"},
		"DATABASES": {databases124, "app h 5432 app - 2 0 30 600 - - 100 2 0 3 0 0", "idle h 5432 idle - 20 0 30 600 - - 100 2 0 3 1 0"},
		"POOLS":     {pools118, "app u 1 1 0 0 2 0 0 0 1 0 1 2 500000 transaction", "app v 0 1 0 0 0 0 0 0 0 0 0 9 0 session", "idle w 1 0 0 0 1 0 0 3 2 0 0 0 0 transaction"},
		"LISTS":     {"list items", "used_clients 6"},
		"CONFIG": {"key value default changeable", "max_client_conn 20000 100 yes", "default_pool_size 50 20 yes", "pool_mode transaction session yes",
			"reserve_pool_size 25 0 yes", "query_wait_timeout 120 120 yes", "max_db_connections 0 0 yes"},
		"CLIENTS": clients,
	}}
	read := func() (model.PoolReport, error) {
		pl := b.pool(t)
		host, port, _ := net.SplitHostPort(pl.addr)
		in := &model.Instance{Name: "pg-test-1", Host: model.Host(host)}
		_, _ = fmt.Sscan(port, &in.BouncerPort)
		return New(Options{}).Pooler(t.Context(), &model.Cluster{Name: "pg-test", Monitor: pl.login}, in)
	}
	rep, err := read()
	got := fmt.Sprintf("%v | %v | %s %d %d %s %d/%d", rep.Pools, rep.WaitingClients, rep.Mode, rep.DefaultSize, rep.Reserve, rep.QueryWait, rep.Clients, rep.MaxClients)
	want := "[{app v session 0 1 0 0 0 0 0 9s 2} {app u transaction 1 1 2 0 1 1 4 2.5s 2} {idle w transaction 1 0 1 3 2 0 6 0s 20}] | " +
		"[{app v unix [2J 9s} {app u 10.0.0.7:41000 web 2.5s}] | transaction 50 25 2m0s 5/20000"
	if err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	for i, state := range []string{"", "full", "paused"} {
		if got := rep.StateOf(&rep.Pools[i]); got != state {
			t.Errorf("pool %d is %q, want %q", i, got, state)
		}
	}
	delete(b.answers, "CLIENTS")
	if rep, err = read(); err != nil || len(rep.Pools) != 3 || rep.WaitingClients != nil || !strings.Contains(rep.ClientsUnread, "invalid command") {
		t.Errorf("without SHOW CLIENTS: %+v, %v", rep, err)
	}
	b.asked = nil
	b.answers["POOLS"] = b.answers["POOLS"][:1]
	if rep, err = read(); err != nil || rep.ClientsUnread != "" || slices.Contains(b.asked, "CLIENTS") {
		t.Errorf("no client waits: %+v, %v, asked %v", rep, err, b.asked)
	}
}

// TestPoolerReportIsBounded: a pgbouncer cannot make pgtui keep more than it shows.
func TestPoolerReportIsBounded(t *testing.T) {
	pools, clients := []string{pools118}, []string{"type user database state addr port wait"}
	for i := range 700 {
		pools = append(pools, fmt.Sprintf("app u%d 1 1 0 0 2 0 0 0 1 0 1 2 500000 transaction", i))
		clients = append(clients, fmt.Sprintf("C u%d app waiting 10.0.0.7 41000 %d", i, i))
	}
	b := &bouncer{version: "1.18.0", answers: map[string][]string{"DATABASES": {databases116, "app h 5432 app - 50 0 30 - 100 2 0 0"},
		"POOLS": pools, "LISTS": {"list items"}, "CONFIG": {"key value"}, "CLIENTS": clients}}
	pl := b.pool(t)
	host, port, _ := net.SplitHostPort(pl.addr)
	in := &model.Instance{Name: "pg-test-1", Host: model.Host(host)}
	_, _ = fmt.Sscan(port, &in.BouncerPort)
	rep, err := New(Options{}).Pooler(t.Context(), &model.Cluster{Monitor: pl.login}, in)
	if err != nil || len(rep.Pools) != 500 || rep.MorePools != 200 || len(rep.WaitingClients) != 100 || rep.MoreClients != 600 || rep.WaitingClients[0].Wait != 699*time.Second {
		t.Errorf("%d pools and %d more, %d clients and %d more, %v", len(rep.Pools), rep.MorePools, len(rep.WaitingClients), rep.MoreClients, err)
	}
}
