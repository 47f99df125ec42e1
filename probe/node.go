package probe

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed node.sh
var nodeScript string

// nodeTimeout is for one node over SSH, from the handshake to the last line.
const nodeTimeout = 8 * time.Second

// nodesAtOnce bounds the SSH connections of one look.
const nodesAtOnce = 8

// ReadNodes asks the nodes over SSH which addresses they have and what systemd
// says of their components, several at once and each within 8 s. It changes
// nothing. A node that cannot be read is there with its error.
func (p *Prober) ReadNodes(ctx context.Context, r transport.Runner, nodes []*model.Node) map[model.Host]source.Observed[model.NodeFacts] {
	return p.readNodes(ctx, r, nodes, unitsOf)
}

// ReadAddresses is ReadNodes without the units, which take systemd a moment
// each.
func (p *Prober) ReadAddresses(ctx context.Context, r transport.Runner, nodes []*model.Node) map[model.Host]source.Observed[model.NodeFacts] {
	return p.readNodes(ctx, r, nodes, func(*model.Node) []string { return nil })
}

func (p *Prober) readNodes(ctx context.Context, r transport.Runner, nodes []*model.Node, units func(*model.Node) []string) map[model.Host]source.Observed[model.NodeFacts] {
	return askNodes(ctx, p, nodes, func(ctx context.Context, n *model.Node) (model.NodeFacts, error) {
		return readNode(ctx, r, n, units(n))
	})
}

// askNodes asks something of nodes over SSH, several at once and each within 8 s.
func askNodes[T any](ctx context.Context, p *Prober, nodes []*model.Node, ask func(context.Context, *model.Node) (T, error)) map[model.Host]source.Observed[T] {
	out := map[model.Host]source.Observed[T]{}
	slots := make(chan struct{}, nodesAtOnce)
	var mu sync.Mutex
	var g guard.Group
	keep := func(n *model.Node, v T, err error, start time.Time) {
		mu.Lock()
		defer mu.Unlock()
		at := p.o.Now()
		out[n.Host] = source.Observed[T]{}.Next(v, err, at, at.Sub(start))
	}
	for _, n := range nodes {
		g.Go("asking "+string(n.Host), func() {
			var v T
			start := p.o.Now()
			err := take(ctx, slots)
			if err == nil {
				defer func() { <-slots }()
				start = p.o.Now()
				actx, cancel := context.WithTimeout(ctx, nodeTimeout)
				defer cancel()
				v, err = ask(actx, n)
			}
			keep(n, v, err, start)
		}, func(err error) {
			var none T
			keep(n, none, err, p.o.Now())
		})
	}
	g.Wait()
	return out
}

func readNode(ctx context.Context, r transport.Runner, n *model.Node, units []string) (model.NodeFacts, error) {
	out, err := r.Run(ctx, transport.Cmd{Target: n.SSH, Script: nodeScript, Args: units, Reads: true})
	if err != nil {
		return model.NodeFacts{}, fmt.Errorf("addresses and units: %w", err)
	}
	facts, err := parseNode(out.Stdout)
	if err != nil {
		return facts, fmt.Errorf("%s: addresses and units: %w", text.Line(string(n.Host), 80), err)
	}
	return facts, nil
}

// unitsOf are the units of the node's components, with the names that Debian
// has for some of them.
func unitsOf(n *model.Node) []string {
	var out []string
	for i := range n.Components {
		for _, u := range append([]string{n.Components[i].Unit}, aliases(n.Components[i].Unit)...) {
			if u != "" && !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}

// aliases are the other names of a unit.
func aliases(unit string) []string {
	switch unit {
	case "chronyd":
		return []string{"chrony"}
	case "sshd":
		return []string{"ssh"}
	}
	return nil
}

// maxFacts bounds the lines that are read of one node.
const maxFacts = 1000

// parseNode reads what node.sh prints: "pgtui-node 1", lines "unit NAME STATE"
// and "addr DEVICE ADDRESS/LENGTH", and "end".
func parseNode(b []byte) (model.NodeFacts, error) {
	f := model.NodeFacts{Units: map[string]string{}}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 2 || lines[0] != "pgtui-node 1" || len(lines) > maxFacts {
		return f, errors.New("the answer is not what was asked for")
	}
	for _, line := range lines[1:] {
		w := strings.Fields(line)
		switch {
		case len(w) == 1 && w[0] == "end":
			return f, nil
		case len(w) == 3 && w[0] == "unit":
			f.Units[text.Line(w[1], text.MaxName)] = text.Line(w[2], text.MaxName)
		case len(w) == 3 && w[0] == "addr":
			if a, err := netip.ParsePrefix(w[2]); err == nil {
				f.Addrs = append(f.Addrs, model.NodeAddr{Device: text.Line(w[1], 32), Addr: a.Addr().String()})
			}
		}
	}
	return f, errors.New("the answer is cut")
}
