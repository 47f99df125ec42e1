package plan

import (
	"testing"

	"pgtui/haproxy"
)

func TestMismatch(t *testing.T) {
	n := &Node{
		Expect: []ExpectedProxy{{Name: "a", Servers: []haproxy.ExpectedServer{{Name: "x", Weight: "50"}, {Name: "y", Weight: "{{ junk }}", Backup: true}}}},
		Gone:   []string{"old"},
	}
	fits := func() haproxy.Stats {
		return haproxy.Stats{Proxies: []haproxy.Proxy{{Name: "stats"}, {Name: "a", Servers: []haproxy.ServerRow{
			{Name: "x", UserWeight: 50, Weight: 1}, {Name: "y", UserWeight: 100, Backup: true},
		}}}}
	}
	tests := []struct {
		name   string
		change func(s *haproxy.Stats)
		want   string
	}{
		{name: "as planned, in slowstart", change: func(*haproxy.Stats) {}},
		{name: "weight not known by this version", change: func(s *haproxy.Stats) { s.Proxies[1].Servers[0].UserWeight = -1 }},
		{name: "no section", change: func(s *haproxy.Stats) { s.Proxies = s.Proxies[:1] }, want: "section a is missing"},
		{name: "old section", change: func(s *haproxy.Stats) { s.Proxies = append(s.Proxies, haproxy.Proxy{Name: "old"}) }, want: "section old is still there"},
		{name: "old weight", change: func(s *haproxy.Stats) { s.Proxies[1].Servers[0].UserWeight = 100 }, want: "a: server x has weight 100, not 50"},
		{name: "no longer backup", change: func(s *haproxy.Stats) { s.Proxies[1].Servers[1].Backup = false }, want: "a: server y has backup false, not true"},
		{name: "a server too few", change: func(s *haproxy.Stats) { s.Proxies[1].Servers = s.Proxies[1].Servers[:1] }, want: "a: server y is missing"},
		{name: "a server too many", change: func(s *haproxy.Stats) {
			s.Proxies[1].Servers = append(s.Proxies[1].Servers, haproxy.ServerRow{Name: "z"})
		}, want: "a: server z is still there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := fits()
			tt.change(&s)
			if got := Mismatch(n, &s); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
