// Package activity judges what a PostgreSQL reports of its sessions: who blocks
// whom, what is worth a look, and in which order sessions are listed.
package activity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
)

// From when on something is worth a look.
const (
	LongLock = 5 * time.Second  // a session waits for a lock
	LongIdle = 10 * time.Minute // a transaction is open and idle
	LongXact = time.Hour        // a transaction is open
	BigSlot  = 1 << 30          // WAL that a slot without a client retains, bytes
	DiskUsed = 90               // of a volume, percent
)

// Row is one session as it is listed.
type Row struct {
	*model.Backend
	// Depth is how far below the session that blocks it: 0 is not blocked.
	Depth int
	// Blocks is how many sessions wait for it, those that wait for these included.
	Blocks int
}

// Rows are the sessions in the order of the list: those that block others, each with
// those that wait below it, then the others as the report has them. A session that
// waits for several is below the first of them that is listed.
func Rows(r *model.ServerReport) []Row {
	at := map[int]*model.Backend{}
	waits := map[int][]*model.Backend{}
	for i := range r.Backends {
		at[r.Backends[i].PID] = &r.Backends[i]
	}
	for i := range r.Backends {
		b := &r.Backends[i]
		for _, pid := range b.BlockedBy {
			if at[pid] != nil && pid != b.PID {
				waits[pid] = append(waits[pid], b)
				break
			}
		}
	}
	var out []Row
	seen := map[int]bool{}
	var below func(b *model.Backend, depth int) int
	below = func(b *model.Backend, depth int) int {
		seen[b.PID] = true
		i, n := len(out), 0
		out = append(out, Row{Backend: b, Depth: depth})
		for _, w := range waits[b.PID] {
			if !seen[w.PID] {
				n += 1 + below(w, depth+1)
			}
		}
		out[i].Blocks = n
		return n
	}
	// Roots first, those that hold up most sessions before the others; then cycles and
	// sessions whose blocker is not listed; then the rest.
	var trees [][]Row
	collect := func(match func(*model.Backend) bool) {
		for i := range r.Backends {
			if b := &r.Backends[i]; !seen[b.PID] && match(b) {
				out = nil
				below(b, 0)
				trees = append(trees, out)
			}
		}
	}
	collect(func(b *model.Backend) bool { return !b.Blocked() && len(waits[b.PID]) > 0 })
	slices.SortStableFunc(trees, func(a, b []Row) int { return cmp.Compare(b[0].Blocks, a[0].Blocks) })
	collect(func(b *model.Backend) bool { return b.Blocked() })
	collect(func(*model.Backend) bool { return true })
	return slices.Concat(trees...)
}

// Verdict is the health of a server and its problems, the most
// urgent first. store is what its node reports, nil when that was not read.
func Verdict(r *model.ServerReport, store *model.NodeStore) (model.Health, []string) {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if free := r.MaxConnections - r.Reserved; model.Share(r.Sessions, free) >= model.NearLimit {
		add("%d of %d sessions (max_connections %d, %d reserved): the limit is near", r.Sessions, free, r.MaxConnections, r.Reserved)
	}
	locks(r, add)
	transactions(r, add)
	for i := range r.Slots {
		s := &r.Slots[i]
		switch {
		case s.Status == "lost" || s.Status == "unreserved":
			add("slot %s: wal_status is %s", s.Name, s.Status)
		case !s.Active && s.Retained >= BigSlot:
			add("slot %s has no client and retains %s of WAL", s.Name, text.Bytes(s.Retained))
		}
	}
	if a := &r.Archiver; a.Fails() {
		add("archive_command fails: %s, %s ago; %s", a.FailFile, Age(a.FailSince), ready(a))
	}
	if store != nil {
		volume(store.Data, "the data directory", add)
		if store.WAL.Mount != store.Data.Mount {
			volume(store.WAL, "the WAL directory", add)
		}
		if b := &store.Backup; b.Why == "" && b.Code != 0 {
			add("pgbackrest reports for stanza %s: %s", b.Stanza, b.Status)
		}
	}
	if len(out) > 0 {
		return model.HealthDegraded, out
	}
	return model.HealthOK, nil
}

// locks adds the session that blocks most others, where one waits for long.
func locks(r *model.ServerReport, add func(string, ...any)) {
	waiting, longest := 0, time.Duration(0)
	for i := range r.Backends {
		if b := &r.Backends[i]; b.WaitType == "Lock" {
			waiting, longest = waiting+1, max(longest, b.LockWait())
		}
	}
	if longest < LongLock {
		return
	}
	who := ""
	for _, row := range Rows(r) {
		if row.Depth == 0 && row.Blocks > 0 {
			who = fmt.Sprintf("; backend %d of %s blocks %d of them", row.PID, cmp.Or(row.User, row.Kind), row.Blocks)
			break
		}
	}
	add("sessions that wait for a lock: %d, the longest %s%s", waiting, Age(longest), who)
}

