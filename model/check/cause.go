package check

import (
	"fmt"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source/refs"
)

// cause is what keeps a server, or a port, from getting connections, and what
// ends it. The zero value means that the evidence does not show it.
type cause struct{ text, hint string }

// onSocket is the command line that gives one command to a node's HAProxy. Its
// socket is root's, and Pigsty installs socat on every node.
func onSocket(h model.Host, command string) string {
	return fmt.Sprintf("ssh %s \"echo '%s' | sudo socat - /var/run/haproxy.sock\"", h, command)
}

// onSockets is onSocket for one or several nodes.
func onSockets(hosts []model.Host, command string) string {
	s := onSocket(hosts[0], command)
	if len(hosts) > 1 {
		s += fmt.Sprintf(" (and on %s)", model.Join(hosts[1:]))
	}
	return s
}

// byHand reports whether somebody took the server out through HAProxy's own controls.
func byHand(c *board.Cell) bool {
	return strings.HasPrefix(c.Status, "MAINT") || strings.HasPrefix(c.Status, "DRAIN")
}

// unreachable reports whether HAProxy's check gets no HTTP response from Patroni.
func unreachable(c *board.Cell) bool {
	return c.Verdict == model.Down && haproxy.Unanswered(c.Status, c.Check)
}

// whyOut is why an instance gets no connections through a route, by the word of
// all HAProxies that have it out for the same reason as the first.
func whyOut(in Input, r *board.Route, name model.InstanceName) cause {
	svc := in.Board.Cluster.Service(r.Service)
	if svc == nil {
		return cause{}
	}
	if m := in.Board.Member(name); m != nil && m.Foreign != nil {
		return cause{text: string(name) + ": " + m.Foreign.Why} // nothing may put it into service
	}
	var first *board.Cell
	for i := range r.Views {
		c := cellOf(&r.Views[i], name)
		if first == nil && c != nil && c.Verdict != model.Unknown && c.Share == 0 {
			first = c
		}
	}
	switch {
	case first == nil:
		return cause{}
	case byHand(first):
		word := "put in maintenance"
		if strings.HasPrefix(first.Status, "DRAIN") {
			word = "drained"
		}
		return cause{fmt.Sprintf("%s was %s by hand", name, word), backInService(in, first, r.Service)}
	case first.Verdict == model.Draining && strings.HasPrefix(first.Status, "UP"):
		if weight := declaredWeight(svc, name); weight == "0" {
			return cause{fmt.Sprintf("%s has weight 0 in the inventory", name), "set its pg_weight above 0; then pgtui reload " + string(in.Board.Cluster.Name)}
		}
		return cause{fmt.Sprintf("the weight of %s was set to 0 by hand", name), backInService(in, first, r.Service)}
	case unreachable(first):
		return cause{fmt.Sprintf("HAProxy cannot reach Patroni on %s (%s)", name, first.Check), "on the node of " + string(name) + ": systemctl status patroni"}
	case first.Verdict == model.Refused && first.Allowed == 200:
		return cause{fmt.Sprintf("Patroni on %s passes %s since HAProxy's last check", name, svc.Check), "wait for HAProxy's next checks"}
	}
	return cause{}
}

// cellOf is the cell of that instance in a view, or nil.
func cellOf(v *board.View, name model.InstanceName) *board.Cell {
	return refs.Find(v.Cells, func(c *board.Cell) bool { return c.Instance == name })
}

// declaredWeight is the weight that the service gives the instance, "" when it has no such server.
func declaredWeight(svc *model.Service, name model.InstanceName) string {
	if s := svc.Server(name); s != nil {
		return s.Weight
	}
	return ""
}

// whyEmpty is why no server of a route gets connections. Where the service wants
// the primary, what keeps the leader out is the cause; elsewhere, what keeps its
// regular servers out.
func whyEmpty(in Input, r *board.Route) cause {
	b := in.Board
	svc := b.Cluster.Service(r.Service)
	if svc == nil {
		return cause{}
	}
	servers, backup := svc.Servers()
	if model.LockOnly(svc.Check, b.Cluster.Standby) {
		switch {
		case b.Leader == "" && (b.LeaderUnsure || b.KnownMembers() < len(b.Members) && !keyFree(in)):
			return cause{"the leader is unknown", "pgtui candidates " + string(b.Cluster.Name)}
		case b.Leader == "":
			return cause{"there is no leader", "pgtui candidates " + string(b.Cluster.Name)}
		case b.UnlistedLeader() != nil:
			return cause{fmt.Sprintf("the leader %s is not in the inventory", b.Leader), "pgtui doctor " + string(b.Cluster.Name)}
		case !slices.ContainsFunc(servers, func(s model.Server) bool { return s.Name == b.Leader }):
			return cause{fmt.Sprintf("the service does not select the leader %s", b.Leader), "check its selector in the inventory: pgtui render " + string(b.Cluster.Name)}
		}
		return whyOut(in, r, b.Leader)
	}
	var texts []string
	var hint string
	for i, s := range servers {
		if backup[i] {
			continue
		}
		if c := whyOut(in, r, s.Name); c.text != "" {
			texts = append(texts, c.text)
			if hint == "" {
				hint = c.hint
			}
		}
	}
	return cause{strings.Join(texts, ", "), hint}
}

// askPatroni is the command that checks a server's Patroni as HAProxy does.
func askPatroni(svc *model.Service, name model.InstanceName) string {
	s := svc.Server(name)
	if s == nil {
		return ""
	}
	scheme, host := "http", string(s.Host)
	if s.CheckTLS {
		scheme = "https"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("curl -m 3 -i -X OPTIONS %s://%s:%s%s", scheme, host, s.CheckPort, svc.Check)
}
