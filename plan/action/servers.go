package action

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// spot is one server of one HAProxy.
type spot struct {
	host  model.Host
	svc   *model.Service
	px    *haproxy.Proxy
	row   *haproxy.ServerRow
	share int // percent of new connections that it gets now
	admin haproxy.Admin
	bits  haproxy.AdminBits
}

// server is "pg-test-replica/pg-test-2".
func (s *spot) server() string { return s.px.Name + "/" + s.row.Name }

// port is "5434 replica".
func (s *spot) port() string { return s.svc.Port + " " + string(s.svc.Name) }

// wanted reports whether the service routes to the server, or would as soon as
// its turn comes: its check passes.
func (s *spot) wanted() bool { return s.share > 0 || !haproxy.IsDown(s.row.Status) }

// fixed reports whether an operator cannot end its state: it comes from another
// server, from a resolver or from an agent.
func (s *spot) fixed() bool {
	return strings.HasPrefix(s.row.Status, "MAINT (") || strings.HasPrefix(s.row.Status, "DRAIN (agent") || s.bits != 0 && !s.bits.ByHand()
}

// servers are the servers of the instance on every HAProxy of the cluster that the
// request covers, and the HAProxies whose servers are unknown, with the reason.
type servers struct {
	spots  []spot
	unread map[model.Host]string
	hosts  []model.Host // all that the request covers, in order
}

// serversOf finds the servers of an instance. An error refuses the request.
func serversOf(in *Input, r *Request, name model.InstanceName) (servers, error) {
	out := servers{unread: map[model.Host]string{}}
	c := in.Cluster
	if _, err := c.InstanceNamed(name); err != nil {
		return out, err
	}
	if r.Service != "" {
		if _, err := c.ServiceOf(string(r.Service)); err != nil {
			return out, err
		}
	}
	for i := range c.LoadBalancers {
		if lb := &c.LoadBalancers[i]; r.HAProxy == "" || lb.Host == r.HAProxy {
			out.hosts = append(out.hosts, lb.Host)
			out.add(in, r, lb, name)
		}
	}
	if len(out.hosts) == 0 {
		return out, c.NoHAProxy(string(r.HAProxy))
	}
	return out, nil
}

// add adds the servers of one HAProxy.
func (out *servers) add(in *Input, r *Request, lb *model.LoadBalancer, name model.InstanceName) {
	obs := in.Snap.HAProxy[lb.Host]
	switch {
	case !obs.Known():
		out.unread[lb.Host] = "HAProxy has not answered" + source.Because(obs.Err)
		return
	case obs.Value.Damaged > 0:
		out.unread[lb.Host] = text.Plural(obs.Value.Damaged, "row") + " of its stats page cannot be read"
		return
	}
	for i := range lb.Services {
		svc := &lb.Services[i]
		px := obs.Value.Proxy(svc.Proxy())
		if px == nil || r.Service != "" && svc.Name != r.Service {
			continue
		}
		shares := haproxy.Shares(px.Servers)
		for k := range px.Servers {
			if row := &px.Servers[k]; row.Name == string(name) {
				s := spot{host: lb.Host, svc: svc, px: px, row: row, share: shares[k]}
				s.admin, s.bits = haproxy.AdminOf(row, in.Snap.Servers[lb.Host], px.Name)
				states := in.Snap.Servers[lb.Host].Value
				if st := states.Of(px.Name, row.Name); st != nil && st.Bits.Admin() == s.admin {
					s.bits = st.Bits
				}
				out.spots = append(out.spots, s)
			}
		}
	}
}

// byHost calls use with the servers of each HAProxy that pick takes.
func (out *servers) byHost(pick func(*spot) bool, use func(model.Host, []*spot)) {
	for _, h := range out.hosts {
		var some []*spot
		for i := range out.spots {
			if s := &out.spots[i]; s.host == h && pick(s) {
				some = append(some, s)
			}
		}
		if len(some) > 0 {
			use(h, some)
		}
	}
}

// serverNames are the servers, "backend/server".
func serverNames(spots []*spot) []string {
	out := make([]string, len(spots))
	for i, s := range spots {
		out[i] = s.server()
	}
	return out
}

// stateStep is the step that gives servers of one HAProxy a state or a weight.
func stateStep(in *Input, name model.InstanceName, h model.Host, spots []*spot, value string) Step {
	return setStep(in, name, h, serverNames(spots), value)
}

