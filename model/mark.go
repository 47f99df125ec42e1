package model

import "time"

// Mark is what pgtui's own audit file has of an action that still has an effect,
// or that has begun and not ended: who paused a cluster, who drained a server.
type Mark struct {
	Run      string // of the audit file
	Action   string // "pause", "drain", "maint", "weight", "maintenance", …
	Cluster  ClusterName
	Instance InstanceName // "" is the cluster
	Services []ServiceName
	HAProxy  []Host // the HAProxies it was set on
	Who      string // "alice as root@admin from 10.1.2.3"
	At       time.Time
	Until    time.Time // when it should end; zero is open
	Why      string
	// Open reports that the run has no end in the file: pgtui was killed, or still
	// runs.
	Open bool
	// Alive reports that its process still runs on this machine.
	Alive bool
}

// Overdue reports whether it should have ended by now.
func (m *Mark) Overdue(now time.Time) bool { return !m.Until.IsZero() && now.After(m.Until) }
