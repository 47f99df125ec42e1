package model

import "pgtui/source"

// PatroniStatus is what an instance's Patroni said of itself; the zero value
// for an instance that was not asked.
func (s *Snapshot) PatroniStatus(name InstanceName) source.Observed[PatroniStatus] {
	if s == nil {
		return source.Observed[PatroniStatus]{}
	}
	return s.Patroni[name].Status
}
