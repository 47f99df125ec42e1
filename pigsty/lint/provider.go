package lint

import (
	"cmp"
	"fmt"

	"pgtui/ansible/py"
	"pgtui/model"
)

// providerOf is the host's pg_service_provider as printed, and whether it is a
// group of the inventory.
func (in *Input) providerOf(h model.Host) (name string, group bool) {
	v, _, err := in.Var(h, "pg_service_provider")
	if err != nil {
		return "", false
	}
	name = py.Print(v)
	return name, name != "" && in.Inventory.Group(name) != nil
}

// unknownProvider: a provider that is no group is no provider.
func unknownProvider() Rule {
	return Rule{"unknown-provider", Warning, "a pg_service_provider that is not a group of the inventory",
		"Pigsty silently ignores it: the services stay on the cluster's own nodes",
		func(in *Input, report func(Finding)) {
			for c, m := range in.members() {
				if name, group := in.providerOf(m.Host); name != "" && !group {
					report(Finding{At: in.var1(m.Host, "pg_service_provider"), Subject: string(c.Name), What: fmt.Sprintf("pg_service_provider %s of %s is not a group", name, c.Name), Fix: "name a group of the inventory, or leave it out"})
				}
			}
		}}
}

// emptyProvider: a provider without hosts.
func emptyProvider() Rule {
	return Rule{"empty-provider", Error, "a pg_service_provider group without hosts",
		"the services are not written at all, and Pigsty reports nothing",
		func(in *Input, report func(Finding)) {
			for c, m := range in.members() {
				name, group := in.providerOf(m.Host)
				if group && len(in.Inventory.Group(name).AllHosts()) == 0 {
					report(Finding{At: in.var1(m.Host, "pg_service_provider"), Subject: string(c.Name),
						What: fmt.Sprintf("provider group %s of %s has no hosts (%s)", name, c.Name, place(in.Inventory.Group(name).At)), Fix: "add HAProxy hosts to the group"})
				}
			}
		}}
}

// providerNotOnPrimary: only the primary writes to the provider.
func providerNotOnPrimary() Rule {
	return Rule{"provider-not-on-primary", Error, "a pg_service_provider that replicas have and the primary does not",
		"only the primary writes the provider's files: nothing is written there, and the primary serves on its own node",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				p := primary(c)
				if p == "" {
					continue
				}
				if name, group := in.providerOf(p); group || name != "" {
					continue
				}
				for _, m := range c.Instances {
					if name, group := in.providerOf(m.Host); group {
						report(Finding{At: in.var1(m.Host, "pg_service_provider"), Subject: string(c.Name), What: fmt.Sprintf("%s has provider %s, the primary %s has none", m.Name, name, p), Fix: "set pg_service_provider in the vars of the cluster, not of a host"})
						break
					}
				}
			}
		}}
}

// providerDisagrees: members with different providers.
func providerDisagrees() Rule {
	return Rule{"provider-disagrees", Warning, "members of one cluster with different providers",
		"each host decides for itself: some services are on the nodes, some on a provider, and clients find half of them",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				p := primary(c)
				if p == "" {
					continue
				}
				want, remote := in.providerOf(p)
				if !remote {
					want = ""
				}
				for _, m := range c.Instances {
					name, group := in.providerOf(m.Host)
					if !group {
						name = ""
					}
					if name == want || want == "" {
						continue
					}
					at, declared := in.At(m.Host, "pg_service_provider")
					if !declared || name == "" && at == in.var1(p, "pg_service_provider") {
						at = in.var1(m.Host, "pg_role")
					}
					report(Finding{At: at, Subject: string(c.Name), What: fmt.Sprintf("the provider of %s is %s, that of the primary %s is %s", m.Name, cmp.Or(name, "none"), p, want), Fix: "set pg_service_provider once, in the vars of the cluster"})
					break
				}
			}
		}}
}

// providerWithoutCA: the health checks of a provider need the CA file of a
// PostgreSQL node.
func providerWithoutCA() Rule {
	return Rule{"provider-without-ca", Warning, "patroni_ssl_enabled with a provider that is not a PostgreSQL node",
		"the server lines name a CA file that only PostgreSQL nodes have: HAProxy refuses the whole configuration",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				tls := model.Host("")
				for _, m := range c.Instances {
					if m.PatroniTLS && tls == "" {
						tls = m.Host
					}
				}
				if tls == "" || c.Provider == "" || in.Model.Dialect == model.DialectV20 {
					continue
				}
				for _, f := range c.LoadBalancers {
					if _, pg := in.At(f.Host, "pg_cluster"); !pg {
						report(Finding{At: in.var1(tls, "patroni_ssl_enabled"), Subject: string(c.Name), What: fmt.Sprintf("the checks of %s need /pg/cert/ca.crt, which provider node %s has not", c.Name, f.Host), Fix: "copy the CA there as /pg/cert/ca.crt before the next reload"})
						break
					}
				}
			}
		}}
}

// haproxyDisabled: a HAProxy node without HAProxy.
func haproxyDisabled() Rule {
	return Rule{"haproxy-disabled", Warning, "services on a node whose HAProxy is disabled",
		"no HAProxy reads the files",
		func(in *Input, report func(Finding)) {
			for _, c := range in.clusters() {
				for _, f := range c.LoadBalancers {
					if !in.on(f.Host, "haproxy_enabled", true) && len(f.Services) > 0 {
						report(Finding{At: in.var1(f.Host, "haproxy_enabled"), Subject: string(f.Host), What: fmt.Sprintf("haproxy_enabled is false on %s, where %s is written", f.Host, c.Name), Fix: "enable it, or name a pg_service_provider"})
					}
				}
			}
		}}
}
