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
	"pgtui/source"
)

// TestAServerThatIsGoingDownIsNotedOnItsWay: HAProxy still sends connections to
// a server whose first check has failed.
func TestAServerThatIsGoingDownIsNotedOnItsWay(t *testing.T) {
	w := modeltest.NewWorld()
	w.Server("10.10.10.11", "pg-test-primary", "pg-test-1", func(s *haproxy.ServerRow) {
		s.Status, s.CheckStatus, s.CheckCode = "UP 2/3", "L4CON", 0
	})
	cell := func() board.Cell {
		r := routeOf(w, "primary", modeltest.T0)
		return r.Views[0].Cells[0]
	}
	modeltest.Equal(t, "while Patroni still answers", cell().Note, "")
	w.Silence(1, 0)
	o := w.Snap.HAProxy["10.10.10.11"]
	o.Err = nil // its HAProxy lives
	w.Snap.HAProxy["10.10.10.11"] = o
	modeltest.Equal(t, "when it does not", cell().Note, "HAProxy still sends connections here, but its checks fail: UP 2/3")
	modeltest.Equal(t, "verdict", string(cell().Verdict), "serving")
}

// TestASilentPatroniIsNotQuoted: what HAProxy's last check got is HAProxy's word
// once Patroni does not answer any more.
func TestASilentPatroniIsNotQuoted(t *testing.T) {
	w := modeltest.NewWorld()
	cell := func() board.Cell { return routeOf(w, "primary", modeltest.T0).Views[1].Cells[0] }
	modeltest.Equal(t, "while it answers", cell().Why+"|"+cell().Note, "Patroni answers 200 to /primary|")
	p := w.Snap.Patroni["pg-test-1"]
	p.Status.Err = errors.New("refused")
	w.Snap.Patroni["pg-test-1"] = p
	p.Checks["/primary"] = source.Observed[int]{Err: errors.New("refused"), Tried: modeltest.T0}
	modeltest.Equal(t, "when it does not", cell().Why+"|"+cell().Note,
		"HAProxy's last check of /primary got 200|HAProxy still sends connections here, but Patroni does not answer pgtui")
	modeltest.Equal(t, "verdict", string(cell().Verdict), "serving")
}

// TestAShutPortIsSeenThroughTheCheck: HAProxy's check asks Patroni, clients are
// sent to another port. One of their servers there takes none.
func TestAShutPortIsSeenThroughTheCheck(t *testing.T) {
	w := modeltest.NewWorld()
	shut := func(port, why string) {
		v := w.Snap.Patroni["pg-test-1"]
		v.Ports = []model.PortView{{Port: port, Observed: source.Observed[model.PortState]{Value: model.PortState{Why: why}, At: modeltest.T0, Tried: modeltest.T0}}}
		w.Snap.Patroni["pg-test-1"] = v
	}
	route := func(at time.Time) board.Route { return routeOf(w, "primary", at) }
	port := w.Cls.Service("primary").Members[0].Port
	shut(port, "")
	modeltest.Equal(t, "it answers", string(route(modeltest.T0).Verdict), "serving")
	shut("1", "port 1 refuses connections")
	modeltest.Equal(t, "another port", string(route(modeltest.T0).Verdict), "serving")
	shut(port, "port "+port+" refuses connections")
	r := route(modeltest.T0)
	modeltest.Equal(t, "verdict", string(r.Verdict), "mismatch")
	modeltest.Equal(t, "why", r.Why, "the check passes, but connections fail on pg-test-1: port "+port+" refuses connections")
	names, why := r.Shut()
	modeltest.Equal(t, "names", model.Join(names), "pg-test-1")
	modeltest.Equal(t, "each once", strings.Join(why, "; "), "pg-test-1: port "+port+" refuses connections")
	modeltest.Equal(t, "the cell is still served by HAProxy", string(r.Views[0].Cells[0].Verdict), "serving")
	w.Silence(1, 0)
	r = route(modeltest.T0)
	if names, _ := r.Shut(); len(names) > 0 {
		t.Errorf("%v is called shut though its Patroni does not answer either", names)
	}
}
