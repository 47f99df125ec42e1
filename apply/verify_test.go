package apply

import (
	"testing"
	"time"

	"pgtui/model"
)

func TestNewWorker(t *testing.T) {
	stats := func(total int64, age int64, check string) model.HAProxyStats {
		return model.HAProxyStats{Proxies: []model.Proxy{{
			Name: "a", Front: model.ProxyRow{Total: total},
			Servers: []model.ServerStat{{Name: "x", LastChange: age, CheckStatus: check}, {Name: "y", LastChange: age + 5, CheckStatus: check}},
		}}}
	}
	tests := []struct {
		name      string
		base, now model.HAProxyStats
		elapsed   time.Duration
		want      bool
	}{
		{name: "the same process, a little later", base: stats(10, 100, "L7OK"), now: stats(11, 103, "L7OK"), elapsed: 3 * time.Second},
		{name: "rounding of seconds", base: stats(10, 100, "L7OK"), now: stats(10, 102, "L7OK"), elapsed: 3 * time.Second},
		{name: "a counter went back", base: stats(10, 100, "L7OK"), now: stats(0, 103, "L7OK"), elapsed: 3 * time.Second, want: true},
		{name: "servers not checked yet", base: stats(0, 0, "L7OK"), now: stats(0, 0, "INI"), want: true},
		{name: "all transitions forgotten", base: stats(0, 100, "L7OK"), now: stats(0, 0, "L7OK"), elapsed: time.Second, want: true},
		{name: "a failover moved one server only", base: stats(0, 100, "L7OK"), now: func() model.HAProxyStats {
			s := stats(0, 101, "L7OK")
			s.Proxies[0].Servers[0].LastChange = 0
			return s
		}(), elapsed: time.Second},
		{name: "every slowstart ended", base: stats(0, 29, "L7OK"), now: func() model.HAProxyStats {
			s := stats(0, 0, "L7OK")
			s.Proxies[0].Back.LastChange = 34
			return s
		}(), elapsed: 3 * time.Second},
		{name: "nothing in common", base: model.HAProxyStats{}, now: stats(0, 0, "L7OK"), elapsed: time.Second},
		{name: "reloaded a second ago already", base: stats(0, 0, "L7OK"), now: stats(0, 0, "L7OK"), elapsed: time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := newWorker(&tt.base, &tt.now, tt.elapsed); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMismatch(t *testing.T) {
	n := &model.NodePlan{
		Expect: []model.ExpectedProxy{{Name: "a", Servers: []model.ExpectedServer{{Name: "x", Weight: "50"}, {Name: "y", Weight: "{{ junk }}", Backup: true}}}},
		Gone:   []string{"old"},
	}
	fits := func() model.HAProxyStats {
		return model.HAProxyStats{Proxies: []model.Proxy{{Name: "stats"}, {Name: "a", Servers: []model.ServerStat{
			{Name: "x", UserWeight: 50, Weight: 1}, {Name: "y", UserWeight: 100, Backup: true},
		}}}}
	}
	tests := []struct {
		name   string
		change func(s *model.HAProxyStats)
		want   string
	}{
		{name: "as planned, in slowstart", change: func(*model.HAProxyStats) {}},
		{name: "weight not known by this version", change: func(s *model.HAProxyStats) { s.Proxies[1].Servers[0].UserWeight = -1 }},
		{name: "no section", change: func(s *model.HAProxyStats) { s.Proxies = s.Proxies[:1] }, want: "section a is missing"},
		{name: "old section", change: func(s *model.HAProxyStats) { s.Proxies = append(s.Proxies, model.Proxy{Name: "old"}) }, want: "section old is still there"},
		{name: "old weight", change: func(s *model.HAProxyStats) { s.Proxies[1].Servers[0].UserWeight = 100 }, want: "a: server x has weight 100, not 50"},
		{name: "no longer backup", change: func(s *model.HAProxyStats) { s.Proxies[1].Servers[1].Backup = false }, want: "a: server y has backup false, not true"},
		{name: "a server too few", change: func(s *model.HAProxyStats) { s.Proxies[1].Servers = s.Proxies[1].Servers[:1] }, want: "a: server y is missing"},
		{name: "a server too many", change: func(s *model.HAProxyStats) {
			s.Proxies[1].Servers = append(s.Proxies[1].Servers, model.ServerStat{Name: "z"})
		}, want: "a: server z is still there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := fits()
			tt.change(&s)
			if got := mismatch(n, &s); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
