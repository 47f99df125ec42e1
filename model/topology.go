package model

import "pgtui/source"

// PatroniStatus is what an instance's Patroni reported of itself; the zero value
// for an instance that was not probed.
func (s *Snapshot) PatroniStatus(name InstanceName) source.Observed[PatroniStatus] {
	if s == nil {
		return source.Observed[PatroniStatus]{}
	}
	return s.Patroni[name].Status
}
