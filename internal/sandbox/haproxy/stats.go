package haproxy

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Columns are the columns of the stats CSV, by name, and the cells that are the
// same in every row of a kind.
type Columns struct {
	header              string
	at                  map[string]int
	front, server, back []string
}

// The cells that are 0 in every row of a kind: a sandbox carries no traffic.
const (
	zeroFront  = "bin bout dreq dresp ereq sid type rate rate_lim rate_max conn_rate conn_rate_max dcon dses"
	zeroServer = "qcur qmax bin bout dresp econ eresp wretr wredis lbtot rate rate_max cli_abrt srv_abrt qtime ctime rtime" +
		" ttime connect reuse srv_icur eint idle_conn_cur safe_conn_cur used_conn_cur need_conn_est"
	zeroBack = "qcur qmax bin bout dreq dresp econ eresp wretr wredis sid lbtot rate rate_max cli_abrt srv_abrt qtime ctime rtime ttime"
)

// ColumnsOf reads a header line: Columns26 or Columns30.
func ColumnsOf(header string) *Columns {
	c := &Columns{header: header, at: map[string]int{}}
	names := strings.Split(strings.TrimPrefix(header, "# "), ",")
	for i, name := range names {
		if _, ok := c.at[name]; !ok {
			c.at[name] = i
		}
	}
	always := func(zero string, more map[string]string) []string {
		cells := make([]string, len(names))
		for _, name := range strings.Fields(zero) {
			cells[c.at[name]] = "0"
		}
		for name, v := range more {
			cells[c.at[name]] = v
		}
		cells[c.at["-"]], cells[c.at["pid"]] = "-", "1"
		return cells
	}
	c.front = always(zeroFront, map[string]string{"svname": "FRONTEND", "status": "OPEN"})
	c.server = always(zeroServer, map[string]string{"type": "2", "lastsess": "-1"})
	c.back = always(zeroBack, map[string]string{"svname": "BACKEND", "type": "1", "lastsess": "-1"})
	return c
}

// table prints rows of the stats CSV.
type table struct {
	*Columns
	cells []string // of the row at hand
	out   []byte
}

func (c *Columns) table(rows int) *table {
	t := &table{Columns: c, cells: make([]string, len(c.front)), out: make([]byte, 0, len(c.header)+rows*(len(c.front)+150))}
	t.out = append(append(t.out, c.header...), '\n')
	return t
}

// begin starts a row with the cells that are the same in every row of its kind.
func (t *table) begin(always []string) { copy(t.cells, always) }

func (t *table) str(column, v string)     { t.cells[t.at[column]] = v }
func (t *table) num(column string, v int) { t.cells[t.at[column]] = strconv.Itoa(v) }

// end writes the row.
func (t *table) end() {
	for i, c := range t.cells {
		if i > 0 {
			t.out = append(t.out, ',')
		}
		t.out = append(t.out, c...)
	}
	t.out = append(t.out, '\n')
}

// CSV is the stats page of one HAProxy. scope limits it to the proxies whose
// name contains it.
func (h *HAProxy) CSV(scope string) []byte {
	t := h.columns.table(8 * len(h.proxies))
	for _, p := range h.proxies {
		if !strings.Contains(p.conf.name, scope) {
			continue
		}
		cur := p.sessions()
		if p.conf.kind != "backend" {
			p.frontRow(t, cur)
		}
		if p.conf.kind == "frontend" {
			continue
		}
		for i, s := range p.servers {
			s.row(t, cur[i], h.clock)
		}
		p.backRow(t, cur, h.clock)
	}
	return t.out
}

// sessions is how many sessions each server holds now: the demand of the
// clients, shared by weight over the servers that get connections.
func (p *proxy) sessions() []int {
	out := make([]int, len(p.servers))
	left, weight := p.demand, 0
	for i, s := range p.servers {
		if s.drain && !s.maint {
			out[i] = s.held
			left -= s.held
		}
	}
	active := p.active()
	for _, s := range active {
		weight += s.raw
	}
	if weight == 0 || left <= 0 {
		return out
	}
	rest := left
	for _, s := range active {
		n := left * s.raw / weight
		out[s.id-1] += n
		rest -= n
	}
	out[active[0].id-1] += rest
	return out
}

func sum(n []int) (total int) {
	for _, v := range n {
		total += v
	}
	return total
}

func (p *proxy) frontRow(t *table, cur []int) {
	if p.conf.stats {
		cur = nil
	}
	t.begin(t.front)
	t.str("pxname", p.conf.name)
	if p.paused {
		t.str("status", "PAUSED")
	}
	t.num("scur", sum(cur))
	t.num("smax", p.peak())
	t.num("slim", cmp.Or(p.conf.maxConn, 9500))
	t.num("stot", p.total())
	t.num("iid", p.id)
	t.str("mode", p.conf.mode)
	t.num("conn_tot", p.total())
	t.end()
}

// peak and total are constant: nothing changes on the page of an idle sandbox.
func (p *proxy) peak() int {
	if p.conf.stats {
		return 1
	}
	return p.demand + 3
}

func (p *proxy) total() int {
	if p.conf.stats {
		return 0
	}
	return p.demand * 61
}

func seconds(d time.Duration) int { return int(max(0, d) / time.Second) }

