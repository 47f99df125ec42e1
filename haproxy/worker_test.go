package haproxy

import (
	"testing"
	"time"
)

func TestNewWorker(t *testing.T) {
	stats := func(total int64, age int64, check string) Stats {
		return Stats{Proxies: []Proxy{{
			Name: "a", Front: ProxyRow{Total: total},
			Servers: []ServerRow{{Name: "x", LastChange: age, CheckStatus: check}, {Name: "y", LastChange: age + 5, CheckStatus: check}},
		}}}
	}
	tests := []struct {
		name      string
		base, now Stats
		elapsed   time.Duration
		want      bool
	}{
		{name: "the same process, a little later", base: stats(10, 100, "L7OK"), now: stats(11, 103, "L7OK"), elapsed: 3 * time.Second},
		{name: "rounding of seconds", base: stats(10, 100, "L7OK"), now: stats(10, 102, "L7OK"), elapsed: 3 * time.Second},
		{name: "a counter went back", base: stats(10, 100, "L7OK"), now: stats(0, 103, "L7OK"), elapsed: 3 * time.Second, want: true},
		{name: "servers not checked yet", base: stats(0, 0, "L7OK"), now: stats(0, 0, "INI"), want: true},
		{name: "all transitions forgotten", base: stats(0, 100, "L7OK"), now: stats(0, 0, "L7OK"), elapsed: time.Second, want: true},
		{name: "a failover moved one server only", base: stats(0, 100, "L7OK"), now: func() Stats {
			s := stats(0, 101, "L7OK")
			s.Proxies[0].Servers[0].LastChange = 0
			return s
		}(), elapsed: time.Second},
		{name: "every slowstart ended", base: stats(0, 29, "L7OK"), now: func() Stats {
			s := stats(0, 0, "L7OK")
			s.Proxies[0].Back.LastChange = 34
			return s
		}(), elapsed: 3 * time.Second},
		{name: "nothing in common", base: Stats{}, now: stats(0, 0, "L7OK"), elapsed: time.Second},
		{name: "reloaded a second ago already", base: stats(0, 0, "L7OK"), now: stats(0, 0, "L7OK"), elapsed: time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := NewWorker(&tt.base, &tt.now, tt.elapsed); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
