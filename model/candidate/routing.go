package candidate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
)

// portGates are the candidate's own ports: whether each takes a login.
func (j *judge) portGates(m *board.Member, c *Candidate) {
	in := j.c.Instance(m.Instance)
	o := j.s.SQL[m.Instance]
	port := strconv.Itoa(int(cmp.Or(in.PgPort, 5432)))
	c.add(j.portGate("postgres-port", "port "+port, m, o.Known(), o.Value.Direct, j.s.Patroni[m.Instance].Port(port)))
	pool := strconv.Itoa(int(cmp.Or(in.BouncerPort, 6432)))
	if pool == port || !j.led(m.Instance, pool) {
		return
	}
	g := j.portGate("pooler-port", "pgbouncer's port "+pool, m, o.Known(), o.Value.Pooled, j.s.Patroni[m.Instance].Port(pool))
	if t := j.s.PoolTrouble(j.c, m.Instance, j.now); t.Whole && Rank(g.Verdict) < Rank(Risk) {
		g.Verdict, g.Risk, g.What, g.Try = Risk, "candidate-port", t.Text, model.PoolCommand(j.c, in, "RESUME")
	}
	c.add(g)
}

// led reports whether a service leads clients to that port of the instance.
func (j *judge) led(name model.InstanceName, port string) bool {
	for i := range j.c.LoadBalancers {
		for k := range j.c.LoadBalancers[i].Services {
			if s := j.c.LoadBalancers[i].Services[k].Server(name); s != nil && s.Port == port {
				return true
			}
		}
	}
	return false
}

// portGate is one port by a login, else by what the watch's own probe of it found.
func (j *judge) portGate(name, port string, m *board.Member, tried bool, try model.Try, seen model.PortView) Gate {
	g := Gate{Name: name, Host: m.Host, Verdict: Pass}
	bad := func(what string) Gate {
		g.Verdict, g.Risk, g.What = Risk, "candidate-port", what
		g.Try = "pgtui components " + string(m.Instance)
		return g
	}
	if !tried || try.Fault == model.FaultNotTried {
		switch {
		case seen.Open(j.now):
			g.What = port + " accepts connections; no login was tried"
		case seen.Shut(j.now) != "":
			return bad(seen.Shut(j.now))
		default:
			g.Verdict, g.What = Unknown, port+": no login was tried"
		}
		return g
	}
	switch try.Fault {
	case "":
		g.Unit, g.Value, g.What = "ms", (try.Connect + try.Query).Milliseconds(), fmt.Sprintf("%s took a login in %s", port, about(try.Connect+try.Query))
	case model.FaultAuth, model.FaultDatabase:
		g.Verdict, g.What = Note, port+" answers; "+try.Text
	case model.FaultTimeout:
		if try.Dial == 0 && !m.Known {
			g.Verdict, g.What = Unknown, port+": "+try.Text
			return g
		}
		return bad(port + ": " + try.Text)
	default:
		return bad(port + ": " + try.Text)
	}
	return g
}

// routing adds a gate for each HAProxy about each backend that only the leader
// passes.
func (j *judge) routing(m *board.Member, c *Candidate) {
	for i := range j.b.Routes {
		r := &j.b.Routes[i]
		for k := range r.Views {
			v := &r.Views[k]
			lb := j.c.LoadBalancer(v.HAProxy)
			if lb == nil {
				continue
			}
			svc := lb.Service(r.Service)
			if svc == nil || !model.LockOnly(svc.Check, j.c.Standby) {
				continue
			}
			if g, ok := j.view(m, r, v, svc); ok {
				c.add(g)
			}
		}
	}
}

