package access

import (
	"errors"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// Who holds the VIP by the nodes' own word.
func TestVIPNotes(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	has := func(addrs ...string) source.Observed[model.NodeFacts] {
		var f model.NodeFacts
		for _, a := range addrs {
			f.Addrs = append(f.Addrs, model.NodeAddr{Device: "eth0", Addr: a})
		}
		return source.Observed[model.NodeFacts]{}.Next(f, nil, at, 0)
	}
	b := &board.Board{Cluster: &model.Cluster{Name: "c", VIP: "10.0.0.9"}, Members: []board.Member{{Instance: "c-1", Host: "10.0.0.1"}, {Instance: "c-2", Host: "10.0.0.2"}}}
	for _, tt := range []struct {
		one, two source.Observed[model.NodeFacts]
		want     string
	}{
		{has("10.0.0.1", "10.0.0.9"), has("10.0.0.2"), "VIP 10.0.0.9: `ip addr` shows it on c-1 (10.0.0.1)"},
		{has("10.0.0.9"), has("10.0.0.9"), "VIP 10.0.0.9 is on 2 nodes according to `ip addr`: c-1 (10.0.0.1), c-2 (10.0.0.2)"},
		{has("10.0.0.1"), has("10.0.0.2"), "VIP 10.0.0.9: no node read over SSH has it"},
		{has("10.0.0.9"), source.Observed[model.NodeFacts]{}.Next(model.NodeFacts{}, errors.New("10.0.0.2: no route"), at, 0), "VIP 10.0.0.9: `ip addr` shows it on c-1 (10.0.0.1); not read: 10.0.0.2: no route"},
	} {
		s := &model.Snapshot{Readings: model.Readings{Nodes: map[model.Host]source.Observed[model.NodeFacts]{"10.0.0.1": tt.one, "10.0.0.2": tt.two}}}
		if got := vipNotes(s, b); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	if got := vipNotes(&model.Snapshot{}, b); got != nil {
		t.Errorf("not asked: %q", got)
	}
}