func setStep(in *Input, name model.InstanceName, h model.Host, all []string, value string) Step {
	return Step{Do: DoServer, Instance: name, HAProxy: h, Servers: all, Value: value,
		What: fmt.Sprintf("HAProxy on %s: set %s to %s", in.Inventory.Label(h), strings.Join(all, ", "), value), Proof: "show servers state reads it back"}
}

// checkStep waits for a health check of servers that have just left maint.
func checkStep(in *Input, name model.InstanceName, h model.Host, all []string) Step {
	return Step{Do: DoChecked, Instance: name, HAProxy: h, Servers: all,
		What: fmt.Sprintf("HAProxy on %s: wait for a health check of %s", in.Inventory.Label(h), strings.Join(all, ", ")), Proof: "a health check has ended since; no client reaches the server before that"}
}

// unseen adds the risk of each HAProxy that could not be read, and steps all the
// same: with the risk accepted it is tried there with these values, one after the
// other.
func (out *servers) unseen(in *Input, p *Plan, name model.InstanceName, values ...string) {
	steps := len(p.Steps)
	for _, h := range out.hosts {
		why, bad := out.unread[h]
		if !bad {
			continue
		}
		p.addRisk(plan.Risk{Name: plan.RiskUnseen, Host: h, What: "what this HAProxy sends to " + string(name) + " is unknown: " + why,
			Try: "pgtui status " + string(in.Cluster.Name) + "; once accepted, it is tried there in the same services as on the other HAProxies, and the split is reported"})
		all := out.elsewhere(in, p.Steps[:steps], h)
		for i, v := range values {
			if len(all) == 0 {
				break
			}
			p.Steps = append(p.Steps, setStep(in, name, h, all, v))
			if v == "drain" && i+1 < len(values) {
				p.Steps = append(p.Steps, checkStep(in, name, h, all))
			}
		}
	}
}

// elsewhere are the servers that the plan changes on other HAProxies, in services
// that this one has too.
func (out *servers) elsewhere(in *Input, steps []Step, h model.Host) []string {
	var all []string
	lb := in.Cluster.LoadBalancer(h)
	for i := range steps {
		for _, x := range steps[i].Servers {
			backend, _, _ := strings.Cut(x, "/")
			if !slices.Contains(all, x) && slices.ContainsFunc(lb.Services, func(s model.Service) bool { return s.Proxy() == backend }) {
				all = append(all, x)
			}
		}
	}
	return all
}

// lastServers are the risks and facts of ports that lose a server: those that have
// none afterwards, and those whose clients go to a backup.
func lastServers(p *Plan, s *spot) {
	after := slices.Clone(s.px.Servers)
	for i := range after {
		if after[i].Name == s.row.Name {
			after[i].Status = "MAINT"
		}
	}
	left := haproxy.Routed(after)
	switch {
	case s.share == 0:
	case len(left) == 0:
		p.addRisk(plan.Risk{Name: plan.RiskLastServer, Host: s.host, What: fmt.Sprintf("%s loses its last server %s: new clients get no connection", s.port(), s.row.Name),
			Try: "move the role or bring another server back first; pgtui status shows who serves"})
	default:
		for i := range after {
			if after[i].Backup && !s.row.Backup && slices.Contains(left, after[i].Name) {
				p.addFact(fmt.Sprintf("%s: new clients go to the backup %s meanwhile", s.port(), after[i].Name))
			}
		}
	}
}

// takenOut are the risks of servers that get no new connections any more.
func takenOut(in *Input, p *Plan, spots []*spot, word string) {
	for _, s := range spots {
		lastServers(p, s)
		if model.LockOnly(s.svc.Check, in.Cluster.Standby) {
			p.noteRisk(plan.RiskBlocksFailover, s.host, "while %s is in %s in %s, that port has no server when %s leads", s.row.Name, word, s.port(), s.row.Name)
		}
		if haproxy.IsDown(s.row.Status) && word == "drain" {
			p.noteRisk(plan.RiskHiddenUntilUp, s.host, "%s is DOWN in %s: the drain is set, and hidden until it is UP; pgtui doctor shows it", s.row.Name, s.port())
		}
		if word == "maint" && s.row.Sessions > 0 {
			p.noteRisk(plan.RiskSessionsCut, s.host, "%s of %s to %s end at once", text.Plural(int(s.row.Sessions), "session"), s.port(), s.row.Name)
		}
	}
}

