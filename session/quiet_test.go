package session

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/probe/transport"
)

// hanging is a Runner whose scripts end with their context.
type hanging struct{}

func (hanging) Run(ctx context.Context, _ transport.Cmd) (transport.Output, error) {
	<-ctx.Done()
	return transport.Output{}, context.Cause(ctx)
}

// TestPatienceEndsForADeadNode: SSH to a node that answers nothing else is not waited
// for; one to any other node is.
func TestPatienceEndsForADeadNode(t *testing.T) {
	w := modeltest.NewWorld()
	w.Silence(3, time.Minute)
	w.Silence(2, time.Minute) // but its HAProxy answers
	front := w.Snap.HAProxy["10.10.10.12"]
	front.Err = nil
	w.Snap.HAProxy["10.10.10.12"] = front
	inv := w.Snap.Inventory
	for i := range inv.Nodes {
		inv.Nodes[i].SSH = model.SSHTarget{Address: string(inv.Nodes[i].Host)}
	}
	now := modeltest.T0
	s := New(Options{}, World{Getenv: func(string) string { return "" }, Now: func() time.Time { return now }})
	wait := s.patience()
	wait.Runner = hanging{}
	ended := map[string]chan error{}
	ctx, cancel := context.WithCancel(t.Context())
	for _, host := range []string{"10.10.10.11", "10.10.10.12", "10.10.10.13"} {
		c := make(chan error, 1)
		ended[host] = c
		go func() {
			_, err := wait.Run(ctx, transport.Cmd{Target: model.SSHTarget{Address: host}})
			c <- err
		}()
	}
	now = now.Add(deadFor) // that is how long the probe took
	wait.probed(inv, w.Cls, w.Snap)
	if err := <-ended["10.10.10.13"]; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the dead node: %v", err)
	}
	cancel()
	for _, host := range []string{"10.10.10.11", "10.10.10.12"} {
		if err := <-ended[host]; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", host, err)
		}
	}
}
