package emit

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pgtui/model"
)

// alert is one alerting rule of a cluster.
type alert struct {
	name     string
	severity string // as Pigsty's alerts have it: crit, warn, info
	expr     string // PromQL
	wait     string // how long it holds before it fires, "1m"
	summary  string // a template of Prometheus and vmalert
	why      string // what it means
	typ      string // the command to type
}

// Rules are alerting rules for Prometheus and vmalert about what Pigsty's own do
// not cover: a group for each cluster, from its services in the inventory. They
// read the series of HAProxy's exporter (2.4 and newer) and of Patroni's, with the
// labels that Pigsty gives them (cls, ins), and are PromQL. A cluster without
// instances has no group.
func Rules(inv *model.Inventory, cls []*model.Cluster) (string, error) {
	groups := list{}
	for _, c := range cls {
		rules := list{}
		for _, a := range alertsOf(c) {
			rules = append(rules, a.fields(c))
		}
		if len(rules) > 0 {
			groups = append(groups, fields{{"name", "pgtui-" + line(string(c.Name)), ""}, {"rules", rules, ""}})
		}
	}
	var b strings.Builder
	note(&b, fmt.Sprintf("pgtui rules: alerts for the services of %s. With Pigsty v4: write them to /infra/rules/pgtui.yml of each infra node, check them with "+
		"vmalert -dryRun -rule=/infra/rules/pgtui.yml, then: curl -X POST http://127.0.0.1:8880/-/reload. Prometheus reads the same file (rule_files). "+
		"Write them again when services or instances of the inventory change.", inv.Source))
	err := writeYAML(&b, fields{{"groups", groups, ""}})
	return b.String(), err
}

// fields are the rule as it is written.
func (a *alert) fields(c *model.Cluster) fields {
	level := map[string]string{"crit": "0", "warn": "1", "info": "2"}[a.severity]
	return fields{
		{"alert", a.name, ""},
		{"expr", block(a.expr), ""},
		{"for", a.wait, ""},
		{"labels", fields{
			{"category", "pgsql", ""}, {"cls", untemplated(c.Name), ""}, {"level", level, ""}, {"severity", strings.ToUpper(a.severity), ""},
		}, ""},
		{"annotations", fields{{"summary", a.summary, ""}, {"description", a.why + " Type: " + a.typ, ""}, {"command", a.typ, ""}}, ""},
	}
}

// untemplated is a name that a template prints as it is.
func untemplated[S ~string](name S) string {
	return strings.ReplaceAll(line(string(name)), "{{", `{{"{{"}}`)
}

// alertsOf are the rules of a cluster, the most severe first.
func alertsOf(c *model.Cluster) []alert {
	if len(c.Instances) == 0 {
		return nil
	}
	var out []alert
	cls := untemplated(c.Name)
	leader, all := []string{}, []string{}
	var others []string
	for _, svc := range c.Services() {
		if !shouldServe(c, svc) {
			continue
		}
		if all = append(all, svc.Proxy()); model.LockOnly(svc.Check, c.Standby) {
			leader = append(leader, svc.Proxy())
		} else {
			others = append(others, svc.Proxy())
		}
	}
	add := func(a alert) { out = append(out, a) }
	add(noLeaderAlert(c, cls))
	for _, of := range []struct {
		severity string
		proxies  []string
	}{{"crit", leader}, {"warn", others}} {
		if len(of.proxies) > 0 {
			add(alert{
				name: "ServiceWithoutServer", severity: of.severity, wait: "1m", typ: "pgtui doctor " + cls,
				expr:    fmt.Sprintf("max by (proxy) (\n  sum by (instance, proxy) (\n%s\n  )\n) == 0", eligible(of.proxies)),
				summary: "{{ $labels.proxy }} has no server on any HAProxy node",
				why:     "No server of this section gets new connections: none is UP with a weight above 0.",
			})
		}
	}
	if len(all) > 0 {
		add(alert{
			name: "HAProxiesDisagree", severity: "warn", wait: "1m", typ: "pgtui routes " + cls,
			expr: fmt.Sprintf("(\n  sum by (proxy, server) (\n%s\n  ) > 0\n)\n< on (proxy) group_left ()\ncount by (proxy) (\n  group by (instance, proxy) (%s)\n)",
				eligible(all), answering("haproxy_server_status", proxyIs(all)+`,state="UP"`)),
			summary: "{{ $labels.server }} gets connections of {{ $labels.proxy }} from {{ $value }} of the HAProxy nodes, not from all",
			why:     "Clients of one service reach other servers, by the HAProxy node that they connect to.",
		})
		add(drainedAlert(c, all))
		add(maintenanceAlert(c, all))
	}
	if a, ok := roleAlert(c, cls); ok {
		add(a)
	}
	add(alert{
		name: "PatroniPausedLong", severity: "warn", wait: "1h", typ: "pgtui resume " + cls,
		expr:    fmt.Sprintf("max(%s) == 1", answering("patroni_is_paused", clsIs(c))),
		summary: cls + " has been paused for more than an hour",
		why:     "While a cluster is paused, Patroni does not fail over. Where the maintenance is over, resume it.",
	})
	add(unmonitoredAlert(c, cls, all))
	return out
}

