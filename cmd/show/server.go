package show

import (
	"fmt"
	"strings"
	"time"

	"pgtui/lang"
	"pgtui/model"
	"pgtui/model/activity"
	"pgtui/source"
)

// Server is what a PostgreSQL reports: its sessions by state, a line for each session
// with those that wait below the one that blocks them, its slots, its archiver, and
// what its node reports. With queries a session has the beginning of its query.
func Server(w Out, in *model.Instance, r *model.ServerReport, store source.Observed[model.NodeStore], queries bool, now time.Time) {
	role := "primary"
	if r.Recovery {
		role = "replica"
	}
	fmt.Fprintf(w, "%s  PostgreSQL %s  %s:%d  %s, up %s\n", in.Name, Dash(r.Version), in.Host, in.PgPort, role, activity.Age(r.Uptime))
	fmt.Fprintf(w, "sessions  %s\n", activity.SessionsText(r))
	if r.Hidden {
		fmt.Fprintln(w, "          the monitoring user cannot see other users' sessions: grant it pg_read_all_stats or pg_monitor")
	}
	fmt.Fprintf(w, "archive   %s\n", activity.ArchiverText(r))
	switch {
	case store.Err != nil:
		fmt.Fprintf(w, "node      unknown: %s\n", w.line(store.Err.Error(), 200))
	case store.Known():
		fmt.Fprintf(w, "backup    %s\n", activity.BackupText(&store.Value.Backup, now))
		fmt.Fprintf(w, "data      %s\n", activity.VolumeText(store.Value.Data))
		if store.Value.WAL.Mount != store.Value.Data.Mount {
			fmt.Fprintf(w, "WAL       %s\n", activity.VolumeText(store.Value.WAL))
		}
	}
	switch {
	case r.SlotsUnread != "":
		fmt.Fprintf(w, "slots     unknown: %s\n", r.SlotsUnread)
	case len(r.Slots) == 0:
		fmt.Fprintln(w, "slots     none")
	}
	for i := range r.Slots {
		fmt.Fprintf(w, "slot      %s, %s, %s\n", r.Slots[i].Name, r.Slots[i].Kind, activity.SlotText(&r.Slots[i]))
	}
	if r.MoreSlots > 0 {
		fmt.Fprintf(w, "          and %d more slots\n", r.MoreSlots)
	}
	sessions(w, r, queries)
}

// sessions is a line for each session.
func sessions(w Out, r *model.ServerReport, queries bool) {
	if len(r.Backends) == 0 {
		return
	}
	fmt.Fprintln(w)
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "PID\tUSER\tDATABASE\tAPPLICATION\tCLIENT\tXACT\tQUERY\tSTATE\tQUERY TEXT")
	rows := activity.Rows(r)
	for i := range rows {
		b := &rows[i]
		query := b.Verb
		if queries {
			query = w.line(b.Text, 120)
		}
		xact := "–"
		if b.InXact {
			xact = activity.Age(b.Xact)
		}
		fmt.Fprintf(tw, "%s%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", strings.Repeat("  ", min(b.Depth, 8)), b.PID, Dash(b.User), Dash(b.Database), Dash(b.Application), b.Client,
			xact, activity.Age(b.Query), rows[i].State(), Dash(query))
	}
	tw.Flush()
	if r.MoreBackends > 0 {
		fmt.Fprintf(w, "and %d more sessions\n", r.MoreBackends)
	}
}
