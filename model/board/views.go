package board

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// routeOf answers for one service: on every HAProxy node that exposes it, which
// instances get new connections at now, and why. s is screened; nodes are the
// nodenames of the cluster's load balancers.
func routeOf(s *model.Snapshot, c *model.Cluster, name model.ServiceName, nodes []string, now time.Time) Route {
	r := Route{Service: name, Views: make([]View, 0, len(c.LoadBalancers))}
	for i := range c.LoadBalancers {
		svc := c.LoadBalancers[i].Service(name)
		if svc == nil {
			continue
		}
		if r.Port == "" {
			r.Port = svc.Port
		}
		r.Views = append(r.Views, View{HAProxy: c.LoadBalancers[i].Host, Node: nodes[i]})
		fillView(&r.Views[len(r.Views)-1], s, c, svc, now)
	}
	agree(&r)
	return r
}

// fillView fills in what one service is on one HAProxy node.
func fillView(v *View, s *model.Snapshot, c *model.Cluster, svc *model.Service, now time.Time) {
	obs := s.HAProxy[v.HAProxy]
	v.At = obs.At
	fresh := obs.Current(now)
	v.Stale = obs.Ever() && !fresh
	px := obs.Value.Proxy(svc.Proxy())
	switch {
	case px == nil && obs.Ever() && obs.Value.Damaged > 0:
		v.Verdict, v.Why = model.Unknown, fmt.Sprintf("%d rows of the stats page cannot be read: section %s may be among them", obs.Value.Damaged, svc.Proxy())
		v.Cells = promisedCells(svc, model.Unknown, "its row cannot be read")
	case !obs.Ever():
		v.Verdict, v.Why = model.Unknown, "HAProxy has not answered"+source.Because(obs.Err)
		v.Cells = promisedCells(svc, model.Unknown, "HAProxy has not answered")
	case px == nil:
		v.Verdict = model.Missing
		v.Why = fmt.Sprintf("HAProxy runs no section %s: its file is missing or was never loaded", svc.Proxy())
		v.Cells = promisedCells(svc, model.Missing, v.Why)
	default:
		v.Cells = cellsOf(svc, px, &obs.Value, s)
		share(v.Cells, px, obs.Value.Source)
		v.Sessions, v.Frontend, v.Backend = px.Front.Sessions, px.Front.State(), px.Back.State()
		v.Closed, v.Ends = closed(px, obs.Value.Process, now)
	}
	for i := range v.Cells {
		confront(&v.Cells[i], s, c, svc, now)
	}
	if px != nil {
		hold(v, s, svc, px)
		judge(v, s, c, svc, px)
	}
	if v.Stale {
		grey(v, obs.Err)
	}
	prove(v, s, c, svc, now)
}

// promisedCells are the inventory's servers when HAProxy reports nothing of them.
func promisedCells(svc *model.Service, v model.Verdict, why string) []Cell {
	servers, backup := svc.Servers()
	cells := make([]Cell, len(servers))
	for i, sv := range servers {
		cells[i] = Cell{Instance: sv.Name, Backup: backup[i], Verdict: v, Why: why}
	}
	return cells
}

// closed is why a section's port takes no new connection at now, and what ends
// that; "" when it takes them. A paused frontend refuses them; a full one, or a
// full HAProxy, leaves them in the kernel's queue, where clients hang.
func closed(px *haproxy.Proxy, process source.Observed[haproxy.ProcessLimits], now time.Time) (why, ends string) {
	f := &px.Front
	switch {
	case f.Status == "PAUSED":
		return "the port refuses connections: its frontend is PAUSED (disable frontend)", "enable frontend " + px.Name
	case f.Status == "STOP":
		return "the port is closed: its frontend is STOP, until HAProxy is reloaded", ""
	case f.Full():
		return fmt.Sprintf("the port is full: %d of %d sessions (maxconn of the frontend); new clients wait", f.Sessions, f.Limit),
			fmt.Sprintf("set maxconn frontend %s %d", px.Name, max(2*f.Limit, 1))
	case process.Known() && process.Age(now) <= haproxy.ProcessAge && process.Value.Full():
		return fmt.Sprintf("HAProxy is full: %s; new clients wait on every port", process.Value), ""
	}
	return "", ""
}

