package check

import (
	"errors"
	"fmt"
	"slices"

	"pgtui/model"
	"pgtui/model/board"
)

// poolHeld: a pgbouncer that answers, and gives clients of a database no
// connection: after PAUSE or DISABLE, or because it is full. HAProxy's check
// queries Patroni and shows the server up. One finding an instance, by the first
// kind of hold there is.
func poolHeld(kind model.PoolHold) func(Input, func(model.Finding)) {
	return func(in Input, report func(model.Finding)) {
		c := in.Board.Cluster
		for i := range c.Instances {
			inst := &c.Instances[i]
			t := in.Snap.PoolTrouble(c, inst.Name, in.Now)
			if t.Kind != kind {
				continue
			}
			f := model.Finding{Severity: model.Warning, Instance: inst.Name, Host: inst.Host,
				Summary: fmt.Sprintf("%s: %s", inst.Name, t.Text), Hint: model.PoolEnds(c, inst, &t)}
			for _, r := range in.Board.Routes {
				if !sentToPool(&r, inst) {
					continue
				}
				if f.Severity = model.Critical; f.Service == "" {
					f.Service = r.Service
				}
				f.Evidence = append(f.Evidence, fmt.Sprintf("%s sends clients there: HAProxy checks Patroni, not pgbouncer", r.Name()))
				for k := range r.Views {
					if v := &r.Views[k]; v.Proven != nil && v.Proven.Dead != "" {
						f.Evidence = append(f.Evidence, v.Label()+": "+v.Proven.Dead)
					}
				}
			}
			for k := range t.Held {
				if k == 20 {
					f.Evidence = append(f.Evidence, fmt.Sprintf("and %d more databases", len(t.Held)-k))
					break
				}
				f.Evidence = append(f.Evidence, t.Held[k].WaitText())
			}
			report(f)
		}
	}
}

// sentToPool reports whether the route gives the instance's pgbouncer new
// connections.
func sentToPool(r *board.Route, in *model.Instance) bool {
	for i := range r.Views {
		for k := range r.Views[i].Cells {
			if c := &r.Views[i].Cells[k]; c.Instance == in.Name && c.Share > 0 && c.Pooled {
				return true
			}
		}
	}
	return false
}

// poolAnswers reports whether a pgbouncer behind the view reports what it
// keeps clients from.
func poolAnswers(in Input, v *board.View) bool {
	return slices.ContainsFunc(v.Cells, func(c board.Cell) bool {
		return c.Share > 0 && c.Pooled && in.Snap.PoolTrouble(in.Board.Cluster, c.Instance, in.Now).Kind != ""
	})
}

// poolWaiting: clients wait for a server connection, and there are some: too
// few, or too slow. One finding an instance, by the database with the longest wait.
func poolWaiting(in Input, report func(model.Finding)) {
	c := in.Board.Cluster
	for i := range c.Instances {
		inst := &c.Instances[i]
		v := in.Snap.Patroni[inst.Name]
		p := v.PoolNow(in.Now)
		if p == nil {
			continue
		}
		var worst *model.PoolDatabase
		waiting := 0 // databases
		for k := range p.Databases {
			d := &p.Databases[k]
			if d.Waiting == 0 || d.MaxWait < model.PoolWait || p.Held(d) != "" {
				continue
			}
			waiting++
			if worst == nil || d.MaxWait > worst.MaxWait {
				worst = d
			}
		}
		if worst == nil {
			continue
		}
		var evidence []string
		if waiting > 1 {
			evidence = []string{fmt.Sprintf("clients also wait too long in other databases: %d", waiting-1)}
		}
		report(model.Finding{Severity: model.Warning, Instance: inst.Name, Host: inst.Host, Evidence: evidence,
			Summary: fmt.Sprintf("%s: pgbouncer: %s", inst.Name, worst.WaitText()),
			Hint:    fmt.Sprintf("pgtui pgbouncer %s lists who waits, and pgtui postgres %s what holds the connections; pool_size is %d", inst.Name, inst.Name, worst.Size)})
	}
}

// poolUnread: pgbouncers whose console does not let the monitoring user in, or
// does not answer though the port does. One finding a cluster: nothing follows
// from it but that a PAUSE would not be seen.
func poolUnread(in Input, report func(model.Finding)) {
	c := in.Board.Cluster
	f := model.Finding{Severity: model.Info}
	refused := false
	for i := range c.Instances {
		inst := &c.Instances[i]
		v := in.Snap.Patroni[inst.Name]
		if v.Pool.Err == nil || !v.Port(fmt.Sprint(inst.BouncerPort)).Open(in.Now) {
			continue
		}
		if f.Instance == "" {
			f.Instance, f.Host = inst.Name, inst.Host
		}
		_, no := errors.AsType[*model.ConsoleRefused](v.Pool.Err)
		refused = refused || no
		f.Evidence = append(f.Evidence, string(inst.Name)+": "+v.Pool.Err.Error())
	}
	n := len(f.Evidence)
	if n == 0 {
		return
	}
	f.Summary = fmt.Sprintf("the console of pgbouncer cannot be read on %d of %d members: a PAUSE or a full pool goes unnoticed there", n, len(c.Instances))
	f.Hint = "ssh " + string(f.Host) + " systemctl status pgbouncer"
	if refused {
		f.Hint = fmt.Sprintf("add %s to stats_users in pgbouncer.ini, with the password of pg_monitor_password, and allow it from this host in pgbouncer's HBA file", c.Monitor.User)
	}
	report(f)
}
