package pg

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// serve lets one client in; the result of the connection is sent to ended.
func serve(t *testing.T, state *State, reach error) (client net.Conn, ended chan error) {
	t.Helper()
	client, server := net.Pipe()
	ended = make(chan error, 1)
	go func() {
		c := NewConn(server)
		err := c.Startup()
		if err == nil {
			err = c.Serve(func(do func(*State) error) error {
				if reach != nil {
					return reach
				}
				return do(state)
			})
		}
		_ = server.Close()
		ended <- err
	}()
	t.Cleanup(func() { _ = client.Close() })
	return client, ended
}

// ask logs in as a real client does and makes one query.
func ask(t *testing.T, state *State, user, password, database, query string) ([][][]byte, error) {
	t.Helper()
	client, _ := serve(t, state, nil)
	config, err := pgconn.ParseConfig("host=127.0.0.1 user=" + user + " password=" + password + " dbname=" + database + " sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.DialFunc = func(_ context.Context, _, _ string) (net.Conn, error) { return client, nil }
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		return nil, err
	}
	results, err := conn.Exec(t.Context(), query).ReadAll()
	if err != nil {
		return nil, err
	}
	return results[0].Rows, conn.Close(t.Context())
}

func up() *State {
	return &State{
		Instance: Instance{Addr: "10.0.0.1", Up: true, Primary: true, Started: time.Unix(0, 0), SystemID: "7", Cluster: "pg-test", Timeline: 26},
		Release:  Bookworm(),
	}
}

func TestAnswersOfServers(t *testing.T) {
	paused := func(verb ...string) *State {
		s := up()
		s.Pooler = &Pooler{}
		if err := s.Pooler.Do(verb, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		return s
	}
	replica, starting, noServer := up(), up(), paused("roomy")
	replica.Primary, starting.Starting, noServer.Up = false, true, false
	const probe = "SELECT pg_postmaster_start_time()"
	for _, tt := range []struct {
		name                      string
		state                     *State
		user, password, db, query string
		want                      string // in the row or in the error
	}{
		{"primary", up(), monitorUser, monitorPassword, monitorDatabase, probe, "10.0.0.1|1970-01-01 00:00:00.000000|7|pg-test|f|off|0000001A"},
		{"replica", replica, monitorUser, monitorPassword, monitorDatabase, probe, "|t|on|26"},
		{"through pgbouncer", paused("roomy"), monitorUser, monitorPassword, monitorDatabase, probe, "|1970-01-01"},
		{"another query", up(), monitorUser, monitorPassword, monitorDatabase, "SELECT 1", "0A000"},
		{"wrong password", up(), monitorUser, "wrong", monitorDatabase, probe, "28P01"},
		{"another user", up(), "postgres", monitorPassword, monitorDatabase, probe, "28P01"},
		{"no such database", up(), monitorUser, monitorPassword, "nosuch", probe, "3D000"},
		{"starting", starting, monitorUser, monitorPassword, monitorDatabase, probe, "57P03"},
		{"pgbouncer without a server", noServer, monitorUser, monitorPassword, monitorDatabase, probe, "cannot connect to server"},
		{"pgbouncer is full", paused("full"), monitorUser, monitorPassword, monitorDatabase, probe, "max_client_conn"},
		{"disabled", paused("disable", "postgres"), monitorUser, monitorPassword, monitorDatabase, probe, "is disabled"},
		{"console", paused("pause", "app"), monitorUser, monitorPassword, consoleDatabase, "SHOW DATABASES;", "app|0|0|app|"},
		{"console without a server", noServer, monitorUser, monitorPassword, consoleDatabase, "show lists", "databases|3"},
		{"console of 1.18", paused("pause"), monitorUser, monitorPassword, consoleDatabase, "SHOW STATE", "invalid command"},
		{"console without rights", paused("refuse"), monitorUser, monitorPassword, consoleDatabase, "SHOW LISTS", "not allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := ask(t, tt.state, tt.user, tt.password, tt.db, tt.query)
			got := ""
			for _, r := range rows {
				for i, v := range r {
					if got += string(v); i+1 < len(r) {
						got += "|"
					}
				}
				got += "\n"
			}
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("have %q, expected %q", got, tt.want)
			}
		})
	}
}

// TestEndsOfConnections: what a client sends is bounded, and a server that
// cannot be reached is silent until the client leaves.
func TestEndsOfConnections(t *testing.T) {
	start := func(version uint32) []byte {
		b, err := (&pgproto3.StartupMessage{ProtocolVersion: version, Parameters: map[string]string{"user": monitorUser, "database": monitorDatabase}}).Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Run("a long message", func(t *testing.T) {
		client, ended := serve(t, up(), nil)
		f := pgproto3.NewFrontend(client, client)
		if _, err := client.Write(start(pgproto3.ProtocolVersion30)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Receive(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write([]byte{'p', 0x7f, 0xff, 0xff, 0xff}); err != nil {
			t.Fatal(err)
		}
		tooLong := &pgproto3.ExceededMaxBodyLenErr{}
		if err := <-ended; !errors.As(err, &tooLong) || tooLong.MaxExpectedBodyLen != maxMessage {
			t.Errorf("%v", err)
		}
	})
	t.Run("TLS", func(t *testing.T) {
		client, ended := serve(t, up(), nil)
		request, err := (&pgproto3.SSLRequest{}).Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // a client that does not take no for an answer
			if _, err := client.Write(request); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1)
			if _, err := client.Read(b); err != nil || string(b) != "N" {
				t.Fatalf("%q, %v", b, err)
			}
		}
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	})
	t.Run("another protocol", func(t *testing.T) {
		client, ended := serve(t, up(), nil)
		if _, err := client.Write(start(pgproto3.ProtocolVersion32)); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	})
	t.Run("silence", func(t *testing.T) {
		client, ended := serve(t, up(), ErrSilent)
		if _, err := client.Write(start(pgproto3.ProtocolVersion30)); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Write([]byte("anything")); err != nil {
			t.Fatal(err)
		}
		_ = client.Close()
		if err := <-ended; !errors.Is(err, ErrSilent) {
			t.Errorf("%v", err)
		}
	})
}
