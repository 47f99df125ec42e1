package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Supposition is a change on paper: members that are gone, and who leads then.
type Supposition struct {
	Down   []InstanceName
	Leader InstanceName // "" lets Likely choose when the leader is among Down
}

// Outcome is what a supposition would do to a cluster.
type Outcome struct {
	Leader InstanceName // who leads then; "" when nobody can
	Why    string       // why that one
	Before Board
	After  Board
	// Cut is how many sessions HAProxy would end, by service: it closes the
	// sessions of a server that its checks take down.
	Cut map[ServiceName]int64
	// Held are the instances whose check passes then and that get no new
	// connections, because HAProxy has them in drain or maint.
	Held []Held
	// Unread are the HAProxies where that is not known.
	Unread []Unread
}

// WhatIf judges the cluster as it would be: from HAProxy's live configuration
// and state, by the same rules as the real answer. What is taken out by hand
// stays out; what is not known stays unknown. An error names a member that
// does not exist or cannot lead.
func WhatIf(s *Snapshot, c *Cluster, sup Supposition, now time.Time) (Outcome, error) {
	for _, n := range append(slices.Clone(sup.Down), sup.Leader) {
		if n != "" && c.Instance(n) == nil {
			return Outcome{}, &Hint{Err: fmt.Errorf("%s has no instance %s", c.Name, n), Try: "one of: " + Join(c.names())}
		}
	}
	if sup.Leader != "" && slices.Contains(sup.Down, sup.Leader) {
		return Outcome{}, fmt.Errorf("%s cannot lead and be down", sup.Leader)
	}
	out := Outcome{Before: BoardOf(s, c, now), Cut: map[ServiceName]int64{}}
	out.Leader, out.Why = sup.Leader, "as asked"
	if sup.Leader == "" {
		out.Leader, out.Why = Likely(s, &out.Before, sup.Down)
	}
	then := s.suppose(c, sup.Down, out.Leader, now)
	out.After = BoardOf(then, c, now)
	out.Held, out.Unread = heldThen(&out.After), UnreadStates(s, c)
	for i := range out.Before.Routes {
		was, will := &out.Before.Routes[i], &out.After.Routes[i]
		for j := range was.Views {
			for k, cell := range was.Views[j].Cells {
				if k < len(will.Views[j].Cells) && cell.Share > 0 && taken(will.Views[j].Cells[k].Verdict) {
					out.Cut[was.Service] += cell.Sessions
				}
			}
		}
	}
	return out, nil
}

// taken reports whether a server with that verdict has lost its sessions.
func taken(v Verdict) bool { return v == Down || v == Refused }

// MaxLagOnFailover is how far, in bytes, a replica may be behind and still win an
// election: Patroni's default of maximum_lag_on_failover, and what Pigsty's
// patroni.yml has. A cluster's dynamic configuration may say otherwise.
const MaxLagOnFailover = 1 << 20

// Likely is who would lead when the named members are gone: the present leader
// when it stays, else a synchronous standby, else the known streaming replica
// with the least lag that may lead. One that is further behind than
// MaxLagOnFailover may not. The sentence says why, and names the others that
// could win, or could not.
func Likely(s *Snapshot, b *Board, down []InstanceName) (InstanceName, string) {
	if b.Leader != "" && !slices.Contains(down, b.Leader) {
		return b.Leader, "it leads now and stays"
	}
	if b.Paused {
		return "", "the cluster is paused: Patroni will not fail over"
	}
	var best *Member
	var others []InstanceName
	var behind []string
	for i := range b.Members {
		m := &b.Members[i]
		st := s.Patroni[m.Instance].Status.Value
		if slices.Contains(down, m.Instance) || !m.Known || !healthyState(m.State) || st.Tags["nofailover"] == "true" {
			continue
		}
		switch {
		case m.Lag > MaxLagOnFailover:
			behind = append(behind, fmt.Sprintf("%s is %d MB behind", m.Instance, m.Lag>>20))
		case best == nil:
			best = m
		case better(m, best):
			others, best = append(others, best.Instance), m
		default:
			others = append(others, m.Instance)
		}
	}
	late := ""
	if len(behind) > 0 {
		late = "; " + strings.Join(behind, ", ") + ", more than maximum_lag_on_failover allows (1 MB unless it was changed)"
	}
	switch {
	case best == nil && late != "":
		return "", "nobody may take over" + late
	case best == nil:
		return "", "no member that is known and healthy is left to lead"
	case strings.HasPrefix(best.Role, "sync"), strings.HasPrefix(best.Role, "quorum"):
		return best.Instance, "it is the synchronous standby"
	case len(others) == 0:
		return best.Instance, "it is the only member left that can lead" + late
	}
	return best.Instance, "assumed; it could as well be " + Join(others) + late
}