// transactions adds the oldest that is open for long, and the oldest that is idle.
func transactions(r *model.ServerReport, add func(string, ...any)) {
	var oldest, idle *model.Backend
	for i := range r.Backends {
		b := &r.Backends[i]
		if !b.InXact || b.Kind != "client backend" {
			continue
		}
		if b.Xact >= LongXact && (oldest == nil || b.Xact > oldest.Xact) {
			oldest = b
		}
		if strings.HasPrefix(b.State, "idle in transaction") && b.Change >= LongIdle && (idle == nil || b.Change > idle.Change) {
			idle = b
		}
	}
	if idle != nil {
		add("backend %d of %s has been idle in a transaction for %s", idle.PID, idle.User, Age(idle.Change))
	}
	if oldest != nil && oldest != idle {
		add("backend %d of %s has had a transaction open for %s", oldest.PID, oldest.User, Age(oldest.Xact))
	}
}

// volume adds a volume that is nearly full.
func volume(v model.Volume, what string, add func(string, ...any)) {
	if v.Used() >= DiskUsed {
		add("%s: %s (%d %% used, %s free)", what, v.Mount, v.Used(), text.Bytes(v.Free))
	}
}

// ready is how many WAL files wait for archive_command.
func ready(a *model.Archiver) string {
	if a.Ready < 0 {
		return "the number of waiting WAL files is unknown"
	}
	return "WAL files that wait: " + fmt.Sprint(a.Ready)
}

// ArchiverText is the archiver in a sentence.
func ArchiverText(r *model.ServerReport) string {
	a := &r.Archiver
	switch {
	case a.Mode == "" || a.Mode == "off":
		return "archive_mode is off"
	case r.Recovery && a.Mode == "on":
		return "archive_mode is on: a replica does not archive"
	case a.Fails():
		return fmt.Sprintf("archive_command failed %s ago; %s; failed on %s", Age(a.FailSince), ready(a), a.FailFile)
	case !a.Archived:
		return "archive_mode is " + a.Mode + ": no file was archived yet; " + ready(a)
	}
	return fmt.Sprintf("last success %s ago; %s; last file %s", Age(a.Since), ready(a), a.File)
}

// BackupText is the last backup in a sentence.
func BackupText(b *model.Backup, now time.Time) string {
	switch {
	case b.Why != "":
		return "unknown: " + b.Why
	case b.Last.IsZero():
		return fmt.Sprintf("stanza %s: %s; there is no backup", b.Stanza, b.Status)
	}
	full := ""
	if b.Kind != "full" && !b.LastFull.IsZero() {
		full = ", full " + Age(now.Sub(b.LastFull)) + " ago"
	}
	return fmt.Sprintf("%s; %s %s ago%s; backups: %d; stanza %s", b.Status, b.Kind, Age(now.Sub(b.Last)), full, b.Count, b.Stanza)
}

// VolumeText is the file system of a directory in a clause.
func VolumeText(v model.Volume) string {
	if v.Mount == "" {
		return "unknown"
	}
	return fmt.Sprintf("%d%% used, %s of %s free on %s", v.Used(), text.Bytes(v.Free), text.Bytes(v.Total), v.Mount)
}

// SlotText is the state of a slot in a clause.
func SlotText(s *model.Slot) string {
	out := "inactive"
	if s.Active {
		out = fmt.Sprintf("active (%d)", s.PID)
	}
	if s.Retained >= 0 {
		out += ", retains " + text.Bytes(s.Retained)
	}
	if s.Status != "" {
		out += ", " + s.Status
	}
	return out
}

// SessionsText is the number of sessions, the limit, and the number in each state.
func SessionsText(r *model.ServerReport) string {
	var parts []string
	for _, s := range r.States {
		parts = append(parts, fmt.Sprintf("%s %d", cmp.Or(s.State, "unknown"), s.Count))
	}
	out := fmt.Sprintf("%d/%d max_connections", r.Sessions, r.MaxConnections)
	if len(parts) > 0 {
		out += ": " + strings.Join(parts, ", ")
	}
	return out
}

// Age is a duration in its two largest units: "0.4s", "12s", "3m20s", "4h10m", "2d3h".
func Age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

// State is what a session does, in a few words: whom it waits for, what else it waits
// for, how many it blocks.
func (r *Row) State() string {
	b, out := r.Backend, ""
	switch {
	case b.Blocked():
		pids := make([]string, len(b.BlockedBy))
		for i, p := range b.BlockedBy {
			if pids[i] = fmt.Sprint(p); p == 0 {
				pids[i] = "a prepared transaction"
			}
		}
		out = "waits for " + strings.Join(pids[:min(len(pids), 3)], ", ")
	case b.Kind != "client backend":
		out = b.Kind
	case b.Active() && b.WaitType != "" && b.WaitType != "Client":
		out = "active, " + b.WaitType + ":" + b.Wait
	default:
		out = cmp.Or(b.State, "unknown")
	}
	if r.Blocks > 0 {
		out += fmt.Sprintf(", blocks %d", r.Blocks)
	}
	return out
}

// Mine is how a session is named in a sentence: "backend 4711 (app@test, psql)".
func Mine(b *model.Backend) string {
	who := strings.TrimSuffix(b.User+"@"+b.Database, "@")
	if b.Application != "" {
		who += ", " + b.Application
	}
	return text.Line(fmt.Sprintf("backend %d (%s)", b.PID, who), 120)
}

// Summary is the verdict in a sentence: the first trouble, else how many sessions
// there are.
func Summary(r *model.ServerReport, troubles []string) string {
	if len(troubles) > 0 {
		return troubles[0]
	}
	return fmt.Sprintf("sessions: %d of %d; nothing needs attention", r.Sessions, r.MaxConnections)
}
