package patroni

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"pgtui/model"
)

// The login of the REST API, Pigsty's own.
const (
	restUser     = "postgres"
	restPassword = "Patroni.API"
)

// restTime is how Patroni prints a scheduled time.
const restTime = "2006-01-02T15:04:05-07:00"

// Times of what the REST API starts, as on real clusters.
const (
	wakeTime   = 300 * time.Millisecond  // a written key -> the leader's loop sees it
	rejectTime = 1300 * time.Millisecond // the leader rejects it -> the caller is answered
	againTime  = 1200 * time.Millisecond // PostgreSQL is restarted
	copyBegins = 500 * time.Millisecond  // a reinit was accepted -> PostgreSQL is stopped
	copyTime   = 3 * time.Second         // a small data directory is copied
)

// Writes reports whether a request with that method changes something.
func Writes(method string) bool {
	return slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, method)
}

// Request is one request that changes something. It is kept while its answer is
// not there yet.
type Request struct {
	Method, Path, User, Password string
	Body                         []byte

	begun  bool
	answer *Answer
}

// Write begins the request at its first call. It has no answer (Silence) until
// there is one: call it again after a change in the sandbox.
func (m *Member) Write(r *Request) Answer {
	if m.Cut || m.Frozen() {
		return Answer{Silence: true}
	}
	if !r.begun {
		r.begun = true
		m.begin(r)
	}
	if r.answer == nil {
		return Answer{Silence: true}
	}
	return *r.answer
}

// says is an answer of words, as Patroni sends most.
func (r *Request) says(code int, format string, args ...any) {
	r.answer = &Answer{Code: code, ctype: "text/html", body: fmt.Appendf(nil, format, args...)}
}

func (m *Member) begin(r *Request) {
	if r.User != restUser || r.Password != restPassword {
		r.says(http.StatusUnauthorized, "no auth header received")
		if r.User != "" {
			r.says(http.StatusUnauthorized, "not authenticated")
		}
		return
	}
	var body map[string]any
	if len(r.Body) > 0 && json.Unmarshal(r.Body, &body) != nil {
		r.says(http.StatusBadRequest, "Error parsing request")
		return
	}
	switch r.Method + " " + r.Path {
	case "POST /switchover":
		m.Cluster.switchRequest(r, body, true)
	case "POST /failover":
		m.Cluster.switchRequest(r, body, false)
	case "DELETE /switchover":
		m.Cluster.unplan(r)
	case "POST /restart":
		m.restartRequest(r, body)
	case "DELETE /restart":
		m.unplanRestart(r)
	case "POST /reinitialize":
		m.reinitRequest(r)
	case "POST /reload":
		r.says(http.StatusAccepted, "reload scheduled")
	case "PATCH /config":
		m.Cluster.patchRequest(r, body)
	default:
		r.says(http.StatusNotImplemented, "the sandbox has no %s %s", r.Method, r.Path)
	}
}

// word is a string of a body.
func word(body map[string]any, key string) string {
	s, _ := body[key].(string)
	return s
}

func (c *Cluster) member(name string) *Member {
	for _, m := range c.members {
		if string(m.Name) == name {
			return m
		}
	}
	return nil
}

// switchRequest is a switchover or a failover: gate A, the member that was called,
// answers at once, gate B is the leader's next loop.
func (c *Cluster) switchRequest(r *Request, body map[string]any, over bool) {
	from, name, at := word(body, "leader"), word(body, "candidate"), word(body, "scheduled_at")
	to := c.member(name)
	what := map[bool]string{true: "Switchover", false: "Failover"}[over]
	switch why, code := c.gateA(from, name, over); {
	case over && c.paused && at != "":
		r.says(http.StatusBadRequest, "Can't schedule switchover in the paused state")
	case code != 0:
		r.says(code, "%s", why)
	case at != "":
		c.plan(r, from, name, at)
	default:
		c.env.After(wakeTime, func() { c.gateB(r, what, to) })
	}
}

