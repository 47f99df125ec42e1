package history

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
)

// Series are the raw samples of one time series, oldest first.
type Series struct {
	Name    string // "haproxy_server_status"
	Labels  map[string]string
	Samples []Sample
}

// Sample is one scrape.
type Sample struct {
	At    time.Time
	Value float64
}

// Selectors are the queries for the samples of a cluster, without their range: what is
// missing in the answer is unknown.
func Selectors(c *model.Cluster) []string {
	var proxies []string
	for _, s := range c.Services() {
		proxies = append(proxies, s.Proxy())
	}
	hosts := func(list []model.Host) string {
		out := make([]string, len(list))
		for i, h := range list {
			out[i] = string(h)
		}
		return alternatives(out) + ":.*"
	}
	var out []string
	if len(proxies) > 0 {
		for _, name := range []string{"haproxy_server_status", "haproxy_server_weight", "haproxy_server_check_last_change_seconds", "haproxy_server_loadbalanced_total"} {
			out = append(out, fmt.Sprintf("%s{proxy=~%s}", name, strconv.Quote(alternatives(proxies))))
		}
		out = append(out, fmt.Sprintf("haproxy_process_start_time_seconds{instance=~%s}", strconv.Quote(hosts(c.HAProxies()))))
	}
	for _, name := range []string{"patroni_primary", "patroni_standby_leader", "patroni_replica", "patroni_postgres_running", "patroni_postgres_timeline", "patroni_is_paused", "patroni_cluster_unlocked"} {
		out = append(out, fmt.Sprintf("%s{cls=%s}", name, strconv.Quote(string(c.Name))))
	}
	return append(out, fmt.Sprintf("up{instance=~%s}", strconv.Quote(hosts(append(c.HAProxies(), instanceHosts(c)...)))))
}

func instanceHosts(c *model.Cluster) []model.Host {
	var out []model.Host
	for i := range c.Instances {
		out = append(out, c.Instances[i].Host)
	}
	return out
}

// alternatives is a regular expression for one of the names.
func alternatives(names []string) string {
	var quoted []string
	for _, n := range names {
		if q := quoteMeta(n); !slices.Contains(quoted, q) {
			quoted = append(quoted, q)
		}
	}
	return "(" + strings.Join(quoted, "|") + ")"
}

