// Package jsonv1 is version 1 of pgtui's JSON. Its field names and meanings do
// not change; new fields may be added. docs/json.md describes it.
package jsonv1

import (
	"errors"
	"strconv"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// Status is what `pgtui status -o json` prints.
type Status struct {
	Version   int       `json:"version"` // 1
	TakenAt   time.Time `json:"taken_at"`
	Inventory string    `json:"inventory"`
	// Dialect is the Pigsty generation whose rules apply, "v4.5", and
	// DialectFrom where that is known from.
	Dialect     string    `json:"dialect"`
	DialectFrom string    `json:"dialect_from"`
	Health      string    `json:"health"`    // ok, degraded, down, unknown: the worst cluster
	ExitCode    int       `json:"exit_code"` // 0–3, as the command exits
	Clusters    []Cluster `json:"clusters"`
}

// Cluster is one cluster.
type Cluster struct {
	Name     string   `json:"name"`
	Health   string   `json:"health"`
	Summary  string   `json:"summary"`
	Leader   *string  `json:"leader"`              // null: none, or not known
	LeaderBy string   `json:"leader_by,omitempty"` // self or dcs: who says so
	Timeline int      `json:"timeline,omitempty"`
	Paused   bool     `json:"paused"`
	VIP      *VIP     `json:"vip"` // null: the cluster has none
	Members  []Member `json:"members"`
	// Unlisted are the members that the DCS has and the inventory has not; []: none.
	Unlisted []Unlisted `json:"unlisted"`
	// Switchover is the one that Patroni will do by itself; absent: none.
	Switchover *Switchover `json:"scheduled_switchover,omitempty"`
	Services   []Service   `json:"services"`
	Findings   []Finding   `json:"findings"`
}

// Unlisted is a member that the DCS has and the inventory has not.
type Unlisted struct {
	Name     string `json:"name"`
	Host     string `json:"host"` // "" when the DCS does not tell it
	Role     string `json:"role"` // as of members
	State    string `json:"state"`
	Timeline int    `json:"timeline,omitempty"`
	LagBytes *int64 `json:"lag_bytes"` // null: not known, or the leader itself
	Leader   bool   `json:"leader"`
}

// Switchover is a scheduled one; times and names as Patroni writes them.
type Switchover struct {
	At   string `json:"at"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// Foreign is whose Patroni answers at a member's address.
type Foreign struct {
	Address  string `json:"address"`
	Name     string `json:"name"`      // as it calls itself; "" when not told
	Scope    string `json:"scope"`     // its cluster
	SystemID string `json:"system_id"` // of its data
	Sure     bool   `json:"sure"`      // false: whether it is the member's own is not known
}

// VIP is the cluster's moving address.
type VIP struct {
	Address  string `json:"address"`
	Holder   string `json:"holder"`    // inventory name of the node that has it; "" when not known
	OnLeader *bool  `json:"on_leader"` // null: not known
	AgeMs    *int64 `json:"age_ms"`
	Why      string `json:"why,omitempty"` // why the holder is not known
}

// Member is one PostgreSQL instance.
type Member struct {
	Name         string   `json:"name"`
	Host         string   `json:"host"`
	DeclaredRole string   `json:"declared_role"`
	Known        bool     `json:"known"` // its Patroni answers
	Role         string   `json:"role,omitempty"`
	State        string   `json:"state,omitempty"`
	Timeline     int      `json:"timeline,omitempty"`
	LagBytes     *int64   `json:"lag_bytes"` // null: not known, or the leader itself
	AgeMs        *int64   `json:"age_ms"`    // null: never answered
	Why          string   `json:"why,omitempty"`
	Foreign      *Foreign `json:"foreign,omitempty"`           // absent: its own Patroni answers, or nobody
	AheadBytes   int64    `json:"ahead_bytes,omitempty"`       // of WAL that the leader lacks
	Restart      string   `json:"scheduled_restart,omitempty"` // when, as Patroni writes it
	Pool         *Pool    `json:"pool"`                        // null: no service leads to its pgbouncer, or it was not asked yet
}

// Pool is what the instance's pgbouncer says on its own console.
type Pool struct {
	Version    string         `json:"version,omitempty"`
	Paused     *bool          `json:"paused"`            // PAUSE of all databases; null: not known, as before pgbouncer 1.19
	Clients    *int           `json:"clients"`           // connected now; null: not known
	MaxClients *int           `json:"max_clients"`       // max_client_conn; null: not known
	Waiting    *int           `json:"waiting"`           // clients that wait for a server connection, in all databases; null: not known
	MaxWaitMs  *int64         `json:"max_wait_ms"`       // how long the first of them has waited; null: not known
	Held       string         `json:"held"`              // paused, disabled, full, stalled: why clients of a database get nothing; "": they do, or not known
	TakesNone  bool           `json:"takes_none"`        // clients of no database get anything
	Why        string         `json:"why,omitempty"`     // held, in a sentence
	Databases  []PoolDatabase `json:"databases"`         // null: not known
	AgeMs      *int64         `json:"age_ms"`            // null: never answered
	Error      string         `json:"error,omitempty"`   // why it is not known
	Refused    bool           `json:"refused,omitempty"` // the console does not let the monitoring user in
}

// PoolDatabase is one database of a pgbouncer, over the pools of all users.
type PoolDatabase struct {
	Name       string `json:"name"`
	Held       string `json:"held"` // as in Pool
	Paused     bool   `json:"paused"`
	Disabled   bool   `json:"disabled"`
	Waiting    int    `json:"waiting"`
	MaxWaitMs  int64  `json:"max_wait_ms"`
	Active     int    `json:"active"`                // clients that do not wait
	Servers    int    `json:"servers"`               // connections to PostgreSQL
	Busy       int    `json:"servers_busy"`          // of those, in use
	PoolSize   int    `json:"pool_size"`             // of each user
	MaxServers int    `json:"max_servers"`           // max_db_connections; 0: no limit
	MaxClients int    `json:"max_clients,omitempty"` // max_db_client_connections; absent: no limit
}

// Service is one service of the cluster over all its HAProxy nodes.
type Service struct {
	Name    string   `json:"name"`
	Port    any      `json:"port"`    // a number; the declared text when it is none
	Serving []string `json:"serving"` // of all HAProxies that answer; null: they disagree, or none answers; []: all say nobody
	Silent  []string `json:"silent"`  // the HAProxies of which this is not known, as in views[].haproxy; []: none
	Verdict string   `json:"verdict"`
	Why     string   `json:"why"`
	Check   string   `json:"check"`
	Dest    string   `json:"dest"`
	Views   []View   `json:"views"`
}

// View is one service on one HAProxy node.
type View struct {
	HAProxy string   `json:"haproxy"` // inventory name of the node
	Node    string   `json:"node,omitempty"`
	Serving []string `json:"serving"` // null: not known
	Verdict string   `json:"verdict"`
	Why     string   `json:"why"`
	AgeMs   *int64   `json:"age_ms"` // null: never answered
	Stale   bool     `json:"stale"`
	// AdminAgeMs is how old the word on servers that are DOWN is; null: "show
	// servers state" was not read.
	AdminAgeMs *int64   `json:"admin_age_ms"`
	Servers    []Server `json:"servers"`
	Proven     *Proven  `json:"proven,omitempty"` // absent: no connection was made
	// Frontend and Backend are HAProxy's rows of the section; null: not known.
	Frontend *Row   `json:"frontend"`
	Backend  *Row   `json:"backend"`
	Closed   string `json:"closed,omitempty"` // why the port takes no new connection
}

// Row is a FRONTEND or BACKEND row, under HAProxy's own names.
type Row struct {
	Status string `json:"status"`
	Scur   int64  `json:"scur"`
	Slim   *int64 `json:"slim"` // null: no limit
	Qcur   int64  `json:"qcur"`
}

// Server is one server of a view.
type Server struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Why     string `json:"why"`
	Backup  bool   `json:"backup"`
	Share   int    `json:"share_percent"`
	Status  string `json:"haproxy_status,omitempty"`
	// AdminState is ready, drain or maint: what was done through HAProxy's
	// controls. null: not known, as of a server that is DOWN without SSH.
	AdminState *string `json:"admin_state"`
	Allowed    int     `json:"patroni_code,omitempty"`
	Sessions   int64   `json:"sessions"`
	Scur       int64   `json:"scur"` // the same as sessions
	Slim       *int64  `json:"slim"` // its maxconn; null: no limit
	Qcur       int64   `json:"qcur"`
	Qlimit     *int64  `json:"qlimit"` // its maxqueue; null: no limit
	Note       string  `json:"note,omitempty"`
}

// Finding is one thing that is wrong.
type Finding struct {
	Code     string   `json:"code"`
	Severity string   `json:"severity"`
	Service  string   `json:"service,omitempty"`
	Instance string   `json:"instance,omitempty"`
	Host     string   `json:"host,omitempty"`
	Summary  string   `json:"summary"`
	Evidence []string `json:"evidence"`
	Hint     string   `json:"hint,omitempty"`
}

// NewStatus is the JSON of boards that were judged at now.
func NewStatus(inv *model.Inventory, boards []board.Board, now time.Time) Status {
	worst := model.HealthOK
	out := Status{Version: 1, TakenAt: now.UTC().Truncate(time.Millisecond), Inventory: inv.Source, Dialect: string(inv.Dialect), DialectFrom: inv.DialectFrom, Clusters: []Cluster{}}
	for i := range boards {
		worst = model.Worse(worst, boards[i].Health)
		out.Clusters = append(out.Clusters, newCluster(&boards[i], now))
	}
	if len(boards) == 0 {
		worst = model.HealthUnknown
	}
	out.Health, out.ExitCode = worst.String(), int(worst)
	return out
}

func newCluster(b *board.Board, now time.Time) Cluster {
	c := Cluster{Name: string(b.Cluster.Name), Health: b.Health.String(), Summary: b.Summary, LeaderBy: b.LeaderBy,
		Timeline: b.Timeline, Paused: b.Paused, Members: []Member{}, Unlisted: []Unlisted{}, Services: []Service{}, Findings: []Finding{}}
	if b.Leader != "" {
		s := string(b.Leader)
		c.Leader = &s
	}
	if v := b.VIP; v.Address != "" {
		c.VIP = &VIP{Address: v.Address, Holder: string(v.Holder), AgeMs: age(v.At, now), Why: v.Why}
		if v.Holder != "" && b.Leader != "" {
			on := v.OnLeader
			c.VIP.OnLeader = &on
		}
	}
	for _, m := range b.Members {
		jm := Member{Name: string(m.Instance), Host: string(m.Host), DeclaredRole: string(m.Declared), Known: m.Known,
			Role: m.Role, State: m.State, Timeline: m.Timeline, AgeMs: age(m.At, now), Why: m.Why}
		if m.Lag >= 0 {
			jm.LagBytes = &m.Lag
		}
		jm.AheadBytes, jm.Restart = m.Ahead, m.Restart
		if x := m.Foreign; x != nil {
			jm.Foreign = &Foreign{Address: x.Address, Name: x.Name, Scope: x.Scope, SystemID: x.SystemID, Sure: x.Sure}
		}
		jm.Pool = newPool(b.Cluster, &m.Pool, now)
		c.Members = append(c.Members, jm)
	}
	for _, m := range b.Unlisted {
		u := Unlisted{Name: string(m.Instance), Host: string(m.Host), Role: m.Role, State: m.State, Timeline: m.Timeline, Leader: m.Instance == b.Leader}
		if m.Lag >= 0 && !u.Leader {
			u.LagBytes = &m.Lag
		}
		c.Unlisted = append(c.Unlisted, u)
	}
	if b.Switch.At != "" {
		c.Switchover = &Switchover{At: b.Switch.At, From: string(b.Switch.From), To: string(b.Switch.To)}
	}
	services := map[model.ServiceName]*model.Service{}
	for _, s := range b.Cluster.Services() {
		services[s.Name] = s
	}
	for i := range b.Routes {
		c.Services = append(c.Services, newService(services[b.Routes[i].Service], &b.Routes[i], now))
	}
	for _, f := range b.Findings {
		evidence := append([]string{}, f.Evidence...)
		c.Findings = append(c.Findings, Finding{Code: f.Code, Severity: f.Severity.String(), Service: string(f.Service),
			Instance: string(f.Instance), Host: string(f.Host), Summary: f.Summary, Evidence: evidence, Hint: f.Hint})
	}
	return c
}

// newPool is what is known of a pgbouncer; nil when it is not asked.
func newPool(c *model.Cluster, o *source.Observed[model.PoolState], now time.Time) *Pool {
	if o.Tried.IsZero() && o.Err == nil {
		return nil
	}
	out := &Pool{AgeMs: age(o.At, now)}
	p := (&model.PatroniView{Pool: *o}).PoolNow(now)
	if p == nil {
		if out.Error = "the last answer is too old"; o.Err != nil {
			out.Error = o.Err.Error()
			_, out.Refused = errors.AsType[*model.ConsoleRefused](o.Err)
		}
		return out
	}
	t := model.PoolTroubleOf(c, p)
	out.Version, out.Held, out.TakesNone, out.Why = p.Version, string(t.Kind), t.Whole, t.Text
	if p.PauseKnown {
		out.Paused = &p.Paused
	}
	if p.Full {
		return out // it has said nothing else
	}
	n, longest := p.Waiting()
	ms := longest.Milliseconds()
	out.Clients, out.Waiting, out.MaxWaitMs, out.Databases = &p.Clients, &n, &ms, []PoolDatabase{}
	if p.MaxClients > 0 {
		out.MaxClients = &p.MaxClients
	}
	for i := range p.Databases {
		d := &p.Databases[i]
		out.Databases = append(out.Databases, PoolDatabase{Name: d.Name, Held: string(p.Held(d)), Paused: d.Paused, Disabled: d.Disabled,
			Waiting: d.Waiting, MaxWaitMs: d.MaxWait.Milliseconds(), Active: d.Active, Servers: d.Servers, Busy: d.Busy,
			PoolSize: d.Size, MaxServers: d.MaxServers, MaxClients: d.MaxClients})
	}
	return out
}

func newService(svc *model.Service, r *board.Route, now time.Time) Service {
	s := Service{Name: string(r.Service), Port: port(r.Port), Serving: names(r.Serving), Silent: []string{}, Verdict: string(r.Verdict), Why: r.Why, Views: []View{}}
	for _, h := range r.Silent {
		s.Silent = append(s.Silent, string(h))
	}
	if svc != nil {
		s.Check, s.Dest = svc.Check, svc.Dest
	}
	for _, v := range r.Views {
		jv := View{HAProxy: string(v.HAProxy), Node: v.Node, Serving: names(v.Serving), Verdict: string(v.Verdict), Why: v.Why,
			AgeMs: age(v.At, now), Stale: v.Stale, AdminAgeMs: age(v.AdminAt, now), Servers: []Server{}, Proven: newProven(v.Proven, now),
			Frontend: row(v.Frontend), Backend: row(v.Backend), Closed: v.Closed}
		for _, c := range v.Cells {
			jv.Servers = append(jv.Servers, Server{Name: string(c.Instance), Verdict: string(c.Verdict), Why: c.Why, Backup: c.Backup,
				Share: c.Share, Status: c.Status, AdminState: adminState(c.Admin), Allowed: c.Allowed, Sessions: c.Sessions, Note: c.Note,
				Scur: c.Sessions, Slim: limit(c.Limit), Qcur: c.Queue, Qlimit: limit(c.QueueLimit)})
		}
		s.Views = append(s.Views, jv)
	}
	return s
}

// row is nil for a row that is not known.
func row(r haproxy.RowState) *Row {
	if r.Status == "" {
		return nil
	}
	return &Row{Status: r.Status, Scur: r.Sessions, Slim: limit(r.Limit), Qcur: r.Queue}
}

// limit is nil where there is none.
func limit(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// adminState is nil where it is not known.
func adminState(a haproxy.Admin) *string {
	if a == haproxy.AdminUnknown {
		return nil
	}
	s := string(a)
	return &s
}

// port is a number where the text is one.
func port(s string) any {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return s
}

// names keeps the difference between nil (not known) and empty (nobody).
func names(in []model.InstanceName) []string {
	if in == nil {
		return nil
	}
	out := make([]string, len(in))
	for i, n := range in {
		out[i] = string(n)
	}
	return out
}

// age is how old a datum of that time is, in milliseconds; nil when there is none.
func age(at, now time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	ms := max(0, now.Sub(at).Milliseconds())
	return &ms
}