// shouldServe reports whether a service is meant to have a server: it has one in
// the inventory, and some member passes its check.
func shouldServe(c *model.Cluster, svc *model.Service) bool {
	servers, _ := svc.Servers()
	if len(servers) == 0 || model.NobodyPasses(svc.Check, c.Standby) {
		return false
	}
	return !svc.NoCheck || !model.LockOnly(svc.Check, c.Standby) || slices.ContainsFunc(servers, func(s model.Server) bool {
		in := c.Instance(s.Name)
		return in != nil && in.Role == model.RolePrimary
	})
}

// noLeaderAlert fires while some Patroni answers and none of them leads, or all of
// them report that no member holds the leader key. A count over nothing would be no
// series, so what is compared is the absence.
func noLeaderAlert(c *model.Cluster, cls string) alert {
	leads := answering(leaderSeries(c), clsIs(c))
	return alert{
		name: "PatroniNoLeader", severity: "crit", wait: "1m", typ: "pgtui candidates " + cls,
		expr: fmt.Sprintf("(\n  absent(%[1]s == 1)\n  or\n  min(%[2]s) == 1\n)\nand on () count(%[1]s) > 0",
			leads, answering("patroni_cluster_unlocked", clsIs(c))),
		summary: "no member of " + cls + " leads",
		why:     "No client can write, and Patroni has elected no one for a minute.",
	}
}

// leaderSeries is the series of Patroni that is 1 for the leader.
func leaderSeries(c *model.Cluster) string {
	if c.Standby {
		return "patroni_standby_leader"
	}
	return "patroni_primary"
}

// drainedAlert fires for a server that HAProxy would use, and that a drain or a
// weight of 0 keeps out; a weight of 0 that the inventory declares does not count.
func drainedAlert(c *model.Cluster, proxies []string) alert {
	weight := proxyIs(proxies)
	if zero := declaredZero(c); len(zero) > 0 {
		weight += ",server!~" + oneOf(zero)
	}
	return alert{
		name: "ServerDrainedUp", severity: "warn", wait: "30m", typ: "pgtui undrain {{ $labels.server }}",
		expr: fmt.Sprintf("count by (proxy, server) (\n  %s == 1\n  or ignoring (state)\n  (%s == 1 and ignoring (state) haproxy_server_weight{%s} == 0)\n)",
			answering("haproxy_server_status", proxyIs(proxies)+`,state="DRAIN"`), answering("haproxy_server_status", proxyIs(proxies)+`,state="UP"`), weight),
		summary: "{{ $labels.server }} is drained in {{ $labels.proxy }} on {{ $value }} HAProxy nodes, although its check passes",
		why:     "The server gets no new connections. Where the work on it is over, end the drain.",
	}
}