// gateA is what the member that gets the call refuses; code 0 lets it pass.
func (c *Cluster) gateA(from, name string, over bool) (why string, code int) {
	if why, code := c.badRequest(from, name, over); code != 0 {
		return why, code
	}
	to := c.member(name)
	switch {
	case over && (c.leader == nil || from != string(c.leader.Name)):
		return "leader name does not match", http.StatusPreconditionFailed
	case name != "" && to == nil:
		return "candidate does not exist", http.StatusPreconditionFailed
	case over && to != nil && c.mode == "sync" && !c.chosen(to):
		return "candidate name does not match with sync_standby", http.StatusPreconditionFailed
	}
	for _, m := range c.members {
		if m != c.leader && (to == nil || to == m) && m.Runs && !m.Frozen() && !m.Cut && c.tags["nofailover"] != "true" {
			return "", 0
		}
	}
	what := map[bool]string{true: "switchover", false: "failover"}[over]
	return what + " is not possible: no good candidates have been found", http.StatusPreconditionFailed
}

// badRequest is what is refused by the request alone.
func (c *Cluster) badRequest(from, name string, over bool) (why string, code int) {
	switch {
	case over && from == "":
		why = "Switchover could be performed only from a specific leader"
	case !over && name == "":
		why = "Failover could be performed only to a specific candidate"
	case over && c.paused && name == "":
		why = "Switchover is possible only to a specific candidate in a paused state"
	case over && from == name:
		why = "Switchover target and source are the same"
	default:
		return "", 0
	}
	return why, http.StatusBadRequest
}

// gateB is the leader's loop that finds the key: it rejects a candidate that is too
// far behind, else it stops.
func (c *Cluster) gateB(r *Request, what string, to *Member) {
	old := c.leader
	failed := func() {
		c.env.After(rejectTime, func() { r.says(http.StatusServiceUnavailable, "%s failed", what) })
	}
	switch {
	case old == nil && to != nil && to.fit():
		c.env.After(electTime, func() {
			if c.leader == nil {
				c.take(to)
			}
		})
	case old == nil || c.Switchover(to) != nil:
		failed()
		return
	}
	limit := c.env.Now().Add(2 * max(10*time.Second, LoopWait))
	c.await(r, what, old, to, limit)
}

// await answers once another member leads, as Patroni polls it.
func (c *Cluster) await(r *Request, what string, old, to *Member, limit time.Time) {
	done := map[string]string{"Switchover": "switched over", "Failover": "failed over"}[what]
	switch {
	case c.leader != nil && c.leader != old && (to == nil || c.leader == to):
		r.says(http.StatusOK, "Successfully %s to %q", done, c.leader.Name)
	case c.leader != nil && c.leader != old:
		r.says(http.StatusOK, "%s to %q instead of %q", strings.ToUpper(done[:1])+done[1:], c.leader.Name, to.Name)
	case c.env.Now().After(limit):
		r.says(http.StatusServiceUnavailable, "%s status unknown", what)
	default:
		c.env.After(500*time.Millisecond, func() { c.await(r, what, old, to, limit) })
	}
}

// plan schedules a switchover.
func (c *Cluster) plan(r *Request, from, to, at string) {
	when, err := time.Parse(time.RFC3339, at)
	switch {
	case err != nil:
		r.says(http.StatusUnprocessableEntity, "Unable to parse scheduled timestamp. It should be in an unambiguous format, e.g. ISO 8601")
		return
	case !when.After(c.env.Now()):
		r.says(http.StatusUnprocessableEntity, "Cannot schedule in the past")
		return
	}
	id := c.planned.id + 1
	c.planned = planned{when, model.InstanceName(from), model.InstanceName(to), id}
	c.env.At(when, func() {
		if c.planned.id == id && !c.planned.at.IsZero() {
			c.planned.at = time.Time{}
			if !c.paused {
				_ = c.Switchover(c.member(to)) // what is refused then is skipped silently
			}
		}
	})
	r.says(http.StatusAccepted, "Switchover scheduled")
}

