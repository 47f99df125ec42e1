package history_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/model/history"
)

var t0 = time.Date(2026, 11, 30, 3, 12, 0, 0, time.UTC)

// TestHAProxySentences: the words of HAProxy 2.6 and 3.0 (server.c, check.c, mworker.c).
func TestHAProxySentences(t *testing.T) {
	for line, want := range map[string]history.Event{
		`[WARNING]  (4711) : Server pg-test-primary/pg-test-1 is DOWN, reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 1ms. 0 active and 0 backup servers left. 3 sessions active, 0 requeued, 0 remaining in queue.`: {
			Kind: history.KindServer, Proxy: "pg-test-primary", Instance: "pg-test-1", After: "DOWN", Why: `Layer7 wrong status, code: 503, info: "Service Unavailable"`, Left: 0, Cut: 3},
		`[WARNING]  (4711) : Backup Server pg-test-replica/pg-test-1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 2 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`: {
			Kind: history.KindServer, Proxy: "pg-test-replica", Instance: "pg-test-1", After: "DOWN", Why: `Layer4 connection problem, info: "Connection refused"`, Left: 2, Cut: 0},
		`[WARNING]  (4711) : Server pg-test-primary/pg-test-2 is UP, reason: Layer7 check passed, code: 200, check duration: 2ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`: {
			Kind: history.KindServer, Proxy: "pg-test-primary", Instance: "pg-test-2", After: "UP", Why: "Layer7 check passed, code: 200", Left: 1, Cut: -1},
		`[ALERT]    (4711) : proxy 'pg-test-primary' has no server available!`:                                        {Kind: history.KindPort, Proxy: "pg-test-primary", After: "no server", Left: 0, Cut: -1},
		`Server pg-test-primary/pg-test-1 enters drain state.`:                                                        {Kind: history.KindServer, Proxy: "pg-test-primary", Instance: "pg-test-1", After: "DRAIN", Left: -1, Cut: -1},
		`Server a/b is going DOWN for maintenance. 1 active and 0 backup servers left. 0 sessions active, 0 requeued`: {Kind: history.KindServer, Proxy: "a", Instance: "b", After: "MAINT", Left: 1, Cut: -1},
		`Server a/b was DOWN and now enters maintenance (via x/y).`:                                                   {Kind: history.KindServer, Proxy: "a", Instance: "b", After: "MAINT", Left: -1, Cut: -1},
		`Server a/b is UP/READY (leaving forced maintenance).`:                                                        {Kind: history.KindServer, Proxy: "a", Instance: "b", After: "UP", Left: -1, Cut: -1},
		`Server a/b is DOWN/READY (leaving forced maintenance).`:                                                      {Kind: history.KindServer, Proxy: "a", Instance: "b", After: "DOWN", Left: -1, Cut: -1},
		`Server a/b is UP/DRAIN (leaving forced maintenance).`:                                                        {Kind: history.KindServer, Proxy: "a", Instance: "b", After: "DRAIN", Left: -1, Cut: -1},
		`Server a/b is UP (leaving forced drain).`:                                                                    {Kind: history.KindServer, Proxy: "a", Instance: "b", After: "UP", Left: -1, Cut: -1},
		`Server a/b is stopping. 1 active and 0 backup servers left.`:                                                 {Kind: history.KindServer, Proxy: "a", Instance: "b", After: "NOLB", Left: 1, Cut: -1},
		`[NOTICE]   (1) : New worker (4712) forked`:                                                                   {Kind: history.KindReload, After: "a new worker started", Left: -1, Cut: -1, Within: time.Second},
	} {
		got, ok := history.ParseHAProxy(line, t0, "10.0.0.1", "journal")
		if len(got.Evidence) != 1 || got.Evidence[0].Source != "journal" || got.Host != "10.0.0.1" || !got.At.Equal(t0) {
			t.Errorf("%s: %+v", line, got)
			continue
		}
		want.At, want.Host, want.Evidence = t0, "10.0.0.1", got.Evidence
		if !ok || !same(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", line, got, want)
		}
	}
	for _, line := range []string{
		"", "Proxy pg-test-primary started.", "Server a/b remains in forced maintenance", "Server a/b is leaving forced drain but remains in drain mode",
		"Former worker (4711) exited with code 0 (Exit)", "Server is DOWN", "pg-test-1 is UP",
	} {
		if e, ok := history.ParseHAProxy(line, t0, "h", "j"); ok {
			t.Errorf("%q is %+v", line, e)
		}
	}
}

