package soak

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

// place is what one fault is about, drawn before it is known who leads.
type place struct {
	leader  string // instance names
	replica string
	any     string
	proxy   string // a service's section
	port    string // that it listens on
	server  string // a server of it on any's HAProxy
	nodes   []string
	host    map[string]string // the address of each node
}

// kind is one kind of fault. Its commands are the lab's.
type kind struct {
	name string
	min  time.Duration // how long it is held, at least
	max  time.Duration // and at most
	long bool          // it moves the leader: Patroni's TTL has to run out
	do   func(p place) [][]string
	undo func(p place) [][]string // nil when it undoes itself
}

// cmd is a list of one command.
func cmd(args ...string) [][]string { return [][]string{args} }

// component is a fault of one component: verb, and the verb that undoes it.
func component(verb, undo, what string, on func(place) string) (do, back func(place) [][]string) {
	do = func(p place) [][]string { return cmd(verb, on(p), what) }
	if undo != "" {
		back = func(p place) [][]string { return cmd(undo, on(p), what) }
	}
	return do, back
}

func leader(p place) string { return p.leader }

func replica(p place) string { return p.replica }

func anyNode(p place) string { return p.any }

func meta(place) string { return "pg-meta-1" }

// config changes Patroni's dynamic configuration through a node.
func config(node, patch string) []string {
	return []string{"api", node, "/config", "-f", "-m", "20", "-u", "postgres:Patroni.API", "-XPATCH", "-d", patch, "-o", "/dev/null"}
}

// socket is one command to a node's HAProxy by its socket, which says nothing
// when it was done.
func socket(node, line string) []string {
	return []string{"exec", node, "sh", "-c", fmt.Sprintf("! echo '%s' | socat - /run/haproxy.sock | grep .", line)}
}

// post is one action through a node's stats page, which answers with a
// redirect that tells how it went.
func post(node, proxy, server, action string) []string {
	return []string{"exec", node, "sh", "-c", fmt.Sprintf(
		`curl -s -o /dev/null -w '%%{redirect_url}' -u admin:pigsty -d 's=%s&b=%s&action=%s' http://$(hostname -i | cut -d' ' -f1):9101/haproxy/%s/ | grep -q 'st=DONE'`, server, proxy, action, node)}
}

// kinds are all faults.
func kinds() []kind {
	const s = time.Second
	var out []kind
	add := func(name string, min, max time.Duration, long bool, do, undo func(place) [][]string) {
		out = append(out, kind{name, min, max, long, do, undo})
	}
	part := func(name, verb, undo, what string, on func(place) string, min, max time.Duration, long bool) {
		do, back := component(verb, undo, what, on)
		add(name, min, max, long, do, back)
	}
	part("kill leader's postgres", "kill", "", "postgres", leader, 8*s, 8*s, false)
	part("kill replica's postgres", "kill", "", "postgres", replica, 5*s, 5*s, false)
	part("stop replica's postgres", "stop", "", "postgres", replica, 5*s, 5*s, false)
	part("freeze leader's postgres", "freeze", "thaw", "postgres", leader, 9*s, 11*s, false)
	part("freeze replica's postgres", "freeze", "thaw", "postgres", replica, 9*s, 11*s, false)
	part("kill leader's patroni", "kill", "start", "patroni", leader, 40*s, 45*s, true)
	part("kill leader's patroni briefly", "kill", "start", "patroni", leader, 6*s, 12*s, false)
	part("kill replica's patroni", "kill", "start", "patroni", replica, 5*s, 10*s, false)
	part("stop leader's patroni", "stop", "start", "patroni", leader, 12*s, 15*s, true)
	part("stop replica's patroni", "stop", "start", "patroni", replica, 5*s, 8*s, false)
	part("freeze leader's patroni", "freeze", "thaw", "patroni", leader, 40*s, 45*s, true)
	part("freeze replica's patroni", "freeze", "thaw", "patroni", replica, 5*s, 12*s, false)
	part("kill pgbouncer", "kill", "start", "pgbouncer", anyNode, 9*s, 11*s, false)
	part("freeze pgbouncer", "freeze", "thaw", "pgbouncer", anyNode, 9*s, 11*s, false)
	part("kill haproxy", "kill", "start", "haproxy", anyNode, 3*s, 6*s, false)
	part("stop haproxy", "stop", "start", "haproxy", anyNode, 3*s, 6*s, false)
	part("freeze haproxy", "freeze", "thaw", "haproxy", anyNode, 4*s, 7*s, false)
	part("dcs down", "stop", "start", "etcd", meta, 10*s, 25*s, false)
	add("partition leader", 40*s, 45*s, true,
		func(p place) [][]string { return cmd("partition", p.leader) }, func(p place) [][]string { return cmd("heal", p.leader) })
	add("partition replica", 5*s, 10*s, false,
		func(p place) [][]string { return cmd("partition", p.replica) }, func(p place) [][]string { return cmd("heal", p.replica) })
	add("switchover", 3*s, 6*s, false, func(p place) [][]string { return cmd("switchover", "pg-test", p.replica) }, nil)
	add("reload haproxy", 2*s, 3*s, false, func(p place) [][]string {
		return cmd("exec", p.any, "systemctl", "reload", "haproxy")
	}, nil)
	add("restart haproxy", 2*s, 4*s, false, func(p place) [][]string {
		return cmd("exec", p.any, "systemctl", "restart", "haproxy")
	}, nil)
	return append(append(out, byHand()...), unseen()...)
}

