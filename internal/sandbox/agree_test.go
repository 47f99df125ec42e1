package sandbox

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// situation is one folder of testdata/captures and the script that puts the
// sandbox into the same state. lead is who led when it began.
type situation struct {
	gen, dir, lead string
	script         string
	// skip names what was captured at another moment of the same event and
	// cannot be compared: "codes", "stats", "/cluster" or "/patroni".
	skip []string
}

// situations are compared with the real cluster, over real HTTP: the
// status code of OPTIONS, GET and HEAD of every captured path
// (patroni-codes.tsv); of GET /patroni and /cluster the set of keys and the
// values that statusFacts and clusterFacts name; of every row of the stats CSV
// rowFields and, outside a slowstart, the weight.
func situations() []situation {
	return []situation{
		{gen: Bookworm, dir: "healthy"},
		{gen: Trixie, dir: "healthy"},
		{gen: Bookworm, dir: "after-switchover", script: "switchover pg-test pg-test-2\nwait 60s"},
		{gen: Trixie, dir: "after-switchover", script: "switchover pg-test pg-test-2\nwait 60s"},
		{gen: Bookworm, dir: "leader-patroni-killed-mid", lead: "pg-test-2", script: "kill patroni pg-test-2\nwait 12s"},
		{gen: Trixie, dir: "leader-patroni-killed-mid", script: "kill patroni pg-test-1\nwait 12s"},
		{gen: Bookworm, dir: "leader-patroni-killed-after", lead: "pg-test-2", script: "kill patroni pg-test-2\nwait 70s"},
		{gen: Trixie, dir: "leader-patroni-killed-after", script: "lag pg-test-2 8B\nkill patroni pg-test-1\nwait 60s\nlag pg-test-2 0\nwait 10s"},
		{gen: Bookworm, dir: "leader-postmaster-killed-mid", lead: "pg-test-3", script: "kill postgres pg-test-3\nwait 2s"},
		{gen: Trixie, dir: "leader-postmaster-killed", script: "kill postgres pg-test-1\nwait 2s"},
		{gen: Bookworm, dir: "replica-postmaster-killed-mid", lead: "pg-test-3", script: "kill postgres pg-test-2\nwait 1s", skip: []string{"codes", "stats"}},
		{gen: Trixie, dir: "replica-postmaster-killed", script: "kill postgres pg-test-3\nwait 2s", skip: []string{"codes", "stats", "/cluster"}},
		// Its /cluster has a lag because of a write to the leader meanwhile.
		{gen: Bookworm, dir: "backup-serving", script: "kill patroni pg-test-2\nkill patroni pg-test-3\nwait 12s", skip: []string{"/cluster"}},
		{gen: Trixie, dir: "backup-serving", script: "kill patroni pg-test-2\nkill patroni pg-test-3\nwait 12s"},
		{gen: Bookworm, dir: "offline-backup-serving", script: "kill patroni pg-test-3\nwait 12s"},
		{gen: Bookworm, dir: "paused", lead: "pg-test-3", script: "pause pg-test\nwait 5s"},
		{gen: Trixie, dir: "paused", script: "pause pg-test\nwait 5s"},
		{gen: Bookworm, dir: "paused-replica-postgres-stopped-state", lead: "pg-test-3", script: "pause pg-test\nkill postgres pg-test-2\nwait 12s"},
		{gen: Bookworm, dir: "patroni-frozen-replica-state", script: "freeze pg-test-3\nwait 20s"},
		{gen: Bookworm, dir: "partition-leader-mid", script: "partition pg-test-1\nwait 12s"},
		{gen: Trixie, dir: "partition-leader-mid", script: "partition pg-test-1\nwait 12s"},
		{gen: Bookworm, dir: "partition-leader-after", script: "partition pg-test-1\nwait 70s"},
		{gen: Trixie, dir: "partition-leader-after", script: "partition pg-test-1\nwait 70s"},
		{gen: Bookworm, dir: "maint-drain", script: "maint pg-test-1 pg-test-replica/pg-test-2\ndrain pg-test-1 pg-test-replica/pg-test-3\nweight pg-test-1 pg-test-default/pg-test-1 0\n" +
			"check pg-test-1 pg-test-offline/pg-test-3 off\nwait 5s"},
		{gen: Trixie, dir: "maint-drain", script: "maint pg-test-1 pg-test-replica/pg-test-2\ndrain pg-test-1 pg-test-replica/pg-test-3\n" +
			"maint pg-test-1 pg-test-default/pg-test-3\nweight pg-test-1 pg-test-offline/pg-test-3 0\ncheck pg-test-1 pg-test-offline/pg-test-2 off\nwait 5s"},
		{gen: Bookworm, dir: "dcs-down-failsafe-18s", lead: "pg-test-3", script: "dcs down\nwait 18s"},
		{gen: Bookworm, dir: "dcs-down-failsafe-40s", lead: "pg-test-3", script: "dcs down\nwait 40s"},
		{gen: Bookworm, dir: "dcs-down-failsafe-docs", lead: "pg-test-2", script: "dcs down\nwait 40s"},
		{gen: Trixie, dir: "dcs-down-failsafe-40s", script: "dcs down\nwait 40s"},
		{gen: Bookworm, dir: "synchronous-mode", lead: "pg-test-3", script: "sync pg-test on\nwait 5s"},
		{gen: Trixie, dir: "synchronous-mode", script: "sync pg-test on pg-test-3\nwait 5s"},
		{gen: Trixie, dir: "quorum-mode", script: "sync pg-test quorum\nwait 5s"},
		{gen: Bookworm, dir: "old-leader-rejoins-2s", lead: "pg-test-2", script: "kill patroni pg-test-2\nwait 70s\nstart pg-test-2\nwait 3500ms", skip: []string{"stats"}},
		{gen: Trixie, dir: "old-leader-rejoins", script: "lag pg-test-2 8B\nkill patroni pg-test-1\nwait 70s\nstart pg-test-1\nwait 2800ms", skip: []string{"/cluster", "stats"}},
		// A reload: the first checks have been made, the others are INI.
		{gen: Bookworm, dir: "reload-in-progress", script: "reload pg-test-1\nwait 530ms"},
		{gen: Trixie, dir: "reload-in-progress", script: "reload pg-test-1\nwait 350ms"},
		{gen: Bookworm, dir: "haproxy-killed", script: "kill haproxy pg-test-2\nwait 5s"},
	}
}