func (c *Cluster) unplan(r *Request) {
	if c.planned.at.IsZero() {
		r.says(http.StatusNotFound, "no switchover is scheduled")
		return
	}
	c.planned.at = time.Time{}
	r.says(http.StatusOK, "scheduled switchover deleted")
}

// restartRequest restarts PostgreSQL of the member, now or later.
func (m *Member) restartRequest(r *Request, body map[string]any) {
	for k := range body {
		if !slices.Contains([]string{"role", "postgres_version", "timeout", "restart_pending", "schedule"}, k) {
			r.says(http.StatusBadRequest, "Unknown filter for the scheduled restart: %s", k)
			return
		}
	}
	_, only := body["restart_pending"]
	switch at := word(body, "schedule"); {
	case only && len(m.pending) == 0:
		r.says(http.StatusServiceUnavailable, "restart conditions are not satisfied")
	case at != "":
		m.planRestart(r, at)
	case m.state == stateStarting:
		r.says(http.StatusServiceUnavailable, "postgres is still starting")
	case m.state != stateRunning:
		r.says(http.StatusServiceUnavailable, "%s already in progress", m.state)
	default:
		m.restart(func() { r.says(http.StatusOK, "restarted successfully") })
	}
}

// restart stops and starts PostgreSQL; a leader keeps its key meanwhile.
func (m *Member) restart(done func()) {
	c, leads := m.Cluster, m.role == rolePrimary
	m.turn++
	m.streaming, m.state = false, "restarting"
	m.postgres(false)
	if leads {
		c.cutStreams()
	}
	m.later(againTime, func() {
		m.pending = nil
		if !leads {
			m.join()
			done()
			return
		}
		m.state, m.started = stateRunning, c.env.Now()
		m.postgres(true)
		m.touch()
		c.env.After(joinTime, c.follow)
		done()
	})
}

func (m *Member) planRestart(r *Request, at string) {
	when, err := time.Parse(time.RFC3339, at)
	if err != nil || !when.After(m.Cluster.env.Now()) {
		r.says(http.StatusUnprocessableEntity, "Cannot schedule in the past")
		return
	}
	if !m.restartAt.IsZero() {
		r.says(http.StatusConflict, "Another restart is already scheduled")
		return
	}
	m.restartAt = when
	m.restartID++
	id := m.restartID
	m.Cluster.env.At(when, func() {
		if m.restartID == id && !m.restartAt.IsZero() {
			m.restartAt = time.Time{}
			if m.state == stateRunning {
				m.restart(func() {})
			}
		}
	})
	r.says(http.StatusAccepted, "Restart scheduled")
}

func (m *Member) unplanRestart(r *Request) {
	if m.restartAt.IsZero() {
		r.says(http.StatusNotFound, "no restart is scheduled")
		return
	}
	m.restartAt = time.Time{}
	r.says(http.StatusOK, "scheduled restart deleted")
}

// reinitRequest copies the data directory again.
func (m *Member) reinitRequest(r *Request) {
	c := m.Cluster
	switch {
	case c.leader == nil:
		r.says(http.StatusServiceUnavailable, "Cluster has no leader, can not reinitialize")
	case c.leader == m:
		r.says(http.StatusServiceUnavailable, "I am the leader, can not reinitialize")
	case m.state == "creating replica":
		r.says(http.StatusServiceUnavailable, "reinitialize already in progress")
	default:
		m.turn++
		m.later(copyBegins, func() {
			m.streaming, m.state = false, "creating replica"
			m.postgres(false)
			m.touch()
			m.later(copyTime, func() { m.pending = nil; m.join() })
		})
		r.says(http.StatusOK, "reinitialize started")
	}
}

