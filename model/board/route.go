package board

import (
	"slices"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
)

// Cell is one server of one service as one HAProxy has it, with what the
// inventory promised and what Patroni allows beside it.
type Cell struct {
	Instance model.InstanceName
	Verdict  model.Verdict
	Why      string // one sentence
	Backup   bool   // by HAProxy's configuration; by the inventory when HAProxy is unknown
	Share    int    // percent of new connections it gets now, 0–100
	Status   string // HAProxy's own word, "UP 1/3"; "" when unknown
	Allowed  int    // Patroni's answer to the check path, probed by pgtui: HTTP status; 0 unknown
	Sessions int64
	Note     string // where promise, permission and reality differ; "" when they agree
	Differs  bool   // Note is about the running configuration, not about a check's answer
	// Admin is what was done to the server through HAProxy's controls.
	Admin haproxy.Admin
	Held  string // its status is DOWN and hides that it gets no new connections when its check passes; "" when nothing is hidden, or that is unknown
	Shut  string // why its port takes no connections though its Patroni answers; "" when it does, or is unknown
	// Pooled is set when its port is its pgbouncer's, and its Patroni answers.
	Pooled bool
	// PoolHeld is what of its pgbouncer makes it Shut though the port answers; "" when it is not that.
	PoolHeld model.PoolHold
	Full     string // why HAProxy hands it no further connection: its queue is full; "" when it does
	Check    string // HAProxy's check_status, "L4TOUT"; "" when there is none
	Limit    int64  // slim: its maxconn; 0 when there is none
	Queue    int64  // qcur: clients that wait for this server
	// QueueLimit is qlimit, its maxqueue; 0 when there is none.
	QueueLimit int64
	Other      string // what answers the check with a status that Patroni does not have; "" when nothing does
	Foreign    string // why its address is another cluster's; "" when it is not
}

// takes reports whether a new connection that HAProxy hands to the server is
// served: its port is open, its queue has room, and Patroni allows it or is unknown.
func (c *Cell) takes() bool {
	return c.Share > 0 && c.Shut == "" && c.Full == "" && c.Foreign == "" && (c.Allowed == 0 || c.Allowed == 200)
}

// View is one service port on one HAProxy node.
type View struct {
	HAProxy  model.Host
	Node     string // nodename, "" when unknown
	Verdict  model.Verdict
	Why      string
	Serving  []model.InstanceName // who gets new connections now; nil when unknown or none
	Cells    []Cell               // one for each server, in file order
	At       time.Time            // when HAProxy answered; zero when it never did
	AdminAt  time.Time            // when its "show servers state" was read; zero when it never was
	Stale    bool                 // HAProxy's latest attempt failed, the cells are its last answer
	Sessions int64
	Proven   *Proven // what real connections found; nil when none were made
	Frontend haproxy.RowState
	Backend  haproxy.RowState
	// Closed is why the port takes no new connection whatever its servers are:
	// the frontend is paused, stopped or full, or HAProxy itself is full; "" when it does, or is unknown.
	Closed string
	// Ends is the command for HAProxy's socket that ends Closed; "" where only a reload does.
	Ends string
}

// Route is one service of one cluster over all its HAProxy nodes.
type Route struct {
	Service model.ServiceName
	Port    string
	// Serving are the instances that every HAProxy that answers agrees get new
	// connections; nil when they disagree, none answers or one is settling.
	// An agreed absence of servers is an empty, non-nil slice.
	Serving []model.InstanceName
	Agreed  bool         // Serving is not nil
	Silent  []model.Host // the HAProxies of which this is unknown, in order; nil when all are
	Verdict model.Verdict
	Why     string
	Views   []View
}

// Name is how sentences call the route: "5433 primary".
func (r *Route) Name() string { return r.Port + " " + string(r.Service) }

// Shut are the servers that get connections on a port that takes none, or from
// whose pgbouncer no client gets through, each once, and why; nil when there are
// none.
func (r *Route) Shut() (names []model.InstanceName, why []string) {
	return r.shut(func(*Cell) bool { return true })
}

// ShutPorts are those of Shut whose port does not answer.
func (r *Route) ShutPorts() (names []model.InstanceName, why []string) {
	return r.shut(func(c *Cell) bool { return c.PoolHeld == "" })
}

func (r *Route) shut(counts func(*Cell) bool) (names []model.InstanceName, why []string) {
	for i := range r.Views {
		for k := range r.Views[i].Cells {
			if c := &r.Views[i].Cells[k]; c.Share > 0 && c.Shut != "" && counts(c) && !slices.Contains(names, c.Instance) {
				names, why = append(names, c.Instance), append(why, string(c.Instance)+": "+c.Shut)
			}
		}
	}
	return names, why
}

