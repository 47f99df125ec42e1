package patroni

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"pgtui/model"
)

// Answer is the answer to one HTTP request.
type Answer struct {
	Code  int
	ctype string // "" sends the status line alone, as Patroni does for most
	body  []byte
	// Silence holds the connection until the client gives up or the cause of
	// the silence ends; EOF closes it after RetryTimeout without an answer.
	Silence, EOF bool
}

// Write answers as Python's http.server does: HTTP/1.0, one answer for each
// connection, and no header at all where Patroni sends the status alone. python
// is the release of Python, now the simulated time.
func (a Answer) Write(w http.ResponseWriter, python string, now time.Time) {
	hj, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, buf, err := hj.Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(buf, "HTTP/1.0 %d %s\r\n", a.Code, http.StatusText(a.Code))
	if a.ctype != "" {
		fmt.Fprintf(buf, "Server: BaseHTTP/0.6 Python/%s\r\nDate: %s\r\nContent-Type: %s\r\n",
			python, now.UTC().Format(http.TimeFormat), a.ctype)
	}
	_, _ = buf.WriteString("\r\n")
	_, _ = buf.Write(a.body)
	_ = buf.Flush()
}

// facts are the inputs of the health checks as this Patroni has them.
func (m *Member) facts() model.HealthFacts {
	c := m.Cluster
	f := model.HealthFacts{
		Lock: m.lock, DCS: m.view, Paused: c.paused, Role: m.role,
		Running: m.state == stateRunning && m.PostgresRuns, Replayed: c.lsn - m.lag, LeaderLSN: c.lsn,
		Tags: c.tags, QuorumPaths: c.env.Release.Modern,
	}
	if m.role == roleReplica && m.view {
		f.Sync, f.Quorum = c.chosen(m) && c.mode == "sync", c.mode == "quorum"
	}
	return f
}

// chosen reports whether m is the synchronous standby: the first replica
// after the leader.
func (c *Cluster) chosen(m *Member) bool {
	if c.mode != "sync" || c.leader == nil {
		return false
	}
	if c.synced != nil && c.synced != c.leader && c.synced.PostgresRuns {
		return c.synced == m
	}
	for _, o := range c.order() {
		if o != c.leader && o.PostgresRuns && o.Runs {
			return o == m
		}
	}
	return false
}

// Answer is the answer of the member's Patroni to one request.
func (m *Member) Answer(method, target string) Answer {
	if m.Cut || m.Frozen() {
		return Answer{Silence: true}
	}
	return m.reply(method, target)
}

// Code is the status of a health check that reaches Patroni.
func (m *Member) Code(method, uri string) int { return m.reply(method, uri).Code }

// reply is the answer to a request that Patroni reads. OPTIONS and HEAD go
// through the health checks for every path, the documents included.
func (m *Member) reply(method, target string) Answer {
	if method != http.MethodGet {
		return Answer{Code: m.facts().Code(target)}
	}
	path, _, _ := strings.Cut(target, "?")
	switch head, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); head {
	case "patroni":
		return jsonAnswer(200, m.body())
	case "cluster":
		if !m.Cluster.env.DCS(m.Machine) {
			return Answer{EOF: true}
		}
		return jsonAnswer(200, m.Cluster.body())
	case "history":
		return jsonAnswer(200, m.Cluster.history())
	case "config":
		return jsonAnswer(200, m.Cluster.config())
	case "failsafe":
		return jsonAnswer(200, m.Cluster.failsafe())
	case "metrics":
		return Answer{Code: 200, ctype: "text/plain", body: m.metrics()}
	case "liveness":
		return Answer{Code: 200}
	case "readiness":
		return Answer{Code: m.ready()}
	default:
		return jsonAnswer(m.facts().Code(target), m.body())
	}
}

func (m *Member) ready() int {
	f := m.facts()
	if f.Lock || f.Running && f.DCS {
		return 200
	}
	return 503
}

func jsonAnswer(code int, v any) Answer {
	b, err := json.Marshal(v)
	if err != nil { // the values are our own; they always marshal
		return Answer{Code: 500}
	}
	return Answer{Code: code, ctype: "application/json", body: b}
}

