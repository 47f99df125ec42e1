package probe

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgtui/model"
)

// The configuration comes from the leader, from another member when that does
// not answer, and from no more than two.
func TestRules(t *testing.T) {
	const yes, no = `{"failsafe_mode":true}`, `{"failsafe_mode":false}`
	for _, tt := range []struct {
		name   string
		config map[string]string
		do     func(*fleet)
		by     model.InstanceName
		err    string
	}{
		{"the leader answers", map[string]string{"10.0.0.1": no, "10.0.0.3": yes}, func(*fleet) {}, "c0-3", ""},
		{"another member does", map[string]string{"10.0.0.1": yes}, func(*fleet) {}, "c0-1", ""},
		{"the leader hangs", map[string]string{"10.0.0.1": yes}, func(f *fleet) { f.hang["10.0.0.3 /config"] = true }, "c0-1", ""},
		{"a third is not asked", map[string]string{"10.0.0.2": yes}, func(*fleet) {}, "", "HTTP 503"},
		{"no object", map[string]string{"10.0.0.3": `[]`}, func(*fleet) {}, "", "JSON array"},
		{"without end", map[string]string{"10.0.0.3": `{"x":"` + strings.Repeat("a", 2*maxBody) + `"}`}, func(*fleet) {}, "", "1 MB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet([]byte(page))
				f.role["10.0.0.3"], f.config = "primary", tt.config
				p, inv := tester(f), inventory(1, 3)
				c := &inv.Clusters[0]
				c.Etcd = []model.Endpoint{{Host: "10.0.0.1", Port: 2379}, {Host: "10.0.9.9", Port: 2379}}
				f.dead["10.0.9.9"] = true
				s, err := p.Probe(t.Context(), inv)
				if err != nil {
					t.Fatal(err)
				}
				tt.do(f)
				start := time.Now()
				got := p.Rules(t.Context(), inv, c, s)
				if took := time.Since(start); took > p.o.Timeout+p.o.Timeout/3 {
					t.Errorf("it took %v", took)
				}
				if got.By != tt.by || (tt.by != "") != got.Conf.Value.Failsafe {
					t.Errorf("by %q, %+v", got.By, got.Conf)
				}
				if err := fmt.Sprint(got.Conf.Err); tt.by == "" && !strings.Contains(err, tt.err) {
					t.Errorf("the error is %q, want %q in it", err, tt.err)
				}
				if a, b := got.Etcd["10.0.0.1"], got.Etcd["10.0.9.9"]; !a.Known() || a.Value != "" || b.Value == "" {
					t.Errorf("etcd: %+v, %+v", a, b)
				}
				if f.most > 2 {
					t.Errorf("%d requests in flight on one node", f.most)
				}
			})
		})
	}
}
