package probe

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"time"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/patroni"
	"pgtui/source"
)

// maxRuled bounds the members that are probed for the dynamic configuration: all
// of them read it from the same place.
const maxRuled = 2

// Rules reads what decides a failover of the cluster, once and on demand: GET
// /config of at most two members that answer, the leader's first, and whether
// etcd's members take connections. What is not answered is in it as an error.
// s is what the nodes have answered before; nil queries the first two.
func (p *Prober) Rules(ctx context.Context, inv *model.Inventory, c *model.Cluster, s *model.Snapshot) model.RuleFacts {
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout+p.o.Timeout/3)
	defer cancel()
	var g guard.Group
	var out model.RuleFacts
	out.Conf.Err = errors.New("no Patroni of the cluster answers")
	a := p.asker(inv)
	asked := ruled(c, s, p.o.Now())
	answers := make([]source.Observed[model.PatroniConf], len(asked))
	for i, in := range asked {
		g.Go("asking "+string(in.Host), func() {
			answers[i] = source.Observe(p.o.Now, func() (model.PatroniConf, error) { // without a login
				addr := net.JoinHostPort(string(in.Host), strconv.Itoa(int(in.PatroniPort)))
				conf, _, err := document(ctx, patroniAPI{asker: a, addr: addr, tls: in.PatroniTLS}, "/config", patroni.ParseConfig)
				return conf, err
			})
		}, func(err error) { answers[i].Err, answers[i].Tried = err, p.o.Now() })
	}
	reached := func(e model.Endpoint, why string, err error) (model.Host, source.Observed[string]) {
		return model.Host(e.Host), source.Observed[string]{}.Next(why, err, p.o.Now(), 0)
	}
	out.Etcd = guard.Collect(c.Etcd, func(e model.Endpoint) string { return "asking " + e.Host },
		func(e model.Endpoint) (model.Host, source.Observed[string]) { return reached(e, p.knock(ctx, e), nil) },
		func(e model.Endpoint, err error) (model.Host, source.Observed[string]) { return reached(e, "", err) })
	g.Wait()
	for i := range answers {
		switch {
		case answers[i].Known():
			out.Conf, out.By = answers[i], asked[i].Name
			return out
		case i == 0:
			out.Conf = answers[i]
		}
	}
	return out
}

// ruled are the members to ask for the configuration: those that answer at now,
// the leader's first.
func ruled(c *model.Cluster, s *model.Snapshot, now time.Time) []*model.Instance {
	var out []*model.Instance
	for i := range c.Instances {
		in := &c.Instances[i]
		if s == nil {
			out = append(out, in)
			continue
		}
		st := s.Patroni[in.Name].Status
		switch {
		case !st.Current(now):
		case st.Value.Role != "replica":
			out = slices.Insert(out, 0, in)
		default:
			out = append(out, in)
		}
	}
	return out[:min(len(out), maxRuled)]
}

// knock is why etcd takes no connections there; "" when it does.
func (p *Prober) knock(ctx context.Context, e model.Endpoint) string {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := p.o.Dial(ctx, "tcp", e.String())
	if err != nil {
		return text.Line(err.Error(), text.MaxNote)
	}
	_ = conn.Close()
	return ""
}
