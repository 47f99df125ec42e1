package lint

import (
	"fmt"
	"net/netip"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
)

// duplicateVIP: an address that two want.
func duplicateVIP() Rule {
	return Rule{"duplicate-vip", Error, "a VIP that another cluster, a node VIP or a host has too",
		"two machines answer for one address: ARP decides which one a client reaches",
		func(in *Input, report func(Finding)) {
			seen := map[string]*model.Cluster{}
			nodeVIP := map[string]model.Host{}
			for _, n := range in.Model.Nodes {
				if v, ok, err := in.Var(n.Host, "vip_address"); ok && err == nil && in.on(n.Host, "vip_enabled", false) {
					nodeVIP[py.Print(v)] = n.Host
				}
			}
			for _, c := range in.clusters() {
				if c.VIP == "" || c.VIP == "127.0.0.1" {
					continue
				}
				f := Finding{At: in.vipAt(c), Subject: string(c.Name), Fix: "give the cluster a free address"}
				switch was := seen[c.VIP]; {
				case was != nil:
					f.What = fmt.Sprintf("VIP %s of %s is also that of %s (%s)", c.VIP, c.Name, was.Name, place(in.vipAt(was)))
				case in.Model.Node(model.Host(c.VIP)) != nil:
					f.What = fmt.Sprintf("VIP %s of %s is the address of a host", c.VIP, c.Name)
				case nodeVIP[c.VIP] != "":
					f.What = fmt.Sprintf("VIP %s of %s is also the node VIP of %s", c.VIP, c.Name, nodeVIP[c.VIP])
				default:
					seen[c.VIP] = c
					continue
				}
				report(f)
			}
		}}
}

// vipAt is where the cluster's VIP is written.
func (in *Input) vipAt(c *model.Cluster) source.Pos {
	h := primary(c)
	if h == "" && len(c.Instances) > 0 {
		h = c.Instances[0].Host
	}
	if at, ok := in.At(h, "pg_vip_address"); ok {
		return at
	}
	return in.var1(h, "pg_vip_enabled")
}

// badVIP: a VIP that vip-manager cannot add.
func badVIP() Rule {
	return Rule{"bad-vip", Warning, "pg_vip_enabled without an address and prefix length",
		"vip-manager does not start, or adds an unreachable address",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				h := primary(c)
				if h == "" || !in.on(h, "pg_vip_enabled", false) {
					continue
				}
				v, _, err := in.Var(h, "pg_vip_address")
				if err != nil {
					continue
				}
				s := py.Print(v)
				f := Finding{At: in.vipAt(c), Subject: string(c.Name), Fix: "write pg_vip_address with its prefix length, such as 10.10.10.3/24"}
				_, perr := netip.ParsePrefix(s)
				switch {
				case strings.HasPrefix(s, "127."):
					f.What = fmt.Sprintf("the VIP of %s is the loopback address %s", c.Name, s)
				case perr != nil:
					f.What = fmt.Sprintf("the VIP of %s is %q: not an address with a prefix length", c.Name, s)
				default:
					continue
				}
				report(f)
			}
		}}
}