// bouncer is one command to the console of a node's pgbouncer.
func bouncer(node, command string) []string {
	return []string{"exec", node, "psql", "host=127.0.0.1 port=6432 user=dbuser_dba password=DBUser.DBA dbname=pgbouncer", "-Xqc", command}
}

// unseen are the faults that no server's status on a stats page shows.
func unseen() []kind {
	const s = time.Second
	drained := func(p place, state string) (out [][]string) {
		for _, n := range p.nodes {
			out = append(out, socket(n, "set server pg-test-primary/"+p.replica+" state "+state))
		}
		return out
	}
	return []kind{
		{"frontend disabled", 4 * s, 6 * s, false,
			func(p place) [][]string { return [][]string{socket(p.any, "disable frontend "+p.proxy)} },
			func(p place) [][]string { return [][]string{socket(p.any, "enable frontend "+p.proxy)} }},
		{"frontend at its maxconn", 5 * s, 7 * s, false,
			func(p place) [][]string {
				hold := "setsid psql 'host=127.0.0.1 port=" + p.port + " user=test password=test dbname=test' -Xqc 'select pg_sleep(9)' </dev/null >/dev/null 2>&1 & sleep 0.7"
				return [][]string{{"exec", p.any, "sh", "-c", hold}, socket(p.any, "set maxconn frontend "+p.proxy+" 1")}
			},
			func(p place) [][]string {
				return [][]string{socket(p.any, "set maxconn frontend "+p.proxy+" 3000")}
			}},
		{"pgbouncer paused", 10 * s, 13 * s, false,
			func(p place) [][]string { return [][]string{bouncer(p.any, "PAUSE test")} },
			func(p place) [][]string { return [][]string{bouncer(p.any, "RESUME test")} }},
		{"pgbouncer's database disabled", 9 * s, 11 * s, false,
			func(p place) [][]string { return [][]string{bouncer(p.any, "DISABLE test")} },
			func(p place) [][]string { return [][]string{bouncer(p.any, "ENABLE test")} }},
		{"switchover to a drained replica", 6 * s, 9 * s, true,
			func(p place) [][]string {
				return append(drained(p, "drain"), []string{"switchover", "pg-test", p.replica})
			},
			func(p place) [][]string { return drained(p, "ready") }},
		{"one-way block", 9 * s, 12 * s, false,
			func(p place) [][]string {
				return [][]string{{"exec", p.replica, "sh", "-ec", "ip neigh replace 10.10.10.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent; ip route replace default via 10.10.10.99 dev eth0 table 100; " +
					"ip rule add pref 100 to " + p.host[p.leader] + " ipproto tcp dport 8008 lookup 100"}}
			},
			func(p place) [][]string {
				return [][]string{{"exec", p.replica, "sh", "-c", "ip rule del pref 100; ip route flush table 100; ip neigh del 10.10.10.99 dev eth0"}}
			}},
		{"another cluster's patroni", 8 * s, 10 * s, false,
			func(p place) [][]string {
				return [][]string{{"kill", p.replica, "patroni"}, {"exec", p.replica, "sh", "-c", "setsid socat TCP-LISTEN:8008,bind=" + p.host[p.replica] + ",fork,reuseaddr TCP:10.10.10.10:8008 </dev/null >/dev/null 2>&1 & sleep 0.2"}}
			},
			func(p place) [][]string {
				return [][]string{{"exec", p.replica, "pkill", "-f", "TCP-LISTEN:8008"}, {"start", p.replica, "patroni"}}
			}},
	}
}

