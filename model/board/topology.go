package board

import (
	"fmt"
	"time"

	"pgtui/model"
)

// Branch is one member in the tree of replication.
type Branch struct {
	Member *Member
	Depth  int  // 0 for the leader, and for members whose upstream is unknown
	Last   bool // no sibling follows
	// Upstream is whom it replicates from; "" when it leads or it is unknown.
	Upstream model.InstanceName
	// Stream is the upstream's walsender for it; the zero value when there is none.
	Stream model.Stream
	// Why is what is odd about the branch; "" when nothing is.
	Why string
	// Note is what is as its tags ask; "" when there is nothing to say.
	Note string
}

// Topology is the cluster's members as a tree, depth first: the leader, its
// replicas, theirs. Whom a member replicates from is reported by the walsenders
// that its upstream shows; a tag replicatefrom counts only while no member shows one.
func Topology(s *model.Snapshot, b *Board, now time.Time) []Branch {
	s = s.Screened(b.Cluster)
	of := make([]Branch, len(b.Members), len(b.Members)+len(b.Unlisted))
	children := map[model.InstanceName][]int{}
	var roots []int
	for i := range b.Members {
		of[i] = branchOf(s, b, &b.Members[i], now)
	}
	for i := range b.Unlisted {
		of = append(of, unlistedBranch(s, b, &b.Unlisted[i], now))
	}
	for i := range of {
		if of[i].Upstream == "" {
			roots = append(roots, i)
		} else {
			children[of[i].Upstream] = append(children[of[i].Upstream], i)
		}
	}
	out := make([]Branch, 0, len(of))
	done := map[model.InstanceName]bool{}
	var walk func(list []int, depth int)
	walk = func(list []int, depth int) {
		for k, i := range list {
			name := of[i].Member.Instance
			if done[name] {
				continue
			}
			done[name] = true
			of[i].Depth, of[i].Last = depth, k == len(list)-1
			out = append(out, of[i])
			walk(children[name], depth+1)
		}
	}
	walk(leaderFirst(roots, func(i int) model.InstanceName { return of[i].Member.Instance }, b), 0)
	for i := range of { // members that name each other as upstream have no upstream
		if name := of[i].Member.Instance; !done[name] {
			walk([]int{i}, 0)
		}
	}
	return out
}

// leaderFirst puts the leader in front of the other roots.
func leaderFirst(roots []int, name func(int) model.InstanceName, b *Board) []int {
	out := make([]int, 0, len(roots))
	for _, i := range roots {
		if name(i) == b.Leader {
			out = append([]int{i}, out...)
		} else {
			out = append(out, i)
		}
	}
	return out
}

// branchOf finds the upstream of one member.
func branchOf(s *model.Snapshot, b *Board, m *Member, now time.Time) Branch {
	br := Branch{Member: m}
	if m.Foreign != nil {
		br.Why = m.Foreign.Why
		return br
	}
	if m.Instance == b.Leader {
		return br
	}
	if br.Upstream, br.Stream = b.sender(s, m.Instance, now); br.Upstream != "" {
		return br
	}
	if m.Role == "primary" || m.Role == "leader" {
		br.Why = "it is a primary, but not the leader"
		return br
	}
	br.Upstream = b.Leader
	if from := model.InstanceName(s.PatroniStatus(m.Instance).Value.Tags["replicatefrom"]); from != "" && from != m.Instance && b.Cluster.Instance(from) != nil {
		br.Upstream = from
	}
	up := s.PatroniStatus(br.Upstream)
	switch {
	case br.Upstream == "":
	case m.Ahead > 0 || m.NewerTimeline:
		br.Why = fmt.Sprintf("it has WAL that %s lacks and does not stream", b.Leader)
	case m.NoStream:
		br.Note = "it reads WAL from the archive (tag nostream)"
	case b.Unlist(br.Upstream) != nil:
		br.Why = fmt.Sprintf("%s is not in the inventory, so its walsenders are unknown", br.Upstream)
	case !up.Current(now):
		br.Why = fmt.Sprintf("%s does not answer, so its walsenders are unknown", br.Upstream)
	case !m.Known:
		br.Why = fmt.Sprintf("%s has no walsender for it, and its own Patroni does not answer", br.Upstream)
		br.Upstream = ""
	default:
		br.Why = fmt.Sprintf("%s has no walsender for it: it does not stream", br.Upstream)
	}
	return br
}

// unlistedBranch is the place of a member that the inventory has not: pgtui does not probe it, so only a walsender shows its upstream.
func unlistedBranch(s *model.Snapshot, b *Board, m *Member, now time.Time) Branch {
	br := Branch{Member: m, Why: m.Why}
	if m.Instance != b.Leader {
		br.Upstream, br.Stream = b.sender(s, m.Instance, now)
	}
	return br
}

// sender is the member that has a walsender for name; "" when none that answers has.
func (b *Board) sender(s *model.Snapshot, name model.InstanceName, now time.Time) (model.InstanceName, model.Stream) {
	for i := range b.Members {
		o := s.PatroniStatus(b.Members[i].Instance)
		if !o.Current(now) {
			continue
		}
		for _, st := range o.Value.Streams {
			if st.Application == string(name) {
				return b.Members[i].Instance, st
			}
		}
	}
	return "", model.Stream{}
}
