package node

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/probe/transport"
)

// answering is a Runner with one answer.
type answering struct {
	out string
	err error
	cmd transport.Cmd
}

func (a *answering) Run(_ context.Context, c transport.Cmd) (transport.Output, error) {
	a.cmd = c
	return transport.Output{Stdout: []byte(a.out)}, a.err
}

func TestReaderFacts(t *testing.T) {
	n := &model.Node{Host: "n1", Components: []model.Component{{Unit: "patroni"}, {Unit: "patroni"}, {Unit: "chronyd"}}}
	r := &answering{out: "pgtui-node 1\nunit patroni active\nunit vip-manager \naddr eth0 10.10.10.11/24\naddr eth0 10.10.10.3/24\naddr x nonsense\nend\n"}
	o := Reader{r, time.Now}.Facts(t.Context(), []*model.Node{n})["n1"]
	want := model.NodeFacts{Units: map[string]string{"patroni": "active"}, Addrs: []model.NodeAddr{{Device: "eth0", Addr: "10.10.10.11"}, {Device: "eth0", Addr: "10.10.10.3"}}}
	if !o.Known() || !reflect.DeepEqual(o.Value, want) || !o.Value.Has("10.10.10.3") || o.Value.Has("10.10.10.4") {
		t.Errorf("%+v", o)
	}
	if !r.cmd.Reads {
		t.Error("it does not say that it only reads: refused when pgtui is read-only")
	}
	if !reflect.DeepEqual(r.cmd.Args, []string{"patroni", "chronyd", "chrony"}) {
		t.Errorf("asked for %q", r.cmd.Args)
	}
	for _, out := range []string{"", "pgtui-node 1\nunit patroni active\n", "hello\nend\n"} {
		if o := (Reader{&answering{out: out}, time.Now}).Facts(t.Context(), []*model.Node{n})["n1"]; o.Err == nil {
			t.Errorf("%q is taken for an answer", out)
		}
	}
	if o := (Reader{&answering{err: errors.New("no way")}, time.Now}).Facts(t.Context(), []*model.Node{n})["n1"]; o.Err == nil || o.Known() {
		t.Errorf("an error is lost: %+v", o)
	}
}

func FuzzParseFacts(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte("pgtui-node 1\nunit patroni active\naddr eth0 10.10.10.11/24\nend\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := parseFacts(b)
		if err == nil && len(n.Addrs) > maxFacts {
			t.Errorf("%d addresses", len(n.Addrs))
		}
	})
}
