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
	// Drift says that what it finds is a difference from the inventory.
	Drift bool
	// Find reports the trouble of this kind. It need not set Code and Cluster.
	Find func(in Input, report func(model.Finding))
}

// All are the checks, most severe kind first; of health before those of drift.
func All() []Check {
	return []Check{
		{Code: "foreign-patroni", Find: foreignPatroni},
		{Code: nodeLostCode, Find: nodeLost},
		{Code: noLeaderCode, Find: noLeader},
		{Code: "member-unlisted", Find: memberUnlisted},
		{Code: "two-primaries", Find: twoPrimaries},
		{Code: "leader-read-only", Find: leaderReadOnly},
		{Code: leaderSilentCode, Find: leaderSilent},
		{Code: "port-closed", Find: portClosed},
		{Code: "haproxy-full", Find: haproxyFull},
		{Code: "service-empty", Find: serviceEmpty},
		{Code: "misrouted", Find: misrouted},
		{Code: "proof-differs", Find: proofDiffers},
		{Code: "check-yes-port-no", Find: checkYesPortNo},
		{Code: "pool-paused", Find: poolHeld(model.PoolPaused)},
		{Code: "pool-disabled", Find: poolHeld(model.PoolDisabled)},
		{Code: "pool-full", Find: poolHeld(model.PoolFull)},
		{Code: "pool-stalled", Find: poolHeld(model.PoolStalled)},
		{Code: "ghost-pinned", Find: ghostPinned},
		{Code: "drain-hidden", Find: drainHidden},
		{Code: "health-forced", Find: healthForced},
		{Code: "half-wiped", Find: halfWiped},
		{Code: "port-twice", Find: portTwice},
		{Code: "vip", Find: vipTrouble},
		{Code: "haproxy-disagree", Find: haproxyDisagree},
		{Code: "clients-wait", Find: clientsWait},
		{Code: "haproxy-silent", Find: haproxySilent},
		{Code: "stats-refused", Find: statsRefused},
		{Code: "patroni-silent", Find: patroniSilent},
		{Code: "member-state", Find: memberState},
		{Code: "ahead-of-leader", Find: aheadOfLeader},
		{Code: "not-patroni", Find: notPatroni},
		{Code: "replica-not-streaming", Find: replicaNotStreaming},
		{Code: "replica-lag", Find: replicaLag},
		{Code: "dcs-unreachable", Find: dcsUnreachable},
		{Code: "service-on-backup", Find: serviceOnBackup},
		{Code: "server-by-hand", Find: serverByHand},
		{Code: "overdue", Find: overdue},
		{Code: "action-open", Find: actionOpen},
		{Code: "pool-waiting", Find: poolWaiting},
		{Code: "section-missing", Find: sectionMissing},
		{Code: "node-unread", Find: nodeUnread},
		{Code: "ghost-worker", Find: ghostWorker},
		{Code: "foreign-files", Find: foreignFiles},
		{Code: "dcs-trouble", Find: dcsTrouble},
		{Code: "clock-skew", Find: clockSkew},
		{Code: "pool-unread", Find: poolUnread},
		{Code: "paused", Find: paused},
		{Code: "scheduled-switchover", Find: scheduledSwitchover},
		{Code: "scheduled-restart", Find: scheduledRestart},
		{Code: "pending-restart", Find: pendingRestart},
		{Code: "settling", Find: settling},
		{Code: "inventory-problem", Find: inventoryProblem},

		{Code: "stale-roles", Find: staleRoles, Drift: true},
		{Code: "running-differs", Find: runningDiffers, Drift: true},
		{Code: "config-unloaded", Find: configUnloaded, Drift: true},
		{Code: "config-drift", Find: configDrift, Drift: true},
	}
}

// Diagnose runs every check over a board, worst findings first; findings of
// one severity keep the order of All.
func Diagnose(in Input) []model.Finding {
	var out []model.Finding
	var check Check
	report := func(f model.Finding) { // one for all checks: a large fleet is judged at every answer
		f.Code, f.Drift, f.Cluster = check.Code, check.Drift, in.Board.Cluster.Name
		out = append(out, f)
	}
	for _, check = range All() {
		check.Find(in, report)
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
	in := Input{Snap: s.Screened(c), Board: &b, Now: now}
	b.Findings = Diagnose(in)
	b.Causes = Causes(in, b.Findings)
	b.Summary = causeFirst(&b)
	if b.Health == model.HealthOK {
		for i := range b.Causes {
			if x := &b.Causes[i]; !x.Drift && x.Severity <= model.Warning {
				b.Health, b.Summary = model.HealthDegraded, x.Summary
				return b
			}
		}
		if i := slices.IndexFunc(b.Causes, func(c model.Cause) bool { return c.Drift }); i >= 0 && b.Summary == board.AsDeclared {
			b.Summary = "every service is served; the inventory differs: " + b.Causes[i].Summary
		}
	}
	return b
}

// causeFirst is the board's summary with the cause in place of the symptom: what
// is lost, or where the summary speaks of a service, what a finding names behind it.
func causeFirst(b *board.Board) string {
	if len(b.Causes) > 0 && b.Health != model.HealthOK {
		switch c := &b.Causes[0]; {
		case c.Code == nodeLostCode, c.Code == silentCode && b.KnownMembers() == 0, (c.Code == noLeaderCode || c.Code == leaderSilentCode) && c.Severity == model.Critical && len(c.Effects) > 0:
			return c.Summary
		}
	}
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
