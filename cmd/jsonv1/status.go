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
	Version int `json:"version"` // 1
	Past
	TakenAt   time.Time `json:"taken_at"`
	Inventory string    `json:"inventory"`
	// Dialect is the Pigsty generation whose rules apply, "v4.5", and
	// DialectFrom where that is known from.
	Dialect     string `json:"dialect"`
	DialectFrom string `json:"dialect_from"`
	Health      string `json:"health"` // ok, degraded, down, unknown: the worst cluster
	// Drift are the findings of all clusters that differ from the inventory; []: none.
	Drift    []Finding `json:"drift"`
	ExitCode int       `json:"exit_code"` // 0–3, as the command exits
	Clusters []Cluster `json:"clusters"`
}

// Cluster is one cluster.
type Cluster struct {
	Name   string `json:"name"`
	Health string `json:"health"`
	// Drift are those of Findings that differ from the inventory while clients reach
	// what they should: they do not count for health. []: none.
	Drift    []Finding `json:"drift"`
	Summary  string    `json:"summary"`
	Leader   *string   `json:"leader"`              // null: none, or unknown
	LeaderBy string    `json:"leader_by,omitempty"` // self or dcs: who says so
	Timeline int       `json:"timeline,omitempty"`
	Paused   bool      `json:"paused"`
	VIP      *VIP      `json:"vip"` // null: the cluster has none
	Members  []Member  `json:"members"`
	// Unlisted are the members that the DCS has and the inventory has not; []: none.
	Unlisted []Unlisted `json:"unlisted"`
	// Switchover is the one that Patroni will do by itself; absent: none.
	Switchover *Switchover `json:"scheduled_switchover,omitempty"`
	Services   []Service   `json:"services"`
	Findings   []Finding   `json:"findings"`
	// Causes are the findings as screens show them: one for each thing that is wrong,
	// worst first.
	Causes []Cause `json:"causes"`
}

// Unlisted is a member that the DCS has and the inventory has not.
type Unlisted struct {
	Name     string `json:"name"`
	Host     string `json:"host"` // "" when the DCS does not tell it
	Role     string `json:"role"` // as of members
	State    string `json:"state"`
	Timeline int    `json:"timeline,omitempty"`
	LagBytes *int64 `json:"lag_bytes"` // null: unknown, or the leader itself
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
	Name     string `json:"name"`      // as it reports; "" when it reports none
	Scope    string `json:"scope"`     // its cluster
	SystemID string `json:"system_id"` // of its data
	Sure     bool   `json:"sure"`      // false: whether it is the member's own is unknown
}

// VIP is the cluster's moving address.
type VIP struct {
	Address  string `json:"address"`
	Holder   string `json:"holder"`    // inventory name of the node that has it; "" when unknown
	OnLeader *bool  `json:"on_leader"` // null: unknown
	AgeMs    *int64 `json:"age_ms"`
	Why      string `json:"why,omitempty"` // why the holder is unknown
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
	LagBytes     *int64   `json:"lag_bytes"`   // null: unknown, or the leader itself
	LagSeconds   *int64   `json:"lag_seconds"` // at most; null: unknown, or the leader itself
	AgeMs        *int64   `json:"age_ms"`      // null: never answered
	Why          string   `json:"why,omitempty"`
	Foreign      *Foreign `json:"foreign,omitempty"`           // absent: its own Patroni answers, or nobody
	AheadBytes   int64    `json:"ahead_bytes,omitempty"`       // of WAL that the leader lacks
	Restart      string   `json:"scheduled_restart,omitempty"` // when, as Patroni writes it
	Pool         *Pool    `json:"pool"`                        // null: no service leads to its pgbouncer, or it was not probed yet
}

// Pool is what the instance's pgbouncer reports on its own console.
type Pool struct {
	Version    string         `json:"version,omitempty"`
	Paused     *bool          `json:"paused"`            // PAUSE of all databases; null: unknown, as before pgbouncer 1.19
	Clients    *int           `json:"clients"`           // connected now; null: unknown
	MaxClients *int           `json:"max_clients"`       // max_client_conn; null: unknown
	Waiting    *int           `json:"waiting"`           // clients that wait for a server connection, in all databases; null: unknown
	MaxWaitMs  *int64         `json:"max_wait_ms"`       // how long the first of them has waited; null: unknown
	Held       string         `json:"held"`              // paused, disabled, full, stalled: why clients of a database get nothing; "": they do, or unknown
	TakesNone  bool           `json:"takes_none"`        // clients of no database get anything
	Why        string         `json:"why,omitempty"`     // held, in a sentence
	Databases  []PoolDatabase `json:"databases"`         // null: unknown
	AgeMs      *int64         `json:"age_ms"`            // null: never answered
	Error      string         `json:"error,omitempty"`   // why it is unknown
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
	Port    any      `json:"port"`    // a number; the declared text when it is not a number
	Serving []string `json:"serving"` // of all HAProxies that answer; null: they disagree, or none answers; []: all agree that no server is
	Silent  []string `json:"silent"`  // the HAProxies of which this is unknown, as in views[].haproxy; []: none
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
	Serving []string `json:"serving"` // null: unknown
	Verdict string   `json:"verdict"`
	Why     string   `json:"why"`
	AgeMs   *int64   `json:"age_ms"` // null: never answered
	Stale   bool     `json:"stale"`
	// AdminAgeMs is how old the word on servers that are DOWN is; null: "show
	// servers state" was not read.
	AdminAgeMs *int64   `json:"admin_age_ms"`
	Servers    []Server `json:"servers"`
	Proven     *Proven  `json:"proven,omitempty"` // absent: no connection was made
	// Frontend and Backend are HAProxy's rows of the section; null: unknown.
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
	// controls. null: unknown, as of a server that is DOWN without SSH.
	AdminState *string `json:"admin_state"`
	Allowed    int     `json:"patroni_code,omitempty"`
	Sessions   int64   `json:"sessions"`
	Scur       int64   `json:"scur"` // the same as sessions
	Slim       *int64  `json:"slim"` // its maxconn; null: no limit
	Qcur       int64   `json:"qcur"`
	Qlimit     *int64  `json:"qlimit"` // its maxqueue; null: no limit
	Note       string  `json:"note,omitempty"`
}

