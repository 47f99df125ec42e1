package model_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// TestAServerThatIsGoingDownIsNotedOnItsWay: HAProxy still sends connections to
// a server whose first check has failed.
func TestAServerThatIsGoingDownIsNotedOnItsWay(t *testing.T) {
	w := newWorld()
	w.server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) {
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

// TestASilentPatroniIsNotQuoted: what HAProxy's last check got is HAProxy's word
// once Patroni does not answer any more.
func TestASilentPatroniIsNotQuoted(t *testing.T) {
	w := newWorld()
	cell := func() model.Cell { return model.RouteOf(w.snap, w.cls, "primary", t0).Views[1].Cells[0] }
	equal(t, "while it answers", cell().Why+"|"+cell().Note, "Patroni answers 200 to /primary|")
	p := w.snap.Patroni["pg-test-1"]
	p.Status.Err = errors.New("refused")
	w.snap.Patroni["pg-test-1"] = p
	p.Checks["/primary"] = source.Observed[int]{Err: errors.New("refused"), Tried: t0}
	equal(t, "when it does not", cell().Why+"|"+cell().Note,
		"HAProxy's last check of /primary got 200|HAProxy still sends connections here, Patroni does not answer pgtui")
	equal(t, "verdict", string(cell().Verdict), "serving")
}

// TestAShutPortIsSeenThroughTheCheck: HAProxy's check asks Patroni, clients are
// sent to another port. One of their servers there takes none.
func TestAShutPortIsSeenThroughTheCheck(t *testing.T) {
	w := newWorld()
	shut := func(port, why string) {
		v := w.snap.Patroni["pg-test-1"]
		v.Ports = []model.PortView{{Port: port, Observed: source.Observed[model.PortState]{Value: model.PortState{Why: why}, At: t0, Tried: t0}}}
		w.snap.Patroni["pg-test-1"] = v
	}
	route := func(at time.Time) model.Route { return model.RouteOf(w.snap, w.cls, "primary", at) }
	port := w.cls.Service("primary").Members[0].Port
	shut(port, "")
	equal(t, "it answers", string(route(t0).Verdict), "serving")
	shut("1", "port 1 refuses connections")
	equal(t, "another port", string(route(t0).Verdict), "serving")
	shut(port, "port "+port+" refuses connections")
	r := route(t0)
	equal(t, "verdict", string(r.Verdict), "mismatch")
	equal(t, "why", r.Why, "the check passes, connections fail on pg-test-1: port "+port+" refuses connections")
	names, why := r.Shut()
	equal(t, "names", model.Join(names), "pg-test-1")
	equal(t, "each once", strings.Join(why, "; "), "pg-test-1: port "+port+" refuses connections")
	equal(t, "the cell is still served by HAProxy", string(r.Views[0].Cells[0].Verdict), "serving")
	w.silence(1, 0)
	r = route(t0)
	if names, _ := r.Shut(); len(names) > 0 {
		t.Errorf("%v is called shut though its Patroni does not answer either", names)
	}
}
