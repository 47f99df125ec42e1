package cmd_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"pgtui/internal/sandbox"
	"pgtui/plan/action"
	"pgtui/session"
)

// cuts makes connections that count the POSTs that are written and lose every reply
// to one.
type cuts struct {
	mu    sync.Mutex
	posts int
}

func (c *cuts) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	return &cutConn{Conn: conn, of: c}, err
}

type cutConn struct {
	net.Conn
	of   *cuts
	post bool
}

func (c *cutConn) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("POST ")) {
		c.of.mu.Lock()
		c.of.posts++
		c.of.mu.Unlock()
		c.post = true
		time.AfterFunc(200*time.Millisecond, func() { _ = c.Close() })
	}
	return c.Conn.Write(p)
}

// TestALostReplyIsNotSentAgain: one POST leaves, the run continues to watch, and what
// it observes is the outcome.
func TestALostReplyIsNotSentAgain(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Speed: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	c := &cuts{}
	s := session.New(session.Options{Inventory: sb.InventoryPath()}, session.World{Getenv: func(string) string { return "" }, Now: time.Now, Dial: c.Dial})
	inv, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run := func(r action.Request) (action.Report, []action.State) {
		t.Helper()
		p, err := s.PlanAction(t.Context(), inv, r)
		if err != nil || p.Refused != nil || len(p.Unaccepted()) > 0 {
			t.Fatalf("%v, %v, %v", err, p.Refused, p.Unaccepted())
		}
		var states []action.State
		c.posts = 0
		rep, err := s.Act(t.Context(), inv, p, func(e action.Event) {
			if e.State != action.Waiting {
				states = append(states, e.State)
			}
		})
		if c.posts != 1 || err != nil {
			t.Errorf("%s: %d POSTs, %v", r.Kind, c.posts, err)
		}
		return rep, states
	}
	rep, states := run(action.Request{Kind: action.Switchover, Cluster: "pg-test", Candidate: "pg-test-2"})
	if rep.Outcome != action.EndDone || rep.Leader != "pg-test-2" || len(rep.Clients) != 3 || states[1] != action.Unknown {
		t.Errorf("%s, %s leads, %v", rep.Outcome, rep.Leader, states)
	}
	if rep, states = run(action.Request{Kind: action.Restart, Cluster: "pg-test", Instance: "pg-test-3"}); rep.Outcome != action.EndDone || states[1] != action.Unknown {
		t.Errorf("%s, %v", rep.Outcome, states)
	}
}