// Cause is one problem on all its nodes, with the findings that follow from it.
type Cause struct {
	Code     string   `json:"code"`
	Axis     string   `json:"axis"` // health or drift
	Severity string   `json:"severity"`
	Summary  string   `json:"summary"`
	Evidence []string `json:"evidence"`
	Hint     string   `json:"hint,omitempty"`
	Findings []int    `json:"findings"` // their places in findings, from 0
	Effects  []int    `json:"effects"`  // findings that follow from it; []: none
	// DueAt is when Patroni acts by itself, at the latest; null: it does not, or that is
	// unknown.
	DueAt *time.Time `json:"due_at"`
}

// Finding is one thing that is wrong.
type Finding struct {
	Cluster  string   `json:"cluster,omitempty"` // where the list is that of all clusters
	Code     string   `json:"code"`
	Axis     string   `json:"axis"` // health or drift
	Severity string   `json:"severity"`
	Service  string   `json:"service,omitempty"`
	Instance string   `json:"instance,omitempty"`
	Host     string   `json:"host,omitempty"`
	Summary  string   `json:"summary"`
	Evidence []string `json:"evidence"`
	Hint     string   `json:"hint,omitempty"`
}

// NewStatus is the JSON of boards that were judged at now. With strict, drift counts for
// the exit code.
func NewStatus(inv *model.Inventory, boards []board.Board, now time.Time, strict bool) Status {
	out := Status{Drift: []Finding{}, Version: 1, TakenAt: now.UTC().Truncate(time.Millisecond), Inventory: inv.Source, Dialect: string(inv.Dialect), DialectFrom: inv.DialectFrom, Clusters: []Cluster{}}
	for i := range boards {
		c := newCluster(&boards[i], now)
		for _, f := range c.Drift {
			f.Cluster = c.Name
			out.Drift = append(out.Drift, f)
		}
		out.Clusters = append(out.Clusters, c)
	}
	out.Health, out.ExitCode = board.Worst(boards).String(), board.Code(boards, strict)
	return out
}

func newCluster(b *board.Board, now time.Time) Cluster {
	c := Cluster{Name: string(b.Cluster.Name), Health: b.Health.String(), Summary: b.Summary, LeaderBy: b.LeaderBy,
		Timeline: b.Timeline, Paused: b.Paused, Members: []Member{}, Unlisted: []Unlisted{}, Services: []Service{}, Findings: []Finding{}, Drift: []Finding{}, Causes: []Cause{}}
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
		if m.LagTime >= 0 {
			seconds := int64(m.LagTime / time.Second)
			jm.LagSeconds = &seconds
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
	for i := range b.Findings {
		f := newFinding(&b.Findings[i])
		if c.Findings = append(c.Findings, f); b.Findings[i].Drift {
			c.Drift = append(c.Drift, f)
		}
	}
	for i := range b.Causes {
		c.Causes = append(c.Causes, newCause(&b.Causes[i]))
	}
	return c
}

func newFinding(f *model.Finding) Finding {
	return Finding{Code: f.Code, Axis: axis(f), Severity: f.Severity.String(), Service: string(f.Service),
		Instance: string(f.Instance), Host: string(f.Host), Summary: f.Summary, Evidence: append([]string{}, f.Evidence...), Hint: f.Hint}
}

func newCause(x *model.Cause) Cause {
	c := Cause{Code: x.Code, Axis: axis(&x.Finding), Severity: x.Severity.String(), Summary: x.Summary, Evidence: append([]string{}, x.Evidence...),
		Hint: x.Hint, Findings: append([]int{}, x.Same...), Effects: append([]int{}, x.Effects...)}
	if !x.Due.IsZero() {
		at := x.Due.UTC().Truncate(time.Second)
		c.DueAt = &at
	}
	return c
}

func axis(f *model.Finding) string {
	if f.Drift {
		return "drift"
	}
	return "health"
}

// newPool is what is known of a pgbouncer; nil when it is not probed.
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
		return out // it reports nothing else
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

// row is nil for a row that is unknown.
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

// adminState is nil where it is unknown.
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

// names keeps the difference between nil (unknown) and empty (no server).
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
