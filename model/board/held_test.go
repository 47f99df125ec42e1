package board_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/model/failover"
	"pgtui/source"
)

// TestDrainBehindDown: the cell of a server that is down says what the stats page
// hides, and its verdict stays.
func TestDrainBehindDown(t *testing.T) {
	const h = model.Host("10.10.10.11")
	for _, tt := range []struct {
		name  string
		do    func(*modeltest.World)
		admin haproxy.Admin
		held  string // in Held and in Note
	}{
		{"not read", func(*modeltest.World) {}, haproxy.AdminUnknown, ""},
		{"nothing was done", func(w *modeltest.World) { w.Drained("", "", 0) }, haproxy.AdminReady, ""},
		{"drained", func(w *modeltest.World) { w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, h) }, haproxy.AdminDrain, "in drain by hand, hidden by its status DOWN"},
		{"put in maintenance", func(w *modeltest.World) { w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedMaint, h) }, haproxy.AdminMaint, "in maint by hand"},
		{"through the server it tracks", func(w *modeltest.World) { w.Drained("pg-test-primary", "pg-test-3", haproxy.InheritedDrain, h) }, haproxy.AdminDrain, "in drain through the server it tracks"},
		{"in another section", func(w *modeltest.World) { w.Drained("pg-test-replica", "pg-test-3", haproxy.ForcedDrain, h) }, haproxy.AdminReady, ""},
		{"on another HAProxy", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, "10.10.10.12")
		}, haproxy.AdminReady, ""},
		{"it is up since", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, h)
			w.Server(h, "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { s.Status = "UP" })
		}, haproxy.AdminReady, ""},
		{"the page shows it", func(w *modeltest.World) {
			w.Server(h, "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { s.Status, s.CheckStatus = "MAINT", "" })
		}, haproxy.AdminMaint, ""},
		{"weight 0, which the page tells", func(w *modeltest.World) {
			w.Server(h, "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { s.UserWeight = 0 })
		}, haproxy.AdminUnknown, "its weight at 0"},
		{"HAProxy is silent", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, h)
			w.Silence(1, time.Minute)
		}, haproxy.AdminUnknown, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			before := cellAt(w, h)
			tt.do(w)
			c := cellAt(w, h)
			if c.Admin != tt.admin || !strings.Contains(c.Held, tt.held) || (c.Held != "") != (tt.held != "") || !strings.Contains(c.Note, c.Held) {
				t.Errorf("%+v", c)
			}
			if tt.held != "" && (c.Verdict != before.Verdict || c.Why != before.Why) {
				t.Errorf("%s %s, was %s %s", c.Verdict, c.Why, before.Verdict, before.Why)
			}
		})
	}
}

// cellAt is pg-test-3 in the primary service on one HAProxy.
func cellAt(w *modeltest.World, h model.Host) board.Cell {
	b := board.Of(w.Snap, w.Cls, modeltest.T0)
	for _, v := range b.Route("primary").Views {
		if v.HAProxy == h {
			for _, c := range v.Cells {
				if c.Instance == "pg-test-3" {
					return c
				}
			}
		}
	}
	return board.Cell{}
}

// TestWhatIfOfADrainedReplica: when it leads nobody serves the primary service,
// and whatif names it; what it could not read it says.
func TestWhatIfOfADrainedReplica(t *testing.T) {
	lead := failover.Supposition{Leader: "pg-test-3"}
	for _, tt := range []struct {
		name    string
		do      func(*modeltest.World)
		want    string
		serving bool   // null and [] differ
		held    string // first sentence
		unread  int
	}{
		{"drained on every HAProxy node", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, w.Fronts()...)
		},
			"primary=:empty replica=2, 3:serving", true, "pg-test-3 is in drain in 5433 primary on every HAProxy node", 0},
		{"put in maintenance on every HAProxy node", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedMaint, w.Fronts()...)
		},
			"primary=:empty replica=2, 3:serving", true, "pg-test-3 is in maint in 5433 primary on every HAProxy node", 0},
		{"drained on one", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-3", haproxy.ForcedDrain, "10.10.10.12")
		},
			"primary=mismatch replica=2, 3:serving", false, "pg-test-3 is in drain in 5433 primary on pg-test-2", 0},
		{"another one is drained", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-2", haproxy.ForcedDrain, w.Fronts()...)
		},
			"primary=3:serving replica=2, 3:serving", true, "", 0},
		{"not read", func(*modeltest.World) {}, "primary=3:serving replica=2, 3:serving", true, "", 3},
		{"not read on one", func(w *modeltest.World) {
			w.Drained("pg-test-primary", "pg-test-2", haproxy.ForcedDrain, w.Fronts()...)
			w.Snap.Servers["10.10.10.12"] = source.Observed[haproxy.ServerStates]{Err: errors.New("ssh: no route"), Tried: modeltest.T0}
		}, "primary=3:serving replica=2, 3:serving", true, "", 1},
		{"weight 0 by hand", func(w *modeltest.World) {
			w.Drained("", "", 0)
			for _, h := range w.Fronts() {
				w.Server(h, "pg-test-primary", "pg-test-3", func(s *haproxy.ServerRow) { s.UserWeight = 0 })
			}
		}, "primary=:empty replica=2, 3:serving", true, "pg-test-3 is at weight 0 (drain) in 5433 primary on every HAProxy node", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			out, err := failover.WhatIf(w.Snap, w.Cls, lead, modeltest.T0)
			if err != nil {
				t.Fatal(err)
			}
			modeltest.Equal(t, "routes", modeltest.Routes(&out.After), tt.want)
			if r := out.After.Route("primary"); (r.Serving != nil) != tt.serving {
				t.Errorf("serving %#v", r.Serving)
			}
			held := ""
			if len(out.Held) > 0 {
				held = out.Held[0].Text()
			}
			if !strings.HasPrefix(held, tt.held) || (held != "") != (tt.held != "") {
				t.Errorf("held %q", held)
			}
			if len(out.Unread) != tt.unread || (board.UnreadText(out.Unread) != "") != (tt.unread > 0) {
				t.Errorf("unread %+v", out.Unread)
			}
			// Nothing of what is supposed is written into what was seen.
			if c := cellAt(w, "10.10.10.11"); c.Status != "DOWN" {
				t.Errorf("the live page was changed: %+v", c)
			}
		})
	}
}

func TestByHand(t *testing.T) {
	s := haproxy.ServerStates{Count: 9, Touched: []haproxy.ServerState{
		{Proxy: "p", Server: "drained", Bits: haproxy.ForcedDrain, Weight: 100, Configured: 100},
		{Proxy: "p", Server: "out", Bits: haproxy.ForcedMaint, Weight: 100, Configured: 100},
		{Proxy: "p", Server: "zero", Configured: 100},
		{Proxy: "p", Server: "half", Weight: 50, Configured: 100},
		{Proxy: "p", Server: "configured", Bits: haproxy.ForcedMaint | haproxy.ConfiguredMaint, Weight: 100, Configured: 100},
		{Proxy: "p", Server: "tracking", Bits: haproxy.InheritedDrain, Weight: 100, Configured: 100},
	}}
	modeltest.Equal(t, "by hand", strings.Join(s.ByHand(), "; "), "p/drained in drain; p/out in maint; p/zero at weight 0")
}
