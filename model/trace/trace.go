package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
)

// WayOf looks up what an attempt came to: by its address, else by the entry
// point that its host is.
func WayOf(inv *model.Inventory, a *Attempt) WayIn {
	if w := WayInOf(inv, a.Addr, a.Port); w.Cluster != nil {
		return w
	}
	for i := range inv.EntryPoints {
		p := &inv.EntryPoints[i]
		c := inv.ClusterOf(p)
		if p.Host != a.Host || c == nil {
			continue
		}
		for _, at := range access.EntryPorts(c) {
			if port, ok := p.Port(at); ok && port == a.Port {
				return WayIn{Cluster: c, Service: c.Service(at.Service), Point: p}
			}
		}
	}
	return WayIn{}
}

// Target is what a trace connects to, and as whom.
type Target struct {
	access.DSN
	Login model.Login // who really logs in; Databases in order, as with a proof
	As    string      // why it is not the DSN's own user; "" when it is
}

// Attempt is one address that was connected to, in the order in which a
// client tries them.
type Attempt struct {
	model.Endpoint
	Addr     string          // "" when the name gave none
	Lookups  []access.Lookup // nil for an address
	Disagree string          // as in EntryCheck
	Try      model.Try
	// Direct is what the servers' ports behind HAProxy reported without it, looked
	// at when the try failed; nil otherwise.
	Direct []model.DirectPort
	// Skipped says why the client moves on to the next; "" for the one that it
	// keeps or that ends the matter.
	Skipped string
}

// HopKind is what a hop is.
type HopKind string

// The hops, in the order in which a connection meets them.
const (
	HopName     HopKind = "name"
	HopAddress  HopKind = "address"
	HopVIP      HopKind = "vip"
	HopHAProxy  HopKind = "haproxy"
	HopServer   HopKind = "server"
	HopPooler   HopKind = "pgbouncer"
	HopPostgres HopKind = "postgres"
)

// Name is the hop in a sentence: "HAProxy", "the VIP".
func (k HopKind) Name() string {
	return map[HopKind]string{HopName: "the name", HopAddress: "the address", HopVIP: "the VIP", HopHAProxy: "HAProxy",
		HopServer: "the server", HopPooler: "pgbouncer", HopPostgres: "PostgreSQL"}[k]
}

// HopVerdict is the word for a hop.
type HopVerdict string

// The words.
const (
	HopOK      HopVerdict = "ok"
	HopBad     HopVerdict = "wrong"
	HopUnknown HopVerdict = "unknown" // could not be seen, never drawn as healthy
)

// Word is the verdict in text: "failed" for what JSON calls wrong.
func (v HopVerdict) Word() string {
	if v == HopBad {
		return "failed"
	}
	return string(v)
}

// Hop is one station on the way of a connection.
type Hop struct {
	Kind    HopKind
	At      string // which one: a name, an address, an instance
	Verdict HopVerdict
	Took    time.Duration // what it cost; 0 when that cannot be measured
	Text    string        // what was found
}

// Traced is an attempt with its way.
type Traced struct {
	Attempt
	Cluster  model.ClusterName  // "" when the address is not one of the inventory's
	Service  model.ServiceName  // "" when the port is a server's own
	Instance model.InstanceName // who answered; "" when none did or it cannot be named
	Hops     []Hop
}

// Trace is the way of one connection.
type Trace struct {
	Target   Target
	Attempts []Traced     // the last one is the one that was kept or that ended it
	Answered bool         // the last attempt was kept
	Health   model.Health // down: no connection; degraded: one that a hop is wrong with
	Summary  string       // one line: who answers, or the hop that fails
}

// Kept is the attempt that the client ended with; nil when there was none.
func (t *Trace) Kept() *Traced {
	if len(t.Attempts) == 0 {
		return nil
	}
	return &t.Attempts[len(t.Attempts)-1]
}

