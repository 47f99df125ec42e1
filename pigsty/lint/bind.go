package lint

import (
	"fmt"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
)

// bind is one address and port that a section of one HAProxy listens on.
type bind struct {
	owner string // "pg-test primary", "haproxy service minio"
	ip    string // "" is every address
	from  int    // first port; 0 when it is not a port
	to    int    // last port
	at    source.Pos
	own   bool // at is where the inventory declares the port
	c     *model.Cluster
	s     *model.Service
}

// bindsOf reads the addresses of a bind line: "*:5433", "10.1.1.1:5433,:::5433".
func bindsOf(text string) []bind {
	var out []bind
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		i := strings.LastIndexByte(part, ':')
		if i < 0 || strings.HasPrefix(part, "/") || strings.HasPrefix(part, "unix@") || strings.HasPrefix(part, "abns@") {
			continue
		}
		ip := strings.TrimPrefix(strings.TrimPrefix(part[:i], "ipv4@"), "ipv6@")
		switch ip {
		case "*", "0.0.0.0", "::", "[::]", "":
			ip = ""
		}
		lo, hi, isRange := strings.Cut(part[i+1:], "-")
		b := bind{ip: ip, from: portOf(lo)}
		if b.to = b.from; isRange {
			b.to = portOf(hi)
		}
		if b.to < b.from || b.to == 0 {
			b.from, b.to = 0, 0
		}
		out = append(out, b)
	}
	return out
}

// meets reports whether two binds want the same port of the same address.
func (b bind) meets(o bind) bool {
	return b.from != 0 && o.from != 0 && b.from <= o.to && o.from <= b.to && (b.ip == "" || o.ip == "" || b.ip == o.ip)
}

// binds are the addresses each HAProxy node listens on for services: those
// of haproxy_services, then those of clusters, in inventory order.
func (in *Input) binds() (hosts []model.Host, by map[model.Host][]bind) {
	by = map[model.Host][]bind{}
	add := func(h model.Host, b bind) {
		if by[h] == nil {
			hosts = append(hosts, h)
		}
		by[h] = append(by[h], b)
	}
	for _, n := range in.Model.Nodes {
		for _, d := range in.haproxyServices(n.Host) {
			port, _ := d.Dict.Get("port")
			ip, ok := d.Dict.Get("ip")
			if !ok {
				ip = "*"
			}
			for _, b := range bindsOf(py.Print(ip) + ":" + py.Print(port)) {
				b.owner, b.at, b.own = "haproxy service "+d.Name, d.Dict.At, true
				if e := d.Dict.Lookup("port"); e != nil {
					b.at = e.At
				}
				add(n.Host, b)
			}
		}
	}
	for _, c := range in.clusters() {
		for i := range c.LoadBalancers {
			for j := range c.LoadBalancers[i].Services {
				s := &c.LoadBalancers[i].Services[j]
				for _, b := range bindsOf(s.IP + ":" + s.Port) {
					b.owner, b.at, b.own, b.c, b.s = title(c, s), in.at(s, "port"), s.Line.Line != 0, c, s
					if !b.own && c.Provider != "" {
						b.at = in.var1(s.Rendered, "pg_service_provider")
					}
					add(c.LoadBalancers[i].Host, b)
				}
			}
		}
	}
	return hosts, by
}

// portText is the port or ports of a bind.
func (b bind) portText() string {
	if b.from != b.to {
		return fmt.Sprintf("%d-%d", b.from, b.to)
	}
	return fmt.Sprint(b.from)
}
