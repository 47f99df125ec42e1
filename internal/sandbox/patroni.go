package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"pgtui/model"
)

// answer is what one HTTP request gets.
type answer struct {
	code  int
	ctype string // "" sends the status line alone, as Patroni does for most
	body  []byte
	// silence means that the connection is held until the other side gives
	// up or the cause of it is gone; eof ends it after a while without a word.
	silence, eof bool
}

// facts are the inputs of the health checks as this Patroni has them now.
func (m *member) facts() model.HealthFacts {
	c := m.cl
	f := model.HealthFacts{
		Lock: m.lock, DCS: m.view, Paused: c.paused, Role: m.role,
		Running: m.state == stateRunning && m.pgUp, Replayed: c.lsn - m.lag, LeaderLSN: c.lsn,
		Tags: m.tagSet, QuorumPaths: c.w.gen.modern,
	}
	if m.role == roleReplica && m.view {
		f.Sync, f.Quorum = c.chosen(m) && c.mode == "sync", c.mode == "quorum"
	}
	return f
}

// chosen reports whether m is the synchronous standby: the first replica
// after the leader.
func (c *cluster) chosen(m *member) bool {
	if c.mode != "sync" || c.leader == nil {
		return false
	}
	if c.synced != nil && c.synced != c.leader && c.synced.pgUp {
		return c.synced == m
	}
	for _, o := range c.order() {
		if o != c.leader && o.pgUp && o.process {
			return o == m
		}
	}
	return false
}

// patroni is the answer of n's Patroni to one request.
func (w *world) patroni(n *node, method, target string) answer {
	if n.cut || n.frozen() {
		return answer{silence: true}
	}
	if method != "GET" {
		return answer{code: n.m.optionsCode(target)}
	}
	path, _, _ := strings.Cut(target, "?")
	switch head, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); head {
	case "patroni":
		return jsonAnswer(200, n.m.body())
	case "cluster":
		if !w.dcs(n) {
			return answer{eof: true}
		}
		return jsonAnswer(200, n.m.cl.body())
	case "history":
		return jsonAnswer(200, n.m.cl.history())
	case "config":
		return jsonAnswer(200, n.m.cl.config())
	case "failsafe":
		return jsonAnswer(200, n.m.cl.failsafe())
	case "metrics":
		return answer{code: 200, ctype: "text/plain", body: n.m.metrics()}
	case "liveness":
		return answer{code: 200}
	case "readiness":
		return answer{code: n.m.ready()}
	default:
		return jsonAnswer(n.m.facts().Code(target), n.m.body())
	}
}

// optionsCode is the answer to OPTIONS and HEAD: every path, the documents
// included, goes through the health checks.
func (m *member) optionsCode(target string) int { return m.facts().Code(target) }

func (m *member) ready() int {
	f := m.facts()
	if f.Lock || f.Running && f.DCS {
		return 200
	}
	return 503
}

func jsonAnswer(code int, v any) answer {
	b, err := json.Marshal(v)
	if err != nil { // the values are our own; they always marshal
		return answer{code: 500}
	}
	return answer{code: code, ctype: "application/json", body: b}
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

// pgTime is how Patroni prints a time.
func pgTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000+00:00") }

func (m *member) roleWord() string {
	if m.role == rolePrimary && !m.cl.w.gen.modern {
		return "master"
	}
	return m.role
}

func (m *member) body() statusBody {
	c, gen := m.cl, m.cl.w.gen
	f := m.facts()
	b := statusBody{
		State: m.state, Role: m.roleWord(), SyncStandby: f.Sync, Quorum: f.Quorum, Pause: c.paused,
		DCSLastSeen: m.lastSeen().Unix(), Tags: tagsBody{true, gen.pgMajor, "2C.4G.50G", "tiny.yml"},
		SystemID: c.sysid, Unlocked: !m.view || c.leader == nil, Failsafe: m.failsafe,
		Patroni: map[string]string{"version": gen.patroni, "scope": string(c.name)},
	}
	if gen.modern {
		b.Patroni["name"] = string(m.name)
	}
	if !f.Running {
		return b
	}
	b.Started, b.Version = pgTime(m.started), gen.serverVersion
	if m.role == rolePrimary {
		b.Xlog = map[string]int64{"location": c.lsn}
		b.Timeline = json.RawMessage(fmt.Sprint(m.tl))
		b.Replication = c.streams(m)
		return b
	}
	b.Timeline = json.RawMessage("null")
	b.Xlog = struct {
		Received int64   `json:"received_location"`
		Replayed int64   `json:"replayed_location"`
		At       *string `json:"replayed_timestamp"`
		Paused   bool    `json:"paused"`
	}{c.lsn - m.lag, c.lsn - m.lag, nil, false} // the lag is of the network, not of the replay
	if gen.modern && m.streaming {
		b.ReplState = "streaming"
	}
	return b
}

// streams are the walsenders of the leader m.
func (c *cluster) streams(leader *member) []streamBody {
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
		out = append(out, streamBody{"replicator", string(m.name), m.node.addr, "streaming", sync, prio})
	}
	return out
}