// cellsOf joins HAProxy's server rows, in its own order, with the inventory's.
func cellsOf(svc *model.Service, px *haproxy.Proxy, stats *haproxy.Stats, s *model.Snapshot) []Cell {
	servers, backup := svc.Servers()
	found := make([]bool, len(servers))
	cells := make([]Cell, 0, max(len(servers), len(px.Servers)))
	for k := range px.Servers {
		row := &px.Servers[k]
		cell := Cell{Instance: model.InstanceName(row.Name), Backup: row.Backup, Status: row.Status, Sessions: row.Sessions, Check: row.CheckStatus,
			Limit: row.Limit, Queue: row.Queue, QueueLimit: row.QueueLimit, Full: row.Full()}
		if row.CheckCode != 0 && !model.Patronis(row.CheckCode) && row.Status != "no check" && !strings.HasPrefix(row.Status, "MAINT") {
			cell.Other = notPatroni(svc, cell.Instance, row.CheckCode)
		}
		cell.Verdict, cell.Why = serverVerdict(svc, row, s.Patroni[cell.Instance].Status.Err != nil)
		i := slices.IndexFunc(servers, func(sv model.Server) bool { return sv.Name == cell.Instance })
		if stats.Source == haproxy.FromMetrics && i >= 0 {
			cell.Backup = backup[i] // the exporter does not say: as declared
		}
		switch {
		case i < 0:
			cell.Note = "the inventory does not select it: the running configuration is out of date or was edited by hand"
		case backup[i] && !cell.Backup:
			cell.Note = "declared as backup, but runs as a regular server: the files were not reloaded"
		case !backup[i] && cell.Backup:
			cell.Note = "declared as a regular server, but runs as backup: the files were not reloaded"
		case haproxy.WeightDiffers(servers[i].Weight, row.UserWeight):
			cell.Note = fmt.Sprintf("runs with weight %d, but the inventory declares %s", row.UserWeight, servers[i].Weight)
		}
		cell.Differs = cell.Note != ""
		for j := range servers {
			found[j] = found[j] || servers[j].Name == cell.Instance
		}
		cells = append(cells, cell)
	}
	for i, sv := range servers {
		switch {
		case found[i]:
		case px.Damaged > 0 || stats.Damaged > 0:
			cells = append(cells, Cell{Instance: sv.Name, Backup: backup[i], Verdict: model.Unknown, Why: "its row on the stats page cannot be read"})
		default:
			cells = append(cells, Cell{Instance: sv.Name, Backup: backup[i], Verdict: model.Missing,
				Why: "the inventory selects it, but HAProxy has no such server", Note: "declared, but not in the running configuration", Differs: true})
		}
	}
	return cells
}

// notPatroni says that a status is not Patroni's, and where it came from.
func notPatroni(svc *model.Service, name model.InstanceName, code int) string {
	at := string(name)
	if sv := svc.Server(name); sv != nil {
		if p, err := strconv.ParseUint(sv.CheckPort, 10, 16); err == nil {
			at = model.Endpoint{Host: string(sv.Host), Port: uint16(p)}.String()
		}
	}
	return fmt.Sprintf("something other than Patroni answers at %s: %d to %s", at, code, svc.Check)
}

// serverVerdict is a server row on its own, before it is seen beside its
// siblings: Serving here means "eligible". silent says that the server's Patroni
// does not answer pgtui: then the check's result is not attributed to Patroni.
func serverVerdict(svc *model.Service, row *haproxy.ServerRow, silent bool) (model.Verdict, string) {
	st := row.Status
	switch {
	case row.Usable() && row.CheckStatus == "INI":
		return model.Settling, "HAProxy has just started or reloaded and has not checked it yet; until then it may get connections"
	case row.Usable():
		return model.Serving, checkText(svc, row, silent)
	case st == "no check" || strings.HasPrefix(st, "UP"):
		return model.Draining, "weight 0: no new connections"
	case strings.HasPrefix(st, "MAINT"):
		return model.Maint, "taken out by hand: " + st
	case strings.HasPrefix(st, "DRAIN"):
		return model.Draining, "drained by hand: it keeps its connections and gets no new ones"
	case strings.HasPrefix(st, "NOLB"):
		return model.Draining, "HAProxy sends it no new connections: " + st
	case strings.HasPrefix(st, "DOWN") && row.CheckStatus == "L7STS" && model.Patronis(row.CheckCode):
		return model.Refused, checkText(svc, row, silent)
	case strings.HasPrefix(st, "DOWN"):
		return model.Down, checkText(svc, row, silent)
	default:
		return model.Unknown, "HAProxy reports an unknown state: " + st
	}
}