func captures(gen, dir string) string { return filepath.Join("../../testdata/captures", gen, dir) }

func TestAgreesWithTheRealThing(t *testing.T) {
	for _, c := range situations() {
		t.Run(c.gen+"/"+c.dir, func(t *testing.T) {
			t.Parallel()
			s := manual(t, c.gen)
			if c.lead != "" {
				do(t, s, "switchover pg-test "+c.lead+"\nwait 60s")
			}
			do(t, s, c.script)
			dir := captures(c.gen, c.dir)
			compareCodes(t, s, dir, c.skip)
			comparePatroni(t, s, dir, c.skip)
			compareStats(t, s, dir, c.skip)
		})
	}
}

func manual(t testing.TB, gen string) *Sandbox {
	t.Helper()
	s, err := Start(t.Context(), Options{Generation: gen, Manual: true, Now: func() time.Time {
		return time.Date(2026, 11, 20, 16, 17, 14, 0, time.UTC)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func do(t testing.TB, s *Sandbox, script string) {
	t.Helper()
	if err := s.Do(t.Context(), script); err != nil {
		t.Fatal(err)
	}
}

// How long a test waits for an answer that should not come, and for one that
// should.
const (
	silent  = 300 * time.Millisecond
	patient = 20 * time.Second
)

// request is one HTTP request: the code, or 0 and no body when nothing came.
func request(method, url, user, password string, wait time.Duration) (int, []byte) {
	conn, err := net.DialTimeout("tcp", strings.SplitN(url, "/", 4)[2], wait)
	if err != nil {
		return 0, nil
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(wait))
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return 0, nil
	}
	req.Close = true
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	if req.Write(conn) != nil {
		return 0, nil
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	return resp.StatusCode, b
}