// HeldWord is what keeps clients from a server of Shut: "pool paused", "port shut".
func (r *Route) HeldWord(name model.InstanceName) string {
	for i := range r.Views {
		for k := range r.Views[i].Cells {
			if c := &r.Views[i].Cells[k]; c.Instance == name && c.Share > 0 && c.PoolHeld != "" {
				return c.PoolHeld.Word()
			}
		}
	}
	return model.PoolHold("").Word()
}

// Member is one instance as a whole: what it is now, from its own Patroni.
type Member struct {
	Instance model.InstanceName
	Host     model.Host
	Declared model.Role
	Role     string // leader, standby_leader, replica, sync_standby …; "" when unknown
	State    string // running, streaming, … ; "" when unknown
	Timeline int
	// Lag is replay lag in bytes behind the leader; -1 when unknown.
	Lag int64
	// LagTime is the age of the newest commit that it has replayed. It is at most that
	// far behind the leader. 0 without a lag; negative when unknown.
	LagTime time.Duration
	// Ahead is how many bytes of WAL it has that the leader lacks; 0 when none
	// are known.
	Ahead int64
	// NewerTimeline is set when it is on a timeline that the leader does not have.
	NewerTimeline bool
	Known         bool
	At            time.Time
	Why           string // why it is unknown, or what is odd
	// Foreign is whose Patroni answers at its address; nil when that is its own, or
	// no one answers. Such a member is counted as unknown.
	Foreign *model.Foreign
	// NoLB and NoStream are its tags noloadbalance and nostream: it takes no reads
	// through Patroni's checks, and reads WAL from the archive, by design.
	NoLB, NoStream bool
	// Port is what PostgreSQL's own port answered to a connection.
	Port PortWord
	// Restart is when Patroni will restart it, as it writes the time; "" when it
	// will not.
	Restart string
	// Pool is what its pgbouncer's console reports; the zero value when it is not probed.
	Pool source.Observed[model.PoolState]
}

// PortWord is whether a port takes connections.
type PortWord int

// The zero PortWord: it was not probed, or it is unknown.
const (
	PortUnknown PortWord = iota
	PortOpen
	PortShut
)

// VIPState is where the cluster's VIP is. The zero value means it has none.
type VIPState struct {
	Address  string
	Holder   model.Host // the node that has it; "" when unknown
	OnLeader bool       // Holder is the leader's node
	At       time.Time
	Why      string // why Holder is unknown
}

// Board is everything a cluster page or `pgtui status` shows of one cluster.
type Board struct {
	Cluster *model.Cluster
	Health  model.Health
	Summary string             // the one sentence
	Leader  model.InstanceName // "" when there is none or it is unknown
	// LeaderBy reports how far Leader can be trusted: "self" when its own Patroni
	// reports it and answers its check, "dcs" when only other members' GET
	// /cluster names it; "" when Leader is "".
	LeaderBy string
	// LeaderUnsure is set when Leader is "" although a member is primary: neither
	// its Patroni nor the DCS has reported yet who holds the leader key.
	LeaderUnsure bool
	Timeline     int
	Paused       bool
	VIP          VIPState
	Members      []Member
	// Unlisted are the members that the DCS has and the inventory has not, the
	// leader first. None is Known: pgtui does not probe them.
	Unlisted []Member
	// Switch is the switchover that Patroni will do by itself; zero when it will not.
	Switch   model.ScheduledSwitchover
	Routes   []Route
	Findings []model.Finding
	// Causes are the findings as a tree: one for each thing that is wrong, worst
	// first. Each finding is in one of them.
	Causes []model.Cause
	At     time.Time // the oldest datum the board rests on; zero when nothing was seen
	Judged time.Time // when the board was judged
}

// HeldOnly reports whether nothing but pgbouncers that keep clients out is wrong
// with a view.
func (v *View) HeldOnly() bool {
	return (v.Proven == nil || v.Proven.Against == "") && !slices.ContainsFunc(v.Cells, func(c Cell) bool {
		return c.Share > 0 && (c.PoolHeld == "" && c.Shut != "" || c.Full != "" || c.Allowed != 0 && c.Allowed != 200)
	}) && slices.ContainsFunc(v.Cells, func(c Cell) bool { return c.Share > 0 && c.PoolHeld != "" })
}
