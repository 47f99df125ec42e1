package cmd_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgtui/cmd"
	"pgtui/cmd/jsonv1"
	"pgtui/internal/sandbox"
)

// proved is `pgtui status pg-test --prove -o json` on a sandbox, decoded.
func proved(t *testing.T, sb *sandbox.Sandbox) jsonv1.Cluster {
	t.Helper()
	var out, errb bytes.Buffer
	code := cmd.Run(t.Context(), []string{"-i", sb.InventoryPath(), "status", "pg-test", "--prove", "--count", "2", "-o", "json"},
		cmd.IO{In: strings.NewReader(""), Out: &out, Err: &errb, Getenv: func(string) string { return "" }})
	var st jsonv1.Status
	if err := json.Unmarshal(out.Bytes(), &st); err != nil || len(st.Clusters) != 1 || st.ExitCode != code {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out.String(), errb.String())
	}
	return st.Clusters[0]
}

// TestCheckPassesPortFails kills the leader's PostgreSQL: Patroni owns the lock
// and its check passes on, so that HAProxy goes on sending connections there.
func TestCheckPassesPortFails(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	for _, s := range proved(t, sb).Services {
		for _, v := range s.Views {
			if v.Proven == nil || v.Proven.Agrees == nil || !*v.Proven.Agrees || v.Verdict != "serving" {
				t.Errorf("healthy: %s on %s: %s, %+v", s.Name, v.HAProxy, v.Verdict, v.Proven)
			}
		}
	}
	if err := sb.Do(t.Context(), "kill postgres pg-test-1"); err != nil {
		t.Fatal(err)
	}
	c := proved(t, sb)
	for _, s := range c.Services {
		dead := s.Name == "primary" || s.Name == "default"
		for _, v := range s.Views {
			if (v.Verdict == "mismatch") != dead || v.Proven.Failed > 0 != dead {
				t.Errorf("%s on %s: %s, %+v", s.Name, v.HAProxy, v.Verdict, v.Proven)
			}
		}
	}
	for _, want := range []string{"primary", "default"} {
		n := 0
		for _, f := range c.Findings {
			if f.Code == "check-yes-port-no" && f.Service == want && f.Severity == "critical" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d findings for %s: %+v", n, want, c.Findings)
		}
	}
}

func TestProveAfterASwitchover(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{Dir: t.TempDir(), Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sb.Close() })
	if err := sb.Do(t.Context(), "switchover pg-test pg-test-3\nwait 60s"); err != nil {
		t.Fatal(err)
	}
	c := proved(t, sb)
	for _, v := range c.Services[0].Views {
		if v.Proven.Instances["pg-test-3"] != 2 || v.Proven.Agrees == nil || !*v.Proven.Agrees || v.Proven.Timeline != 2 {
			t.Errorf("%s: %+v", v.HAProxy, v.Proven)
		}
	}
}
