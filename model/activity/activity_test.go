package activity

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/model"
)

// backend is a session in a transaction of that age that waits for others.
func backend(pid int, age time.Duration, blockedBy ...int) model.Backend {
	b := model.Backend{BackendID: model.BackendID{PID: pid}, Kind: "client backend", User: "app", State: "active", InXact: true, Xact: age, Query: age, Change: age, BlockedBy: blockedBy}
	if len(blockedBy) > 0 {
		b.WaitType = "Lock"
	}
	return b
}

// TestRows: who blocks whom as a tree, in every shape that PostgreSQL can report.
func TestRows(t *testing.T) {
	s := time.Second
	for _, tt := range []struct {
		name string
		all  []model.Backend
		want string // "pid>depth/blocks"
	}{
		{"no locks", []model.Backend{backend(1, 9*s), backend(2, 8*s)}, "1>0/0 2>0/0"},
		{"a chain below the other", []model.Backend{backend(1, 9*s), backend(2, 8*s), backend(3, 7*s, 2), backend(4, 6*s, 3)}, "2>0/2 3>1/1 4>2/0 1>0/0"},
		{"the bigger tree first", []model.Backend{backend(1, 9*s), backend(2, 8*s, 1), backend(3, 7*s), backend(4, 6*s, 3), backend(5, 5*s, 3)}, "3>0/2 4>1/0 5>1/0 1>0/1 2>1/0"},
		{"waits for two", []model.Backend{backend(1, 9*s), backend(2, 8*s), backend(3, 7*s, 2, 1)}, "2>0/1 3>1/0 1>0/0"},
		{"the blocker is not listed", []model.Backend{backend(1, 9*s, 77), backend(2, 8*s)}, "1>0/0 2>0/0"},
		{"a prepared transaction", []model.Backend{backend(1, 9*s, 0)}, "1>0/0"},
		{"a deadlock", []model.Backend{backend(1, 9*s, 2), backend(2, 8*s, 1)}, "1>0/1 2>1/0"},
		{"itself", []model.Backend{backend(1, 9*s, 1)}, "1>0/0"},
		{"a tree and a deadlock", []model.Backend{backend(1, 9*s, 2), backend(2, 8*s, 1), backend(3, 7*s), backend(4, 6*s, 3)}, "3>0/1 4>1/0 1>0/1 2>1/0"},
	} {
		var got []string
		for _, r := range Rows(&model.ServerReport{Backends: tt.all}) {
			got = append(got, fmt.Sprintf("%d>%d/%d", r.PID, r.Depth, r.Blocks))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, strings.Join(got, " "), tt.want)
		}
	}
}

// TestRowsAreBounded: as many sessions as a report has, each waiting for the one before.
func TestRowsAreBounded(t *testing.T) {
	var all []model.Backend
	for i := range 350 {
		all = append(all, backend(i+1, time.Second, i))
	}
	rows := Rows(&model.ServerReport{Backends: all})
	if len(rows) != 350 || rows[349].Depth != 349 || rows[0].Blocks != 349 {
		t.Errorf("%d rows, the last %d deep, the first blocks %d", len(rows), rows[len(rows)-1].Depth, rows[0].Blocks)
	}
}