// same compares what two events are about.
func same(a, b history.Event) bool {
	return a.Kind == b.Kind && a.Proxy == b.Proxy && a.Instance == b.Instance && a.Host == b.Host && a.Before == b.Before && a.After == b.After && a.Why == b.Why && a.Cut == b.Cut && a.Left == b.Left && a.At.Equal(b.At) && a.Within == b.Within
}

func TestPatroniSentences(t *testing.T) {
	in := &model.Instance{Name: "pg-test-2", Host: "10.0.0.2"}
	for line, want := range map[string]history.Event{
		"promoted self to leader by acquiring session lock":                                       {Kind: history.KindRole, After: "primary"},
		"demoting self because DCS is not accessible and I was a leader":                          {Kind: history.KindRole, After: "demoting", Why: "DCS is not accessible and I was a leader"},
		"acquired session lock as a leader":                                                       {Kind: history.KindLock, After: "held"},
		"received switchover request with leader=pg-test-1 candidate=pg-test-2 scheduled_at=None": {Kind: history.KindRequest, After: "switchover", Why: "request with leader=pg-test-1 candidate=pg-test-2 scheduled_at=None"},
		"failed to update leader lock":                                                            {Kind: history.KindPatroni, After: "failed to update the leader key"},
		"Member pg-test-3 exceeds maximum replication lag":                                        {Kind: history.KindPatroni, After: "a member exceeds maximum_lag_on_failover"},
		"My wal position exceeds maximum replication lag":                                         {Kind: history.KindPatroni, After: "a member exceeds maximum_lag_on_failover"},
		"2026-11-30 03:12:07,311 +0000 INFO: Leader key released":                                 {Kind: history.KindLock, After: "free"},
		"demoted self because failed to update leader lock in DCS":                                {Kind: history.KindRole, After: "replica", Why: "failed to update leader lock in DCS"},
	} {
		got, ok := history.ParsePatroni(line, t0, in, "patroni.log")
		if !ok || got.Kind != want.Kind || got.After != want.After || got.Why != want.Why || got.Instance != "pg-test-2" || got.Host != "10.0.0.2" || got.Within != time.Second {
			t.Errorf("%s\n got %+v\nwant %+v", line, got, want)
		}
	}
	for _, line := range []string{"", "no action. I am (pg-test-2), the leader with the lock", "Got response from pg-test-1"} {
		if e, ok := history.ParsePatroni(line, t0, in, "p"); ok {
			t.Errorf("%q is %+v", line, e)
		}
	}
}

func TestVIPManagerSentences(t *testing.T) {
	for line, want := range map[string]string{
		"IP address 10.10.10.3/24 state is false, desired true":  "takes 10.10.10.3/24",
		"IP address 10.10.10.3/24 state is true, desired false":  "releases 10.10.10.3/24",
		"IP address 10.10.10.3/24 state is true, desired true":   "",
		"IP address 10.10.10.3/24 state is false, desired false": "",
	} {
		if e, _ := history.ParseVIPManager(line, t0, "10.0.0.1", "j"); e.After != want {
			t.Errorf("%s: %q, want %q", line, e.After, want)
		}
	}
}

// FuzzSentences: whatever a node writes, an event is bounded and harmless for a terminal.
func FuzzSentences(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{
		`[WARNING]  (1) : Server a/b is DOWN, reason: Layer7 wrong status, code: 503, info: "x". 0 active and 0 backup servers left. 3 sessions active`,
		"Server a/b is UP/READY (leaving forced maintenance).", "proxy 'a' has no server available!", "New worker (1) forked",
		"demoting self because x", "received switchover request with leader=a", "IP address 1.2.3.4 state is true, desired false",
		"Server \x1b[31m/b is DOWN, 99999999999999999999 active and 1 backup servers left",
	} {
		f.Add(s)
	}
	in := &model.Instance{Name: "pg-test-1", Host: "10.0.0.1"}
	f.Fuzz(func(t *testing.T, line string) {
		h, hok := history.ParseHAProxy(line, t0, "10.0.0.1", "j")
		p, pok := history.ParsePatroni(line, t0, in, "j")
		v, vok := history.ParseVIPManager(line, t0, "10.0.0.1", "j")
		for e, ok := range map[*history.Event]bool{&h: hok, &p: pok, &v: vok} {
			if !ok {
				continue
			}
			all := strings.Join([]string{e.Proxy, string(e.Instance), e.After, e.Why, e.Evidence[0].Text}, "")
			if len([]rune(all)) > 1000 || strings.ContainsFunc(all, func(r rune) bool { return !unicode.IsPrint(r) }) || e.Cut < -1 || e.Left < -1 || e.Kind == "" || e.After == "" {
				t.Errorf("%q: %+v", line, e)
			}
		}
	})
}