// patchRequest merges a document into the dynamic configuration.
func (c *Cluster) patchRequest(r *Request, body map[string]any) {
	if len(body) == 0 {
		r.says(http.StatusBadRequest, "Error parsing request")
		return
	}
	was := c.parameters()
	body = maps.Clone(body)
	if v, ok := body["pause"]; ok {
		c.Pause(v == true)
		delete(body, "pause")
	}
	if v, ok := body["synchronous_mode"]; ok {
		mode := map[any]string{true: "on", "quorum": "quorum"}[v]
		if mode == "" {
			mode = "off"
		}
		if c.SetSync(mode, nil) != nil {
			_ = c.SetSync("on", nil)
		}
		delete(body, "synchronous_mode")
	}
	if c.patched == nil {
		c.patched = map[string]any{}
	}
	patch(c.patched, body)
	c.markPending(was)
	out := jsonAnswer(http.StatusOK, c.config())
	r.answer = &out
}

// patch is Patroni's patch_config: null removes a key. Here it stays as null, which
// merge removes from what the cluster has by itself.
func patch(to, from map[string]any) {
	for k, v := range from {
		sub, ok := v.(map[string]any)
		have, is := to[k].(map[string]any)
		switch {
		case ok && is:
			patch(have, sub)
		case ok:
			next := map[string]any{}
			patch(next, sub)
			to[k] = next
		default:
			to[k] = v
		}
	}
}

// merge is base with a patch, without the keys that are null in it.
func merge(base, over map[string]any) {
	for k, v := range over {
		sub, ok := v.(map[string]any)
		have, is := base[k].(map[string]any)
		switch {
		case ok && is:
			merge(have, sub)
		case ok:
			next := map[string]any{}
			merge(next, sub)
			base[k] = next
		case v == nil:
			delete(base, k)
		default:
			base[k] = v
		}
	}
}

// merged is the configuration that the cluster has by itself with what was patched.
func (c *Cluster) merged(own any) any {
	if len(c.patched) == 0 {
		return own
	}
	b, err := json.Marshal(own)
	var doc map[string]any
	if err != nil || json.Unmarshal(b, &doc) != nil {
		return own
	}
	merge(doc, c.patched)
	return doc
}

// parameters are PostgreSQL's in the configuration.
func (c *Cluster) parameters() map[string]any {
	b, err := json.Marshal(c.config())
	var doc struct {
		PostgreSQL struct {
			Parameters map[string]any `json:"parameters"`
		} `json:"postgresql"`
	}
	if err != nil || json.Unmarshal(b, &doc) != nil {
		return nil
	}
	return doc.PostgreSQL.Parameters
}

// needRestart are the parameters that take a restart, of those that the sandbox
// knows.
func needRestart() []string {
	return []string{"max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction", "shared_buffers", "wal_level"}
}

// markPending makes a restart pending on every member, in its next loop.
func (c *Cluster) markPending(was map[string]any) {
	is := c.parameters()
	for _, name := range needRestart() {
		old, now := fmt.Sprint(was[name]), fmt.Sprint(is[name])
		if old == now {
			continue
		}
		for _, m := range c.members {
			c.env.After(time.Second, func() { m.pending = append(m.pending, name+"="+old+"="+now) })
		}
	}
}

// waiting adds what a restart waits for to the status.
func (m *Member) waiting(b *statusBody) {
	b.Pending = len(m.pending) > 0
	if !m.restartAt.IsZero() {
		b.Restart = &scheduleBody{m.restartAt.Format(restTime)}
	}
	if !m.Cluster.env.Release.Modern {
		return
	}
	for _, p := range m.pending {
		parts := strings.SplitN(p, "=", 3)
		if b.Reasons == nil {
			b.Reasons = map[string]reason{}
		}
		b.Reasons[parts[0]] = reason{parts[1], parts[2]}
	}
}
