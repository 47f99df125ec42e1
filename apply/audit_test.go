package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgtui/haproxy"
	"pgtui/plan"
	"pgtui/source"
)

func records(t *testing.T, a *Audit) []plan.Record {
	t.Helper()
	log, err := a.Read()
	if err != nil || log.Bad > 0 || len(log.Breaks) > 0 {
		t.Fatal(log.Bad, log.Breaks, err)
	}
	return log.Records
}

// TestAuditOfARun: a run leaves a line before it touches anything and one at
// its end, with every step, the routing before and after, and how each node
// ended.
func TestAuditOfARun(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "deep/audit.jsonl")}
	b.app.Who = plan.Operator{User: "root", SudoUser: "alice", Host: "admin", SSHFrom: "10.1.2.3", PID: 7}
	b.runner.nodes["10.10.10.12"].apply = append(good[:12:12], "@text reload Job for haproxy.service failed.",
		"@fail reload haproxy was not reloaded", "@begin restore", "@ok restore", "@end restored")
	if outcomes, err := b.run(t.Context()); err == nil || outcomes != "applied restored untouched" {
		t.Fatal(outcomes, err)
	}
	all := records(t, b.app.Audit)
	if len(all) != 2 || all[0].Kind != plan.RecordBegin || all[1].Kind != plan.RecordEnd || all[0].Run != all[1].Run || all[0].Run == "" {
		t.Fatalf("%+v", all)
	}
	r := all[1]
	if all[0].Who.String() != "alice as root@admin from 10.1.2.3" || r.Plan != testPlan || r.Cluster != "pg-test" || r.Action != plan.ActionReload || len(r.Diff) != 64 || r.Hash != "h" {
		t.Errorf("%+v", r)
	}
	if r.Outcome != plan.RunStopped || !strings.Contains(r.Error, "Job for haproxy.service failed.") {
		t.Errorf("outcome %q, %q", r.Outcome, r.Error)
	}
	n := r.Nodes[0]
	if n.Outcome != plan.Applied || n.Backup != "/var/lib/pgtui/backup/b" || len(n.Steps) != 7 || n.Before["pg-test-primary"][0] != "pg-test-1" || n.After["pg-test-primary"][0] != "pg-test-1" {
		t.Errorf("%+v", n)
	}
	if n := r.Nodes[1]; n.Outcome != plan.Restored || n.Step != plan.StepReload || n.Steps[5].OK || n.Steps[5].Error == "" || !n.Steps[6].OK {
		t.Errorf("%+v", n)
	}
	if n := r.Nodes[2]; n.Outcome != plan.Untouched || len(n.Steps) > 0 {
		t.Errorf("%+v", n)
	}
	if info, err := os.Stat(b.app.Audit.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestRecoveriesAreTold: what a node says of a run that had been cut off there is in
// the report of the node and on record, however this one ended.
func TestRecoveriesAreTold(t *testing.T) {
	t.Parallel()
	const backup = "/var/lib/pgtui/backup/20261120T093000Z-feedfacef00d"
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	found := "@recovered feedfacef00d undecided " + backup + " somebody has changed a.cfg since: the files stay as they are"
	b.runner.nodes["10.10.10.11"].apply = append([]string{"@begin stage", found}, good[1:]...)
	n := b.runner.nodes["10.10.10.12"]
	n.apply, n.applyErr = append([]string{"@begin stage", found}, good[1:11]...), errors.New("connection reset by peer")
	n.settle = []string{"@begin settle", "@recovered " + testPlan + " undecided /b somebody has changed b.cfg since: the files stay as they are", "@ok settle /b", "@state other"}
	rep, err := b.app.Execute(t.Context(), b.inv, b.plan, nil)
	first := plan.Recovery{Plan: "feedfacef00d", Outcome: plan.Undecided, Backup: backup, Why: "somebody has changed a.cfg since: the files stay as they are"}
	if got := rep.Nodes[0]; got.Outcome != plan.Applied || len(got.Recovered) != 1 || got.Recovered[0] != first {
		t.Errorf("%+v", got)
	}
	got := rep.Nodes[1]
	if got.Outcome != plan.Uncertain || len(got.Recovered) != 2 || got.Recovered[0] != first || got.Recovered[1].Plan != testPlan || got.Backup != "/b" {
		t.Errorf("%+v", got)
	}
	if err == nil || !strings.Contains(err.Error(), "somebody has changed b.cfg since") {
		t.Errorf("%v", err)
	}
	r := records(t, b.app.Audit)[1]
	if len(r.Nodes[0].Recovered) != 1 || r.Nodes[0].Recovered[0] != first || len(r.Nodes[1].Recovered) != 2 || len(r.Nodes[2].Recovered) != 0 {
		t.Errorf("%+v", r.Nodes)
	}
	text, err := os.ReadFile(b.app.Audit.Path)
	must(t, err)
	if !strings.Contains(string(text), `"recovered":[{"plan":"feedfacef00d","outcome":"undecided","backup":"`+backup+`","why":"somebody has changed a.cfg since`) {
		t.Errorf("%s", text)
	}
}

// TestNoAuditNoRun: what cannot be recorded is not done.
func TestNoAuditNoRun(t *testing.T) {
	t.Parallel()
	b := newBench()
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	b.app.Audit = &Audit{Path: filepath.Join(file, "audit.jsonl")}
	outcomes, err := b.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "nothing was changed: the audit file cannot be written") || !strings.Contains(source.TryOf(err), "PGTUI_AUDIT") {
		t.Errorf("%v", err)
	}
	if outcomes != "untouched untouched untouched" || len(b.runner.calls) > 0 {
		t.Errorf("%s, %s", outcomes, b.runner.calls)
	}
	if err := (&Audit{}).Append(plan.Record{}); err == nil || !strings.Contains(err.Error(), "HOME is not set") {
		t.Errorf("no file is named: %v", err)
	}
}