// statusBody is GET /patroni, keys in Patroni's order.
type statusBody struct {
	State       string            `json:"state"`
	Started     string            `json:"postmaster_start_time,omitempty"`
	Role        string            `json:"role"`
	Version     int               `json:"server_version,omitempty"`
	Xlog        any               `json:"xlog,omitempty"`
	Timeline    json.RawMessage   `json:"timeline,omitempty"`
	Replication []streamBody      `json:"replication,omitempty"`
	ReplState   string            `json:"replication_state,omitempty"`
	SyncStandby bool              `json:"sync_standby,omitempty"`
	Quorum      bool              `json:"quorum_standby,omitempty"`
	Unlocked    bool              `json:"cluster_unlocked,omitempty"`
	Failsafe    bool              `json:"failsafe_mode_is_active,omitempty"`
	DCSLastSeen int64             `json:"dcs_last_seen"`
	Tags        tagsBody          `json:"tags"`
	SystemID    string            `json:"database_system_identifier"`
	Patroni     map[string]string `json:"patroni"`
	Pause       bool              `json:"pause,omitempty"`
	Pending     bool              `json:"pending_restart,omitempty"`
	Reasons     map[string]reason `json:"pending_restart_reason,omitempty"`
	Restart     *scheduleBody     `json:"scheduled_restart,omitempty"`
}

// reason is why a restart is pending (3.3).
type reason struct {
	Old string `json:"old_value"`
	New string `json:"new_value"`
}

// scheduleBody is a scheduled restart.
type scheduleBody struct {
	At string `json:"schedule"`
}

type tagsBody struct {
	CloneFrom bool   `json:"clonefrom"`
	Version   string `json:"version"`
	Spec      string `json:"spec"`
	Conf      string `json:"conf"`
}

type streamBody struct {
	User     string `json:"usename"`
	App      string `json:"application_name"`
	Addr     string `json:"client_addr"`
	State    string `json:"state"`
	Sync     string `json:"sync_state"`
	Priority int    `json:"sync_priority"`
}

// tags are the tags of every member.
func (r Release) tags() tagsBody { return tagsBody{true, r.Major, spec, conf} }

// Pigsty's tags of a small node.
const (
	spec = "2C.4G.50G"
	conf = "tiny.yml"
)

// pgTime is how Patroni prints a time.
func pgTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000+00:00") }

func (m *Member) roleWord() string {
	if m.role == rolePrimary && !m.Cluster.env.Release.Modern {
		return "master"
	}
	return m.role
}

func (m *Member) body() statusBody {
	c, gen := m.Cluster, m.Cluster.env.Release
	f := m.facts()
	b := statusBody{
		State: m.state, Role: m.roleWord(), SyncStandby: f.Sync, Quorum: f.Quorum, Pause: c.paused,
		DCSLastSeen: m.lastSeen().Unix(), Tags: gen.tags(),
		SystemID: c.sysid, Unlocked: !m.view || c.leader == nil, Failsafe: m.failsafe,
		Patroni: map[string]string{"version": gen.Version, "scope": string(c.Name)},
	}
	if gen.Modern {
		b.Patroni["name"] = string(m.Name)
	}
	m.waiting(&b)
	if !f.Running {
		return b
	}
	b.Started, b.Version = pgTime(m.started), gen.ServerVersion
	if m.role == rolePrimary {
		b.Xlog = map[string]int64{"location": c.lsn}
		b.Timeline = json.RawMessage(fmt.Sprint(m.tl))
		b.Replication = c.streams(m)
		return b
	}
	b.Timeline = json.RawMessage("null")
	var commit *string
	if m.lag > 0 && !m.laggedAt.IsZero() {
		at := pgTime(m.laggedAt)
		commit = &at
	}
	b.Xlog = struct {
		Received int64   `json:"received_location"`
		Replayed int64   `json:"replayed_location"`
		At       *string `json:"replayed_timestamp"`
		Paused   bool    `json:"paused"`
	}{c.lsn - m.lag, c.lsn - m.lag, commit, false} // the lag is of the network, not of the replay
	if gen.Modern && m.streaming {
		b.ReplState = "streaming"
	}
	return b
}

// streams are the walsenders of the leader m.
func (c *Cluster) streams(leader *Member) []streamBody {
	var out []streamBody
	for _, m := range c.members {
		if m == leader || !m.streaming || c.leader != leader {
			continue
		}
		sync, prio := "async", 0
		switch {
		case c.mode == "quorum":
			sync, prio = "quorum", 1
		case c.chosen(m):
			sync, prio = "sync", 1
		}
		out = append(out, streamBody{"replicator", string(m.Name), m.Addr, "streaming", sync, prio})
	}
	return out
}

// lastSeen is when this Patroni last reached the DCS.
func (m *Member) lastSeen() time.Time {
	if !m.seen.IsZero() {
		return m.seen
	}
	return m.Cluster.env.lastLoop(m.Cluster.env.Now())
}

// memberBody is one member of GET /cluster.
type memberBody struct {
	Name     string   `json:"name"`
	Role     string   `json:"role"`
	State    string   `json:"state"`
	API      string   `json:"api_url"`
	Host     string   `json:"host"`
	Port     int      `json:"port"`
	Timeline int      `json:"timeline,omitempty"`
	Tags     tagsBody `json:"tags"`
	Lag      any      `json:"lag,omitempty"`

	Restart *scheduleBody `json:"scheduled_restart,omitempty"`
}