// better reports whether a would win the election over b.
func better(a, b *Member) bool {
	syncA, syncB := strings.Contains(a.Role, "_standby"), strings.Contains(b.Role, "_standby")
	if syncA != syncB {
		return syncA
	}
	return a.Lag >= 0 && (b.Lag < 0 || a.Lag < b.Lag)
}

// suppose is the snapshot as it would be when the checks have settled.
func (s *Snapshot) suppose(c *Cluster, down []InstanceName, leader InstanceName, now time.Time) *Snapshot {
	then := *s
	then.Patroni, then.HAProxy = maps.Clone(s.Patroni), maps.Clone(s.HAProxy)
	facts := map[InstanceName]*HealthFacts{}
	for i := range c.Instances {
		name := c.Instances[i].Name
		v := s.Patroni[name]
		var f *HealthFacts // nil: gone
		if !slices.Contains(down, name) {
			if !current(v.Status, now) && name != leader {
				continue // not known: as HAProxy sees it
			}
			f = factsOf(v.Status.Value, c.Standby, name == leader)
		}
		facts[name] = f
		then.Patroni[name] = supposeView(v, f, now)
	}
	for i := range c.Fronts {
		host := c.Fronts[i].Host
		o := s.HAProxy[host]
		if !o.Ever() {
			continue
		}
		o.Value = kept(o.Value, supposeStats(o.Value, &c.Fronts[i], facts), s.Servers[host])
		then.HAProxy[host] = o
	}
	return &then
}

// factsOf is what a member's health checks would be decided on.
func factsOf(st PatroniStatus, standby, leads bool) *HealthFacts {
	f := &HealthFacts{Lock: leads, DCS: true, Standby: standby, Role: "replica", Running: leads || st.State == "running",
		Sync: st.SyncStandby && !leads, Quorum: st.QuorumStandby && !leads, NoLB: st.Tags["noloadbalance"] == "true",
		Tags: st.Tags, QuorumPaths: !strings.HasPrefix(st.Version, "2.") && !strings.HasPrefix(st.Version, "3.")}
	switch {
	case leads && standby:
		f.Role = "standby_leader"
	case leads:
		f.Role = "primary"
	}
	return f
}

func supposeView(v PatroniView, f *HealthFacts, now time.Time) PatroniView {
	out := PatroniView{Status: v.Status, Checks: map[string]Observed[int]{}}
	if f == nil {
		out.Status = Observed[PatroniStatus]{Err: errors.New("supposed to be down"), Tried: now}
		return out
	}
	out.Status.Value.Role = f.Role
	out.Status.Value.SyncStandby, out.Status.Value.QuorumStandby = f.Sync, f.Quorum
	for path := range v.Checks {
		out.Checks[path] = Observed[int]{Value: f.Code(path), At: now, Tried: now}
	}
	return out
}

// supposeStats lets one HAProxy's checks answer as the states say. Servers
// taken out by hand, unchecked ones and those of other clusters stay as they are.
func supposeStats(h HAProxyStats, front *Front, facts map[InstanceName]*HealthFacts) HAProxyStats {
	out := HAProxyStats{URI: h.URI, Proxies: slices.Clone(h.Proxies)}
	for i := range out.Proxies {
		px := &out.Proxies[i]
		var svc *Service
		for j := range front.Services {
			if front.Services[j].Proxy() == px.Name {
				svc = &front.Services[j]
			}
		}
		if svc == nil {
			continue
		}
		px.Servers = slices.Clone(px.Servers)
		for k := range px.Servers {
			row := &px.Servers[k]
			f, ok := facts[InstanceName(row.Name)]
			if !ok || row.Status == "no check" || strings.HasPrefix(row.Status, "MAINT") {
				continue
			}
			drained := strings.HasPrefix(row.Status, "DRAIN") || strings.HasPrefix(row.Status, "NOLB")
			code := 0
			if f != nil {
				code = f.Code(svc.Check)
			}
			row.CheckCode, row.CheckDesc = code, ""
			switch code {
			case 200:
				row.CheckStatus = "L7OK"
				if !drained {
					row.Status = "UP"
					row.Weight = weightUp(row)
				}
			case 0:
				row.Status, row.CheckStatus = "DOWN", "L4CON"
			default:
				row.Status, row.CheckStatus = "DOWN", "L7STS"
			}
		}
	}
	return out
}

// weightUp is the weight a server has once it is up and past its slowstart.
func weightUp(row *ServerStat) int {
	if row.UserWeight >= 0 {
		return row.UserWeight
	}
	return max(row.Weight, 1)
}

// names are the cluster's instances.
func (c *Cluster) names() []InstanceName {
	out := make([]InstanceName, len(c.Instances))
	for i := range c.Instances {
		out[i] = c.Instances[i].Name
	}
	return out
}