// reloadFact is what a reload does to a state that was set by hand.
func reloadFact(in *Input, p *Plan, hosts []model.Host, word string) {
	var keeps, ends, unknown []model.Host
	for _, h := range hosts {
		switch o := in.Handed[h]; {
		case !o.Known():
			unknown = append(unknown, h)
		case o.Value != "":
			keeps = append(keeps, h)
		default:
			ends = append(ends, h)
		}
	}
	add := func(hosts []model.Host, format string) {
		if len(hosts) > 0 {
			p.addFact(fmt.Sprintf(format, word, model.Join(hosts)))
		}
	}
	add(keeps, "A reload by pgtui keeps the %s on %s: server states are handed over")
	add(ends, "A reload ends the %s on %s (risk ends-drain). pgtui states "+in.name()+" --enable keeps it")
	add(unknown, "A reload ends the %s on %s (risk ends-drain), unless server states are handed over; unknown whether they are")
}

// underWay are the risks of acting on servers while roles change.
func underWay(in *Input, p *Plan) {
	m := in.running(func(m *model.Mark) bool {
		return slices.Contains([]Kind{Switchover, Failover, Restart, Maintenance}, Kind(m.Action))
	})
	switch {
	case in.Board.LeaderUnsure:
		p.addRisk(plan.LeaderUnsure(in.Cluster.Name))
	case m != nil:
		p.addRisk(plan.Risk{Name: plan.RiskFailover, What: fmt.Sprintf("%s of %s, which %s began, is still running", m.Action, m.Cluster, m.Who), Try: "pgtui wait " + in.name() + " until the leader serves"})
	}
}

// onServers begins a plan on the servers of its instance; false when it is refused.
func onServers(in *Input, p *Plan) (servers, bool) {
	all, err := serversOf(in, &p.Request, p.Request.Instance)
	if err == nil {
		err = in.busyWith(p.Request.Instance)
	}
	p.Refused = err
	for _, h := range all.hosts {
		if o := in.Snap.Servers[h]; o.Err != nil && all.unread[h] == "" && p.Request.Kind != Weight {
			p.addFact(fmt.Sprintf("HAProxy on %s: its socket was not read: %s. pgtui uses its stats page instead, unless SSH works when the plan runs", in.Inventory.Label(h), o.Err))
		}
	}
	return all, err == nil
}

// drain keeps the sessions of an instance and gives it no new ones.
func drain(in *Input, p *Plan) {
	all, ok := onServers(in, p)
	if !ok {
		return
	}
	name := p.Request.Instance
	out := func(s *spot) bool { return s.admin == haproxy.AdminReady || s.admin == haproxy.AdminUnknown }
	all.byHost(func(s *spot) bool { return out(s) && (s.wanted() || p.Request.Service != "") }, func(h model.Host, spots []*spot) {
		p.Steps = append(p.Steps, stateStep(in, name, h, spots, "drain"))
		takenOut(in, p, spots, "drain")
	})
	for i := range all.spots {
		if s := &all.spots[i]; s.admin == haproxy.AdminMaint {
			p.addFact(fmt.Sprintf("%s is in maint on %s and stays there. pgtui ready %s brings it back", s.server(), in.Inventory.Label(s.host), name))
		}
	}
	all.unseen(in, p, name, "drain")
	changes := len(p.Steps) > 0
	waits(in, p, &all, name)
	if len(p.Steps) == 0 {
		nothingToDo(p, &all, noRoute)
		return
	}
	if changes {
		underWay(in, p)
	}
	reloadFact(in, p, all.hosts, "drain")
	p.Next = append(p.Next, p.Request.Undo())
}

// noRoute is why a drain or a maint has nothing to do.
const noRoute = "No service routes to %s, and no health check of it passes. Name a service with --service"

// nothingToDo reports why there is nothing to do.
func nothingToDo(p *Plan, all *servers, format string) {
	if len(all.unread) == 0 {
		p.addFact(fmt.Sprintf(format, p.Request.Instance))
	}
}

