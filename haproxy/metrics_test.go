package haproxy_test

import (
	"fmt"
	"os"
	"testing"

	"pgtui/haproxy"
	"pgtui/internal/fuzz"
)

// TestMetricsSayWhatTheStatsPageSays compares the exporter's answer with the
// stats page captured beside it: the same servers in the same order, status
// and check. The two were captured seconds apart, so the ramping weights differ.
func TestMetricsSayWhatTheStatsPageSays(t *testing.T) {
	for _, gen := range []string{"bookworm", "trixie"} {
		dir := "../testdata/captures/" + gen + "/healthy/haproxy-pg-test-1-"
		page, err := os.ReadFile(dir + "stats.csv")
		if err != nil {
			t.Fatal(err)
		}
		prom, err := os.ReadFile(dir + "metrics.prom")
		if err != nil {
			t.Fatal(err)
		}
		want, err := haproxy.ParseStats(page)
		if err != nil {
			t.Fatal(err)
		}
		got, err := haproxy.ParseMetrics(prom)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, px := range want.Proxies {
			have := got.Proxy(px.Name)
			if have == nil || have.Front.Status != px.Front.Status || have.Back.Status != px.Back.Status || len(have.Servers) != len(px.Servers) {
				t.Errorf("%s %s: %+v, want %+v", gen, px.Name, have, px)
				continue
			}
			for i, s := range px.Servers {
				rows++
				h := have.Servers[i]
				if h.Weight < 1 || h.Weight > 100 {
					t.Errorf("%s %s %s: weight %d", gen, px.Name, h.Name, h.Weight)
				}
				a := fmt.Sprint(h.Name, h.Status, h.CheckStatus)
				if b := fmt.Sprint(s.Name, s.Status, s.CheckStatus); a != b {
					t.Errorf("%s %s: %s, want %s", gen, px.Name, a, b)
				}
			}
		}
		if rows < 9 {
			t.Errorf("%s: only %d rows compared", gen, rows)
		}
	}
}

func TestMetricsThatAreNone(t *testing.T) {
	for _, page := range []string{"", "<html>", "haproxy_server_status{ 1\n", "node_load1 3\n", "haproxy_server_status{proxy=\"\",server=\"x\"} 1\n"} {
		if st, err := haproxy.ParseMetrics([]byte(page)); err == nil {
			t.Errorf("%q: %+v", page, st)
		}
	}
}

func FuzzParseMetrics(f *testing.F) {
	fuzz.Target(f)
	for _, gen := range []string{"bookworm", "trixie"} {
		b, err := os.ReadFile("../testdata/captures/" + gen + "/healthy/haproxy-pg-test-1-metrics.prom")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:20000])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := haproxy.ParseMetrics(b)
		if err == nil && len(st.Proxies) == 0 {
			t.Error("no error and no proxy")
		}
	})
}
