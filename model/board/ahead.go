package board

import (
	"time"

	"pgtui/model"
)

// fastestWAL is more than any server writes, in bytes per second: what the
// leader may have written between two answers is not called ahead.
const fastestWAL = 1 << 30

// ahead fills in how much WAL the members have that the leader lacks. A member
// that streams from the leader has none. Of one that does not, its position was
// reached before the leader answered, unless it connected and left in between:
// only Patroni 3.0.4 and newer reports that it does not stream, of an older one
// what the leader may have written between the two answers does not count.
func ahead(s *model.Snapshot, b *Board, dcs model.PatroniCluster, now time.Time) {
	lead := s.PatroniStatus(b.Leader)
	if b.LeaderBy != "self" || !lead.Current(now) {
		return
	}
	for i := range b.Members {
		m := &b.Members[i]
		o := s.PatroniStatus(m.Instance)
		if !m.Known || m.Instance == b.Leader || m.Role == "primary" || m.Role == "leader" {
			continue
		}
		// The leader's answer may be from before a promotion: then the DCS must say
		// the same of both.
		m.NewerTimeline = b.Timeline > 0 && m.Timeline > b.Timeline && (!lead.At.Before(o.At) || timelineOf(dcs, m.Instance) > timelineOf(dcs, b.Leader))
		has := max(o.Value.Received, o.Value.Replayed)
		more := has - lead.Value.Location
		if lead.Value.Location < 0 || has < 0 || more <= 0 {
			continue
		}
		if from, _ := b.sender(s, m.Instance, now); from != "" {
			continue
		}
		if o.Value.ReportsStreaming() && o.Value.ReplicationState != "streaming" {
			m.Ahead = more
			continue
		}
		between := max(0, o.At.Sub(lead.At.Add(-lead.Took)))
		if more > int64(between.Seconds()*fastestWAL) {
			m.Ahead = more
		}
	}
}

func timelineOf(dcs model.PatroniCluster, name model.InstanceName) int {
	if d := dcs.Member(name); d != nil {
		return d.Timeline
	}
	return 0
}
