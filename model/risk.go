package model

import "pgtui/haproxy"

// HaproxyOf is the stats page of a host, an empty one when none was read.
func (s *Snapshot) HaproxyOf(h Host) *haproxy.Stats {
	v := s.HAProxy[h].Value
	return &v
}
