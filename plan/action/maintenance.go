package action

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// onNode begins a maintenance: the instance that it is about, and its servers. ok is
// false when it is refused.
func onNode(in *Input, p *Plan) (inst *model.Instance, all servers, ok bool) {
	r := &p.Request
	inst = in.Cluster.OnHost(r.Node)
	if inst == nil {
		p.Refused = deny("pgtui status "+in.name()+" lists its nodes", "%s runs no instance of %s", r.Node, in.Cluster.Name)
		return nil, all, false
	}
	var err error
	if err = in.busyWith(inst.Name); err == nil {
		all, err = serversOf(in, r, inst.Name)
	}
	p.Refused = err
	return inst, all, err == nil
}

// maintenance prepares a node to be stopped: its instance does not lead, gets no
// new connections on any HAProxy, has no sessions, and the VIP is elsewhere.
func maintenance(in *Input, p *Plan) {
	r := &p.Request
	inst, all, ok := onNode(in, p)
	if !ok {
		return
	}
	underWay(in, p)
	leads := in.Board.Leader == inst.Name
	var next model.InstanceName
	switch {
	case in.Board.Leader == "":
		p.addRisk(plan.Risk{Name: plan.RiskNoLeader, What: "the cluster has no known leader: unknown whether the node may be stopped", Try: "pgtui doctor " + in.name()})
	case leads:
		if next = switchAway(in, p, inst.Name); p.Refused != nil {
			return
		}
	}
	drainAway(in, p, &all, inst.Name, next)
	if r.Wait > 0 || r.Cut {
		waits(in, p, &all, inst.Name)
	}
	vipAway(in, p, r.Node, leads)
	p.Steps = append(p.Steps, Step{Do: DoSafe, Instance: inst.Name, What: "check that " + in.Inventory.Label(r.Node) + " is safe to stop",
		Proof: "its instance does not lead, and no HAProxy that answers sends it new connections"})
	ownHAProxy(in, p)
	alsoThere(in, p)
	reloadFact(in, p, all.hosts, "drain")
	p.Next = append(p.Next, r.Undo())
}

// switchAway adds the switchover to the best candidate, and returns it.
func switchAway(in *Input, p *Plan, from model.InstanceName) model.InstanceName {
	to := in.best()
	if to == "" {
		p.Refused = deny("pgtui candidates "+in.name()+" shows why", "%s leads, and no other member can take over", from)
		return ""
	}
	sub := Plan{Request: Request{Kind: Switchover, Cluster: p.Request.Cluster, Candidate: to, SSH: p.Request.SSH}, Inventory: p.Inventory}
	planSwitchover(in, &sub)
	p.Steps, p.Facts = append(p.Steps, sub.Steps...), append(p.Facts, sub.Facts...)
	for _, r := range sub.Risks {
		p.addRisk(r)
	}
	p.Refused, p.Candidates = sub.Refused, sub.Candidates
	return to
}

// drainAway drains an instance in every service that will route to it as a
// replica, or selects it, on every HAProxy. next is who leads afterwards, "" when
// that does not change.
func drainAway(in *Input, p *Plan, all *servers, name, next model.InstanceName) {
	primary := func(s *spot) bool { return model.LockOnly(s.svc.Check, in.Cluster.Standby) }
	all.byHost(func(s *spot) bool {
		return !primary(s) && (s.admin == haproxy.AdminReady || s.admin == haproxy.AdminUnknown) && (s.wanted() || next != "")
	}, func(h model.Host, spots []*spot) {
		p.Steps = append(p.Steps, stateStep(in, name, h, spots, "drain"))
		for _, s := range spots {
			lastAfter(p, s, next)
		}
	})
	all.unseen(in, p, name, "drain")
}

// lastAfter is lastServers, with another leader: a check for replicas refuses it.
func lastAfter(p *Plan, s *spot, next model.InstanceName) {
	x := *s
	px := *s.px
	px.Servers = slices.Clone(s.px.Servers)
	for i := range px.Servers {
		if row := &px.Servers[i]; next != "" && row.Name == string(next) && model.RuleOf(s.svc.Check) == model.RuleReplica {
			row.Status = "DOWN"
		}
	}
	x.px = &px
	if next != "" {
		x.share = 100 // as a replica it would get some
	}
	lastServers(p, &x)
}

