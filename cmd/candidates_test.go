package cmd

import (
	"encoding/json"
	"strings"
	"testing"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model/candidate"
)

// TestCandidatesDocument: no list is null, numbers are there with their unit only,
// and the text fits 80 columns.
func TestCandidatesDocument(t *testing.T) {
	tb := candidate.Table{Cluster: "pg-test", Why: "no member holds the leader key", Candidates: []candidate.Candidate{
		{Instance: "pg-test-2", Host: "10.10.10.12", Verdict: candidate.No, Gates: []candidate.Gate{
			{Name: "received-lag", Verdict: candidate.No, What: "64 MB behind", Unit: "bytes", Value: 64 << 20, Limit: 1 << 20, By: "B", Try: strings.Repeat("wait for it ", 20)},
			{Name: "role", Verdict: candidate.Pass, What: "declared as replica"},
		}},
		{Instance: "pg-test-3", Verdict: candidate.No},
	}, Ports: []candidate.Port{{Service: "primary", Port: 5433}}, Gap: candidate.Gap{Open: true}}
	raw, err := json.Marshal(jsonv1.NewCandidates(&tb))
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"name":"received-lag","verdict":"no","what":"64 MB behind","host":"","service":"","value":67108864,"limit":1048576,"unit":"bytes","patroni_gate":"B","risk":null,`,
		`{"name":"role","verdict":"pass","what":"declared as replica","host":"","service":"","value":null,"limit":null,"unit":"","patroni_gate":null,"risk":null,"try":""}`,
		`"ports":[{"service":"primary","port":5433,"sessions":null}]`, `"high_ms":null,"parts":[]`, `"version":1,"cluster":"pg-test","leader":null,`,
		`"exit_code":2,"verdict":"no"`, `"gates":[],"candidates":[`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s\nlacks %s", raw, want)
		}
	}
	for _, key := range []string{"gates", "candidates", "ports"} {
		if _, ok := doc[key].([]any); !ok {
			t.Errorf("%s is no list: %v", key, doc[key])
		}
	}
	var b strings.Builder
	show.Candidates(show.Out{Writer: &b}, &tb, false)
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if first, _, _ := strings.Cut(b.String(), "\n"); first != "✕ no member can take over" {
		t.Errorf("the answer does not come first: %s", first)
	}
}
