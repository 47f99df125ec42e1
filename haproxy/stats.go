package haproxy

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pgtui/source"
	"pgtui/source/refs"
)

// Stats is one stats page: what one HAProxy worker reports.
type Stats struct {
	URI     string // the page that answered
	Source  StatsSource
	Why     error // why Source is not the stats page; nil when it is
	Proxies []Proxy
	// Damaged counts the rows that name no section: any section may lack one.
	Damaged int
	Process source.Observed[ProcessLimits] // of the worker; not tried where its exporter is not queried
}

// ProcessLimits are the connections of one HAProxy worker over all its
// frontends (haproxy_process_current_connections and _max_connections).
type ProcessLimits struct {
	Current int64
	Max     int64 // the global maxconn; 0 when the exporter does not report it
}

// ProcessAge is how long a HAProxy's answer about its limits counts. It is queried
// every 15 s, in a large fleet only where there are many sessions.
const ProcessAge = 40 * time.Second

// String is "9480 of 9500 connections (global maxconn)".
func (l ProcessLimits) String() string {
	return fmt.Sprintf("%d of %d connections (global maxconn)", l.Current, l.Max)
}

// Crowded reports whether a tenth of the connections or less is free.
func (l ProcessLimits) Crowded() bool { return l.Max > 0 && l.Current >= l.Max-l.Max/10 }

// Full reports whether the worker takes no further connection on any port.
func (l ProcessLimits) Full() bool { return l.Max > 0 && l.Current >= l.Max }

// StatsSource is where a HAProxy's state was read.
type StatsSource string

// The sources. The exporter's metrics leave out which servers are backups and
// how many checks are missing.
const (
	FromStats   StatsSource = ""
	FromMetrics StatsSource = "metrics"
)

// Proxy is one listen section on the stats page.
type Proxy struct {
	Name    string
	Front   ProxyRow // FRONTEND
	Back    ProxyRow // BACKEND
	Servers []ServerRow
	// Damaged counts the rows of the section that cannot be read: a server that
	// is not among Servers may be one of them.
	Damaged int
}

// ProxyRow is a FRONTEND or BACKEND row. The zero value means the row is absent.
type ProxyRow struct {
	Status      string // OPEN, PAUSED, STOP, FULL or UP, DOWN
	Sessions    int64
	Limit       int64 // slim: the frontend's maxconn, the backend's fullconn; 0 when there is none
	SessionRate int64 // per second
	Queue       int64
	Total       int64
	LastChange  int64 // BACKEND: seconds since it went up or down; reset by a reload
}

// RowState is a row without what moves by itself.
type RowState struct {
	Status   string // as in ProxyRow
	Sessions int64
	Limit    int64 // 0 when there is none
	Queue    int64
}

// State is the row without its rates, totals and ages.
func (r *ProxyRow) State() RowState { return RowState{r.Status, r.Sessions, r.Limit, r.Queue} }

// Full reports whether a frontend has as many sessions as its maxconn allows:
// new clients wait in the kernel's queue.
func (r *ProxyRow) Full() bool { return r.Status == "FULL" || r.Limit > 0 && r.Sessions >= r.Limit }

// ServerRow is one server row.
type ServerRow struct {
	Name        string
	Status      string // exactly as HAProxy prints it: "UP 1/3", "MAINT (via a/b)"
	Weight      int    // effective weight; ramps in slowstart, stale while DOWN
	UserWeight  int    // uweight: as configured, or as `set server … weight` changed it; -1 when this version does not report it
	Backup      bool   // by configuration
	CheckStatus string // L7OK, L7STS, L4CON, INI … without the "* " of a check in flight; "" in MAINT
	CheckCode   int    // HTTP status; 0 when there was none
	CheckDesc   string // last_chk
	CheckMs     int64  // duration of the last check, milliseconds; -1 when none
	LastChange  int64  // seconds since the last transition; reset by a reload, and when slowstart ends
	Sessions    int64
	Limit       int64 // slim: its maxconn; 0 when there is none
	SessionRate int64
	Queue       int64
	QueueLimit  int64 // qlimit: its maxqueue; 0 when there is none
	Total       int64
	Errors      int64  // connection errors since the worker started
	Throttle    int    // slowstart percentage; 0 when not ramping
	Addr        string // "" unless HAProxy shows legends
}

// Proxy returns the section of that name, or nil.
func (h *Stats) Proxy(name string) *Proxy {
	return refs.Find(h.Proxies, func(px *Proxy) bool { return px.Name == name })
}

// Server returns the server row of that name, or nil.
func (p *Proxy) Server(name string) *ServerRow {
	return refs.Find(p.Servers, func(s *ServerRow) bool { return s.Name == name })
}

// ParseLimits reads how many connections a worker has and may have from its
// exporter's metrics. A page without both is an error.
func ParseLimits(page []byte) (ProcessLimits, error) {
	l := ProcessLimits{Current: -1, Max: -1}
	for line := range bytes.Lines(page) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		var at *int64
		switch string(name) {
		case "haproxy_process_current_connections":
			at = &l.Current
		case "haproxy_process_max_connections":
			at = &l.Max
		default:
			continue
		}
		n, err := strconv.ParseFloat(string(value), 64)
		if err != nil || !(n >= 0 && n < 1<<53) {
			return ProcessLimits{}, fmt.Errorf("metrics: %s is not a number of connections", name)
		}
		*at = int64(n)
	}
	if l.Current < 0 || l.Max < 0 {
		return ProcessLimits{}, errors.New("metrics: HAProxy's exporter does not report how many connections it has and may have")
	}
	return l, nil
}