// TestAuditRefused: a run that touched nothing says so.
func TestAuditRefused(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	b.page = func(string, bool) (haproxy.Stats, error) { return haproxy.Stats{}, errors.New("HTTP 401") }
	if _, err := b.run(t.Context()); err == nil {
		t.Fatal("it ran")
	}
	if r := records(t, b.app.Audit)[1]; r.Outcome != plan.RunRefused || !strings.Contains(r.Error, "HTTP 401") {
		t.Errorf("%+v", r)
	}
}

// TestAuditHasNoSecrets: what HAProxy says about a line with a password is
// kept without it.
func TestAuditHasNoSecrets(t *testing.T) {
	t.Parallel()
	b := newBench()
	b.app.Audit = &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	b.runner.nodes["10.10.10.11"].apply = []string{
		"@begin stage", "@ok stage", "@staged /x/conf.d", "@begin check",
		"@text check [ALERT]    (1) : config : parsing [/x/conf.d/pg-test-primary.cfg:5] : unknown keyword in: user joe insecure-password hunter2",
		"@text check stats auth admin:hunter2",
		"@fail check haproxy refuses the would-be configuration: exit code 1", "@end untouched",
	}
	if _, err := b.run(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatal(err)
	}
	text, err := os.ReadFile(b.app.Audit.Path)
	must(t, err)
	if strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), "insecure-password ********") {
		t.Errorf("%s", text)
	}
	if got := recorded("a\nstats auth admin:hunter2\nb\x1b[31m", 400); got != "a; stats auth admin:********; b?[31m" && strings.Contains(got, "hunter2") || strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