// byHand are what an operator does to servers and clusters.
func byHand() []kind {
	const s = time.Second
	var out []kind
	for _, state := range []string{"drain", "maint"} {
		out = append(out, kind{state + " by the stats page", 3 * s, 5 * s, false,
			func(p place) [][]string { return [][]string{post(p.any, p.proxy, p.server, state)} },
			func(p place) [][]string { return [][]string{post(p.any, p.proxy, p.server, "ready")} }},
			kind{state + " by the socket", 3 * s, 5 * s, false,
				func(p place) [][]string {
					return [][]string{socket(p.any, "set server "+p.proxy+"/"+p.server+" state "+state)}
				},
				func(p place) [][]string {
					return [][]string{socket(p.any, "set server "+p.proxy+"/"+p.server+" state ready")}
				}})
	}
	out = append(out, kind{"weight 0 by the socket", 3 * s, 5 * s, false,
		func(p place) [][]string {
			return [][]string{socket(p.any, "set server "+p.proxy+"/"+p.server+" weight 0")}
		},
		func(p place) [][]string {
			return [][]string{socket(p.any, "set server "+p.proxy+"/"+p.server+" weight 100%")}
		}})
	for _, c := range [][3]string{{"pause", `{"pause":true}`, `{"pause":null}`}, {"sync mode", `{"synchronous_mode":true}`, `{"synchronous_mode":false}`}} {
		out = append(out, kind{c[0], 4 * s, 7 * s, false,
			func(p place) [][]string { return [][]string{config(p.leader, c[1])} },
			func(p place) [][]string { return [][]string{config(p.leader, c[2])} }})
	}
	return out
}

// deck is every kind whose name matches only, once in random order, one that
// moves the leader first.
func deck(rng *rand.Rand, only *regexp.Regexp) []kind {
	all := slices.DeleteFunc(kinds(), func(k kind) bool { return !only.MatchString(k.name) })
	rng.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	for i := range all {
		if all[i].long {
			all[0], all[i] = all[i], all[0]
			break
		}
	}
	return all
}

// placeOf draws where the next fault strikes. The same number of draws is made
// whoever leads, so that the same seed makes the same sequence.
func placeOf(rng *rand.Rand, c *model.Cluster, b *board.Board) place {
	p := place{host: map[string]string{}}
	var all, replicas []string
	for _, in := range c.Instances {
		p.host[string(in.Name)] = string(in.Host)
		all = append(all, string(in.Name))
		if in.Name != b.Leader {
			replicas = append(replicas, string(in.Name))
		}
	}
	draw := func(of []string) string { return of[rng.IntN(1<<20)%len(of)] }
	p.leader, p.replica, p.any = string(b.Leader), draw(replicas), draw(all)
	if p.leader == "" {
		p.leader = all[0]
	}
	services := c.Services()
	svc := services[rng.IntN(1<<20)%len(services)]
	p.proxy, p.port, p.nodes = svc.Proxy(), svc.Port, all
	p.server = draw(servedBy(c, b, svc, p.any))
	return p
}

// servedBy are the servers worth taking out of a service on a node: those that
// get its connections, else all it has.
func servedBy(c *model.Cluster, b *board.Board, svc *model.Service, node string) []string {
	var names []string
	if in, r := c.Instance(model.InstanceName(node)), b.Route(svc.Name); in != nil && r != nil {
		for _, v := range r.Views {
			for _, n := range v.Serving {
				if v.HAProxy == in.Host {
					names = append(names, string(n))
				}
			}
		}
	}
	if len(names) > 0 {
		return names
	}
	servers, _ := svc.Servers()
	for _, s := range servers {
		names = append(names, string(s.Name))
	}
	return names
}
