package node

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed reach.sh
var reachScript string

// curl's exit codes that mean that no answer came: no connection, and no answer in
// time. Any other but 0 shows nothing, such as TLS that it does not speak.
const (
	curlRefused = 7
	curlTimeout = 28
	curlEmpty   = 52
)

// Reach is, from the node of each member of the cluster, why it does not get an
// answer from the Patroni of each other member, by GET /patroni within 2 s; "" when
// it does. A member that is missing was not determined.
func (r Reader) Reach(ctx context.Context, nodes []*model.Node, c *model.Cluster) map[model.Host]source.Observed[map[model.InstanceName]string] {
	return each(ctx, r, nodes, func(ctx context.Context, n *model.Node) (map[model.InstanceName]string, error) {
		var names []model.InstanceName
		var urls []string
		for i := range c.Instances {
			in := &c.Instances[i]
			if in.Host == n.Host {
				continue
			}
			scheme := "http://"
			if in.PatroniTLS {
				scheme = "https://"
			}
			names = append(names, in.Name)
			urls = append(urls, scheme+net.JoinHostPort(string(in.Host), strconv.Itoa(int(in.PatroniPort)))+"/patroni")
		}
		if len(urls) == 0 {
			return nil, nil
		}
		out, err := r.Runner.Run(ctx, transport.Cmd{Target: n.SSH, Script: reachScript, Args: urls, Reads: true})
		if err != nil {
			return nil, fmt.Errorf("whom it reaches: %w", err)
		}
		found, err := parseReach(out.Stdout, names)
		if err != nil {
			return nil, fmt.Errorf("%s: whom it reaches: %w", text.Line(string(n.Host), 80), err)
		}
		return found, nil
	})
}

// parseReach reads what reach.sh prints: "pgtui-reach 1", lines "at INDEX EXIT
// STATUS" with curl's exit code and the HTTP status, or "none" without curl, and
// "end".
func parseReach(b []byte, names []model.InstanceName) (map[model.InstanceName]string, error) {
	lines := strings.Split(string(b), "\n")
	if lines[0] != "pgtui-reach 1" || len(lines) > len(names)+3 {
		return nil, errors.New("the answer is not in the expected form")
	}
	found := map[model.InstanceName]string{}
	for _, line := range lines[1:] {
		w := strings.Fields(line)
		switch {
		case line == "end":
			return found, nil
		case line == "none":
			return nil, errors.New("it has no curl")
		case len(w) != 4 || w[0] != "at":
			return nil, errors.New("the answer is damaged")
		}
		i, err := strconv.Atoi(w[1])
		exit, err2 := strconv.Atoi(w[2])
		status, err3 := strconv.Atoi(w[3])
		if err := errors.Join(err, err2, err3); err != nil || i < 1 || i > len(names) {
			return nil, errors.New("the answer is damaged")
		}
		switch name := names[i-1]; {
		case exit == 0 && status != 0:
			found[name] = ""
		case exit == curlRefused:
			found[name] = "no connection"
		case exit == curlTimeout:
			found[name] = "no answer within 2 s"
		case exit == curlEmpty:
			found[name] = "the connection was closed without an answer"
		}
	}
	return nil, errors.New("the answer is cut")
}
