package show

import (
	"fmt"
	"strings"
	"time"

	"pgtui/lang"
	"pgtui/model"
)

// Pooler is what a pgbouncer reports: its limits, then a line for each pool, for
// each database that clients do not get, and for each client that waits.
func Pooler(w Out, in *model.Instance, r *model.PoolReport) {
	fmt.Fprintf(w, "%s  pgbouncer %s  %s:%d\n", in.Name, Dash(r.Version), in.Host, in.BouncerPort)
	fmt.Fprintf(w, "%s\n\n", strings.Join(r.Limits(), "   "))
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "DATABASE\tUSER\tCL_ACTIVE\tCL_WAITING\tSV_ACTIVE\tSV_IDLE\tSV_USED\tPOOL_SIZE\tMAXWAIT\tPOOL_MODE\tSTATE")
	for i := range r.Pools {
		p := &r.Pools[i]
		fmt.Fprintf(tw, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", p.Database, p.User, p.ClientsActive, p.ClientsWaiting, p.Active, p.Idle, p.Used, p.Size,
			waited(p.MaxWait), Dash(p.Mode), r.StateOf(p))
	}
	for _, d := range r.HeldWithoutPool() {
		fmt.Fprintf(tw, "%s\t–\t0\t0\t0\t0\t0\t%d\t–\t–\t%s\n", d.Name, d.Size, r.Held(&d))
	}
	tw.Flush()
	if len(r.Pools) == 0 {
		fmt.Fprintln(w, "no pool yet: no client has connected")
	}
	if r.MorePools > 0 {
		fmt.Fprintf(w, "and %d more pools without waiting clients\n", r.MorePools)
	}
	waitingClients(w, r)
}

// waitingClients is a line for each client that waits, the longest first.
func waitingClients(w Out, r *model.PoolReport) {
	if r.ClientsUnread != "" {
		fmt.Fprintf(w, "\nthe waiting clients are unknown: %s\n", w.line(r.ClientsUnread, 200))
	}
	if len(r.WaitingClients) == 0 {
		return
	}
	fmt.Fprintln(w)
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "WAITS\tDATABASE\tUSER\tCLIENT\tAPPLICATION")
	for i := range r.WaitingClients {
		c := &r.WaitingClients[i]
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", waited(c.Wait), c.Database, c.User, c.Addr, Dash(c.Application))
	}
	tw.Flush()
	if r.MoreClients > 0 {
		fmt.Fprintf(w, "and %d more waiting clients\n", r.MoreClients)
	}
}

// waited is a time of waiting, "–" for none.
func waited(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}
