// Package node reads a node over SSH: its HAProxy service files, what HAProxy's
// sockets report, its addresses and systemd's units. It only reads.
package node

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"time"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed facts.sh
var factsScript string

// nodeTimeout is for one node, from the handshake to the last line.
const nodeTimeout = 8 * time.Second

// nodesAtOnce bounds the SSH connections of one call.
const nodesAtOnce = 8

// Reader reads several nodes at once, each within 8 s. A node that cannot be
// read is in the answer with its error.
type Reader struct {
	Runner transport.Runner
	Now    func() time.Time // the clock
}

// Facts are the addresses of each node and the state of its components' units
// in systemd.
func (r Reader) Facts(ctx context.Context, nodes []*model.Node) map[model.Host]source.Observed[model.NodeFacts] {
	return each(ctx, r, nodes, func(ctx context.Context, n *model.Node) (model.NodeFacts, error) {
		return readFacts(ctx, r.Runner, n, unitsOf(n))
	})
}

// Addresses is Facts without the units, which take systemd a moment each.
func (r Reader) Addresses(ctx context.Context, nodes []*model.Node) map[model.Host]source.Observed[model.NodeFacts] {
	return each(ctx, r, nodes, func(ctx context.Context, n *model.Node) (model.NodeFacts, error) {
		return readFacts(ctx, r.Runner, n, nil)
	})
}

// Servers are the changes made at runtime to the servers of each node's HAProxy.
func (r Reader) Servers(ctx context.Context, nodes []*model.Node) map[model.Host]source.Observed[haproxy.ServerStates] {
	return each(ctx, r, nodes, func(ctx context.Context, n *model.Node) (haproxy.ServerStates, error) {
		run, err := readRuntime(ctx, r.Runner, n.SSH, 0)
		if err == nil {
			err = run.NoServers
		}
		return run.Servers, err
	})
}

// each calls read for every node.
func each[T any](ctx context.Context, r Reader, nodes []*model.Node, read func(context.Context, *model.Node) (T, error)) map[model.Host]source.Observed[T] {
	slots := make(chan struct{}, nodesAtOnce)
	return guard.Collect(nodes, func(n *model.Node) string { return "reading " + string(n.Host) },
		func(n *model.Node) (model.Host, source.Observed[T]) {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
				return n.Host, source.Observed[T]{Err: fmt.Errorf("not read: %w", source.Ended(ctx)), Tried: r.Now()}
			}
			return n.Host, source.Observe(r.Now, func() (T, error) {
				limited, cancel := context.WithTimeout(ctx, nodeTimeout)
				defer cancel()
				return read(limited, n)
			})
		}, func(n *model.Node, err error) (model.Host, source.Observed[T]) {
			return n.Host, source.Observed[T]{Err: err, Tried: r.Now()}
		})
}

func readFacts(ctx context.Context, r transport.Runner, n *model.Node, units []string) (model.NodeFacts, error) {
	out, err := r.Run(ctx, transport.Cmd{Target: n.SSH, Script: factsScript, Args: units, Reads: true})
	if err != nil {
		return model.NodeFacts{}, fmt.Errorf("addresses and units: %w", err)
	}
	facts, err := parseFacts(out.Stdout)
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
		for _, u := range UnitNames(n.Components[i].Unit) {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}

// UnitNames are a unit and its other names in Debian; none for "".
func UnitNames(unit string) []string {
	switch unit {
	case "":
		return nil
	case "chronyd":
		return []string{unit, "chrony"}
	case "sshd":
		return []string{unit, "ssh"}
	}
	return []string{unit}
}

// maxFacts bounds the lines that are read of one node.
const maxFacts = 1000

// parseFacts reads what facts.sh prints: "pgtui-node 1", lines "unit NAME STATE"
// and "addr DEVICE ADDRESS/LENGTH", and "end".
func parseFacts(b []byte) (model.NodeFacts, error) {
	f := model.NodeFacts{Units: map[string]string{}}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 2 || lines[0] != "pgtui-node 1" || len(lines) > maxFacts {
		return f, errors.New("the answer is not in the expected form")
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