// view is what one HAProxy does with the candidate once it leads. ok is false where
// the service is for the leader and for no other member by declaration.
func (j *judge) view(m *board.Member, r *board.Route, v *board.View, svc *model.Service) (g Gate, ok bool) {
	g = Gate{Name: "haproxy-view", Host: v.HAProxy, Service: r.Service, Verdict: Pass}
	where := r.Name() + " on " + v.Label()
	risk := func(what, try string) (Gate, bool) {
		g.Verdict, g.Risk, g.What, g.Try = Risk, "candidate-unrouted", where+": "+what, try
		return g, true
	}
	i := slices.IndexFunc(v.Cells, func(c board.Cell) bool { return c.Instance == m.Instance })
	if i < 0 {
		if lead := j.b.Leader; lead != "" && svc.Server(lead) == nil {
			return g, false
		}
		return risk("no server is the candidate: the service does not select it", "the selector of the service "+string(svc.Name))
	}
	cell := &v.Cells[i]
	server := svc.Proxy() + "/" + string(m.Instance)
	back := func(command string) string {
		return "pgtui " + command + " " + string(m.Instance) + " --service " + string(svc.Name) + " --haproxy " + v.Label()
	}
	states := j.s.Servers[v.HAProxy]
	switch {
	case v.Verdict == model.Unknown, cell.Verdict == model.Unknown:
		g.Verdict, g.What, g.Try = Unknown, where+": "+cmp.Or(v.Why, cell.Why), "pgtui doctor "+j.name()
	case cell.Verdict == model.Missing:
		return risk(cell.Why, "pgtui diff "+j.name()+", then pgtui reload "+j.name())
	case cell.Admin == haproxy.AdminMaint:
		return risk(hidden(cell, "in maint"), back("ready"))
	case cell.Admin == haproxy.AdminDrain:
		return risk(hidden(cell, "in drain"), back("undrain"))
	case j.weightless(v.HAProxy, svc, m.Instance):
		return risk("its weight is 0", "pgtui weight "+string(m.Instance)+" 100 --service "+string(svc.Name)+" --haproxy "+v.Label())
	case j.unchecked(v.HAProxy, svc, m.Instance):
		return risk("its health check is disabled, so it stays "+cell.Status, "enable health "+server+", on the socket of "+v.Label())
	case cell.Admin == haproxy.AdminUnknown:
		why := "show servers state was not read"
		if states.Err != nil {
			why += ": " + states.Err.Error()
		}
		g.Verdict, g.What, g.Try = Unknown, where+": whether a drain hides behind "+cell.Status+" is unknown: "+why, "without --no-ssh; else ssh to "+v.Label()
	case v.Closed != "":
		g.Verdict, g.What, g.Try = Note, where+": "+v.Closed, v.Ends
	default:
		g.What = where + ": " + cell.Status + ", not drained, its check runs"
	}
	return g, true
}

// hidden says that the server is taken out, and that its status does not show it.
func hidden(c *board.Cell, what string) string {
	if haproxy.IsDown(c.Status) {
		return what + ", hidden by its status " + c.Status + ": it gets no connections when its check passes"
	}
	return what + ": it gets no connections"
}

// rowOf is the candidate's row on the stats page of a host, nil when there is none.
func (j *judge) rowOf(h model.Host, svc *model.Service, name model.InstanceName) *haproxy.ServerRow {
	st := j.s.HAProxy[h]
	if px := st.Value.Proxy(svc.Proxy()); px != nil {
		return px.Server(string(name))
	}
	return nil
}

func (j *judge) weightless(h model.Host, svc *model.Service, name model.InstanceName) bool {
	states := j.s.Servers[h]
	if st := states.Value.Of(svc.Proxy(), string(name)); states.Ever() && st != nil && st.Weight == 0 {
		return true
	}
	row := j.rowOf(h, svc, name)
	return row != nil && row.UserWeight == 0
}

// unchecked reports whether the health check of the server is disabled: the page
// then shows "no check", or no result of a check beside DOWN.
func (j *judge) unchecked(h model.Host, svc *model.Service, name model.InstanceName) bool {
	row := j.rowOf(h, svc, name)
	if row == nil {
		return false
	}
	source := j.s.HAProxy[h].Value.Source
	return row.Status == "no check" || haproxy.IsDown(row.Status) && row.CheckStatus == "" && source != haproxy.FromMetrics
}

// vip is whether vip-manager runs on the candidate's node, where its units were
// read.
func (j *judge) vip(m *board.Member, c *Candidate) {
	facts := j.s.Nodes[m.Host]
	unit, read := facts.Value.Units["vip-manager"]
	if j.c.VIP == "" || !facts.Known() || !read {
		return
	}
	g := Gate{Name: "vip-manager", Host: m.Host, Verdict: Pass, What: "vip-manager is " + unit}
	if unit != "active" {
		g.Verdict, g.Risk, g.Try = Risk, "candidate-unrouted", "systemctl start vip-manager on "+string(m.Host)
		g.What += ": the VIP " + j.c.VIP + " does not move to it"
	}
	c.add(g)
}

// ports are the sessions that end with the leader's role: HAProxy closes those of a
// server whose check fails.
func (j *judge) ports() []Port {
	out := []Port{}
	for i := range j.b.Routes {
		r := &j.b.Routes[i]
		n, err := strconv.ParseUint(r.Port, 10, 16)
		if err != nil || j.b.Leader == "" {
			continue
		}
		p := Port{Service: r.Service, Port: uint16(n), Known: true}
		selects := false
		for k := range r.Views {
			v := &r.Views[k]
			p.Known = p.Known && v.Verdict != model.Unknown
			for q := range v.Cells {
				if v.Cells[q].Instance == j.b.Leader {
					selects = true
					p.Sessions += v.Cells[q].Sessions
				}
			}
		}
		if selects {
			out = append(out, p)
		}
	}
	return out
}
