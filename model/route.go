package model

import (
	"slices"
	"time"
)

// Cell is one server of one service as one HAProxy has it, with what the
// inventory promised and what Patroni allows beside it.
type Cell struct {
	Instance InstanceName
	Verdict  Verdict
	Why      string // one sentence
	Backup   bool   // by HAProxy's configuration; by the inventory when HAProxy is not known
	Share    int    // percent of new connections it gets now, 0–100
	Status   string // HAProxy's own word, "UP 1/3"; "" when not known
	Allowed  int    // Patroni's answer to the check path, asked by pgtui: HTTP status; 0 not known
	Sessions int64
	Note     string // where promise, permission and reality differ; "" when they agree
	Differs  bool   // Note is about the running configuration, not about a check's answer
	Shut     string // why its port takes no connections though its Patroni answers; "" when it does, or is not known
}

// View is one service port on one HAProxy node.
type View struct {
	HAProxy  Host
	Node     string // nodename, "" when not known
	Verdict  Verdict
	Why      string
	Serving  []InstanceName // who gets new connections now; nil when not known or nobody
	Cells    []Cell         // one for each server, in file order
	At       time.Time      // when HAProxy answered; zero when it never did
	Stale    bool           // HAProxy's latest attempt failed, the cells are its last answer
	Sessions int64
	Proven   *Proven // what real connections found; nil when none were made
}

// Route is one service of one cluster over all its HAProxy nodes.
type Route struct {
	Service ServiceName
	Port    string
	// Serving are the instances that every HAProxy agrees get new
	// connections; nil when they disagree or any of them is not known.
	// An agreed "nobody" is an empty, non-nil slice.
	Serving []InstanceName
	Agreed  bool
	Verdict Verdict
	Why     string
	Views   []View
}

// Shut are the servers that get connections on a port that takes none, each
// once, and why; nil when there are none.
func (r *Route) Shut() (names []InstanceName, why []string) {
	for i := range r.Views {
		for k := range r.Views[i].Cells {
			if c := &r.Views[i].Cells[k]; c.Share > 0 && c.Shut != "" && !slices.Contains(names, c.Instance) {
				names, why = append(names, c.Instance), append(why, string(c.Instance)+": "+c.Shut)
			}
		}
	}
	return names, why
}

// Member is one instance as a whole: what it is now, from its own Patroni.
type Member struct {
	Instance InstanceName
	Host     Host
	Declared Role
	Role     string // leader, standby_leader, replica, sync_standby …; "" when not known
	State    string // running, streaming, … ; "" when not known
	Timeline int
	// Lag is replay lag in bytes behind the leader; -1 when not known.
	Lag   int64
	Known bool
	At    time.Time
	Why   string // why it is not known, or what is odd
}

// VIPState is where the cluster's VIP is. The zero value means it has none.
type VIPState struct {
	Address  string
	Holder   Host // the node that has it; "" when not known
	OnLeader bool // Holder is the leader's node
	At       time.Time
	Why      string // why Holder is not known
}

// Board is everything a cluster page or `pgtui status` shows of one cluster.
type Board struct {
	Cluster *Cluster
	Health  Health
	Summary string       // the one sentence
	Leader  InstanceName // "" when there is none or it is not known
	// LeaderBy tells how far Leader can be trusted: "self" when its own Patroni
	// says so and answers its check, "dcs" when only other members' GET
	// /cluster names it; "" when Leader is "".
	LeaderBy string
	// LeaderUnsure is set when Leader is "" although a member is primary: neither
	// its Patroni nor the DCS has told yet who holds the leader key.
	LeaderUnsure bool
	Timeline     int
	Paused       bool
	VIP          VIPState
	Members      []Member
	Routes       []Route
	Findings     []Finding
	At           time.Time // the oldest datum the board rests on; zero when nothing was seen
	Judged       time.Time // when the board was judged
}
