package lint

import (
	"fmt"
	"net/netip"
)

// hostNotAddress: Pigsty's inventory names hosts by address.
func hostNotAddress() Rule {
	return Rule{"host-not-address", Warning, "a member that is not named by its address",
		"every server line has its name: a HAProxy that cannot resolve it refuses the whole configuration",
		func(in *Input, report func(Finding)) {
			for c, m := range in.members() {
				if _, err := netip.ParseAddr(string(m.Host)); err == nil {
					continue
				}
				f := Finding{Subject: string(m.Name), What: fmt.Sprintf("host %s of %s is not an IP address", m.Host, c.Name), Fix: "name the host by its address; ansible_host is not used in service files"}
				if h := in.Inventory.Host(string(m.Host)); h != nil {
					f.At = h.At
				}
				report(f)
			}
		}}
}
