package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"

	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/probe/postgres"
)

// server accepts connections and lets do speak; it returns its address.
func server(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				do(c)
			}()
		}
	}()
	return ln.Addr().String()
}

// refusing sends an error of PostgreSQL's after the startup message.
func refusing(code, text string) func(net.Conn) {
	return func(c net.Conn) {
		readStartup(c)
		body := "SFATAL\x00C" + code + "\x00M" + text + "\x00\x00"
		_, _ = c.Write(append(binary.BigEndian.AppendUint32([]byte{'E'}, uint32(len(body)+4)), body...))
	}
}

// readStartup is the database that the client asks for.
func readStartup(c net.Conn) string {
	var n [4]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return ""
	}
	b := make([]byte, binary.BigEndian.Uint32(n[:])-4)
	_, _ = io.ReadFull(c, b)
	_, db, _ := strings.Cut(string(b), "database\x00")
	db, _, _ = strings.Cut(db, "\x00")
	return db
}

// port is an inventory whose one service port is addr.
func port(addr string) *model.Inventory {
	host, p, _ := net.SplitHostPort(addr)
	svc := model.Service{Cluster: "pg-test", Name: "primary", Port: p, Members: []model.Server{{Name: "pg-test-1", Host: "127.0.0.1", Port: p}}}
	return &model.Inventory{Clusters: []model.Cluster{{Name: "pg-test", LoadBalancers: []model.LoadBalancer{{Host: model.Host(host), Services: []model.Service{svc}}},
		Monitor: model.Login{User: "dbuser_monitor", Password: "S3cret.Password", Databases: []string{"postgres", "test"}}}}}
}

func TestProveFaults(t *testing.T) {
	shut := server(t, func(net.Conn) {})
	for _, tt := range []struct {
		name, addr string
		fault      model.Fault
		text       string
	}{
		{"HAProxy is down", "127.0.0.1:1", model.FaultRefused, "nothing listens on 127.0.0.1:1"},
		{"HAProxy has no server", shut, model.FaultClosed, "accepted and closed the connection"},
		{"PostgreSQL starts", server(t, refusing("57P03", "the database system is starting up")), model.FaultStarting, "the database system is starting up"},
		{"wrong password", server(t, refusing("28P01", "password authentication failed")), model.FaultAuth, "the monitoring user is not let in"},
		{"not in pg_hba", server(t, refusing("28000", "no pg_hba.conf entry for host, SSL encryption")), model.FaultAuth, "not let in"},
		{"pgbouncer has no server", server(t, refusing("08P01", "pgbouncer cannot connect to server")), model.FaultPooler, "does not reach PostgreSQL"},
		{"pgbouncer waits", server(t, refusing("08P01", "server login has been failing, try again later (server_login_retry)")), model.FaultPooler, "pgbouncer answers"},
		{"no such database", server(t, refusing("3D000", "database does not exist")), model.FaultDatabase, "does not exist"},
		{"too many clients", server(t, refusing("53300", "sorry, too many clients already")), model.FaultOther, "too many clients already (53300)"},
		{"not PostgreSQL", server(t, func(c net.Conn) { readStartup(c); _, _ = c.Write([]byte("HTTP/1.1 400 \x1b[31mBad\r\n\r\n")) }), model.FaultOther, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := New(Options{}).Prove(t.Context(), port(tt.addr), 1)
			for _, got := range o {
				try := got.Value.Tries[0]
				if len(got.Value.Tries) != 1 || try.Fault != tt.fault && (tt.text != "" || try.Fault == "") || !strings.Contains(try.Text, tt.text) {
					t.Errorf("%+v", try)
				}
				if strings.Contains(try.Text, "S3cret") || strings.ContainsFunc(try.Text, unicode.IsControl) {
					t.Errorf("%q", try.Text)
				}
				if (tt.fault == model.FaultRefused) != (got.Value.Direct[0].Fault == model.FaultRefused) {
					t.Errorf("direct: %+v", got.Value.Direct)
				}
			}
			if len(o) != 1 {
				t.Errorf("%d ports", len(o))
			}
		})
	}
}

// TestProveTakesTheNextDatabase is a pooler that does not know "postgres".
func TestProveTakesTheNextDatabase(t *testing.T) {
	addr := server(t, func(c net.Conn) {
		code, text := "3D000", "no such database: postgres"
		if readStartup(c) == "test" {
			code, text = "28P01", "password authentication failed"
		}
		body := "SFATAL\x00C" + code + "\x00M" + text + "\x00\x00"
		_, _ = c.Write(append(binary.BigEndian.AppendUint32([]byte{'E'}, uint32(len(body)+4)), body...))
	})
	for _, o := range New(Options{}).Prove(t.Context(), port(addr), 3) {
		for _, try := range o.Value.Tries {
			if try.Fault != model.FaultAuth {
				t.Errorf("%+v", try)
			}
		}
	}
}