// TestAuditFile: a torn line stays alone, foreign lines are counted, and a run
// without its last line was interrupted.
func TestAuditFile(t *testing.T) {
	t.Parallel()
	a := &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	if log, err := a.Read(); len(log.Records) > 0 || log.Bad > 0 || err != nil {
		t.Errorf("a file that is not there: %+v, %v", log, err)
	}
	must(t, a.Append(plan.Record{V: 1, Run: "one", Kind: plan.RecordBegin, Plan: "p1"}))
	f, err := os.OpenFile(a.Path, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteString("{\"run\":\"one\",\"kind\":\"end\"\nnot json\n{}\n{\"run\":\"tor")
	must(t, err)
	must(t, f.Close())
	began := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	must(t, a.Append(plan.Record{V: 1, Run: "two", Kind: plan.RecordBegin, Plan: "p2", At: began}))
	must(t, a.Append(plan.Record{V: 1, Run: "two", Kind: plan.RecordEnd, Plan: "p2", At: began.Add(time.Minute), Outcome: plan.RunApplied}))
	log, err := a.Read()
	if err != nil || len(log.Records) != 3 || log.Bad != 4 || len(log.Breaks) > 0 {
		t.Fatalf("%+v, %v", log, err)
	}
	runs := plan.Runs(log.Records)
	if len(runs) != 2 || !runs[0].Interrupted || runs[1].Interrupted || runs[1].Outcome != plan.RunApplied || !runs[1].Began.Equal(began) {
		t.Errorf("%+v", runs)
	}
}

// TestAuditChain: whatever is done to a line that was written shows, with its
// number; what an older version wrote stays readable.
func TestAuditChain(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T, before string) (*Audit, []string) {
		a := &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
		must(t, os.WriteFile(a.Path, []byte(before), 0o600))
		for i := range 4 {
			must(t, a.Append(plan.Record{V: 1, Run: fmt.Sprint("run", i), Kind: plan.RecordEnd, Plan: "p", Outcome: plan.RunStopped}))
		}
		text, err := os.ReadFile(a.Path)
		must(t, err)
		return a, strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	const old = `{"v":1,"run":"old","kind":"end","plan":"p0"}` + "\n"
	edit := func(s string) string { return strings.Replace(s, "stopped", "applied", 1) }
	// forge is an edit by somebody who makes the line's own hash again.
	forge := func(s string) string {
		var r plan.Record
		must(t, json.Unmarshal([]byte(edit(s)), &r))
		line, _, err := chained(r)
		must(t, err)
		return string(line)
	}
	strip := func(s string) string {
		at := strings.Index(s, `,"prev_sha256"`)
		return s[:at] + "}\n"
	}
	for _, tt := range []struct {
		name   string
		before string
		change func(l []string) []string
		want   string
	}{
		{"nothing", "", func(l []string) []string { return l }, ""},
		{"a first line is edited", "", func(l []string) []string { l[0] = edit(l[0]); return l }, "1 the line was changed"},
		{"a line is edited", "", func(l []string) []string { l[1] = edit(l[1]); return l }, "2 the line was changed"},
		{"the last line is edited", "", func(l []string) []string { l[3] = edit(l[3]); return l }, "4 the line was changed"},
		{"an edit with a hash of its own", "", func(l []string) []string { l[1] = forge(l[1]); return l }, "3 line 2 is not the line"},
		{"a line without its hashes", "", func(l []string) []string { l[1] = strip(l[1]); return l }, "2 the line has no hash"},
		{"the first line without its hashes", "", func(l []string) []string { l[0] = strip(l[0]); return l }, "2 line 1 is not the line"},
		{"a line is removed", "", func(l []string) []string { return append(l[:1:1], l[2:]...) }, "2 line 1 is not the line"},
		{"the first line is removed", "", func(l []string) []string { return l[1:] }, "1 lines before it"},
		{"two lines change places", "", func(l []string) []string { l[1], l[2] = l[2], l[1]; return l }, "2 line 1 is not the line"},
		{"a line is repeated", "", func(l []string) []string { return append(l[:2:2], l[1:]...) }, "3 line 2 is not the line"},
		{"an empty line is put between", "", func(l []string) []string { l[1] = "\n" + l[1]; return l }, "3 line 2 is not the line"},
		{"a line is made garbage", "", func(l []string) []string { l[1] = "garbage\n"; return l }, "3 line 2 is not the line"},
		{"a record of an old version behind", "", func(l []string) []string { l[3] += "\n" + old; return l }, "5 the line has no hash"},
		{"old lines stand before", old + old, func(l []string) []string { return l }, ""},
		{"the last old line is edited", old + old, func(l []string) []string { l[1] = strings.Replace(l[1], "p0", "p1", 1); return l }, "3 line 2 is not the line"},
		{"two breaks", "", func(l []string) []string { l[0], l[2] = edit(l[0]), edit(l[2]); return l }, "1 the line was changed; 3 the line was changed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, lines := fresh(t, tt.before)
			must(t, os.WriteFile(a.Path, []byte(strings.Join(tt.change(lines), "")+"\n"), 0o600))
			log, err := a.Read()
			must(t, err)
			want := strings.FieldsFunc(tt.want, func(r rune) bool { return r == ';' })
			for i, w := range want {
				if w = strings.TrimSpace(w); i >= len(log.Breaks) || !strings.HasPrefix(fmt.Sprint(log.Breaks[i].Line, " ", log.Breaks[i].What), w) {
					t.Errorf("%+v, want %s", log.Breaks, tt.want)
				}
			}
			if len(want) == 0 && len(log.Breaks) > 0 {
				t.Errorf("%+v", log.Breaks)
			}
			// the chain goes on behind a break, and the break stays
			must(t, a.Append(plan.Record{V: 1, Run: "next", Kind: plan.RecordEnd}))
			if again, err := a.Read(); err != nil || len(again.Breaks) != len(log.Breaks) || len(again.Records) != len(log.Records)+1 {
				t.Errorf("with one more line: %+v, %v", again.Breaks, err)
			}
		})
	}
}

// TestAuditWriters: those who write at the same time wait for each other.
func TestAuditWriters(t *testing.T) {
	t.Parallel()
	a := &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
	const writers, each = 8, 10
	errs := make(chan error, writers)
	for w := range writers {
		go func() {
			var err error
			for i := range each {
				err = errors.Join(err, (&Audit{Path: a.Path}).Append(plan.Record{V: 1, Run: fmt.Sprint(w, "-", i), Kind: plan.RecordEnd}))
			}
			errs <- err
		}()
	}
	for range writers {
		must(t, <-errs)
	}
	if got := len(records(t, a)); got != writers*each {
		t.Errorf("%d records", got)
	}
}