// waits adds the steps that wait for the sessions of drained servers, and end what
// is left.
func waits(in *Input, p *Plan, all *servers, name model.InstanceName) {
	r := &p.Request
	if r.Wait == 0 && !r.Cut {
		sessions := int64(0)
		for i := range p.Steps {
			for k := range all.spots {
				if s := &all.spots[k]; s.host == p.Steps[i].HAProxy && slices.Contains(p.Steps[i].Servers, s.server()) {
					sessions += s.row.Sessions
				}
			}
		}
		if sessions > 0 {
			p.addFact(fmt.Sprintf("%s stay and end by themselves. --timeout waits for them, --cut ends what is left", text.Plural(int(sessions), "session")))
		}
		return
	}
	var servers []string
	out := map[model.Host][]string{}
	add := func(h model.Host, x string) {
		if !slices.Contains(out[h], x) {
			out[h] = append(out[h], x)
		}
		if !slices.Contains(servers, x) {
			servers = append(servers, x)
		}
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Do == DoServer {
			for _, x := range s.Servers {
				add(s.HAProxy, x)
			}
		}
	}
	for i := range all.spots {
		if s := &all.spots[i]; s.admin == haproxy.AdminDrain {
			add(s.host, s.server())
		}
	}
	if len(servers) == 0 {
		return
	}
	if r.Wait > 0 {
		p.Steps = append(p.Steps, Step{Do: DoSessions, Instance: name, HAProxy: r.HAProxy, Servers: servers,
			What: fmt.Sprintf("wait at most %s for the sessions of %s to end", r.Wait, name), Proof: "the stats page of each HAProxy shows no session of these servers"})
	}
	for _, h := range all.hosts {
		if r.Cut && len(out[h]) > 0 {
			p.Steps = append(p.Steps, Step{Do: DoCut, Instance: name, HAProxy: h, Servers: out[h],
				What: fmt.Sprintf("HAProxy on %s: end the remaining sessions of %s", in.Inventory.Label(h), name), Proof: "its stats page shows no session of these servers"})
		}
	}
}

// undrain ends a drain.
func undrain(in *Input, p *Plan) {
	all, ok := onServers(in, p)
	if !ok {
		return
	}
	name := p.Request.Instance
	all.byHost(func(s *spot) bool { return s.admin == haproxy.AdminDrain && !s.fixed() }, func(h model.Host, spots []*spot) {
		p.Steps = append(p.Steps, stateStep(in, name, h, spots, "ready"))
	})
	leftOver(in, p, &all)
	for i := range all.spots {
		if s := &all.spots[i]; s.admin == haproxy.AdminMaint {
			p.addFact(fmt.Sprintf("%s is in maint on %s: pgtui ready %s brings it back", s.server(), in.Inventory.Label(s.host), name))
		}
	}
	all.unseen(in, p, name, "ready")
	if len(p.Steps) == 0 {
		nothingToDo(p, &all, "No server of %s is in drain")
	}
}

// leftOver are facts and risks of servers whose state cannot be ended, or is
// unknown.
func leftOver(in *Input, p *Plan, all *servers) {
	for i := range all.spots {
		s := &all.spots[i]
		switch {
		case s.fixed() && s.admin != haproxy.AdminReady:
			p.addFact(fmt.Sprintf("%s stays %s on %s: its configuration or another server sets that", s.server(), s.row.Status, in.Inventory.Label(s.host)))
		case s.admin == haproxy.AdminUnknown:
			p.noteRisk(plan.RiskDrainUnread, s.host, "unknown whether %s is in drain: it is DOWN, and show servers state was not read%s", s.server(), source.Because(in.Snap.Servers[s.host].Err))
		}
	}
}

// maint takes an instance out at once: its sessions end and its checks stop.
func maint(in *Input, p *Plan) {
	all, ok := onServers(in, p)
	if !ok {
		return
	}
	name := p.Request.Instance
	all.byHost(func(s *spot) bool { return s.admin != haproxy.AdminMaint && (s.wanted() || p.Request.Service != "") }, func(h model.Host, spots []*spot) {
		p.Steps = append(p.Steps, stateStep(in, name, h, spots, "maint"))
		takenOut(in, p, spots, "maint")
	})
	all.unseen(in, p, name, "maint")
	if len(p.Steps) == 0 {
		nothingToDo(p, &all, noRoute)
		return
	}
	underWay(in, p)
	reloadFact(in, p, all.hosts, "maint")
	p.Next = append(p.Next, p.Request.Undo())
}

// ready brings an instance back. From maint it goes by drain, so that no client
// reaches it before its first check: HAProxy would take it as up at once.
func ready(in *Input, p *Plan) {
	all, ok := onServers(in, p)
	if !ok {
		return
	}
	back(in, p, &all, p.Request.Instance)
	leftOver(in, p, &all)
	all.unseen(in, p, p.Request.Instance, "drain", "ready")
	if len(p.Steps) == 0 {
		nothingToDo(p, &all, "No server of %s is in drain or maint")
		return
	}
	underWay(in, p)
}