// vipAway waits until the VIP is on another node.
func vipAway(in *Input, p *Plan, h model.Host, leads bool) {
	vip := &in.Board.VIP
	if vip.Address == "" || vip.Holder != h && vip.Holder != "" && !leads {
		return
	}
	p.Steps = append(p.Steps, Step{Do: DoVIP, Value: vip.Address, Instance: p.Request.Instance, What: fmt.Sprintf("wait until the VIP %s is on another node than %s", vip.Address, in.Inventory.Label(h)),
		Proof: "another node has it"})
}

// ownHAProxy are the facts about clients that connect through the node's own
// HAProxy: it stops with the node.
func ownHAProxy(in *Input, p *Plan) {
	h := p.Request.Node
	lb := in.Cluster.LoadBalancer(h)
	if lb == nil {
		return
	}
	obs := in.Snap.HAProxy[h]
	if !obs.Known() {
		p.addFact("HAProxy on this node stops with it. The number of clients connected through it is unknown" + source.Because(obs.Err))
		return
	}
	var parts []string
	total := int64(0)
	for i := range obs.Value.Proxies {
		if px := &obs.Value.Proxies[i]; px.Front.Sessions > 0 && len(px.Servers) > 0 {
			total += px.Front.Sessions
			parts = append(parts, fmt.Sprintf("%s %d", px.Name, px.Front.Sessions))
		}
	}
	if total == 0 {
		p.addFact("HAProxy on this node stops with it. No client is connected through it")
		return
	}
	p.addFact(fmt.Sprintf("HAProxy on this node stops with it and ends %s through it: %s. Clients that have only its address cannot connect meanwhile", text.Plural(int(total), "session"), strings.Join(parts, ", ")))
}

// alsoThere names the instances of other clusters on the node.
func alsoThere(in *Input, p *Plan) {
	for _, c := range in.Inventory.ClustersOn(p.Request.Node) {
		if other := c.OnHost(p.Request.Node); c.Name != in.Cluster.Name {
			p.addFact(fmt.Sprintf("%s of %s runs on this node too, and this plan does not move it. The node is safe to stop once pgtui maintenance %s has ended", other.Name, c.Name, other.Name))
			p.Next = append(p.Next, "pgtui maintenance "+string(other.Name))
		}
	}
}

// endMaintenance brings a node back into service: its instance streams, its checks
// have passed, and every HAProxy that had it out sends it connections again.
func endMaintenance(in *Input, p *Plan) {
	inst, all, ok := onNode(in, p)
	if !ok {
		return
	}
	if in.Board.Leader != inst.Name {
		p.Steps = append(p.Steps, Step{Do: DoStreaming, Instance: inst.Name, What: fmt.Sprintf("wait until %s runs and streams from the leader", inst.Name), Proof: "the leader reports the stream"})
	}
	before := len(p.Steps)
	comesBack := func(s *spot) bool {
		return s.admin == haproxy.AdminDrain && !s.fixed() && !model.LockOnly(s.svc.Check, in.Cluster.Standby)
	}
	all.byHost(comesBack, func(h model.Host, spots []*spot) {
		s := checkStep(in, inst.Name, h, serverNames(spots))
		s.Value, s.What, s.Proof = Passed, fmt.Sprintf("HAProxy on %s: wait until the health check of %s passes", in.Inventory.Label(h), strings.Join(serverNames(spots), ", ")), "its status is DRAIN, not DOWN"
		p.Steps = append(p.Steps, s)
	})
	back(in, p, &all, inst.Name)
	leftOver(in, p, &all)
	all.unseen(in, p, inst.Name, "drain", "ready")
	if len(p.Steps) == before && len(all.unread) == 0 {
		p.addFact(fmt.Sprintf("No server of %s is in drain or maint on any HAProxy", inst.Name))
	}
	underWay(in, p)
}

// Passed is the Value of a DoChecked that waits until the check passes; "" waits
// for the end of any check.
const Passed = "passed"
