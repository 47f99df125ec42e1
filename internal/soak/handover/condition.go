package handover

import (
	"fmt"
	"strings"
)

// place is where an attempt takes place: the members by their part in it.
type place struct {
	leader, candidate, other string
}

// condition is one thing that is wrong, or only different, while a leader is
// changed. Each command is one of the lab's.
type condition struct {
	name     string
	do, undo func(p place) [][]string
	// settles reports that Patroni needs a loop until it has noticed.
	settles bool
	// only is the generation that has it; "" is both.
	only string
}

func one(args ...string) [][]string { return [][]string{args} }

func sh(node, format string, args ...any) []string {
	return []string{"exec", node, "sh", "-c", fmt.Sprintf(format, args...)}
}

// sql is a statement as the superuser of a node's PostgreSQL.
func sql(node, statement string) []string {
	return sh(node, `psql -U postgres -h /var/run/postgresql -Xqc "%s" >/dev/null`, statement)
}

// patch changes Patroni's dynamic configuration through a node.
func patch(node, body string) []string {
	return []string{"api", node, "/config", "-f", "-m", "20", "-u", "postgres:Patroni.API", "-XPATCH", "-d", body, "-o", "/dev/null"}
}

// tag sets one tag of a node's Patroni and has it read its file again.
func tag(node, name, value string) [][]string {
	return [][]string{
		sh(node, `sed -i '/^  %s:/d; s/^tags:/tags:\n  %s: %s/' /etc/patroni/patroni.yml`, name, name, value),
		{"api", node, "/reload", "-f", "-u", "postgres:Patroni.API", "-XPOST", "-o", "/dev/null"},
	}
}

// socket is one command to the socket of a node's HAProxy.
func socket(node, line string) []string {
	return sh(node, "echo '%s' | socat - /run/haproxy.sock", line)
}

// emit writes so many megabytes of WAL on a node.
func emit(node string, megabytes int) []string {
	return sql(node, fmt.Sprintf("select count(pg_logical_emit_message(true, 'lab', repeat('x', 1048576))) from generate_series(1, %d)", megabytes))
}

// conditions are all of them. The zero condition is a calm cluster.
func conditions() []condition {
	config := func(name, set, back string) condition {
		return condition{name: name, settles: true,
			do:   func(p place) [][]string { return one(patch(p.other, set)...) },
			undo: func(p place) [][]string { return one(patch(p.other, back)...) }}
	}
	server := func(name, set string) condition {
		return condition{name: name,
			do: func(p place) [][]string {
				return one(socket(p.other, "set server pg-test-primary/"+p.candidate+" "+set)...)
			},
			undo: func(p place) [][]string {
				return one(socket(p.other, "set server pg-test-primary/"+p.candidate+" state ready")...)
			}}
	}
	component := func(name, do, undo, what string, on func(place) string) condition {
		return condition{name: name,
			do:   func(p place) [][]string { return one(do, on(p), what) },
			undo: func(p place) [][]string { return one(undo, on(p), what) }}
	}
	candidate := func(p place) string { return p.candidate }
	const stopped = `pkill -%s -f 'pg-test: [w]alreceiver'; true`
	return []condition{
		{name: "calm"},
		{name: "the candidate receives no WAL", settles: true,
			do:   func(p place) [][]string { return [][]string{sh(p.candidate, stopped, "STOP"), emit(p.leader, 4)} },
			undo: func(p place) [][]string { return one(sh(p.candidate, stopped, "CONT")...) }},
		{name: "the candidate's replay is paused",
			do: func(p place) [][]string {
				return [][]string{sql(p.candidate, "select pg_wal_replay_pause()"), emit(p.leader, 3)}
			},
			undo: func(p place) [][]string {
				return one(sql(p.candidate, "select pg_wal_replay_resume() where pg_is_in_recovery()")...)
			}},
		{name: "the candidate has nofailover", settles: true,
			do:   func(p place) [][]string { return tag(p.candidate, "nofailover", "true") },
			undo: func(p place) [][]string { return tag(p.candidate, "nofailover", "false") }},
		{name: "every replica has nofailover", settles: true,
			do: func(p place) [][]string {
				return append(tag(p.candidate, "nofailover", "true"), tag(p.other, "nofailover", "true")...)
			},
			undo: func(p place) [][]string {
				return append(tag(p.candidate, "nofailover", "false"), tag(p.other, "nofailover", "false")...)
			}},
		config("synchronous mode", `{"synchronous_mode":true}`, `{"synchronous_mode":false}`),
		{name: "quorum commit", settles: true, only: "trixie",
			do:   func(p place) [][]string { return one(patch(p.other, `{"synchronous_mode":"quorum"}`)...) },
			undo: func(p place) [][]string { return one(patch(p.other, `{"synchronous_mode":false}`)...) }},
		config("Patroni is paused", `{"pause":true}`, `{"pause":null}`),
		config("no lag is allowed", `{"maximum_lag_on_failover":0}`, `{"maximum_lag_on_failover":1048576}`),
		component("the candidate's pgbouncer is dead", "stop", "start", "pgbouncer", candidate),
		component("the candidate's Patroni is frozen", "freeze", "thaw", "patroni", candidate),
		server("the candidate is drained on one HAProxy", "state drain"),
		server("the candidate is in maintenance on one HAProxy", "state maint"),
		{name: "one member cannot reach the candidate's REST API",
			do: func(p place) [][]string {
				return one(sh(p.other, "ip neigh replace 10.10.10.99 lladdr 02:00:00:00:00:99 dev eth0 nud permanent; ip route replace %[1]s via 10.10.10.99 dev eth0 table 100; ip rule add pref 100 to %[1]s ipproto tcp dport 8008 lookup 100", address(p.candidate))...)
			},
			undo: func(p place) [][]string {
				return one(sh(p.other, "ip rule del pref 100; ip route flush table 100; ip neigh del 10.10.10.99 dev eth0; true")...)
			}},
		{name: "the DCS hangs for three seconds",
			do: func(place) [][]string {
				return one("exec", "pg-meta-1", "sh", "-c", "pkill -STOP -x etcd; (sleep 3; pkill -CONT -x etcd) >/dev/null 2>&1 &")
			},
			undo: func(place) [][]string { return one("exec", "pg-meta-1", "sh", "-c", "pkill -CONT -x etcd; true") }},
	}
}

// address is the address of a node of the lab.
func address(node string) string {
	return "10.10.10.1" + node[strings.LastIndexByte(node, '-')+1:]
}
