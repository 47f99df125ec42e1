package probe

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgtui/model"
	"pgtui/probe/node"
	"pgtui/probe/transport"
)

// exploding panics on every connection, and has room for one question at a
// time: what panicked and kept its place would end the test.
func exploding() *Prober {
	return New(Options{InFlight: 1, Timeout: 300 * time.Millisecond, Jitter: func() float64 { return 0.5 }, Dial: func(context.Context, string, string) (net.Conn, error) {
		panic("broken on purpose")
	}})
}

// told fails the test unless text says that pgtui itself has failed, and where.
func told(t *testing.T, what, text string) {
	t.Helper()
	if !strings.Contains(text, "pgtui itself failed ") || !strings.Contains(text, "broken on purpose (probe/fault_test.go:") {
		t.Errorf("%s: %q", what, text)
	}
}

func toldErr(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	told(t, what, err.Error())
}

// TestAPanicOverAnAnswerIsItsError: whatever is asked, a fault of pgtui's own is
// the error of that question, and the others are asked all the same.
func TestAPanicOverAnAnswerIsItsError(t *testing.T) {
	p, inv := exploding(), inventory(1, 3)
	c := &inv.Clusters[0]
	c.VIP, c.Monitor = "10.0.0.9", model.Login{User: "m", Databases: []string{"postgres"}}
	s, err := p.Probe(t.Context(), inv)
	if err != nil {
		t.Fatal(err)
	}
	toldErr(t, "VIP", s.VIP["c0"].Err)
	for name, v := range s.Patroni {
		toldErr(t, string(name), v.Status.Err)
		toldErr(t, string(name), v.Cluster.Err)
	}
	for h, o := range s.HAProxy {
		toldErr(t, string(h), o.Err)
	}
	for i, proof := range p.Prove(t.Context(), port("10.0.0.1:5433"), 2) {
		told(t, string(i.HAProxy), proof.Value.Tries[1].Text)
		told(t, string(i.HAProxy), proof.Value.Direct[0].Text)
	}
	n := &model.Node{Host: "10.0.0.1"}
	for _, ask := range []model.Ask{model.AskHTTP, model.AskPostgres, model.AskSSH, model.AskDNS, model.AskNTP} {
		n.Components = append(n.Components, model.Component{Name: string(ask), Host: n.Host, Port: 1, Ask: ask, Path: "/"})
	}
	for key, o := range p.Components(t.Context(), inv, []*model.Node{n}, nil) {
		told(t, key.Name, o.Value.Why)
		if o.Value.Health != model.ComponentUnknown {
			t.Errorf("%s is %s by pgtui's own fault", key.Name, o.Value.Health)
		}
	}
	inv.Nodes[0].Components = []model.Component{{Name: "dnsmasq", Host: "10.0.0.1", Port: 53}}
	ends := []model.Endpoint{{Host: "10.0.0.1", Port: 5433}, {Host: "10.0.0.1", Port: 5434}, {Host: "10.0.0.2", Port: 5433}}
	for e, o := range p.CheckEntries(t.Context(), inv, c, ends) {
		toldErr(t, e.String(), o.Err)
	}
	for e, o := range p.ProveEntries(t.Context(), inv, c, ends, 1) {
		toldErr(t, e.String(), o.Err)
	}
	told(t, "DNS", p.Resolve(t.Context(), inv, "pgtui-other.invalid")[1].Error)
	for h, o := range (node.Reader{Runner: panicking{}, Now: time.Now}).Facts(t.Context(), []*model.Node{&inv.Nodes[0], &inv.Nodes[1]}) {
		toldErr(t, string(h), o.Err)
	}
}

// panicking is a Runner that does so.
type panicking struct{}

func (panicking) Run(context.Context, transport.Cmd) (transport.Output, error) {
	panic("broken on purpose")
}

// TestAWatchGoesOnAfterAPanic: it is told as the nodes' errors, and what answers
// again is known again.
func TestAWatchGoesOnAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFleet([]byte(page))
		var broken bool
		p := New(Options{Jitter: func() float64 { return 0.5 }, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if f.set(func() {}); broken {
				panic("broken on purpose")
			}
			return f.dial(ctx, network, addr)
		}})
		broken = true
		w := watchAll(ctx, p, inventory(1, 3), 2*time.Second)
		time.Sleep(time.Second)
		s := w.last()
		toldErr(t, "Patroni", s.Patroni["c0-2"].Status.Err)
		toldErr(t, "HAProxy", s.HAProxy["10.0.0.2"].Err)
		f.set(func() { broken = false })
		time.Sleep(20 * time.Second)
		known(t, w.last(), "c0-2")
		cancel()
		<-w.done
	})
}

// TestAPanicBesideAQuestionIsTold: also where an answer is taken in, with the
// lock held.
func TestAPanicBesideAQuestionIsTold(t *testing.T) {
	p, inv := tester(newFleet([]byte(page))), inventory(1, 1)
	targets, err := targetsOf(inv, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.patroni = nil // nothing can be kept of Patroni
	p.sweep(t.Context(), p.asker(inv), &targets[0], func(bool) {})
	if o := p.haproxy[targets[0].place()]; !o.Known() {
		t.Errorf("HAProxy is not known: %v", o.Err)
	}
	told := 0
	p = tester(newFleet([]byte(page)))
	p.sweep(t.Context(), p.asker(inv), &targets[0], func(bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if told++; told == 1 {
			panic("broken on purpose")
		}
	})
	all := p.snapshot(inv, targets)
	faults := 0
	for _, err := range []error{all.HAProxy["10.0.0.1"].Err, all.Patroni["c0-1"].Status.Err} {
		if err != nil {
			toldErr(t, "the first answer", err)
			faults++
		}
	}
	if faults != 1 {
		t.Errorf("%d faults are told, want one", faults)
	}
}

// TestAWatchThatFailsEnds: nothing of it stays behind, and its channel is closed.
func TestAWatchThatFailsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var p *Prober
		p = New(Options{Dial: newFleet([]byte(page)).dial, Jitter: func() float64 { return 0.5 }, Now: func() time.Time {
			if time.Since(start) < 3*time.Second {
				return time.Now()
			}
			if !p.mu.TryLock() { // a snapshot is being made
				panic("broken on purpose")
			}
			p.mu.Unlock()
			return time.Now()
		}})
		w := watchAll(t.Context(), p, inventory(1, 3), 2*time.Second)
		<-w.done
		if len(w.snaps) == 0 {
			t.Error("no snapshot before the fault")
		}
	})
}
