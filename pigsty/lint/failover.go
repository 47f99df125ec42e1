package lint

import (
	"strconv"
	"strings"

	"pgtui/model"
)

// checkKind is what Patroni answers to a health check path.
type checkKind int

const (
	onNobody  checkKind = iota // no member ever answers 200
	onLeader                   // the leader only
	onReplica                  // replicas only
	onAll                      // every member that runs
)

// kindOf is who passes a check. standby is a standby cluster, whose leader is no
// primary. HAProxy sends OPTIONS, to which /patroni, /liveness and
// /readiness answer 503.
func kindOf(check string, standby bool) (k checkKind, known bool) {
	switch rule := model.RuleOf(check); {
	case model.LockOnly(check, standby):
		return onLeader, true
	case model.NobodyPasses(check, standby):
		return onNobody, true
	case rule == model.RuleReplica:
		return onReplica, true
	case rule == model.RuleReadOnly, rule == model.RuleHealth:
		return onAll, true
	case rule == model.RuleMode && strings.HasPrefix(model.CheckPath(check), "read-only"):
		return onAll, true
	case rule == model.RuleMode:
		return onReplica, true
	}
	return onNobody, false
}

// holes are the members whose leadership leaves the service without a server;
// all of them when no failover can give it one.
func holes(c *model.Cluster, s *model.Service) []model.InstanceName {
	kind, _ := kindOf(s.Check, c.Standby)
	servers, _ := s.Servers()
	var out []model.InstanceName
	for _, leader := range c.Instances {
		served := false
		for _, v := range servers {
			if weightOf(v.Weight) == 0 {
				continue
			}
			switch kind {
			case onAll:
				served = true
			case onLeader:
				served = served || v.Name == leader.Name
			case onReplica:
				served = served || v.Name != leader.Name
			}
		}
		if !served {
			out = append(out, leader.Name)
		}
	}
	return out
}

// weightOf is a weight as HAProxy reads it: the digits it begins with. One that
// HAProxy refuses counts as some.
func weightOf(s string) int {
	if strings.HasPrefix(s, "-") {
		return 1
	}
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return 0
	}
	return n
}
