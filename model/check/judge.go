package check

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// Judge makes boards as Boards does, and judges those clusters again whose
// answers changed, or whose answers grew stale. It is safe for
// concurrent use; the zero value is ready. What it returns is shared with what
// it returns later: boards are not to be changed.
type Judge struct {
	mu     sync.Mutex
	snap   *model.Snapshot // what boards were judged from; nil before the first
	boards []board.Board
}

// Boards are the boards of every cluster of the snapshot's inventory, in
// order: equal to what the function Boards returns.
func (j *Judge) Boards(s *model.Snapshot, now time.Time) []board.Board {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]board.Board, len(s.Inventory.Clusters))
	known := j.snap != nil && j.snap.Inventory == s.Inventory
	for i := range out {
		if known && unchanged(&j.boards[i], j.snap, s, now) {
			out[i] = j.boards[i].Redated(s, now)
			continue
		}
		out[i] = Board(s, &s.Inventory.Clusters[i], now)
	}
	j.snap, j.boards = s, out
	return out
}

// unchanged reports whether the board b, judged from was, is still right for
// is at now, its times apart. When in doubt it is not.
func unchanged(b *board.Board, was, is *model.Snapshot, now time.Time) bool {
	if slices.ContainsFunc(b.Findings, func(f model.Finding) bool { return !f.Due.IsZero() }) {
		return false // it counts down
	}
	c := b.Cluster
	at := times{b.Judged, now}
	for i := range c.Instances {
		if !identical(was.Nodes, is.Nodes, c.Instances[i].Host) || !identical(was.SQL, is.SQL, c.Instances[i].Name) ||
			!identical(was.Reach, is.Reach, c.Instances[i].Host) {
			return false
		}
		x, y := was.Patroni[c.Instances[i].Name], is.Patroni[c.Instances[i].Name]
		if !sameView(at, &x, &y) {
			return false
		}
	}
	for i := range c.LoadBalancers {
		h := c.LoadBalancers[i].Host
		x, y := was.HAProxy[h], is.HAProxy[h]
		if !same(at, &x, &y) || !sameStats(&x.Value, &y.Value) || !sameReading(was, is, h) {
			return false
		}
	}
	x, asked := was.VIP[c.Name]
	y, asks := is.VIP[c.Name]
	if asked != asks || x.Value != y.Value || !same(at, &x, &y) {
		return false
	}
	return sameMarks(at, was.Marks[c.Name], is.Marks[c.Name]) && sameProofs(at, c, was, is) && sameWord(at, c, was, is) && ownServers(b)
}

// sameMarks reports whether the audit file has the same, and none of it became
// overdue.
func sameMarks(at times, a, b []model.Mark) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	if at.was.UTC().Format(time.DateOnly) != at.is.UTC().Format(time.DateOnly) {
		return false // times of another day are shown with their date
	}
	for i := range a {
		if a[i].Overdue(at.was) != a[i].Overdue(at.is) {
			return false
		}
	}
	return reflect.DeepEqual(a, b)
}

// sameView reports whether one instance answered the same.
func sameView(at times, x, y *model.PatroniView) bool {
	if !same(at, &x.Status, &y.Status) || !sameStatus(&x.Status.Value, &y.Status.Value) ||
		!same(at, &x.Cluster, &y.Cluster) || !sameDCS(&x.Cluster.Value, &y.Cluster.Value) || len(x.Checks) != len(y.Checks) {
		return false
	}
	if !slices.EqualFunc(x.Ports, y.Ports, func(a, b model.PortView) bool {
		return a.Port == b.Port && a.Shut(at.was) == b.Shut(at.is) && a.Open(at.was) == b.Open(at.is)
	}) {
		return false
	}
	if !same(at, &x.Pool, &y.Pool) || (x.PoolNow(at.was) == nil) != (y.PoolNow(at.is) == nil) || !reflect.DeepEqual(&x.Pool.Value, &y.Pool.Value) {
		return false
	}
	for path, o := range x.Checks {
		if p, ok := y.Checks[path]; !ok || o.Value != p.Value || !same(at, &o, &p) {
			return false
		}
	}
	return true
}

// times are when a board was judged, and when it is needed again.
type times struct{ was, is time.Time }

// same reports whether two observations of one thing say the same, their
// values apart, each at its time: the same failure or none, and both count or
// both do not.
func same[T any](at times, a, b *source.Observed[T]) bool {
	return a.Ever() == b.Ever() && a.Tried.IsZero() == b.Tried.IsZero() && sameError(a.Err, b.Err) &&
		a.Current(at.was) == b.Current(at.is)
}