// TestProveIsGentle counts the connections that are open to one node at once.
func TestProveIsGentle(t *testing.T) {
	var open, most, all atomic.Int32
	addr := server(t, func(c net.Conn) {
		readStartup(c)
		time.Sleep(2 * time.Millisecond)
	})
	inv := port(addr)
	other := inv.Clusters[0].LoadBalancers[0].Services[0]
	other.Name = "replica"
	inv.Clusters[0].LoadBalancers[0].Services = append(inv.Clusters[0].LoadBalancers[0].Services, other)
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		all.Add(1)
		n := open.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		return &trackedConn{Conn: c, open: &open}, nil
	}
	o := New(Options{Dial: dial}).Prove(t.Context(), inv, 10)
	if n := most.Load(); len(o) != 2 || n > perNode || all.Load() != 22 {
		t.Errorf("%d connections at once, %d in all", n, all.Load())
	}
}

// trackedConn is a connection that says when it ends.
type trackedConn struct {
	net.Conn
	open   *atomic.Int32
	closed atomic.Bool
}

func (c *trackedConn) Close() error {
	if !c.closed.Swap(true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

func TestProveEndsWithItsContext(t *testing.T) {
	addr := server(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, o := range New(Options{}).Prove(ctx, port(addr), 20) {
		timeouts := 0
		for _, try := range o.Value.Tries {
			if try.Fault == model.FaultTimeout {
				timeouts++
			} else if try.Fault != model.FaultNotTried {
				t.Errorf("%+v", try)
			}
		}
		if timeouts == 0 || timeouts > perNode {
			t.Errorf("%d time-outs: %+v", timeouts, o.Value.Tries)
		}
	}
}

func TestFaultOfTheNetwork(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want model.Fault
	}{
		{syscall.EHOSTUNREACH, model.FaultTimeout}, {context.DeadlineExceeded, model.FaultTimeout}, {io.EOF, model.FaultClosed},
		{syscall.ECONNRESET, model.FaultClosed}, {errors.New("odd\x1b"), model.FaultOther},
	} {
		if got := postgres.FaultOf(tt.err, "h:1", time.Second); got.Fault != tt.want || got.Text == "" || strings.ContainsFunc(got.Text, unicode.IsControl) {
			t.Errorf("%v: %+v", tt.err, got)
		}
	}
}

// who is an answer in the form of whoQuery's.
func who(cols ...string) []*pgconn.Result {
	row := make([][]byte, len(cols))
	for i, c := range cols {
		row[i] = []byte(c)
	}
	return []*pgconn.Result{{Rows: [][][]byte{row}}}
}

func TestParseWho(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 32, 4, 764478000, time.UTC)
	for _, tt := range []struct {
		name string
		in   []*pgconn.Result
		want model.Answer
	}{
		{"a primary through pgbouncer", who("", "2026-11-21 02:32:04.764478", "7710", "pg-test", "f", "off", "0000000A"),
			model.Answer{Started: at, SystemID: "7710", ClusterName: "pg-test", Timeline: 10}},
		{"a replica itself", who("10.10.10.12", "2026-11-21 02:32:04.764478", "7710", "pg-test", "t", "on", "10"),
			model.Answer{Addr: "10.10.10.12", Started: at, SystemID: "7710", ClusterName: "pg-test", Recovery: true, ReadOnly: true, Timeline: 10}},
		{"a timeline that PostgreSQL would not print", who("", "", "", "", "t", "", "+9"), model.Answer{Recovery: true}},
		{"nothing told", who("", "", "", "", "", "", ""), model.Answer{}},
	} {
		if got, err := postgres.ParseWho(tt.in); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	for _, in := range [][]*pgconn.Result{nil, who("one"), {{}}} {
		if _, err := postgres.ParseWho(in); err == nil {
			t.Errorf("%v is no answer", in)
		}
	}
}

func FuzzParseWho(f *testing.F) {
	fuzz.Target(f)
	f.Add("10.10.10.12", "2026-11-21 02:32:04.764478", "7710", "pg-test", "t", "on", "10")
	f.Add("", "", "", "", "t", "", "+9")
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, h string) {
		got, err := postgres.ParseWho(who(a, b, c, d, e, g, h))
		if err != nil || strings.ContainsFunc(got.Addr+got.SystemID+got.ClusterName, unicode.IsControl) || got.Timeline < 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		// PostgreSQL prints no sign, and never more than ten digits.
		if n, err := strconv.Atoi(h); got.Recovery && err == nil && n > 0 && n < 1<<31 && h[0] != '+' && len(h) <= 80 && got.Timeline != n {
			t.Fatalf("timeline %d of %q", got.Timeline, h)
		}
	})
}
