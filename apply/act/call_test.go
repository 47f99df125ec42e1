package act

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
)

// patroniAt is a port that counts the requests it reads and answers each with do.
func patroniAt(t *testing.T, do func(conn net.Conn)) (*model.Instance, *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var requests atomic.Int64
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, req.Body)
				requests.Add(1)
				do(conn)
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	n, _ := strconv.ParseUint(port, 10, 16)
	return &model.Instance{Name: "pg-test-1", Host: "127.0.0.1", PatroniPort: uint16(n)}, &requests
}

// TestACallIsSentOnceAndClassified: whatever becomes of the reply, one request is
// read, and the error says what is known of it.
func TestACallIsSentOnceAndClassified(t *testing.T) {
	answer := func(head, body string) func(net.Conn) {
		return func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.0 "+head+"\r\n\r\n"+body) }
	}
	for _, tt := range []struct {
		name string
		do   func(net.Conn)
		want error // nil is accepted
		text string
	}{
		{"accepted", answer("200 OK", `Successfully switched over to "pg-test-2"`), nil, ""},
		{"accepted for later", answer("202 Accepted", "Switchover scheduled"), nil, ""},
		{"gate A", answer("412 Precondition Failed", "switchover is not possible: no good candidates have been found"), errRefused, "no good candidates"},
		{"gate B", answer("503 Service Unavailable", "Switchover failed"), errRefused, "Switchover failed"},
		{"another writer was faster", answer("409 Conflict", "conflict"), errRefused, "409"},
		{"Patroni itself does not know", answer("503 Service Unavailable", "Switchover status unknown"), ErrUnknown, "status unknown"},
		{"in the words of 4.2", answer("503 Service Unavailable", "Switchover Status Unknown after 20 seconds; operation may still be in progress"), ErrUnknown, "20 seconds"},
		{"a wrong login", answer("401 Unauthorized", "not authenticated"), errForbidden, "patroni_username"},
		{"not on the list", answer("403 Forbidden", "Access is denied"), errForbidden, "--ssh"},
		{"cut before the headers", func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, ErrUnknown, "cut"},
		{"closed before the headers", func(net.Conn) {}, ErrUnknown, "cut"},
		{"cut in the headers", func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Le") }, ErrUnknown, "connection broken"},
		{"cut in the body", func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 400\r\n\r\nSucc") }, ErrUnknown, "cut"},
		{"no answer", func(c net.Conn) { time.Sleep(time.Second) }, ErrUnknown, "deadline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, requests := patroniAt(t, tt.do)
			a := &Actor{}
			_, err := a.call(context.Background(), nil, in, model.REST{User: "postgres", Password: "s3cret"}, call{method: "POST", path: "/switchover", body: map[string]any{"leader": "pg-test-1"}, wait: 400 * time.Millisecond})
			if !errors.Is(err, tt.want) || errors.Is(err, ErrNotSent) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error()+" "+source.TryOf(err), tt.text) {
				t.Errorf("%v (%s) lacks %q", err, source.TryOf(err), tt.text)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the password is in %v", err)
			}
			time.Sleep(50 * time.Millisecond)
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests were read, want 1", n)
			}
		})
	}
}

// TestNothingWasSent: a port that is closed, and a login that never left, are known
// to have changed nothing.
func TestNothingWasSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	in := &model.Instance{Name: "pg-test-1", Host: "127.0.0.1", PatroniPort: port}
	a := &Actor{}
	c := call{method: "POST", path: "/restart", wait: time.Second}
	if _, err := a.call(context.Background(), nil, in, model.REST{}, c); !errors.Is(err, ErrNotSent) || errors.Is(err, ErrUnknown) {
		t.Errorf("a closed port: %v", err)
	}
	in.PatroniTLS = true // the port speaks no TLS
	plain, requests := patroniAt(t, func(net.Conn) {})
	in.PatroniPort = plain.PatroniPort
	if _, err := a.call(context.Background(), nil, in, model.REST{}, c); !errors.Is(err, ErrNotSent) {
		t.Errorf("no TLS: %v", err)
	}
	if requests.Load() != 0 {
		t.Error("a request was read")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := a.call(ctx, nil, plain, model.REST{}, c); !errors.Is(err, ErrNotSent) {
		t.Errorf("cancelled before: %v", err)
	}
}
