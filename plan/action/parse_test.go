package action_test

import (
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan/action"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// inv has one cluster of two, and a node with a HAProxy of it only.
func inv() *model.Inventory {
	c := model.Cluster{Name: "pg-test"}
	for i, host := range []model.Host{"10.10.10.11", "10.10.10.12"} {
		c.Instances = append(c.Instances, model.Instance{Name: model.InstanceName("pg-test-" + string(rune('1'+i))), Host: host})
		c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: host, Services: []model.Service{{Cluster: "pg-test", Name: "replica"}}})
	}
	c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: "10.10.10.20"})
	return &model.Inventory{Clusters: []model.Cluster{c}, Nodes: []model.Node{
		{Host: "10.10.10.11", Name: "node-1"}, {Host: "10.10.10.12", Name: "node-2"}, {Host: "10.10.10.20", Name: "lb"}, {Host: "10.10.10.99", Name: "other"}}}
}

func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		"switchover pg-test":                                    "switchover pg-test",
		"switchover pg-test-2":                                  "switchover pg-test --candidate pg-test-2",
		"switchover pg-test --candidate pg-test-2":              "switchover pg-test --candidate pg-test-2",
		"switchover pg-test-2 --schedule 18:30":                 "switchover pg-test --candidate pg-test-2 --schedule 2026-01-02T18:30:00Z",
		"failover pg-test-2":                                    "failover pg-test --candidate pg-test-2",
		"restart pg-test --pending":                             "restart pg-test --pending",
		"restart pg-test-1 --switchover":                        "restart pg-test-1 --switchover",
		"reinit pg-test-2 --from-leader --ssh":                  "reinit pg-test-2 --from-leader --ssh",
		"pause pg-test --why 'new disk' --until 90m":            "pause pg-test --until 2026-01-02T13:30:00Z --why 'new disk'",
		"resume pg-test":                                        "resume pg-test",
		"weight pg-test-2 50":                                   "weight pg-test-2 50",
		`drain pg-test-2 --until 2h --why "patch it"`:           "drain pg-test-2 --until 2026-01-02T14:00:00Z --why 'patch it'",
		"drain pg-test-2 --service=replica --haproxy lb":        "drain pg-test-2 --service replica --haproxy 10.10.10.20",
		"drain pg-test-2 --timeout 30s --cut":                   "drain pg-test-2 --timeout 30s --cut",
		"pgtui undrain pg-test-2":                               "undrain pg-test-2",
		"patroni config pg-test --set ttl=40 --set loop_wait=9": "patroni config pg-test --set ttl=40 --set loop_wait=9",
		"patroni flush pg-test switchover":                      "patroni flush pg-test switchover",
		"patroni flush pg-test restart pg-test-1":               "patroni flush pg-test restart pg-test-1",
		"enable pg-test --service replica":                      "enable pg-test --service replica",
		"maintenance pg-test-2 --timeout 5m --cut":              "maintenance 10.10.10.12 --timeout 5m --cut",
		"maintenance node-2":                                    "maintenance 10.10.10.12",
		"maintenance 10.10.10.11 --end":                         "maintenance 10.10.10.11 --end",
	} {
		r, err := action.Parse(line, inv(), noon)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := r.Line(); got != want || r.Cluster != "pg-test" {
			t.Errorf("%s: %q of %q, want %q", line, got, r.Cluster, want)
		}
		again, err := action.Parse(r.Line(), inv(), noon)
		if err != nil || again.Line() != want {
			t.Errorf("%s: read back as %q, %v", want, again.Line(), err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"":                                 "is not an action",
		"reload pg-test":                   "is not an action",
		"drain":                            "expected drain INSTANCE",
		"drain pg-test":                    `has no instance "pg-test": did you mean pg-test-1?`,
		"pause pg-test-1":                  `has no cluster "pg-test-1": did you mean pg-test?`,
		"switchover nobody":                `has no cluster or instance "nobody"`,
		"switchover pg-test --candidate x": `pg-test has no instance "x"`,
		"switchover pg-test-1 --candidate pg-test-2":   "two candidates",
		"weight pg-test-2":                             "expected weight INSTANCE 0-256",
		"weight pg-test-2 257":                         "0 to 256",
		"drain pg-test-2 --force":                      "drain has no --force",
		"drain pg-test-2 --until":                      "--until needs a value",
		"drain pg-test-2 --until never":                "not a time",
		"drain pg-test-2 --until 2026-01-01T00:00:00Z": "in the past",
		"drain pg-test-2 --haproxy nowhere":            "nowhere is not a HAProxy node of pg-test",
		"drain pg-test-2 --why 'x":                     "is not closed",
		"maintenance other":                            "other runs no instance",
		"maintenance nowhere":                          `no node "nowhere"`,
		"failover pg-test":                             "needs a candidate",
		"enable pg-test":                               "expected enable CLUSTER --service SERVICE",
		"patroni config pg-test":                       "--set KEY=VALUE",
		"drain pg-test-2 --service nothing":            `has no service "nothing"`,
		"pause pg-test pg-test-1":                      "expected pause CLUSTER",
		"patroni flush pg-test restart":                "switchover|restart INSTANCE",
		"patroni flush pg-test everything":             "switchover|restart",
	} {
		if r, err := action.Parse(line, inv(), noon); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want %q", line, r, err, want)
		}
	}
}

func TestParseUntil(t *testing.T) {
	for s, want := range map[string]string{
		"2h": "2026-01-02T14:00:00Z", "18:30": "2026-01-02T18:30:00Z", "11:59": "2026-01-03T11:59:00Z",
		"2026-01-05 08:00": "2026-01-05T08:00:00Z", "2026-01-02T18:30:00+01:00": "2026-01-02T18:30:00+01:00",
	} {
		if got, err := action.ParseUntil(s, noon); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %s, %v; want %s", s, got.Format(time.RFC3339), err, want)
		}
	}
	if _, err := action.ParseUntil("-2h", noon); err == nil {
		t.Error("a time that has passed is taken")
	}
}

func TestFind(t *testing.T) {
	for hint, want := range map[string]string{
		"pgtui undrain pg-test-2, or wait":                        "undrain pg-test-2",
		"see pgtui doctor pg-test; then pgtui resume pg-test.":    "resume pg-test",
		"pgtui weight pg-test-2 100 sets it back":                 "weight pg-test-2 100",
		"pgtui reload pg-test":                                    "",
		"on the node: systemctl status patroni":                   "",
		"pgtui switchover pg-test --candidate pg-test-2 moves it": "switchover pg-test --candidate pg-test-2",
	} {
		r, ok := action.Find(hint, inv(), noon)
		if ok != (want != "") || ok && r.Line() != want {
			t.Errorf("%s: %q, %v", hint, r.Line(), ok)
		}
	}
}
