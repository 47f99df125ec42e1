package action

import (
	"slices"
	"time"

	"pgtui/model"
)

// Kind is what an action does, by the name of its command.
type Kind string

// The kinds. PatroniConfig, PatroniReload and Flush are subcommands of `pgtui
// patroni`; EndMaintenance is `pgtui maintenance --end`.
const (
	Switchover     Kind = "switchover"
	Failover       Kind = "failover"
	Restart        Kind = "restart"
	Reinit         Kind = "reinit"
	Pause          Kind = "pause"
	Resume         Kind = "resume"
	PatroniConfig  Kind = "patroni-config"
	PatroniReload  Kind = "patroni-reload"
	Flush          Kind = "patroni-flush"
	Drain          Kind = "drain"
	Undrain        Kind = "undrain"
	Maint          Kind = "maint"
	Ready          Kind = "ready"
	Weight         Kind = "weight"
	EnableFrontend Kind = "enable-frontend"
	Maintenance    Kind = "maintenance"
	EndMaintenance Kind = "maintenance-end"
	Cancel         Kind = "cancel"
	Terminate      Kind = "terminate"
)

// Kinds are all kinds, in the order of the documentation.
func Kinds() []Kind {
	return []Kind{
		Switchover, Failover, Restart, Reinit, Pause, Resume, PatroniConfig, PatroniReload, Flush,
		Drain, Undrain, Maint, Ready, Weight, EnableFrontend, Maintenance, EndMaintenance, Cancel, Terminate,
	}
}

// Request is what the operator wants. It is part of a saved plan: a plan that is
// made again is made from the same request.
type Request struct {
	Kind    Kind              `json:"kind"`
	Cluster model.ClusterName `json:"cluster"`
	// Instance is whose PostgreSQL is restarted, reinitialised or flushed, and
	// whose servers are drained; "" is the whole cluster.
	Instance  model.InstanceName `json:"instance,omitempty"`
	Candidate model.InstanceName `json:"candidate,omitempty"` // who is to lead; "" leaves it to Patroni
	Node      model.Host         `json:"node,omitempty"`      // of a maintenance
	// Service and HAProxy narrow an action on servers; "" is every service that
	// routes to the instance, on every HAProxy.
	Service model.ServiceName `json:"service,omitempty"`
	HAProxy model.Host        `json:"haproxy,omitempty"`
	Weight  int               `json:"weight,omitempty"` // of Weight: 0 to 256
	PID     int               `json:"pid,omitempty"`    // of Cancel and Terminate: the session's process
	// Pending restarts only members that report a pending restart.
	Pending bool `json:"pending,omitempty"`
	// SwitchFirst moves the leader away before its own restart.
	SwitchFirst bool `json:"switch_first,omitempty"`
	// FromLeader makes the leader the donor of a reinit.
	FromLeader bool `json:"from_leader,omitempty"`
	// At schedules a switchover or a restart; zero is now.
	At time.Time `json:"at,omitzero"`
	// Set are the keys of Patroni's configuration to change, "key=value" in the
	// operator's order; a value of null removes the key.
	Set []string `json:"set,omitempty"`
	// Flush is what is cancelled: "switchover" or "restart".
	Flush string `json:"flush,omitempty"`
	// Until and Why are kept in the audit file. pgtui ends nothing by itself.
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why,omitempty"`
	// Wait is how long a drain waits for its sessions to end; 0 does not wait.
	Wait time.Duration `json:"wait_ns,omitempty"`
	// Cut ends the sessions that are left once Wait is over.
	Cut bool `json:"cut,omitempty"`
	// SSH sends Patroni's calls through SSH to the node, as that node.
	SSH bool `json:"ssh,omitempty"`
}

// OnServers reports whether it changes servers of HAProxy.
func (r *Request) OnServers() bool {
	return slices.Contains([]Kind{Drain, Undrain, Maint, Ready, Weight, Maintenance, EndMaintenance}, r.Kind)
}