// identical reports whether two observations are the same in all they have. What
// is read on demand is mostly shared between snapshots, so that this is cheap.
func identical[K comparable, T any](was, is map[K]source.Observed[T], k K) bool {
	if len(was) == 0 && len(is) == 0 {
		return true
	}
	a, b := was[k], is[k]
	return a.At.Equal(b.At) && a.Tried.Equal(b.Tried) && sameError(a.Err, b.Err) && reflect.DeepEqual(&a.Value, &b.Value)
}

// sameReading reports whether what was read of a node over SSH is one and the same.
func sameReading(was, is *model.Snapshot, h model.Host) bool {
	return identical(was.Conf, is.Conf, h) && identical(was.Workers, is.Workers, h) && identical(was.Servers, is.Servers, h)
}

func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error() && source.TryOf(a) == source.TryOf(b)
}

func sameProofs(at times, c *model.Cluster, was, is *model.Snapshot) bool {
	if len(was.Proofs) == 0 && len(is.Proofs) == 0 {
		return true
	}
	for i := range c.LoadBalancers {
		for j := range c.LoadBalancers[i].Services {
			k := model.PortKey{HAProxy: c.LoadBalancers[i].Host, Cluster: c.Name, Service: c.LoadBalancers[i].Services[j].Name}
			x, y := was.Proofs[k], is.Proofs[k]
			if !identical(was.Proofs, is.Proofs, k) || (x.Age(at.was) > model.ProofAge) != (y.Age(at.is) > model.ProofAge) {
				return false
			}
		}
	}
	return true
}

// sameWord reports whether the word of the DCS that counts, the freshest of
// the members', is the same in both. While all say the same it is.
func sameWord(at times, c *model.Cluster, was, is *model.Snapshot) bool {
	freshest := func(s *model.Snapshot, now time.Time) int {
		best := -1
		var t time.Time
		for i := range c.Instances {
			if o := s.Patroni[c.Instances[i].Name].Cluster; o.Current(now) && o.At.After(t) {
				best, t = i, o.At
			}
		}
		return best
	}
	x, y := freshest(was, at.was), freshest(is, at.is)
	if x == y || x < 0 || y < 0 {
		return x == y
	}
	a, b := was.Patroni[c.Instances[x].Name].Cluster.Value, is.Patroni[c.Instances[y].Name].Cluster.Value
	return sameDCS(&a, &b)
}

// ownServers reports whether every server of the board is a member of its
// cluster: another's state may change without the cluster's own.
func ownServers(b *board.Board) bool {
	for i := range b.Routes {
		for j := range b.Routes[i].Views {
			cells := b.Routes[i].Views[j].Cells
			for k := range cells {
				if b.Cluster.Instance(cells[k].Instance) == nil {
					return false
				}
			}
		}
	}
	return true
}

// sameStatus compares all but what no board rests on: the clock of the DCS and
// the time of the last replayed transaction.
func sameStatus(a, b *model.PatroniStatus) bool {
	x, y := *a, *b
	x.DCSLastSeen, y.DCSLastSeen, x.ReplayedAt, y.ReplayedAt = 0, 0, 0, 0
	return reflect.DeepEqual(&x, &y)
}

func sameDCS(a, b *model.PatroniCluster) bool {
	return a.Scope == b.Scope && a.Paused == b.Paused && a.Switch == b.Switch && slices.Equal(a.Members, b.Members)
}

// sameStats compares all but the counters and ages no board rests on.
func sameStats(a, b *haproxy.Stats) bool {
	if a.URI != b.URI || a.Source != b.Source || !sameError(a.Why, b.Why) || len(a.Proxies) != len(b.Proxies) || a.Damaged != b.Damaged {
		return false
	}
	if (a.Process.Value.Crowded() || b.Process.Value.Crowded()) && (a.Process.Value != b.Process.Value || !a.Process.At.Equal(b.Process.At)) {
		return false
	}
	for i := range a.Proxies {
		x, y := &a.Proxies[i], &b.Proxies[i]
		if x.Name != y.Name || x.Front.State() != y.Front.State() || x.Back.State() != y.Back.State() || x.Damaged != y.Damaged || len(x.Servers) != len(y.Servers) {
			return false
		}
		for k := range x.Servers {
			if !sameServer(&x.Servers[k], &y.Servers[k]) {
				return false
			}
		}
	}
	return true
}

func sameServer(a, b *haproxy.ServerRow) bool {
	x, y := *a, *b
	for _, r := range []*haproxy.ServerRow{&x, &y} {
		r.CheckMs, r.LastChange, r.SessionRate, r.Total, r.Errors, r.Throttle = 0, 0, 0, 0, 0, 0
	}
	return x == y
}