// TestAuditLongLine: the line before is found however long it is, and what is
// too long for a record breaks nothing.
func TestAuditLongLine(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000, maxLine + 1} {
		a := &Audit{Path: filepath.Join(t.TempDir(), "audit.jsonl")}
		must(t, os.WriteFile(a.Path, []byte("x\n"+strings.Repeat("y", n)+"\n"), 0o600))
		must(t, a.Append(plan.Record{V: 1, Run: "r", Kind: plan.RecordEnd}))
		must(t, a.Append(plan.Record{V: 1, Run: "s", Kind: plan.RecordEnd}))
		log, err := a.Read()
		if err != nil || len(log.Records) != 2 || log.Bad != 2 || len(log.Breaks) > 0 {
			t.Errorf("%d bytes: %d records, %d bad, %+v, %v", n, len(log.Records), log.Bad, log.Breaks, err)
		}
	}
}

// TestAuditTrusted: a file that somebody else could have written is neither
// written nor read.
func TestAuditTrusted(t *testing.T) {
	t.Parallel()
	const me = 4242
	for _, tt := range []struct {
		name string
		make func(t *testing.T, dir string) string
		err  string
	}{
		{"its own", func(t *testing.T, dir string) string { return writeAudit(t, dir, 0o600) }, ""},
		{"others may read it", func(t *testing.T, dir string) string { return writeAudit(t, dir, 0o644) }, ""},
		{"not there yet", func(_ *testing.T, dir string) string { return filepath.Join(dir, "new") }, ""},
		{"its group writes", func(t *testing.T, dir string) string { return writeAudit(t, dir, 0o660) }, "can be written by others: its mode is 0660"},
		{"everybody writes", func(t *testing.T, dir string) string { return writeAudit(t, dir, 0o602) }, "its mode is 0602"},
		{"everybody writes the directory", func(t *testing.T, dir string) string {
			must(t, os.Chmod(dir, 0o777))
			return writeAudit(t, dir, 0o600)
		}, "can be written by others: its mode is 0777"},
		{"everybody writes the directory, and takes away only what is theirs", func(t *testing.T, dir string) string {
			must(t, os.Chmod(dir, 0o777|os.ModeSticky))
			return writeAudit(t, dir, 0o600)
		}, ""},
		{"a directory", func(_ *testing.T, dir string) string { return dir }, "is not a regular file"},
		{"a pipe", func(t *testing.T, dir string) string {
			must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
			return filepath.Join(dir, "pipe")
		}, "is not a regular file"},
		{"a link to a file that others write", func(t *testing.T, dir string) string {
			must(t, os.Symlink(writeAudit(t, dir, 0o666), filepath.Join(dir, "link")))
			return filepath.Join(dir, "link")
		}, "its mode is 0666"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.Chmod(dir, 0o755))
			path := tt.make(t, dir)
			a := &Audit{Path: path}
			_, rerr := a.Read()
			werr := a.Append(plan.Record{V: 1, Run: "r", Kind: plan.RecordEnd})
			for _, err := range []error{trusted(path, os.Geteuid()), rerr, werr} {
				if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %s", err, tt.err)
				}
			}
			if tt.err != "" && strings.Contains(tt.err, "mode") && !strings.Contains(source.TryOf(werr), "chmod go-w ") {
				t.Errorf("it says nothing of chmod: %s", source.TryOf(werr))
			}
		})
	}
	st := fakeStat{uid: 1000}
	if err := only("/a", st, me, false); err == nil || !strings.Contains(err.Error(), "belongs to uid 1000") || !strings.Contains(source.TryOf(err), "chown 4242 /a") {
		t.Errorf("another's: %v", err)
	}
	for uid, ok := range map[uint32]bool{0: true, me: true, 1000: false} {
		if err := only("/a", fakeStat{uid: uid}, me, false); (err == nil) != ok {
			t.Errorf("uid %d: %v", uid, err)
		}
	}
}

func writeAudit(t *testing.T, dir string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, "audit.jsonl")
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Chmod(path, mode))
	return path
}

// fakeStat is a file of that owner, mode 0600.
type fakeStat struct {
	os.FileInfo
	uid uint32
}

func (f fakeStat) Sys() any { return &syscall.Stat_t{Uid: f.uid} }

func (f fakeStat) Mode() os.FileMode { return 0o600 }