func (s *Server) row(t *table, cur int, now time.Time) {
	p := s.proxy
	t.begin(t.server)
	t.str("pxname", p.conf.name)
	t.str("svname", s.conf.name)
	t.num("scur", cur)
	t.num("smax", max(cur, p.peak()/2))
	t.str("slim", limit(s.conf.maxConn))
	t.num("stot", p.total()/max(1, len(p.servers)))
	t.str("status", s.status())
	t.num("weight", (s.raw+15)/16)
	t.num("act", flag(!s.conf.backup))
	t.num("bck", flag(s.conf.backup))
	t.num("lastchg", seconds(now.Sub(s.changed)))
	t.str("qlimit", limit(s.conf.maxQueue))
	t.num("iid", p.id)
	t.num("sid", s.id)
	t.str("throttle", s.throttle())
	t.str("mode", p.conf.mode)
	t.num("uweight", s.weight)
	if s.checks() {
		s.checkCells(t, now)
	}
	t.end()
}

// checkCells are the columns about the health check; a server in maintenance
// has almost none of them.
func (s *Server) checkCells(t *table, now time.Time) {
	down := s.downtime
	if s.maint || s.health < s.conf.rise {
		down += now.Sub(s.changed)
	}
	t.num("chkfail", s.fails)
	t.num("chkdown", s.downs)
	t.num("downtime", seconds(down))
	if s.maint {
		return
	}
	status, code, last := "INI", "", ""
	if s.checked {
		status, last = s.result.status, s.result.last
		t.num("check_duration", int(s.result.took/time.Millisecond))
	}
	t.str("check_desc", describe(status))
	if s.result.code > 0 {
		code = strconv.Itoa(s.result.code)
	}
	if !s.until.IsZero() {
		status, last = "* "+status, ""
		if code != "" {
			code = "0"
		}
	}
	t.str("last_chk", last)
	t.str("check_status", status)
	t.str("check_code", code)
	t.num("check_rise", s.conf.rise)
	t.num("check_fall", s.conf.fall)
	t.num("check_health", s.health)
}

// describe is the text of a check's status.
func describe(status string) string {
	return cmp.Or(map[string]string{
		"L7OK": "Layer7 check passed", "L7STS": "Layer7 wrong status", "L7TOUT": "Layer7 timeout", "L6RSP": "Layer6 invalid response",
		"L4OK": "Layer4 check passed", "L4CON": "Layer4 connection problem", "L4TOUT": "Layer4 timeout",
	}[status], "Initializing")
}

func limit(n int) string {
	if n > 0 {
		return strconv.Itoa(n)
	}
	return ""
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// throttle is the slowstart percentage, "" when the server does not ramp.
func (s *Server) throttle() string {
	if !s.ramping || !s.usable() || s.weight == 0 {
		return ""
	}
	return strconv.Itoa(s.raw * 100 / (16 * s.weight))
}

// status is HAProxy's word for the server.
func (s *Server) status() string {
	full := s.conf.rise + s.conf.fall - 1
	switch {
	case s.maint:
		return "MAINT"
	case s.drain && s.checks() && s.health < s.conf.rise:
	case s.drain && s.checks() && s.health < full:
		return fmt.Sprintf("DRAIN %d/%d", s.health-s.conf.rise+1, s.conf.fall)
	case s.drain:
		return "DRAIN"
	case !s.checks():
		return "no check"
	}
	switch {
	case s.health == full:
		return "UP"
	case s.health >= s.conf.rise:
		return fmt.Sprintf("UP %d/%d", s.health-s.conf.rise+1, s.conf.fall)
	case s.health > 0:
		return fmt.Sprintf("DOWN %d/%d", s.health, s.conf.rise)
	default:
		return "DOWN"
	}
}

func (p *proxy) backRow(t *table, cur []int, now time.Time) {
	act, bck, raw, user := 0, 0, 0, 0
	for _, s := range p.servers {
		switch {
		case !s.usable():
		case s.conf.backup:
			bck++
		default:
			act++
		}
	}
	for _, s := range p.active() {
		raw += s.raw
		user += s.weight
	}
	status := "UP"
	if !p.up() {
		status = "DOWN"
	}
	t.begin(t.back)
	t.str("pxname", p.conf.name)
	t.num("scur", sum(cur))
	t.num("smax", p.peak())
	t.num("slim", cmp.Or(p.conf.maxConn, 9500)/10)
	t.num("stot", p.total())
	t.str("status", status)
	t.num("weight", (raw+15)/16)
	t.num("act", act)
	t.num("bck", bck)
	t.num("chkdown", p.downTrans)
	t.num("lastchg", seconds(now.Sub(p.since)))
	t.num("iid", p.id)
	t.str("mode", p.conf.mode)
	t.num("uweight", user)
	if len(p.servers) > 0 {
		down := p.downtime
		if !p.wasUp {
			down += now.Sub(p.since)
		}
		t.num("downtime", seconds(down))
	}
	t.end()
}

// metrics is the part of HAProxy's Prometheus page with states and weights.
func (h *HAProxy) metrics() string {
	var b strings.Builder
	b.WriteString("# TYPE haproxy_server_status gauge\n")
	for s := range h.each {
		for _, state := range []string{"DOWN", "UP", "MAINT", "DRAIN", "NOLB"} {
			word, _, _ := strings.Cut(s.status(), " ")
			if word == "no" {
				word = "UP"
			}
			fmt.Fprintf(&b, "haproxy_server_status{proxy=%q,server=%q,state=%q} %d\n",
				s.proxy.conf.name, s.conf.name, state, flag(word == state))
		}
	}
	b.WriteString("# TYPE haproxy_server_weight gauge\n")
	for s := range h.each {
		fmt.Fprintf(&b, "haproxy_server_weight{proxy=%q,server=%q} %d\n", s.proxy.conf.name, s.conf.name, (s.raw+15)/16)
	}
	return b.String()
}