// Passes are the values of target_session_attrs that libpq goes through the
// hosts with: twice for prefer-standby.
func (t Target) Passes() []string {
	if t.Attrs == "prefer-standby" {
		return []string{"standby", "any"}
	}
	return []string{cmp.Or(t.Attrs, "any")}
}

// DSN is how a client reaches a service: by the cluster's name,
// else its VIP, else by every HAProxy that has it.
func DSN(c *model.Cluster, name string) (access.DSN, error) {
	svc, err := c.ServiceOf(name)
	if err != nil {
		return access.DSN{}, err
	}
	port := access.PortNumber(svc.Port)
	p := access.ServicePort(c, svc, port)
	own := slices.ContainsFunc(c.LoadBalancers, func(f model.LoadBalancer) bool { return c.OnHost(f.Host) != nil })
	switch {
	case own && c.DNS.Name != "":
		return access.DsnOf(c, p, port, c.DNS.Name), nil
	case own && c.VIP != "":
		return access.DsnOf(c, p, port, c.VIP), nil
	}
	d := access.DsnOf(c, p, port, "")
	d.Hosts, d.Ports = nil, nil
	for i := range c.LoadBalancers {
		if s := c.LoadBalancers[i].Service(svc.Name); s != nil {
			d.Hosts, d.Ports = append(d.Hosts, string(c.LoadBalancers[i].Host)), append(d.Ports, access.PortNumber(s.Port))
		}
	}
	if len(d.Hosts) == 0 {
		return access.DSN{}, fmt.Errorf("no HAProxy of the inventory has %s-%s", c.Name, svc.Name)
	}
	return d, nil
}

// WayIn is what an address and a port are by the inventory. The zero value
// means that it knows neither.
type WayIn struct {
	Cluster  *model.Cluster
	Service  *model.Service  // nil for a server's own port
	Instance *model.Instance // whose own port it is; nil for a service, and on the VIP
	Pooled   bool
	Moves    bool // the address is the cluster's VIP
	// Point is the entry point of the configuration that is all there is to know
	// of the way; nil when the inventory knows it.
	Point *model.EntryPoint
}

// WayInOf looks an address and a port up.
func WayInOf(inv *model.Inventory, addr string, port uint16) WayIn {
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		moves := c.VIP != "" && c.VIP == addr
		for j := range c.LoadBalancers {
			f := &c.LoadBalancers[j]
			if !(f.Host == model.Host(addr) || moves && c.OnHost(f.Host) != nil) {
				continue
			}
			for k := range f.Services {
				if svc := &f.Services[k]; access.PortNumber(svc.Port) == port {
					return WayIn{Cluster: c, Service: svc, Pooled: c.Pooled(svc), Moves: moves}
				}
			}
		}
		for j := range c.Instances {
			in := &c.Instances[j]
			if !(moves || in.Host == model.Host(addr)) || port != in.PgPort && port != in.BouncerPort {
				continue
			}
			w := WayIn{Cluster: c, Instance: in, Pooled: port == in.BouncerPort && in.BouncerPort != in.PgPort, Moves: moves}
			if moves {
				w.Instance = nil
			}
			return w
		}
	}
	return WayIn{}
}

// Clusters are the clusters that a target or the addresses it came to
// belong to, in the inventory's order.
func Clusters(inv *model.Inventory, t Target, attempts []Attempt) []*model.Cluster {
	var out []*model.Cluster
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		mine := slices.ContainsFunc(t.Hosts, func(h string) bool { return access.ClusterNamed(inv, h) == c })
		for j := range t.Hosts {
			mine = mine || WayOf(inv, &Attempt{Endpoint: model.Endpoint{Host: t.Hosts[j], Port: t.Ports[j]}, Addr: t.Hosts[j]}).Cluster == c
		}
		for j := range attempts {
			mine = mine || WayOf(inv, &attempts[j]).Cluster == c
		}
		if mine {
			out = append(out, c)
		}
	}
	return out
}

