// Package check holds the findings: what is wrong with a cluster, in plain
// words, with the evidence and the next thing to type. One file a finding; each
// is a pure function of a snapshot and its board.
package check

import (
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

// Input is what a check may look at.
type Input struct {
	Snap  *model.Snapshot // screened: nothing in it is another cluster's
	Board *board.Board    // judged already, without findings
	Now   time.Time
}

// Check is one kind of trouble.
type Check struct {
	Code string // stable, kebab-case
	// Find reports the trouble of this kind. It need not set Code and Cluster.
	Find func(in Input, report func(model.Finding))
}

// All are the checks, most severe kind first.
func All() []Check {
	return []Check{
		{"foreign-patroni", foreignPatroni},
		{"no-leader", noLeader},
		{"member-unlisted", memberUnlisted},
		{"two-primaries", twoPrimaries},
		{"leader-read-only", leaderReadOnly},
		{"leader-silent", leaderSilent},
		{"port-closed", portClosed},
		{"haproxy-full", haproxyFull},
		{"service-empty", serviceEmpty},
		{"misrouted", misrouted},
		{"proof-differs", proofDiffers},
		{"check-yes-port-no", checkYesPortNo},
		{"pool-paused", poolHeld(model.PoolPaused)},
		{"pool-disabled", poolHeld(model.PoolDisabled)},
		{"pool-full", poolHeld(model.PoolFull)},
		{"pool-stalled", poolHeld(model.PoolStalled)},
		{"ghost-pinned", ghostPinned},
		{"drain-hidden", drainHidden},
		{"health-forced", healthForced},
		{"half-wiped", halfWiped},
		{"port-twice", portTwice},
		{"vip", vipTrouble},
		{"haproxy-disagree", haproxyDisagree},
		{"clients-wait", clientsWait},
		{"haproxy-silent", haproxySilent},
		{"stats-refused", statsRefused},
		{"patroni-silent", patroniSilent},
		{"member-state", memberState},
		{"ahead-of-leader", aheadOfLeader},
		{"not-patroni", notPatroni},
		{"replica-not-streaming", replicaNotStreaming},
		{"replica-lag", replicaLag},
		{"dcs-unreachable", dcsUnreachable},
		{"service-on-backup", serviceOnBackup},
		{"server-by-hand", serverByHand},
		{"overdue", overdue},
		{"action-open", actionOpen},
		{"pool-waiting", poolWaiting},
		{"stale-roles", staleRoles},
		{"section-missing", sectionMissing},
		{"running-differs", runningDiffers},
		{"config-unloaded", configUnloaded},
		{"config-drift", configDrift},
		{"node-unread", nodeUnread},
		{"ghost-worker", ghostWorker},
		{"foreign-files", foreignFiles},
		{"dcs-trouble", dcsTrouble},
		{"clock-skew", clockSkew},
		{"pool-unread", poolUnread},
		{"paused", paused},
		{"scheduled-switchover", scheduledSwitchover},
		{"scheduled-restart", scheduledRestart},
		{"pending-restart", pendingRestart},
		{"settling", settling},
		{"inventory-problem", inventoryProblem},
	}
}

// Diagnose runs every check over a board, worst findings first; findings of
// one severity keep the order of All.
func Diagnose(in Input) []model.Finding {
	var out []model.Finding
	var code string
	report := func(f model.Finding) { // one for all checks: a large fleet is judged at every answer
		f.Code, f.Cluster = code, in.Board.Cluster.Name
		out = append(out, f)
	}
	for _, c := range All() {
		code = c.Code
		c.Find(in, report)
	}
	slices.SortStableFunc(out, func(a, b model.Finding) int { return int(a.Severity) - int(b.Severity) })
	return out
}

// perServer are findings of which there is one a server of a service, in the
// order in which something was first seen of each.
type perServer []*model.Finding

// of is the finding about an instance behind a service, "" for behind any: a
// warning unless the check sets another severity. first is true when there was none yet.
func (p *perServer) of(svc model.ServiceName, name model.InstanceName) (f *model.Finding, first bool) {
	for _, f := range *p {
		if f.Service == svc && f.Instance == name {
			return f, false
		}
	}
	f = &model.Finding{Severity: model.Warning, Service: svc, Instance: name}
	*p = append(*p, f)
	return f, true
}

func (p perServer) report(report func(model.Finding)) {
	for _, f := range p {
		report(*f)
	}
}

// Board is board.Of with its findings.
func Board(s *model.Snapshot, c *model.Cluster, now time.Time) board.Board {
	b := board.Of(s, c, now)
	b.Findings = Diagnose(Input{Snap: s.Screened(c), Board: &b, Now: now})
	b.Summary = causeFirst(&b)
	if b.Health == model.HealthOK {
		for _, f := range b.Findings {
			if f.Severity <= model.Warning {
				b.Health, b.Summary = model.HealthDegraded, f.Summary
				break
			}
		}
	}
	return b
}

// causeFirst is the board's summary with the cause in place of the symptom,
// where it speaks of a service and a finding names what is behind it.
func causeFirst(b *board.Board) string {
	for i := range b.Routes {
		r := &b.Routes[i]
		if !strings.HasPrefix(b.Summary, r.Name()) {
			continue
		}
		for _, f := range b.Findings {
			named := f.Code == "service-empty" || f.Code == "haproxy-disagree" || f.Code == "service-on-backup"
			if f.Service == r.Service && named && strings.Contains(f.Summary, ": ") {
				return f.Summary
			}
		}
	}
	return b.Summary
}

// Boards are the boards of every cluster of the snapshot's inventory, in order.
func Boards(s *model.Snapshot, now time.Time) []board.Board {
	out := make([]board.Board, len(s.Inventory.Clusters))
	for i := range s.Inventory.Clusters {
		out[i] = Board(s, &s.Inventory.Clusters[i], now)
	}
	return out
}
