package probe

import (
	"reflect"
	"slices"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// isNews reports whether an answer is more than "the same, a moment later".
func isNews[T any](old source.Observed[T], a answer[T], same func(a, b T) bool) bool {
	switch {
	case old.Tried.IsZero(), (old.Err == nil) != (a.err == nil):
		return true
	case a.err != nil:
		return old.Err.Error() != a.err.Error()
	default:
		return !same(old.Value, a.v)
	}
}

func same[T comparable](a, b T) bool { return a == b }

// sameStatus ignores what moves all the time: WAL positions, the time of the last
// replayed transaction and the DCS clock.
func sameStatus(a, b model.PatroniStatus) bool {
	for _, s := range []*model.PatroniStatus{&a, &b} {
		s.Location, s.Received, s.Replayed, s.ReplayedAt, s.DCSLastSeen = 0, 0, 0, 0, 0
	}
	return reflect.DeepEqual(a, b)
}

// sameCluster ignores lag.
func sameCluster(a, b model.PatroniCluster) bool {
	return a.Scope == b.Scope && a.Paused == b.Paused && a.Switch == b.Switch &&
		slices.EqualFunc(a.Members, b.Members, func(x, y model.PatroniMember) bool {
			x.Lag, y.Lag, x.Behind, y.Behind = 0, 0, 0, 0
			return x == y
		})
}

// sameStats compares what routing rests on, and no counters.
func sameStats(a, b haproxy.Stats) bool {
	return a.Damaged == b.Damaged && a.Process.Value.Full() == b.Process.Value.Full() && slices.EqualFunc(a.Proxies, b.Proxies, func(x, y haproxy.Proxy) bool {
		return x.Name == y.Name && x.Damaged == y.Damaged && x.Front.Status == y.Front.Status && x.Back.Status == y.Back.Status && x.Front.Full() == y.Front.Full() &&
			slices.EqualFunc(x.Servers, y.Servers, func(s, t haproxy.ServerRow) bool {
				return s.Name == t.Name && s.Status == t.Status && s.Weight == t.Weight && s.Backup == t.Backup &&
					s.CheckStatus == t.CheckStatus && s.CheckCode == t.CheckCode && (s.Queue > 0) == (t.Queue > 0)
			})
	})
}