// Turning reports whether HAProxy is about to take the server out, or in.
func (c *Cell) Turning() bool { return haproxy.Turning(c.Status) }

// checkText says what the check of a server row answered.
func checkText(svc *model.Service, row *haproxy.ServerRow, silent bool) string {
	var text string
	switch {
	case row.Status == "no check":
		return "its health check is disabled"
	case row.CheckCode != 0 && !model.Patronis(row.CheckCode):
		text = notPatroni(svc, model.InstanceName(row.Name), row.CheckCode)
	case row.CheckCode != 0 && silent:
		text = fmt.Sprintf("HAProxy's last check of %s got %d", svc.Check, row.CheckCode)
	case row.CheckCode != 0:
		text = "Patroni answers " + strconv.Itoa(row.CheckCode) + " to " + svc.Check
	case row.CheckStatus != "":
		text = "check of " + svc.Check + ": " + row.CheckStatus
		if row.CheckDesc != "" {
			text += " (" + row.CheckDesc + ")"
		}
	default:
		text = "HAProxy reports " + row.Status
	}
	if haproxy.Turning(row.Status) {
		text += ", changing: " + row.Status
	}
	return text
}

// share gives the cells of a section's rows their share of new connections, and
// separates the backups that serve from those on standby. The exporter does not report
// which servers are backups: the cells have that as declared.
func share(cells []Cell, px *haproxy.Proxy, from haproxy.StatsSource) {
	rows := px.Servers
	if from == haproxy.FromMetrics {
		rows = slices.Clone(rows)
		for i := range rows {
			rows[i].Backup = cells[i].Backup
		}
	}
	for i, n := range haproxy.Shares(rows) {
		c := &cells[i]
		c.Share = n
		switch {
		case c.Verdict != model.Serving || !c.Backup:
		case n > 0:
			c.Verdict, c.Why = model.BackupServing, "no regular server is usable, and it is the first usable backup; "+c.Why
		default:
			c.Verdict, c.Why = model.Standby, "backup, ready; "+c.Why
		}
	}
}

// confront sets Patroni's own answer beside HAProxy's.
func confront(c *Cell, s *model.Snapshot, cl *model.Cluster, svc *model.Service, now time.Time) {
	obs, ok := s.Patroni[c.Instance].Checks[svc.Check]
	if ok && obs.Current(now) {
		c.Allowed = obs.Value
	}
	shut(c, s, cl, svc, now)
	if c.Allowed != 0 && !model.Patronis(c.Allowed) {
		c.Other = notPatroni(svc, c.Instance, c.Allowed)
	}
	view := s.Patroni[c.Instance]
	stranger := view.Foreign()
	if stranger != nil && stranger.Sure && !stranger.Stray {
		c.Foreign = stranger.Why
	}
	if c.Note == "" {
		c.Note = noteOf(c, svc, view.Status.Err != nil, stranger)
	}
}

// noteOf is where Patroni's answer, or the port, is another than HAProxy's word;
// "" when they agree. silent says that Patroni does not answer.
func noteOf(c *Cell, svc *model.Service, silent bool, stranger *model.Foreign) string {
	serves := c.Verdict == model.Serving || c.Verdict == model.BackupServing
	switch {
	case serves && stranger != nil:
		return "HAProxy sends connections here, but " + stranger.Why
	case serves && c.Shut != "":
		return "HAProxy sends connections here, but " + c.Shut
	case serves && c.Full != "":
		return c.Full
	case serves && c.Allowed == 0 && strings.HasPrefix(c.Status, "UP ") && c.Turning():
		return "HAProxy still sends connections here, but its checks fail: " + c.Status
	case serves && silent:
		return "HAProxy still sends connections here, but Patroni does not answer pgtui"
	case c.Allowed == 0:
	case !model.Patronis(c.Allowed):
		return c.Other
	case serves && c.Allowed != 200:
		return fmt.Sprintf("HAProxy still sends connections here, but Patroni now answers %d to %s", c.Allowed, svc.Check)
	case (c.Verdict == model.Refused || c.Verdict == model.Down) && c.Allowed == 200:
		return fmt.Sprintf("Patroni now answers 200 to %s, but HAProxy still reports %s", svc.Check, c.Status)
	}
	return ""
}