// Of lays attempts beside what the nodes report: what breaks the connection,
// or would. Boards are of the clusters that are known; s may be nil when there
// is none.
func Of(s *model.Snapshot, inv *model.Inventory, boards []board.Board, target Target, attempts []Attempt) Trace {
	t := Trace{Target: target}
	for i := range attempts {
		w := &walk{s: s, way: WayOf(inv, &attempts[i]), database: target.Database, used: target.Login.Databases}
		w.out.Attempt = attempts[i]
		for j := range boards {
			if boards[j].Cluster == w.way.Cluster {
				w.b = &boards[j]
			}
		}
		w.hops()
		t.Attempts = append(t.Attempts, w.out)
	}
	k := t.Kept()
	t.Answered = k != nil && k.Addr != "" && k.Try.Fault == "" && k.Skipped == ""
	t.judge()
	return t
}

// judge finds the hop to name. Where the connection fails that is the last
// wrong one, which explains it; where it works, the first.
func (t *Trace) judge() {
	k := t.Kept()
	if k == nil {
		t.Health, t.Summary = model.HealthDown, "there is no host to connect to"
		return
	}
	var bad []Hop
	for _, h := range k.Hops {
		if h.Verdict == HopBad {
			bad = append(bad, h)
		}
	}
	switch {
	case t.Answered && len(bad) == 0:
		t.Health, t.Summary = model.HealthOK, k.last().Text
	case t.Answered:
		t.Health, t.Summary = model.HealthDegraded, fmt.Sprintf("connected, but %s failed: %s", bad[0].Kind.Name(), bad[0].Text)
	case k.Skipped != "" && k.Try.Fault == "":
		t.Health, t.Summary = model.HealthDown, fmt.Sprintf("none of %d hosts matches target_session_attrs=%s: %s is %s", len(t.Target.Hosts), t.Target.Attrs, k.Endpoint, k.Skipped)
	case len(bad) == 0:
		t.Health, t.Summary = model.HealthDown, cmp.Or(k.Try.Text, "no connection")
	default:
		last := bad[len(bad)-1]
		t.Health, t.Summary = model.HealthDown, fmt.Sprintf("fails at %s: %s", last.Kind.Name(), last.Text)
	}
}

func (a *Traced) last() Hop { return a.Hops[len(a.Hops)-1] }

