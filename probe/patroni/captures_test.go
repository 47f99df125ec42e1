package patroni

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/model"
)

const captures = "../../testdata/captures"

// captured is the body of a recorded answer, nil when none came.
func captured(tb testing.TB, file string) []byte {
	tb.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	head, body, _ := bytes.Cut(b, []byte("\n\n"))
	if bytes.Contains(head, []byte("\nERR:")) {
		return nil
	}
	return body
}

// files lists recorded files of both generations; there must be at least min.
func files(tb testing.TB, pattern string, least int) []string {
	tb.Helper()
	got, err := filepath.Glob(filepath.Join(captures, "*", "*", pattern))
	if err != nil || len(got) < least {
		tb.Fatalf("%d recorded files match %s, want at least %d (%v)", len(got), pattern, least, err)
	}
	return got
}

func TestParseEveryCapturedPatroni(t *testing.T) {
	parsed := 0
	for _, pattern := range []string{"patroni-*-patroni.http", "patroni-*-health.http", "patroni-*-root.http"} {
		for _, f := range files(t, pattern, 100) {
			body := captured(t, f)
			if body == nil {
				continue
			}
			s, err := ParseStatus(body)
			if err != nil {
				t.Errorf("%s: %v", f, err)
				continue
			}
			parsed++
			if s.Role == "master" || s.Role == "" || s.Version == "" || s.Scope == "" {
				t.Errorf("%s: role %q, version %q, scope %q", f, s.Role, s.Version, s.Scope)
			}
			if strings.Contains(f, "/trixie/") && s.Name == "" {
				t.Errorf("%s: Patroni 4 tells its name", f)
			}
		}
	}
	if parsed < 300 {
		t.Errorf("only %d answers parsed", parsed)
	}
}

func TestParseEveryCapturedCluster(t *testing.T) {
	parsed := 0
	for _, f := range files(t, "patroni-*-cluster.http", 100) {
		body := captured(t, f)
		if body == nil {
			continue
		}
		c, err := ParseCluster(body)
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		parsed++
		leaders := 0
		for _, m := range c.Members {
			if m.Role == "leader" {
				leaders++
				if m.Lag != -1 {
					t.Errorf("%s: leader %s has lag %d", f, m.Name, m.Lag)
				}
			}
			if m.Name == "" || m.Role == "" || m.State == "" || m.APIURL == "" {
				t.Errorf("%s: incomplete member %+v", f, m)
			}
		}
		if leaders > 1 {
			t.Errorf("%s: %d leaders", f, leaders)
		}
	}
	if parsed < 80 {
		t.Errorf("only %d answers parsed", parsed)
	}
}

func TestCapturedAnswers(t *testing.T) {
	status := func(f string) model.PatroniStatus {
		t.Helper()
		s, err := ParseStatus(captured(t, filepath.Join(captures, f)))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		return s
	}
	for _, tc := range []struct {
		name, file string
		want       func(model.PatroniStatus) bool
	}{
		{"leader of Patroni 3 says master", "bookworm/healthy/patroni-pg-test-1-patroni.http", func(s model.PatroniStatus) bool {
			return s.Role == "primary" && s.State == "running" && s.Timeline == 1 && s.Location == 83886920 && s.Received == -1 &&
				len(s.Streams) == 2 && s.Streams[0] == model.Stream{Application: "pg-test-3", ClientAddr: "10.10.10.13", State: "streaming", SyncState: "async"} &&
				s.Version == "3.0.2" && s.ServerVersion == 150020 && s.SystemID == "7710288418618056779" && s.Tags["clonefrom"] == "true" && s.Tags["spec"] == "2C.4G.50G"
		}},
		{"replica of Patroni 3 has no timeline", "bookworm/healthy/patroni-pg-test-2-patroni.http", func(s model.PatroniStatus) bool {
			return s.Role == "replica" && s.Timeline == 0 && s.Location == -1 && s.Replayed == 83886920 && s.ReplicationState == "" && s.Streams == nil
		}},
		{"replica of Patroni 4 streams", "trixie/quorum-mode/patroni-pg-test-2-patroni.http", func(s model.PatroniStatus) bool {
			return s.Role == "replica" && s.ReplicationState == "streaming" && s.QuorumStandby && !s.SyncStandby && s.Name == "pg-test-2"
		}},
		{"maintenance mode", "bookworm/paused/patroni-pg-test-1-patroni.http", func(s model.PatroniStatus) bool { return s.Paused && !s.Unlocked }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if s := status(tc.file); !tc.want(s) {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestCapturedCluster(t *testing.T) {
	c, err := ParseCluster(captured(t, captures+"/trixie/quorum-mode/patroni-pg-test-1-cluster.http"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Scope != "pg-test" || c.Paused || len(c.Members) != 3 {
		t.Fatalf("%+v", c)
	}
	want := model.PatroniMember{
		Name: "pg-test-2", Role: "quorum_standby", State: "streaming", Host: "10.10.10.12",
		Timeline: 7, Lag: 0, APIURL: "http://10.10.10.12:8008/patroni",
	}
	if c.Members[1] != want {
		t.Errorf("got %+v, want %+v", c.Members[1], want)
	}
	if m := c.Members[0]; m.Role != "leader" || m.Lag != -1 {
		t.Errorf("leader: %+v", m)
	}
}