// back adds the steps that bring the servers of an instance back into service.
func back(in *Input, p *Plan, all *servers, name model.InstanceName) {
	held := func(s *spot) bool { return s.admin == haproxy.AdminMaint && !s.fixed() }
	all.byHost(held, func(h model.Host, spots []*spot) {
		s := stateStep(in, name, h, spots, "drain")
		s.What += ", which starts its checks"
		p.Steps = append(p.Steps, s)
	})
	all.byHost(held, func(h model.Host, spots []*spot) {
		p.Steps = append(p.Steps, checkStep(in, name, h, serverNames(spots)))
	})
	all.byHost(func(s *spot) bool { return held(s) || s.admin == haproxy.AdminDrain && !s.fixed() }, func(h model.Host, spots []*spot) {
		p.Steps = append(p.Steps, stateStep(in, name, h, spots, "ready"))
	})
}

// weight changes the weight of an instance's servers.
func weight(in *Input, p *Plan) {
	all, ok := onServers(in, p)
	if !ok {
		return
	}
	r := &p.Request
	if r.Weight < 0 || r.Weight > 256 {
		p.Refused = errors.New("a weight is from 0 to 256")
		return
	}
	value := fmt.Sprintf("weight %d", r.Weight)
	all.byHost(func(s *spot) bool { return (s.wanted() || r.Service != "") && s.row.UserWeight != r.Weight }, func(h model.Host, spots []*spot) {
		if o := in.Snap.Servers[h]; o.Err != nil && p.Refused == nil {
			p.Refused = &source.Hint{Err: fmt.Errorf("%s: a weight needs HAProxy's socket, which is read over SSH: %w", h, o.Err), Try: "the stats page takes no weight; make SSH to " + string(h) + " work, or leave it out with --haproxy"}
		}
		p.Steps = append(p.Steps, stateStep(in, r.Instance, h, spots, value))
		if r.Weight == 0 {
			takenOut(in, p, spots, "drain (weight 0)")
		}
	})
	all.unseen(in, p, r.Instance, value)
	if len(p.Steps) == 0 {
		nothingToDo(p, &all, "Every server of %s has that weight already, or none is in service")
		return
	}
	underWay(in, p)
	reloadFact(in, p, all.hosts, "weight")
}

// enableFrontend opens a port again that was closed by hand.
func enableFrontend(in *Input, p *Plan) {
	r := &p.Request
	if _, err := in.Cluster.ServiceOf(string(r.Service)); err != nil {
		p.Refused = err
		return
	}
	var seen, stopped []model.Host
	for i := range in.Cluster.LoadBalancers {
		lb := &in.Cluster.LoadBalancers[i]
		svc := lb.Service(r.Service)
		if svc == nil || r.HAProxy != "" && r.HAProxy != lb.Host {
			continue
		}
		seen = append(seen, lb.Host)
		obs := in.Snap.HAProxy[lb.Host]
		px := obs.Value.Proxy(svc.Proxy())
		switch {
		case !obs.Known() || px == nil:
			p.addRisk(plan.Risk{Name: plan.RiskUnseen, Host: lb.Host, What: "whether the port of " + string(r.Service) + " is open is unknown" + source.Because(obs.Err)})
		case px.Front.Status == "STOP":
			stopped = append(stopped, lb.Host)
		case px.Front.Status == "PAUSED":
			p.Steps = append(p.Steps, Step{Do: DoFrontend, HAProxy: lb.Host, Servers: []string{px.Name}, What: fmt.Sprintf("HAProxy on %s: enable frontend %s, port %s", in.Inventory.Label(lb.Host), px.Name, svc.Port),
				Proof: "its stats page shows the frontend OPEN"})
		}
	}
	again := fmt.Sprintf("pgtui reload %s --force", in.Cluster.Name)
	switch {
	case len(seen) == 0:
		p.Refused = fmt.Errorf("%s is not a HAProxy node of %s", r.HAProxy, r.Service)
	case len(p.Steps) == 0 && len(stopped) > 0:
		p.Refused = &source.Hint{Err: fmt.Errorf("the frontend of %s is STOP on %s: only a reload opens it again", r.Service, model.Join(stopped)), Try: again}
	case len(stopped) > 0:
		p.addFact(fmt.Sprintf("The frontend of %s is STOP on %s. Only a reload opens it again: %s", r.Service, model.Join(stopped), again))
	case len(p.Steps) == 0 && len(p.Risks) == 0:
		p.addFact(fmt.Sprintf("The port of %s is open on every HAProxy", r.Service))
	}
}