// shut fills in why the port that a service has of a cell's instance takes no
// connections, and what of its pgbouncer does that. Nothing is concluded when the
// instance's Patroni does not answer either: then the way there may be what is
// broken.
func shut(cell *Cell, s *model.Snapshot, c *model.Cluster, svc *model.Service, now time.Time) {
	view := s.Patroni[cell.Instance]
	if len(view.Ports) == 0 && !view.Pool.Ever() || !view.Status.Current(now) {
		return
	}
	sv := svc.Server(cell.Instance)
	if sv == nil {
		return
	}
	cell.Shut = view.Port(sv.Port).Shut(now)
	if cell.Pooled = c.Instance(cell.Instance).Pools(sv.Port); cell.Pooled && cell.Shut == "" {
		if t := s.PoolTrouble(c, cell.Instance, now); t.Whole {
			cell.Shut, cell.PoolHeld = t.Text, t.Kind
		}
	}
}

// judge gives a view that HAProxy answered for its verdict and sentence.
func judge(v *View, s *model.Snapshot, cls *model.Cluster, svc *model.Service, px *haproxy.Proxy) {
	var names []model.InstanceName
	settling, backup, mismatch, full := false, false, "", 0
	for i := range v.Cells {
		c := &v.Cells[i]
		if c.Share == 0 {
			continue
		}
		names = append(names, c.Instance)
		settling = settling || c.Verdict == model.Settling
		backup = backup || c.Verdict == model.BackupServing
		mismatch = cmp.Or(mismatch, misplaced(c, svc))
		if c.Full != "" {
			full++
		}
	}
	if full > 0 && full == len(names) && mismatch == "" {
		mismatch = fmt.Sprintf("no server accepts new connections; %s: %s", names[0], cellIn(v.Cells, names[0]).Full)
	}
	switch {
	case v.Closed != "":
		v.Verdict, v.Why, v.Serving = model.Empty, v.Closed, []model.InstanceName{}
		withhold(v.Cells, v.Closed)
	case unread(v, px, len(names) > 0 && !backup) != "":
		v.Verdict, v.Why = model.Unknown, unread(v, px, len(names) > 0 && !backup)
	case settling:
		v.Verdict, v.Why = model.Settling, "HAProxy has not finished its first checks: any of "+model.Join(names)+" may get connections"
	case len(names) == 0:
		v.Verdict, v.Why, v.Serving = model.Empty, emptyWhy(v.Cells, s, svc), []model.InstanceName{}
	case mismatch != "":
		v.Verdict, v.Why, v.Serving = model.Mismatch, mismatch, names
	case len(names) > 1 && model.LockOnly(svc.Check, cls.Standby):
		v.Verdict, v.Serving = model.Mismatch, names
		v.Why = "more than one server passes " + svc.Check + ": writes may go to any of " + model.Join(names)
	case backup:
		v.Verdict, v.Serving = model.BackupServing, names
		v.Why = model.Join(names) + " serves as backup: no regular server is usable"
	default:
		v.Verdict, v.Serving = model.Serving, names
		v.Why = model.Join(names) + ": " + cellIn(v.Cells, names[0]).Why
	}
}

// misplaced is why a server that gets connections must not, or cannot take them;
// "" when nothing is known against it.
func misplaced(c *Cell, svc *model.Service) string {
	refused := c.Allowed != 0 && c.Allowed != 200 && c.Verdict != model.Settling
	switch {
	case c.Foreign != "":
		return fmt.Sprintf("%s gets connections, but %s", c.Instance, c.Foreign)
	case refused && c.Other != "":
		return fmt.Sprintf("%s gets connections, but %s", c.Instance, c.Other)
	case refused:
		return fmt.Sprintf("%s gets connections although Patroni answers %d to %s", c.Instance, c.Allowed, svc.Check)
	case c.Shut != "":
		return fmt.Sprintf("the check passes, but connections fail on %s: %s", c.Instance, c.Shut)
	}
	return ""
}