// lastSeen is when this Patroni last reached the DCS.
func (m *member) lastSeen() time.Time {
	if !m.seen.IsZero() {
		return m.seen
	}
	return m.cl.w.lastLoop(m.cl.w.now)
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
}

type clusterBody struct {
	Members []memberBody `json:"members"`
	Pause   bool         `json:"pause,omitempty"`
	Scope   string       `json:"scope,omitempty"`
}

func (c *cluster) body() clusterBody {
	out := clusterBody{Members: []memberBody{}, Pause: c.paused}
	if c.w.gen.modern {
		out.Scope = string(c.name)
	}
	for _, m := range c.members {
		if !m.rec.present {
			continue
		}
		b := memberBody{
			Name: string(m.name), Role: "replica", State: m.rec.state, API: m.api(), Host: m.node.addr, Port: 5432,
			Timeline: m.rec.tl, Tags: tagsBody{true, c.w.gen.pgMajor, "2C.4G.50G", "tiny.yml"}, Lag: m.rec.lag,
		}
		switch {
		case c.leader == m:
			b.Role, b.Lag = "leader", nil
		case m.rec.lag < 0:
			b.Lag = "unknown"
		}
		switch {
		case c.leader == m:
		case c.mode == "quorum":
			b.Role = "quorum_standby"
		case c.chosen(m):
			b.Role = "sync_standby"
		}
		out.Members = append(out.Members, b)
	}
	return out
}

func (m *member) api() string {
	return fmt.Sprintf("http://%s:%d/patroni", m.node.addr, m.cl.w.patroniPort)
}

func (c *cluster) history() [][]any {
	out := [][]any{}
	for _, s := range c.past {
		out = append(out, []any{
			s.tl, s.lsn, "no recovery target specified",
			s.at.UTC().Format("2006-01-02T15:04:05.000000+00:00"), string(s.leader),
		})
	}
	return out
}

func (c *cluster) failsafe() map[string]string {
	out := map[string]string{}
	for _, m := range c.members {
		out[string(m.name)] = m.api()
	}
	return out
}

func (c *cluster) config() any {
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
	}
	d := dcs{
		int(ttl.Seconds()), int(loopWait.Seconds()), int(retryTimeout.Seconds()), 25, model.MaxLagOnFailover,
		c.mode == "sync", true, string(c.name), c.paused,
	}
	if c.mode == "quorum" {
		d.Sync = "quorum"
	}
	return d
}

func (m *member) metrics() []byte {
	var b strings.Builder
	label := fmt.Sprintf("{scope=%q}", m.cl.name)
	if m.cl.w.gen.modern {
		label = fmt.Sprintf("{scope=%q,name=%q}", m.cl.name, m.name)
	}
	gauge := func(name string, on bool) {
		n := 0
		if on {
			n = 1
		}
		fmt.Fprintf(&b, "# TYPE %s gauge\n%s%s %d\n", name, name, label, n)
	}
	f := m.facts()
	gauge("patroni_postgres_running", f.Running)
	if !m.cl.w.gen.modern {
		gauge("patroni_master", m.role == rolePrimary)
	}
	gauge("patroni_primary", m.role == rolePrimary)
	gauge("patroni_replica", m.role == roleReplica)
	gauge("patroni_cluster_unlocked", !m.view || m.cl.leader == nil)
	gauge("patroni_failsafe_mode_is_active", m.failsafe)
	gauge("patroni_is_paused", m.cl.paused)
	fmt.Fprintf(&b, "# TYPE patroni_dcs_last_seen gauge\npatroni_dcs_last_seen%s %d\n", label, m.lastSeen().Unix())
	return []byte(b.String())
}
