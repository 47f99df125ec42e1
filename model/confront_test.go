package model_test

import (
	"testing"

	"pgtui/model"
)

// TestAServerThatIsGoingDownIsNotedOnItsWay: HAProxy still sends connections to
// a server whose first check has failed.
func TestAServerThatIsGoingDownIsNotedOnItsWay(t *testing.T) {
	w := newWorld()
	w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *model.ServerStat) {
		s.Status, s.CheckStatus, s.CheckCode = "UP 2/3", "L4CON", 0
	})
	cell := func() model.Cell {
		r := model.RouteOf(w.snap, w.cls, "primary", t0)
		return r.Views[0].Cells[0]
	}
	equal(t, "while Patroni still answers", cell().Note, "")
	w.silence(1, 0)
	o := w.snap.HAProxy["10.10.10.11"]
	o.Err = nil // its HAProxy lives
	w.snap.HAProxy["10.10.10.11"] = o
	equal(t, "when it does not", cell().Note, "HAProxy still sends connections here, and its checks fail: UP 2/3")
	equal(t, "verdict", string(cell().Verdict), "serving")
}