// maintenanceAlert fires for a server in maintenance whose PostgreSQL runs: HAProxy
// does not check it, so only Patroni's series shows that it is up.
func maintenanceAlert(c *model.Cluster, proxies []string) alert {
	return alert{
		name: "ServerInMaintenanceUp", severity: "warn", wait: "1h", typ: "pgtui ready {{ $labels.server }}",
		expr: fmt.Sprintf("count by (proxy, server) (\n  %s == 1\n  and on (server)\n  label_replace(%s == 1, \"server\", \"$1\", \"ins\", \"(.+)\")\n)",
			answering("haproxy_server_status", proxyIs(proxies)+`,state="MAINT"`), answering("patroni_postgres_running", clsIs(c))),
		summary: "{{ $labels.server }} is in maintenance in {{ $labels.proxy }} on {{ $value }} HAProxy nodes, and its PostgreSQL runs",
		why:     "The server gets no connections and no health check. Where the work on it is over, bring it back.",
	}
}

// roleAlert fires where another instance than the declared primary leads; a standby
// cluster has no primary, and false is returned.
func roleAlert(c *model.Cluster, cls string) (alert, bool) {
	for i := range c.Instances {
		if in := &c.Instances[i]; in.Role == model.RolePrimary && !c.Standby {
			return alert{
				name: "RoleLabelStale", severity: "warn", wait: "30m", typ: "pgtui roles " + cls,
				expr:    answering("patroni_primary", clsIs(c)+",ins!="+strconv.Quote(string(in.Name))) + " == 1",
				summary: "{{ $labels.ins }} leads " + cls + ", and the inventory declares " + untemplated(in.Name) + " as pg_role: primary",
				why:     "Service files that are rendered from this inventory take the leader for a replica.",
			}, true
		}
	}
	return alert{}, false
}

// unmonitoredAlert fires where a series that the other rules read is missing: without
// it they cannot fire.
func unmonitoredAlert(c *model.Cluster, cls string, proxies []string) alert {
	missing := []string{fmt.Sprintf("absent(%s{%s})", leaderSeries(c), clsIs(c))}
	for _, p := range proxies {
		missing = append(missing, fmt.Sprintf("absent(haproxy_server_status{proxy=%s})", strconv.Quote(p)))
	}
	return alert{
		name: "ServiceNotMonitored", severity: "warn", wait: "5m", typ: "pgtui status " + cls,
		expr:    strings.Join(missing, "\nor\n"),
		summary: "no series of {{ if $labels.proxy }}{{ $labels.proxy }} from any HAProxy{{ else }}" + cls + " from any Patroni{{ end }}",
		why:     "Other alerts of this cluster cannot fire: HAProxy or Patroni does not answer the scrape, or the service is in no HAProxy.",
	}
}

// declaredZero are the instances that the inventory gives the weight 0 in a service.
func declaredZero(c *model.Cluster) []string {
	var out []string
	for _, svc := range c.Services() {
		servers, _ := svc.Servers()
		for _, s := range servers {
			if name := string(s.Name); s.Weight == "0" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// eligible is, for each HAProxy and server, 1 where the server gets new connections
// and 0 where it does not.
func eligible(proxies []string) string {
	return fmt.Sprintf("    %s\n    * ignoring (state) (haproxy_server_weight{%s} > bool 0)",
		answering("haproxy_server_status", proxyIs(proxies)+`,state="UP"`), proxyIs(proxies))
}

// answering is a series without the targets whose last scrape failed: where no
// staleness mark was written, their last value would still be returned.
func answering(series, matchers string) string {
	return fmt.Sprintf("(%s{%s} unless on (job, instance) (up == 0))", series, matchers)
}

// clsIs matches the series of a cluster's Patronis.
func clsIs(c *model.Cluster) string { return "cls=" + strconv.Quote(string(c.Name)) }

// proxyIs matches the series of HAProxy sections.
func proxyIs(proxies []string) string { return "proxy=~" + oneOf(proxies) }

// oneOf is a regular expression for names, as a string of PromQL.
func oneOf(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = regexp.QuoteMeta(n)
	}
	return strconv.Quote(strings.Join(quoted, "|"))
}
