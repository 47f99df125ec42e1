package soak

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"pgtui/model/board"
	"regexp"
	"slices"
	"time"

	"pgtui/model"
)

// place is the target of one fault. It is drawn before the leader is known.
type place struct {
	leader  string // instance names
	replica string
	any     string
	proxy   string // a service's section
	port    string // of the section
	server  string // a server of the section on any's HAProxy
	nodes   []string
	host    map[string]string // the address of each node
}

// script is the lab's commands at a place.
type script func(place) [][]string

// kind is one kind of fault.
type kind struct {
	name string
	min  time.Duration // the shortest time that it is held
	max  time.Duration // the longest
	long bool          // it moves the leader: Patroni's TTL must run out
	do   script
	undo script // nil when it undoes itself
}

// cmd is a list of one command.
func cmd(args ...string) [][]string { return [][]string{args} }

// toggle is a kind of fault whose command and undo differ in one word. undo ""
// is a fault that undoes itself.
func toggle(name string, min, max time.Duration, do, undo string, command func(p place, word string) []string) kind {
	with := func(word string) script { return func(p place) [][]string { return cmd(command(p, word)...) } }
	k := kind{name: name, min: min, max: max, do: with(do)}
	if undo != "" {
		k.undo = with(undo)
	}
	return k
}

func leader(p place) string  { return p.leader }
func replica(p place) string { return p.replica }
func anyNode(p place) string { return p.any }
func meta(place) string      { return "pg-meta-1" }

// config changes Patroni's dynamic configuration through a node.
func config(node, patch string) []string {
	return []string{"api", node, "/config", "-f", "-m", "20", "-u", "postgres:Patroni.API", "-XPATCH", "-d", patch, "-o", "/dev/null"}
}

// socket is one command to the socket of a node's HAProxy. The command has done
// its work when the answer is empty.
func socket(node, line string) []string {
	return []string{"exec", node, "sh", "-c", fmt.Sprintf("! echo '%s' | socat - /run/haproxy.sock | grep .", line)}
}

// post is one action on a node's stats page. The redirect in the answer has the
// result.
func post(node, proxy, server, action string) []string {
	return []string{"exec", node, "sh", "-c", fmt.Sprintf(
		`curl -s -o /dev/null -w '%%{redirect_url}' -u admin:pigsty -d 's=%s&b=%s&action=%s' http://$(hostname -i | cut -d' ' -f1):9101/haproxy/%s/ | grep -q 'st=DONE'`, server, proxy, action, node)}
}

// kinds are all faults.
func kinds() []kind {
	const s = time.Second
	var out []kind
	part := func(name, verb, undo, what string, on func(place) string, min, max time.Duration, long bool) {
		k := toggle(name, min, max, verb, undo, func(p place, verb string) []string {
			return slices.DeleteFunc([]string{verb, on(p), what}, func(w string) bool { return w == "" })
		})
		k.long = long
		out = append(out, k)
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
	part("partition leader", "partition", "heal", "", leader, 40*s, 45*s, true)
	part("partition replica", "partition", "heal", "", replica, 5*s, 10*s, false)
	systemctl := func(p place, verb string) []string { return []string{"exec", p.any, "systemctl", verb, "haproxy"} }
	out = append(out,
		toggle("switchover", 3*s, 6*s, "switchover", "", func(p place, verb string) []string { return []string{verb, "pg-test", p.replica} }),
		toggle("reload haproxy", 2*s, 3*s, "reload", "", systemctl),
		toggle("restart haproxy", 2*s, 4*s, "restart", "", systemctl))
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
	inPool := func(p place, verb string) []string { return bouncer(p.any, verb+" test") }
	return []kind{
		toggle("frontend disabled", 4*s, 6*s, "disable", "enable", func(p place, verb string) []string { return socket(p.any, verb+" frontend "+p.proxy) }),
		{"frontend at its maxconn", 5 * s, 7 * s, false,
			func(p place) [][]string {
				hold := "setsid psql 'host=127.0.0.1 port=" + p.port + " user=test password=test dbname=test' -Xqc 'select pg_sleep(9)' </dev/null >/dev/null 2>&1 & sleep 0.7"
				return [][]string{{"exec", p.any, "sh", "-c", hold}, socket(p.any, "set maxconn frontend "+p.proxy+" 1")}
			},
			func(p place) [][]string { return cmd(socket(p.any, "set maxconn frontend "+p.proxy+" 3000")...) }},
		toggle("pgbouncer paused", 10*s, 13*s, "PAUSE", "RESUME", inPool),
		toggle("pgbouncer's database disabled", 9*s, 11*s, "DISABLE", "ENABLE", inPool),
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

// byHand are the faults that an operator makes on servers and clusters.
func byHand() []kind {
	const s = time.Second
	set := func(p place, to string) []string { return socket(p.any, "set server "+p.proxy+"/"+p.server+" "+to) }
	var out []kind
	for _, state := range []string{"drain", "maint"} {
		out = append(out,
			toggle(state+" by the stats page", 3*s, 5*s, state, "ready", func(p place, state string) []string { return post(p.any, p.proxy, p.server, state) }),
			toggle(state+" by the socket", 3*s, 5*s, "state "+state, "state ready", set))
	}
	patch := func(p place, patch string) []string { return config(p.leader, patch) }
	return append(out,
		toggle("weight 0 by the socket", 3*s, 5*s, "weight 0", "weight 100%", set),
		toggle("pause", 4*s, 7*s, `{"pause":true}`, `{"pause":null}`, patch),
		toggle("sync mode", 4*s, 7*s, `{"synchronous_mode":true}`, `{"synchronous_mode":false}`, patch))
}

// deck is every kind whose name matches only, once, in random order. A kind that
// moves the leader is first.
func deck(rng *rand.Rand, only *regexp.Regexp) []kind {
	all := slices.DeleteFunc(kinds(), func(k kind) bool { return !only.MatchString(k.name) })
	rng.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	if i := slices.IndexFunc(all, func(k kind) bool { return k.long }); i > 0 {
		all[0], all[i] = all[i], all[0]
	}
	return all
}

// placeOf draws the place of the next fault. The number of draws does not depend
// on the leader: the same seed makes the same sequence.
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
	p.leader, p.replica, p.any = cmp.Or(string(b.Leader), all[0]), draw(replicas), draw(all)
	services := c.Services()
	svc := services[rng.IntN(1<<20)%len(services)]
	p.proxy, p.port, p.nodes = svc.Proxy(), svc.Port, all
	p.server = draw(servedBy(c, b, svc, p.any))
	return p
}

// servedBy are the servers of a service on a node that get its connections; all
// of its servers when there is none.
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