// withhold is what a port that takes no connections makes of its servers: none
// gets a new one, those that have some keep them.
func withhold(cells []Cell, why string) {
	for i := range cells {
		c := &cells[i]
		if c.Share > 0 || c.Verdict == model.Standby {
			c.Share, c.Verdict, c.Why, c.Note = 0, model.Draining, why, ""
		}
	}
}

// unread is why it cannot be determined who gets new connections: a row that cannot be
// read, or that has a state pgtui does not know, is of a server that may get
// them. regular reports whether a regular server does: then no backup can.
func unread(v *View, px *haproxy.Proxy, regular bool) string {
	for i := range v.Cells {
		if c := &v.Cells[i]; c.Verdict == model.Unknown && (!c.Backup || !regular) {
			return fmt.Sprintf("it is unknown whether %s gets connections: %s", c.Instance, c.Why)
		}
	}
	if px.Damaged > 0 && px.Front.Status == "" {
		return "it is unknown whether the port accepts connections: its FRONTEND row cannot be read"
	}
	return ""
}

// cellIn is one instance's cell; the zero value when there is none.
func cellIn(cells []Cell, name model.InstanceName) Cell {
	for i := range cells {
		if cells[i].Instance == name {
			return cells[i]
		}
	}
	return Cell{}
}

// emptyWhy is why no server of a section gets connections: what each of them is,
// those that are the same together.
func emptyWhy(cells []Cell, s *model.Snapshot, svc *model.Service) string {
	if len(cells) == 0 {
		if servers, _ := svc.Servers(); len(servers) > 0 {
			return "HAProxy has no server of it"
		}
		return model.NoneSelected(svc)
	}
	var names []model.InstanceName
	var parts []string
	for i := range cells {
		names = append(names, cells[i].Instance)
		one, many := outWords(&cells[i], s, svc)
		if i+1 < len(cells) {
			if next, _ := outWords(&cells[i+1], s, svc); next == one {
				continue
			}
		}
		if len(names) > 1 {
			one = many
		}
		parts, names = append(parts, text.And(names)+" "+one), nil
	}
	return strings.Join(parts, "; ")
}

// outWords is what a server that gets no connections is, for one and for several.
func outWords(c *Cell, s *model.Snapshot, svc *model.Service) (one, many string) {
	replica := s.PatroniStatus(c.Instance).Value.Role == "replica"
	switch c.Verdict {
	case model.Refused:
		switch {
		case replica && model.WantsPrimary(svc.Check):
			return "is a replica", "are replicas"
		case !replica && model.RuleOf(svc.Check) == model.RuleReplica && c.Other == "":
			return "is the primary", "are primaries"
		}
		return "fails " + svc.Check, "fail " + svc.Check
	case model.Draining:
		return "is draining", "are draining"
	case model.Maint:
		return "is in maint", "are in maint"
	case model.Missing:
		return "is missing in HAProxy", "are missing in HAProxy"
	}
	return "is " + string(c.Verdict), "are " + string(c.Verdict)
}

// grey turns a view into what it was when last seen: nothing in it counts as now.
func grey(v *View, err error) {
	was := string(v.Verdict)
	if len(v.Serving) > 0 {
		was += ": " + model.Join(v.Serving)
	}
	v.Why = "HAProxy stopped answering" + source.Because(err) + "; last seen " + was
	v.Verdict, v.Serving, v.Closed, v.Ends = model.Unknown, nil, "", ""
	v.Frontend, v.Backend = haproxy.RowState{}, haproxy.RowState{}
	for i := range v.Cells {
		c := &v.Cells[i]
		c.Why = fmt.Sprintf("last seen %s; HAProxy stopped answering", c.Verdict)
		c.Note, c.Shut, c.PoolHeld, c.Full, c.Differs, c.Verdict, c.Share = "", "", "", "", false, model.Unknown, 0
		c.Admin, c.Held = haproxy.AdminUnknown, ""
	}
}
