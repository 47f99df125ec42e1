package plan

import (
	"testing"

	"pgtui/haproxy"
)

func TestMismatch(t *testing.T) {
	n := &Node{
		Become: []haproxy.Section{{File: "a.cfg", Name: "a", Servers: []haproxy.ServerLine{{Name: "x", Weight: "50"}, {Name: "y", Weight: "{{ junk }}", Backup: true}}}},
		Was:    []haproxy.Section{{Name: "a"}, {Name: "old"}},
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
		{name: "weight not reported by this version", change: func(s *haproxy.Stats) { s.Proxies[1].Servers[0].UserWeight = -1 }},
		{name: "no section", change: func(s *haproxy.Stats) { s.Proxies = s.Proxies[:1] }, want: "a.cfg: section a does not run"},
		{name: "old section", change: func(s *haproxy.Stats) { s.Proxies = append(s.Proxies, haproxy.Proxy{Name: "old"}) }, want: "section old still runs"},
		{name: "old weight", change: func(s *haproxy.Stats) { s.Proxies[1].Servers[0].UserWeight = 100 }, want: "a.cfg: server x runs with weight 100, the file has 50"},
		{name: "no longer backup", change: func(s *haproxy.Stats) { s.Proxies[1].Servers[1].Backup = false }, want: "a.cfg: server y runs as a regular server, the file has a backup"},
		{name: "a server too few", change: func(s *haproxy.Stats) { s.Proxies[1].Servers = s.Proxies[1].Servers[:1] }, want: "a.cfg: server y does not run"},
		{name: "a server too many", change: func(s *haproxy.Stats) {
			s.Proxies[1].Servers = append(s.Proxies[1].Servers, haproxy.ServerRow{Name: "z"})
		}, want: "a.cfg: server z runs, the file does not have it"},
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