func TestVerdict(t *testing.T) {
	base := func(change func(*model.ServerReport)) *model.ServerReport {
		r := &model.ServerReport{MaxConnections: 100, Reserved: 3, Sessions: 10, Archiver: model.Archiver{Mode: "on", Archived: true, Since: time.Minute, Failed: true, FailSince: time.Hour}}
		change(r)
		return r
	}
	for _, tt := range []struct {
		name  string
		r     *model.ServerReport
		store *model.NodeStore
		want  string // of the troubles; "" is none
	}{
		{"quiet", base(func(*model.ServerReport) {}), &model.NodeStore{Data: model.Volume{Mount: "/", Total: 100, Free: 50}, Backup: model.Backup{Why: "the node has no pgbackrest"}}, ""},
		{"near max_connections", base(func(r *model.ServerReport) { r.Sessions = 78 }), nil, "78 of 97 sessions (max_connections 100, 3 reserved): the limit is near"},
		{"a short lock", base(func(r *model.ServerReport) {
			r.Backends = []model.Backend{backend(1, time.Minute), backend(2, time.Second, 1)}
		}), nil, ""},
		{"a long lock", base(func(r *model.ServerReport) {
			r.Backends = []model.Backend{backend(1, time.Minute), backend(2, 6*time.Second, 1)}
		}), nil, "sessions that wait for a lock: 1, the longest 6.0s; backend 1 of app blocks 1 of them"},
		{"a long transaction", base(func(r *model.ServerReport) { r.Backends = []model.Backend{backend(1, 2*time.Hour)} }), nil, "backend 1 of app has had a transaction open for 2h00m"},
		{"a walsender is no transaction", base(func(r *model.ServerReport) {
			r.Backends = []model.Backend{backend(1, 2*time.Hour)}
			r.Backends[0].Kind = "walsender"
		}), nil, ""},
		{"idle in a transaction", base(func(r *model.ServerReport) {
			r.Backends = []model.Backend{backend(1, 20*time.Minute)}
			r.Backends[0].State = "idle in transaction (aborted)"
		}), nil, "backend 1 of app has been idle in a transaction for 20m00s"},
		{"a lost slot", base(func(r *model.ServerReport) { r.Slots = []model.Slot{{Name: "a", Status: "lost", Retained: -1}} }), nil, "slot a: wal_status is lost"},
		{"a slot without a client", base(func(r *model.ServerReport) {
			r.Slots = []model.Slot{{Name: "a", Retained: 2 << 30}, {Name: "b", Active: true, Retained: 9 << 30}}
		}), nil,
			"slot a has no client and retains 2 GB of WAL"},
		{"the archive fails", base(func(r *model.ServerReport) {
			r.Archiver.FailSince, r.Archiver.FailFile, r.Archiver.Ready = time.Second, "00000001", 17
		}), nil, "archive_command fails: 00000001, 1.0s ago; WAL files that wait: 17"},
		{"the disk fills", base(func(*model.ServerReport) {}), &model.NodeStore{Data: model.Volume{Mount: "/data", Total: 100 << 30, Free: 5 << 30}, WAL: model.Volume{Mount: "/data", Total: 100 << 30, Free: 5 << 30}},
			"the data directory: /data (95 % used, 5 GB free)"},
		{"pgbackrest", base(func(*model.ServerReport) {}), &model.NodeStore{Backup: model.Backup{Stanza: "pg-test", Code: 2, Status: "no valid backups"}}, "pgbackrest reports for stanza pg-test: no valid backups"},
	} {
		health, got := Verdict(tt.r, tt.store)
		if strings.Join(got, "\n") != tt.want || (health == model.HealthOK) != (tt.want == "") {
			t.Errorf("%s: %s, %q; want %q", tt.name, health, got, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for _, tt := range []struct{ got, want string }{
		{Age(400 * time.Millisecond), "0.4s"}, {Age(59 * time.Second), "59s"}, {Age(200 * time.Second), "3m20s"}, {Age(250 * time.Minute), "4h10m"}, {Age(51 * time.Hour), "2d3h"}, {Age(-1), "0.0s"},
		{ArchiverText(&model.ServerReport{Archiver: model.Archiver{Mode: "off"}}), "archive_mode is off"},
		{ArchiverText(&model.ServerReport{Recovery: true, Archiver: model.Archiver{Mode: "on"}}), "archive_mode is on: a replica does not archive"},
		{ArchiverText(&model.ServerReport{Archiver: model.Archiver{Mode: "on", Ready: -1}}), "archive_mode is on: no file was archived yet; the number of waiting WAL files is unknown"},
		{BackupText(&model.Backup{Why: "the node has no pgbackrest"}, now), "unknown: the node has no pgbackrest"},
		{BackupText(&model.Backup{Stanza: "s", Status: "no valid backups"}, now), "stanza s: no valid backups; there is no backup"},
		{BackupText(&model.Backup{Stanza: "s", Status: "ok", Kind: "incr", Count: 3, Last: now.Add(-time.Hour), LastFull: now.Add(-30 * time.Hour)}, now),
			"ok; incr 1h00m ago, full 1d6h ago; backups: 3; stanza s"},
		{SlotText(&model.Slot{Active: true, PID: 7, Retained: 1 << 20, Status: "reserved"}), "active (7), retains 1 MB, reserved"},
		{SlotText(&model.Slot{Retained: -1}), "inactive"},
		{VolumeText(model.Volume{}), "unknown"},
		{Mine(&model.Backend{BackendID: model.BackendID{PID: 7}, User: "app", Database: "test", Application: "psql"}), "backend 7 (app@test, psql)"},
		{SessionsText(&model.ServerReport{Sessions: 3, MaxConnections: 100, States: []model.SessionState{{State: "active", Count: 2}, {Count: 1}}}), "3/100 max_connections: active 2, unknown 1"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	many := backend(9, time.Second, 1, 2, 3, 4, 0)
	if got := (&Row{Backend: &many}).State(); got != "waits for 1, 2, 3" {
		t.Errorf("state %q", got)
	}
	if !slices.Equal([]string{(&Row{Backend: &model.Backend{Kind: "walsender"}}).State()}, []string{"walsender"}) {
		t.Error("a walsender is not named")
	}
}