// quoteMeta escapes what is special in a regular expression.
func quoteMeta(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// FromSeries are the transitions that the samples of a cluster show between two times, what
// connections the servers got, and the times without an answer. from is who answered,
// as evidence names it. Targets whose scrape failed (up is 0) count as not answering, whatever
// sample they have.
func FromSeries(c *model.Cluster, store string, all []Series, from, to time.Time) Seen {
	f := folding{c: c, store: store, from: from, to: to, down: map[string]map[int64]bool{}}
	for i := range all {
		if s := &all[i]; s.Name == "up" {
			f.takeUp(s)
		}
	}
	f.patronis(all)
	f.haproxies(all)
	slices.SortStableFunc(f.seen.Events, func(a, b Event) int { return a.At.Compare(b.At) })
	return f.seen
}

// Seen is what one source shows of a time.
type Seen struct {
	Events  []Event
	Unknown []Span
	// Missing are targets of the inventory without any sample; Targets is how many
	// there are.
	Missing []string
	Targets int
	// Misrouted are connections that reached another than the leader on a service that only
	// the leader passes.
	Misrouted []Misroute
	// First is the state of each server at the begin, as far as it is known.
	First []Event
}

// Misroute is a number of connections that one HAProxy gave to a server that was not
// the leader.
type Misroute struct {
	Host        model.Host
	Proxy       string
	Instance    model.InstanceName
	Connections int64
	From, To    time.Time // of the scrapes between which they were counted
}

// folding is FromSeries at work.
type folding struct {
	c        *model.Cluster
	store    string
	from, to time.Time
	down     map[string]map[int64]bool // instance label → times (ms) at which the scrape failed
	seen     Seen
	roles    map[model.InstanceName]track
}

func (f *folding) takeUp(s *Series) {
	at := f.down[s.Labels["instance"]]
	if at == nil {
		at = map[int64]bool{}
		f.down[s.Labels["instance"]] = at
	}
	for _, x := range s.Samples {
		if x.Value == 0 {
			at[x.At.UnixMilli()] = true
		}
	}
}

// kept are the samples of a series between the times whose scrape did not fail.
func (f *folding) kept(s *Series) []Sample {
	down := f.down[s.Labels["instance"]]
	out := make([]Sample, 0, len(s.Samples))
	for _, x := range s.Samples {
		if !x.At.Before(f.from) && !x.At.After(f.to) && !math.IsNaN(x.Value) && !down[x.At.UnixMilli()] {
			out = append(out, x)
		}
	}
	return out
}

// point is a state at a scrape.
type point struct {
	at    time.Time
	state string
}

// track is what one thing was at each scrape, oldest first.
type track []point

// stateAt is the state that held all the time from a to b; "" when it changed or is unknown.
func (t track) stateAt(a, b time.Time) string {
	longest := t.longest()
	i := sort.Search(len(t), func(k int) bool { return t[k].at.After(a) }) - 1 // the last scrape at a or before
	if i < 0 || a.Sub(t[i].at) > longest {
		return ""
	}
	for k := i; t[k].at.Before(b); k++ {
		if k+1 == len(t) || t[k+1].state != t[i].state || t[k+1].at.Sub(t[k].at) > longest {
			return ""
		}
	}
	return t[i].state
}

// interval is the usual time between two samples; 10 s when there are too few to know.
func (t track) interval() time.Duration {
	var diffs []time.Duration
	for i := 1; i < len(t) && len(diffs) < 200; i++ {
		diffs = append(diffs, t[i].at.Sub(t[i-1].at))
	}
	if len(diffs) < 3 {
		return 10 * time.Second
	}
	slices.Sort(diffs)
	return min(max(diffs[len(diffs)/2], time.Second), 5*time.Minute)
}

// longest is how far two samples may be apart before what was between them is unknown.
func (t track) longest() time.Duration { return t.interval()*5/2 + time.Second }

// change is a transition of a track: after prev and at or before at.
type change struct {
	prev, at      time.Time
	before, after string
}

// changes are the transitions of a track, and the times without an answer. A state that
// differs on the two sides of such a time is a transition somewhere within it.
func (t track) changes(from, to time.Time) (out []change, unknown []Span) {
	longest := t.longest()
	gap := func(a, b time.Time) {
		if b.Sub(a) > longest {
			unknown = append(unknown, Span{From: a, To: b})
		}
	}
	prev := from
	for i, p := range t {
		gap(prev, p.at)
		if prev = p.at; i > 0 && p.state != t[i-1].state {
			out = append(out, change{t[i-1].at, p.at, t[i-1].state, p.state})
		}
	}
	gap(prev, to)
	return out, unknown
}

// when is the time of a change: the middle of the two scrapes.
func (ch *change) when() (time.Time, time.Duration) {
	half := ch.at.Sub(ch.prev) / 2
	return ch.prev.Add(half), half
}

// serverKey is one server of a section on one HAProxy.
type serverKey struct {
	host, proxy, server string
}

// hostOf is the address of a target: the label ip, else that of instance without its port.
func hostOf(s *Series) string {
	if ip := s.Labels["ip"]; ip != "" {
		return ip
	}
	in := s.Labels["instance"]
	if i := strings.LastIndexByte(in, ':'); i > 0 {
		in = in[:i]
	}
	return strings.Trim(in, "[]")
}

// states puts the series of a status, one for each state, together: the state whose value
// is 1 at each scrape.
func (f *folding) states(all []Series) map[serverKey]track {
	type cell struct {
		state string
		ones  int
	}
	at := map[serverKey]map[int64]cell{}
	for i := range all {
		s := &all[i]
		if s.Name != "haproxy_server_status" || s.Labels["server"] == "" {
			continue
		}
		k := serverKey{hostOf(s), s.Labels["proxy"], s.Labels["server"]}
		if at[k] == nil {
			at[k] = map[int64]cell{}
		}
		for _, x := range f.kept(s) {
			c := at[k][x.At.UnixMilli()]
			if x.Value == 1 {
				c = cell{s.Labels["state"], c.ones + 1}
			}
			at[k][x.At.UnixMilli()] = c
		}
	}
	zero := f.zeroWeights(all)
	out := map[serverKey]track{}
	for k, cells := range at {
		for _, ms := range slices.Sorted(maps.Keys(cells)) {
			c := cells[ms]
			if c.ones != 1 { // no state, or two: it cannot be read
				continue
			}
			if c.state == "UP" && zero[k][ms] {
				c.state = "DRAIN"
			}
			out[k] = append(out[k], point{time.UnixMilli(ms), text.Line(c.state, 20)})
		}
	}
	return out
}

// zeroWeights are the scrapes at which a server had the weight 0.
func (f *folding) zeroWeights(all []Series) map[serverKey]map[int64]bool {
	out := map[serverKey]map[int64]bool{}
	for i := range all {
		s := &all[i]
		if s.Name != "haproxy_server_weight" {
			continue
		}
		k := serverKey{hostOf(s), s.Labels["proxy"], s.Labels["server"]}
		for _, x := range f.kept(s) {
			if x.Value == 0 {
				if out[k] == nil {
					out[k] = map[int64]bool{}
				}
				out[k][x.At.UnixMilli()] = true
			}
		}
	}
	return out
}

// byServer are the samples of a series by server, and by the time of the scrape.
func (f *folding) byServer(all []Series, name string) map[serverKey]map[int64]float64 {
	out := map[serverKey]map[int64]float64{}
	for i := range all {
		s := &all[i]
		if s.Name != name {
			continue
		}
		k := serverKey{hostOf(s), s.Labels["proxy"], s.Labels["server"]}
		if out[k] == nil {
			out[k] = map[int64]float64{}
		}
		for _, x := range f.kept(s) {
			out[k][x.At.UnixMilli()] = x.Value
		}
	}
	return out
}

// haproxies reads what HAProxy's exporters showed.
func (f *folding) haproxies(all []Series) {
	tracks := f.states(all)
	last := f.byServer(all, "haproxy_server_check_last_change_seconds")
	starts := f.reloads(all)
	with := map[string]track{}
	keys := slices.SortedFunc(maps.Keys(tracks), func(a, b serverKey) int {
		return strings.Compare(a.host+"\x00"+a.proxy+"\x00"+a.server, b.host+"\x00"+b.proxy+"\x00"+b.server)
	})
	for _, k := range keys {
		t := tracks[k]
		if len(t) > len(with[k.host]) {
			with[k.host] = t
		}
		f.seen.First = append(f.seen.First, f.serverEvent(k, change{prev: t[0].at, at: t[0].at, after: t[0].state}, t[0].at, 0, "", true))
		changes, _ := t.changes(f.from, f.to)
		for _, ch := range changes {
			at, within := ch.when()
			how := fmt.Sprintf("haproxy_server_status was %s at %s and %s at %s", ch.before, clock(ch.prev), ch.after, clock(ch.at))
			if v, ok := last[k][ch.at.UnixMilli()]; ok {
				if exact := ch.at.Add(-time.Duration(v * float64(time.Second))); !exact.Before(ch.prev.Add(-time.Second)) && !exact.After(ch.at.Add(time.Second)) {
					at, within = exact, time.Second
					how = fmt.Sprintf("haproxy_server_status was %s at %s and %s at %s with check_last_change_seconds %g", ch.before, clock(ch.prev), ch.after, clock(ch.at), v)
				}
			}
			f.seen.Events = append(f.seen.Events, f.serverEvent(k, ch, at, within, how, false))
		}
		f.flaps(k, t, last[k], starts[k.host])
	}
	for _, lb := range f.c.LoadBalancers {
		f.cover("HAProxy on "+string(lb.Host), lb.Host, with[string(lb.Host)])
	}
	f.loads(all)
}

// flaps finds a server that changed between two scrapes and was as before at the second: its
// last change is within, and no worker started there.
func (f *folding) flaps(k serverKey, t track, last map[int64]float64, starts []time.Time) {
	for i := 1; i < len(t); i++ {
		v, ok := last[t[i].at.UnixMilli()]
		was, had := last[t[i-1].at.UnixMilli()]
		if !ok || !had || t[i].state != t[i-1].state {
			continue
		}
		exact := t[i].at.Add(-time.Duration(v * float64(time.Second)))
		before := t[i-1].at.Add(-time.Duration(was * float64(time.Second)))
		if exact.Sub(before) < 3*time.Second || !exact.After(t[i-1].at.Add(time.Second)) ||
			slices.ContainsFunc(starts, func(s time.Time) bool {
				return s.Sub(exact).Abs() < 5*time.Second || s.After(t[i-1].at) && s.Before(t[i].at)
			}) {
			continue
		}
		e := f.serverEvent(k, change{t[i-1].at, t[i].at, "", t[i].state}, exact, time.Second,
			fmt.Sprintf("check_last_change_seconds was %g at %s: the server was in another state after %s", v, clock(t[i].at), clock(t[i-1].at)), false)
		f.seen.Events = append(f.seen.Events, e)
	}
}

// serverEvent is a transition of a server.
func (f *folding) serverEvent(k serverKey, ch change, at time.Time, within time.Duration, how string, first bool) Event {
	e := Event{At: at, Within: within, Kind: KindServer, Host: model.Host(text.Line(k.host, 100)), Proxy: text.Line(k.proxy, 100), Instance: model.InstanceName(text.Line(k.server, 100)),
		Before: ch.before, After: ch.after, Cut: -1, Left: -1, Evidence: []Evidence{{f.store, at, how}}}
	if first {
		e.Before = ""
	}
	return e
}

// reloads are the starts of HAProxy's workers by host: the values of
// haproxy_process_start_time_seconds.
func (f *folding) reloads(all []Series) map[string][]time.Time {
	out := map[string][]time.Time{}
	for i := range all {
		s := &all[i]
		if s.Name != "haproxy_process_start_time_seconds" {
			continue
		}
		host := hostOf(s)
		for _, x := range f.kept(s) {
			if x.Value < 0 || x.Value > 1<<40 {
				continue
			}
			at := time.Unix(int64(x.Value), 0)
			if n := len(out[host]); n > 0 && at.Sub(out[host][n-1]) < 2*time.Second { // an older worker that answers late is no start
				continue
			}
			out[host] = append(out[host], at)
			if at.Before(f.from) || at.After(f.to) {
				continue
			}
			f.seen.Events = append(f.seen.Events, Event{At: at, Within: time.Second, Kind: KindReload, Host: model.Host(text.Line(host, 100)), After: "a new worker started", Cut: -1, Left: -1,
				Evidence: []Evidence{{f.store, x.At, fmt.Sprintf("haproxy_process_start_time_seconds was %.0f at %s", x.Value, clock(x.At))}}})
		}
	}
	return out
}

// patronis reads what Patroni's exporters showed.
func (f *folding) patronis(all []Series) {
	values := map[string]map[model.InstanceName]map[int64]float64{}
	for i := range all {
		s := &all[i]
		in := model.InstanceName(s.Labels["ins"])
		if in == "" {
			in = model.InstanceName(s.Labels["name"])
		}
		if !strings.HasPrefix(s.Name, "patroni_") || f.c.Instance(in) == nil {
			continue
		}
		if values[s.Name] == nil {
			values[s.Name] = map[model.InstanceName]map[int64]float64{}
		}
		if values[s.Name][in] == nil {
			values[s.Name][in] = map[int64]float64{}
		}
		for _, x := range f.kept(s) {
			values[s.Name][in][x.At.UnixMilli()] = x.Value
		}
	}
	f.roles = map[model.InstanceName]track{}
	for i := range f.c.Instances {
		in := &f.c.Instances[i]
		roles := trackOf(values["patroni_primary"][in.Name], func(ms int64, v float64) string {
			switch {
			case v == 1:
				return "primary"
			case values["patroni_standby_leader"][in.Name][ms] == 1:
				return "standby_leader"
			case values["patroni_replica"][in.Name][ms] == 1:
				return "replica"
			case has(values["patroni_postgres_running"][in.Name], ms, 0):
				return "stopped"
			}
			return "no role"
		})
		f.roles[in.Name] = roles
		f.follow(in, KindRole, roles, "patroni_primary, _replica, _standby_leader and _postgres_running")
		f.follow(in, KindTimeline, trackOf(values["patroni_postgres_timeline"][in.Name], func(_ int64, v float64) string {
			if v <= 0 {
				return ""
			}
			return strconv.FormatFloat(v, 'f', 0, 64)
		}), "patroni_postgres_timeline")
		f.follow(in, KindPause, trackOf(values["patroni_is_paused"][in.Name], words("resumed", "paused")), "patroni_is_paused")
		f.follow(in, KindLock, trackOf(values["patroni_cluster_unlocked"][in.Name], words("held", "free")), "patroni_cluster_unlocked")
		f.cover("Patroni of "+string(in.Name), in.Host, roles)
	}
}

// words are the states of a value that is 0 or 1.
func words(zero, one string) func(int64, float64) string {
	return func(_ int64, v float64) string {
		switch v {
		case 0:
			return zero
		case 1:
			return one
		}
		return ""
	}
}

func has(values map[int64]float64, ms int64, want float64) bool {
	v, ok := values[ms]
	return ok && v == want
}

// trackOf are samples as states; one that is "" is left out.
func trackOf(values map[int64]float64, state func(ms int64, v float64) string) track {
	var out track
	for _, ms := range slices.Sorted(maps.Keys(values)) {
		if s := state(ms, values[ms]); s != "" {
			out = append(out, point{time.UnixMilli(ms), s})
		}
	}
	return out
}

// follow adds the transitions of a track of an instance.
func (f *folding) follow(in *model.Instance, k Kind, t track, series string) {
	changes, _ := t.changes(f.from, f.to)
	for _, ch := range changes {
		at, within := ch.when()
		f.seen.Events = append(f.seen.Events, Event{At: at, Within: within, Kind: k, Host: in.Host, Instance: in.Name, Before: ch.before, After: ch.after, Cut: -1, Left: -1,
			Evidence: []Evidence{{f.store, at, fmt.Sprintf("%s of %s: %s at %s, %s at %s", series, in.Name, ch.before, clock(ch.prev), ch.after, clock(ch.at))}}})
	}
}

// cover adds the times at which a target did not answer, or that it is missing.
func (f *folding) cover(what string, host model.Host, t track) {
	f.seen.Targets++
	if len(t) == 0 {
		f.seen.Missing = append(f.seen.Missing, what)
		f.seen.Unknown = append(f.seen.Unknown, Span{what, host, f.from, f.to, "the store has no sample"})
		return
	}
	_, unknown := t.changes(f.from, f.to)
	for _, u := range unknown {
		u.What, u.Host, u.Why = what, host, "the store has no sample"
		for in, down := range f.down {
			if !strings.HasPrefix(in, string(host)+":") {
				continue
			}
			for ms := range down {
				if at := time.UnixMilli(ms); at.After(u.From) && at.Before(u.To) {
					u.Why = "the scrape failed (up is 0)"
				}
			}
		}
		f.seen.Unknown = append(f.seen.Unknown, u)
	}
}

// loads finds connections that reached a server while its Patroni reported another role than the
// service is for. Where the role changed between the scrapes they are not counted.
func (f *folding) loads(all []Series) {
	leaderOnly := map[string]bool{}
	for _, s := range f.c.Services() {
		leaderOnly[s.Proxy()] = model.LockOnly(s.Check, f.c.Standby)
	}
	counts := f.byServer(all, "haproxy_server_loadbalanced_total")
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b serverKey) int {
		return strings.Compare(a.host+"\x00"+a.proxy+"\x00"+a.server, b.host+"\x00"+b.proxy+"\x00"+b.server)
	})
	for _, k := range keys {
		if !leaderOnly[k.proxy] {
			continue
		}
		roles := f.roles[model.InstanceName(k.server)]
		var prev int64
		was, first := 0.0, true
		for _, ms := range slices.Sorted(maps.Keys(counts[k])) {
			v := counts[k][ms]
			n := v - was
			if n < 0 { // a new worker counts from 0
				n = v
			}
			a, b := time.UnixMilli(prev), time.UnixMilli(ms)
			if !first && n > 0 && n < 1<<53 && roles.stateAt(a, b) == "replica" {
				f.seen.Misrouted = append(f.seen.Misrouted, Misroute{model.Host(text.Line(k.host, 100)), text.Line(k.proxy, 100), model.InstanceName(k.server), int64(n), a, b})
			}
			prev, was, first = ms, v, false
		}
	}
}

// clock is a time of day, as evidence shows it.
func clock(t time.Time) string { return t.Format("15:04:05") }

// Usable reports whether a server in that state gets new connections.
func Usable(state string) bool {
	row := haproxy.ServerRow{Status: state, Weight: 1}
	return row.Usable()
}