type clusterBody struct {
	Members []memberBody `json:"members"`
	Pause   bool         `json:"pause,omitempty"`
	Scope   string       `json:"scope,omitempty"`
	Switch  *switchBody  `json:"scheduled_switchover,omitempty"`
}

// switchBody is a scheduled switchover in GET /cluster.
type switchBody struct {
	At   string `json:"at"`
	From string `json:"from"`
	To   string `json:"to,omitempty"`
}

func (c *Cluster) body() clusterBody {
	out := clusterBody{Members: []memberBody{}, Pause: c.paused}
	if c.env.Release.Modern {
		out.Scope = string(c.Name)
	}
	if p := c.planned; !p.at.IsZero() {
		out.Switch = &switchBody{At: p.at.Format(restTime), From: string(p.from), To: string(p.to)}
	}
	for _, m := range c.members {
		if !m.rec.present {
			continue
		}
		b := memberBody{
			Name: string(m.Name), Role: "replica", State: m.rec.state, API: m.api(), Host: m.Addr, Port: 5432,
			Timeline: m.rec.tl, Tags: c.env.Release.tags(), Lag: m.rec.lag,
		}
		if m.rec.lag < 0 {
			b.Lag = "unknown"
		}
		if !m.restartAt.IsZero() {
			b.Restart = &scheduleBody{m.restartAt.Format(restTime)}
		}
		switch {
		case c.leader == m:
			b.Role, b.Lag = "leader", nil
		case c.mode == "quorum":
			b.Role = "quorum_standby"
		case c.chosen(m):
			b.Role = "sync_standby"
		}
		out.Members = append(out.Members, b)
	}
	return out
}

func (m *Member) api() string {
	return fmt.Sprintf("http://%s:%d/patroni", m.Addr, m.Cluster.env.Port)
}

func (c *Cluster) history() [][]any {
	out := [][]any{}
	for _, s := range c.past {
		out = append(out, []any{
			s.tl, s.lsn, "no recovery target specified",
			s.at.UTC().Format("2006-01-02T15:04:05.000000+00:00"), string(s.leader),
		})
	}
	return out
}

func (c *Cluster) failsafe() map[string]string {
	out := map[string]string{}
	for _, m := range c.members {
		out[string(m.Name)] = m.api()
	}
	return out
}

func (c *Cluster) config() any {
	type dcs struct {
		TTL       int    `json:"ttl"`
		Loop      int    `json:"loop_wait"`
		Retry     int    `json:"retry_timeout"`
		Start     int    `json:"primary_start_timeout"`
		MaxLag    int    `json:"maximum_lag_on_failover"`
		Sync      any    `json:"synchronous_mode"`
		Failsafe  bool   `json:"failsafe_mode"`
		PGCluster string `json:"pg_cluster"`
		Pause     bool   `json:"pause,omitempty"`
		Postgres  struct {
			Parameters map[string]any `json:"parameters"`
		} `json:"postgresql"`
	}
	d := dcs{
		TTL: int(ttl.Seconds()), Loop: int(LoopWait.Seconds()), Retry: int(RetryTimeout.Seconds()), Start: 25, MaxLag: model.MaxLagOnFailover,
		Sync: c.mode == "sync", Failsafe: true, PGCluster: string(c.Name), Pause: c.paused,
	}
	d.Postgres.Parameters = map[string]any{"max_connections": 100, "max_wal_senders": 10, "max_worker_processes": 8, "wal_level": "logical"}
	if c.mode == "quorum" {
		d.Sync = "quorum"
	}
	return c.merged(d)
}

func (m *Member) metrics() []byte {
	var b strings.Builder
	label := fmt.Sprintf("{scope=%q}", m.Cluster.Name)
	if m.Cluster.env.Release.Modern {
		label = fmt.Sprintf("{scope=%q,name=%q}", m.Cluster.Name, m.Name)
	}
	number := map[bool]int{true: 1}
	gauge := func(name string, on bool) {
		fmt.Fprintf(&b, "# TYPE %s gauge\n%s%s %d\n", name, name, label, number[on])
	}
	f := m.facts()
	gauge("patroni_postgres_running", f.Running)
	if !m.Cluster.env.Release.Modern {
		gauge("patroni_master", m.role == rolePrimary)
	}
	gauge("patroni_primary", m.role == rolePrimary)
	gauge("patroni_replica", m.role == roleReplica)
	gauge("patroni_cluster_unlocked", !m.view || m.Cluster.leader == nil)
	gauge("patroni_failsafe_mode_is_active", m.failsafe)
	gauge("patroni_is_paused", m.Cluster.paused)
	fmt.Fprintf(&b, "# TYPE patroni_dcs_last_seen gauge\npatroni_dcs_last_seen%s %d\n", label, m.lastSeen().Unix())
	return []byte(b.String())
}