// Chain is the path on one line.
func (a *Traced) Chain() string {
	parts := make([]string, 0, len(a.Hops))
	for _, h := range a.Hops {
		text := string(h.Kind) + " " + h.At
		if h.Verdict != HopOK {
			text += " (" + h.Verdict.Word() + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " → ")
}

// walk goes along one attempt.
type walk struct {
	s        *model.Snapshot
	b        *board.Board // nil when the cluster is unknown
	way      WayIn
	node     model.Host // whose HAProxy or server takes the connection; "" when unknown
	view     *board.View
	out      Traced
	database string   // that the client wants
	used     []string // those that are logged in to in its place, until one is known
}

func (w *walk) add(h Hop) { w.out.Hops = append(w.out.Hops, h) }

func (w *walk) hops() {
	a := &w.out
	if w.way.Cluster != nil {
		a.Cluster = w.way.Cluster.Name
	}
	if w.way.Service != nil {
		a.Service = w.way.Service.Name
	}
	if a.Try.Fault == "" && a.Addr != "" && w.b != nil {
		a.Instance, _, _ = board.Identify(w.s, w.way.Cluster, a.Try.Answer)
	}
	w.name()
	if a.Addr == "" || !w.address() {
		return
	}
	w.node = model.Host(a.Addr)
	if w.way.Moves {
		w.vip()
	}
	if w.way.Service != nil && w.way.Point == nil {
		w.haproxy()
		w.server()
	}
	w.end()
}

func (w *walk) name() {
	a := &w.out
	if len(a.Lookups) == 0 {
		return
	}
	h := Hop{Kind: HopName, At: a.Host, Verdict: HopOK}
	var answer *access.Lookup
	for i := range a.Lookups {
		if l := &a.Lookups[i]; l.Error == "" {
			answer = l
			break
		}
	}
	switch {
	case answer == nil:
		h.Verdict, h.Took, h.Text = HopBad, a.Lookups[0].Took, fmt.Sprintf("%s does not resolve: %s by %s", a.Host, a.Lookups[0].Error, access.ServerWords(a.Lookups[0].Server))
	case a.Disagree != "":
		h.Verdict, h.Took, h.Text = HopBad, answer.Took, a.Disagree
	default:
		h.Took, h.Text = answer.Took, fmt.Sprintf("%s by %s", strings.Join(answer.Addrs, ", "), access.ServerWords(answer.Server))
		if !answer.NoTTL {
			h.Text += ", TTL " + answer.TTL.String()
		}
		if answer != &a.Lookups[0] {
			h.Text += "; " + access.ServerWords(a.Lookups[0].Server) + " here: " + a.Lookups[0].Error
		}
	}
	w.add(h)
}

// address reports whether a connection came about.
func (w *walk) address() bool {
	a := &w.out
	h := Hop{Kind: HopAddress, At: model.Endpoint{Host: a.Addr, Port: a.Port}.String(), Verdict: HopOK, Took: a.Try.Dial, Text: "connected"}
	if a.Try.Dial == 0 {
		h.Verdict, h.Text = HopBad, a.Try.Text
		if w.way.Cluster == nil {
			h.Text += "; the port is not in the inventory"
		}
	}
	w.add(h)
	return h.Verdict == HopOK
}

func (w *walk) vip() {
	h := Hop{Kind: HopVIP, At: w.way.Cluster.VIP, Verdict: HopUnknown, Text: "its holder is unknown"}
	w.node = ""
	if w.b != nil {
		v := w.b.VIP
		w.node = v.Holder
		switch {
		case v.Holder == "":
			h.Text += ": " + cmp.Or(v.Why, "not probed")
		case w.b.Leader == "":
			h.Text = fmt.Sprintf("on %s; the leader is unknown", w.nodeText())
		case v.OnLeader:
			h.Verdict, h.Text = HopOK, fmt.Sprintf("on %s, the leader's node", w.nodeText())
		default:
			h.Verdict, h.Text = HopBad, fmt.Sprintf("VIP %s is on %s, but the leader is %s", v.Address, w.nodeText(), w.b.Leader)
		}
		if w.s != nil {
			h.Took = w.s.VIP[w.way.Cluster.Name].Took
		}
	}
	w.add(h)
}

// nodeText is the node with the instance on it.
func (w *walk) nodeText() string {
	if in := w.way.Cluster.OnHost(w.node); in != nil {
		return string(in.Name) + "'s node " + string(w.node)
	}
	return string(w.node)
}

func (w *walk) haproxy() {
	h := Hop{Kind: HopHAProxy, At: string(w.node), Verdict: HopUnknown, Text: "its state is unknown"}
	if w.node == "" {
		h.At = "?"
	}
	if w.b != nil {
		if r := w.b.Route(w.way.Service.Name); r != nil {
			for i := range r.Views {
				if r.Views[i].HAProxy == w.node {
					w.view = &r.Views[i]
				}
			}
		}
		if w.s != nil && w.node != "" {
			h.Took = w.s.HAProxy[w.node].Took
		}
	}
	if v := w.view; v != nil {
		section := fmt.Sprintf("%s-%s on %s", w.way.Cluster.Name, w.way.Service.Name, v.HAProxy)
		switch v.Verdict {
		case model.Mismatch:
			if h.Verdict, h.Text = HopBad, fmt.Sprintf("%s: %s: %s", section, v.Verdict, v.Why); !v.HeldOnly() {
				break
			}
			fallthrough // it does what it should: pgbouncer's hop shows it
		case model.Serving, model.BackupServing:
			h.Verdict, h.Text = HopOK, fmt.Sprintf("%s sends to %s", section, model.Join(v.Serving))
		case model.Unknown, model.Settling:
			h.Text = fmt.Sprintf("%s: %s", section, v.Why)
		default:
			h.Verdict, h.Text = HopBad, fmt.Sprintf("%s: %s: %s", section, v.Verdict, v.Why)
		}
	}
	w.add(h)
}

// server is the one that HAProxy chose: the one that answered, else those it
// would send to.
func (w *walk) server() {
	a, v := &w.out, w.view
	if v == nil || len(v.Cells) == 0 {
		return
	}
	names := v.Serving
	if a.Instance != "" {
		names = []model.InstanceName{a.Instance}
	}
	if len(names) == 0 {
		return
	}
	h := Hop{Kind: HopServer, At: model.Join(names), Verdict: HopOK}
	var texts []string
	for i := range v.Cells {
		c := &v.Cells[i]
		if !slices.Contains(names, c.Instance) {
			continue
		}
		code := "unknown"
		if c.Allowed > 0 {
			code = strconv.Itoa(c.Allowed)
		}
		texts = append(texts, fmt.Sprintf("%s is %s, its check %s: %s", c.Instance, cmp.Or(c.Status, "unknown"), w.way.Service.Check, code))
		if w.s != nil {
			h.Took = max(h.Took, w.s.Patroni[c.Instance].Checks[w.way.Service.Check].Took)
		}
	}
	h.Text = strings.Join(texts, "; ")
	switch {
	case len(texts) == 0:
		h.Verdict, h.Text = HopBad, fmt.Sprintf("%s answered, but the service has no such server", model.Join(names))
	case a.Instance != "" && (v.Verdict == model.Serving || v.Verdict == model.BackupServing) && !slices.Contains(v.Serving, a.Instance):
		h.Verdict, h.Text = HopBad, fmt.Sprintf("%s answered, but HAProxy reports %s as serving; %s", a.Instance, model.Join(v.Serving), h.Text)
	}
	w.add(h)
}

// end is the pooler and the server.
func (w *walk) end() {
	a := &w.out
	at := cmp.Or(model.Join(w.ends()), "?")
	if w.way.Pooled {
		h, ok := w.pooler(at)
		w.add(h)
		if !ok {
			return
		}
	}
	h := Hop{Kind: HopPostgres, At: at, Verdict: HopOK, Took: a.Try.Query}
	if !w.way.Pooled {
		h.Took += a.Try.Connect - a.Try.Dial
	}
	ans := a.Try.Answer
	if a.Try.Fault != "" {
		h.Verdict, h.Text = HopBad, cmp.Or(w.shut(), a.Try.Text)
		if w.unreached() {
			h.Verdict, h.Text = HopUnknown, "not reached: "+a.Try.Text
		}
		w.add(h)
		return
	}
	role := "primary"
	if ans.Recovery {
		role = "replica"
	}
	h.Text = fmt.Sprintf("%s, %s, timeline %d", at, role, ans.Timeline)
	if w.way.Point != nil {
		h.Text += fmt.Sprintf("; through the entry point %s, whose own path is not visible", w.way.Point.Name)
	}
	switch {
	case w.b != nil && a.Instance == "":
		_, _, why := board.Identify(w.s, w.way.Cluster, ans)
		h.Verdict, h.Text = HopUnknown, fmt.Sprintf("%s, timeline %d; instance unknown: %s", role, ans.Timeline, why)
		if strings.Contains(why, "not this cluster's") {
			h.Verdict = HopBad
		}
	case w.way.Cluster == nil:
		h.Text = fmt.Sprintf("%s, timeline %d; the address is not in the inventory", role, ans.Timeline)
	case w.way.Service != nil && access.TargetOf(w.way.Service) == model.TargetPrimary && ans.Recovery:
		h.Verdict, h.Text = HopBad, h.Text+": it takes no writes, but the service promises the primary"
	}
	w.add(h)
}

// pooler is pgbouncer's hop, and whether the way continues behind it.
func (w *walk) pooler(at string) (Hop, bool) {
	t := w.out.Try
	h := Hop{Kind: HopPooler, At: at, Verdict: HopOK, Took: t.Connect - t.Dial, Text: "logged in"}
	if held := w.held(); held != "" && t.Fault != model.FaultRefused {
		// What fails behind it is its own doing: it has let the client in, or not.
		h.Verdict, h.Text, h.Took = HopBad, held, max(h.Took, 0)
		return h, t.Fault == ""
	}
	switch shut := w.shut(); {
	case t.Fault == "" || t.Fault == model.FaultPooler || t.Connect > 0:
		h.Took = max(h.Took, 0)
		return h, true
	case shut != "":
		h.Verdict, h.Text = HopBad, fmt.Sprintf("pgbouncer does not answer: %s; HAProxy checks Patroni, not pgbouncer", shut)
	case w.unreached():
		h.Verdict, h.Text = HopUnknown, "not reached: "+t.Text
	default:
		h.Verdict, h.Text = HopBad, t.Text
	}
	h.Took = 0
	return h, false
}

// held says what keeps the client from its database in the pgbouncer it comes
// to, by that one's own console; "" when nothing does, or it is unknown. Where
// a question got no answer, that clients wait there is the cause too.
func (w *walk) held() string {
	if w.s == nil || w.b == nil {
		return ""
	}
	failed := w.out.Try.Fault != ""
	for _, name := range w.ends() {
		v := w.s.Patroni[name]
		p := v.PoolNow(w.b.Judged)
		if p == nil {
			continue
		}
		t := w.s.PoolTrouble(w.way.Cluster, name, w.b.Judged)
		wanted := func(d model.PoolDatabase) bool {
			return d.Name == w.database || failed && slices.Contains(w.used, d.Name)
		}
		switch i := slices.IndexFunc(p.Databases, func(d model.PoolDatabase) bool { return d.Waiting > 0 && wanted(d) }); {
		case t.Whole && len(t.Held) == 0:
			return fmt.Sprintf("%s, database %s: %s", name, w.database, t.Text)
		case t.Whole || slices.ContainsFunc(t.Held, wanted):
			return fmt.Sprintf("%s: %s", name, t.Text)
		case i >= 0 && w.out.Try.Fault == model.FaultTimeout:
			return fmt.Sprintf("%s: %s", name, p.Databases[i].WaitText())
		}
	}
	return ""
}

// ends are the instances that the connection ends at, or would.
func (w *walk) ends() []model.InstanceName {
	switch {
	case w.out.Instance != "":
		return []model.InstanceName{w.out.Instance}
	case w.way.Instance != nil:
		return []model.InstanceName{w.way.Instance.Name}
	case w.view != nil && len(w.view.Serving) > 0:
		return w.view.Serving
	case w.way.Service == nil && w.way.Moves && w.way.Cluster.OnHost(w.node) != nil:
		return []model.InstanceName{w.way.Cluster.OnHost(w.node).Name}
	}
	return nil
}

// unreached reports whether HAProxy, which has or may have no server, hung up.
func (w *walk) unreached() bool {
	return w.out.Try.Fault == model.FaultClosed && w.way.Service != nil && (w.view == nil || len(w.view.Serving) == 0)
}

// shut names the ports behind HAProxy that do not answer without it either.
func (w *walk) shut() string {
	var out []string
	for _, d := range w.out.Direct {
		if d.Fault == "" || d.Fault == model.FaultNotTried || w.view != nil && len(w.view.Serving) > 0 && !slices.Contains(w.view.Serving, d.Instance) {
			continue
		}
		out = append(out, string(d.Instance)+": "+d.Text)
	}
	return strings.Join(out, "; ")
}
