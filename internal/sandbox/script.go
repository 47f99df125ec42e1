package sandbox

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"pgtui/internal/sandbox/patroni"
	"pgtui/internal/sandbox/pg"
	"pgtui/source"
)

// command is one word of the script language.
type command struct {
	name  string
	usage string // arguments, as shown in errors
	help  string
	run   verb
	least int // number of arguments
	most  int
}

// commands is the whole language but "wait" and "declare", which change more
// than the simulation.
func commands() []command {
	switchover := func(c *patroni.Cluster, to *patroni.Member, _ []string) error { return c.Switchover(to) }
	sync := func(c *patroni.Cluster, synced *patroni.Member, a []string) error { return c.SetSync(a[1], synced) }
	pause := func(on bool) verb {
		return onCluster(0, func(c *patroni.Cluster, _ *patroni.Member, _ []string) error { c.Pause(on); return nil })
	}
	apart := func(n *node) bool { return n.Cut || n.m.Frozen() }
	return []command{
		{"fail", "NODE", "kill Patroni and PostgreSQL of a node", onMember((*patroni.Member).Fail), 1, 1},
		{"kill", "patroni|postgres|pgbouncer|haproxy NODE", "kill one of the four", (*world).kill, 2, 2},
		{"start", "NODE|all", "start what does not run", onNodes((*world).start, func(n *node) bool { return !n.complete() }), 1, 1},
		{"switchover", "CLUSTER [NODE]", "hand the leader's role to another member", onCluster(2, switchover), 1, 2},
		{"drain", "NODE|all PROXY/SERVER", "no new connections to a server, in one HAProxy or all", setState("drain"), 2, 2},
		{"maint", "NODE|all PROXY/SERVER", "take a server out", setState("maint"), 2, 2},
		{"ready", "NODE|all PROXY/SERVER", "undo drain and maint", setState("ready"), 2, 2},
		{"weight", "NODE|all PROXY/SERVER N", "weight in the running HAProxy", onServers(setWeight), 3, 3},
		{"check", "NODE|all PROXY/SERVER on|off", "health check in the running HAProxy", onServers(setChecks), 3, 3},
		{"frontend", "NODE PROXY on|off", "enable or disable a frontend in the running HAProxy", onNode((*world).frontend), 3, 3},
		{"freeze", "NODE", "stop Patroni with SIGSTOP", onMember((*patroni.Member).Freeze), 1, 1},
		{"partition", "NODE", "cut a node's network", onNode((*world).partition), 1, 1},
		{"heal", "NODE|all", "undo freeze and partition", onNodes((*world).heal, apart), 1, 1},
		{"pause", "CLUSTER", "Patroni's maintenance mode", pause(true), 1, 1},
		{"resume", "CLUSTER", "end it", pause(false), 1, 1},
		{"lag", "NODE BYTES", "WAL that a replica has not received, for example 64MB", onNode((*world).lag), 2, 2},
		{"sync", "CLUSTER off|on|quorum [NODE]", "synchronous_mode, and the synchronous standby", onCluster(3, sync), 2, 3},
		{"dcs", "up|down", "stop and start etcd", (*world).dcsSwitch, 1, 1},
		{"pool", "NODE VERB [DB [N]]", "pgbouncer: " + pg.Verbs, onNode((*world).pooler), 2, 4},
		{"session", "NODE|all VERB [N]", "sessions of PostgreSQL: " + pg.SessionVerbs, (*world).session, 2, 3},
		{"reload", "NODE", "systemctl reload haproxy", onNode((*world).reload), 1, 1},
	}
}

// Do runs a script: one command a line. Empty lines and lines that begin with #
// are skipped. It stops at the first line that fails; the error has its number.
func (s *Sandbox) Do(ctx context.Context, script string) error {
	for i, line := range strings.Split(script, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := s.do(ctx, words); err != nil {
			if strings.Contains(strings.TrimSpace(script), "\n") {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
			return err
		}
	}
	return nil
}

func (s *Sandbox) do(ctx context.Context, words []string) error {
	name, args := words[0], words[1:]
	switch name {
	case "wait":
		if len(args) != 1 {
			return usage("wait", "DURATION, for example 2s")
		}
		d, err := time.ParseDuration(args[0])
		if err != nil || d < 0 {
			return fmt.Errorf("wait: %q: expected a duration, for example 2s", args[0])
		}
		return s.wait(ctx, d)
	case "declare":
		return s.declare(args)
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		if len(args) < c.least || len(args) > c.most {
			return usage(name, c.usage)
		}
		w := s.lock()
		defer s.unlock()
		var err error
		w.Change(func() { err = c.run(w, args) })
		w.Advance(w.Now()) // what happens at once
		s.notify()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return &source.Hint{Err: fmt.Errorf("unknown command %q", name), Try: "one of: " + strings.Join(commandNames(), " ")}
}

func usage(name, args string) error { return fmt.Errorf("%s: expected %s", name, args) }

func commandNames() []string {
	names := []string{"wait", "declare"}
	for _, c := range commands() {
		names = append(names, c.name)
	}
	sort.Strings(names)
	return names
}

// Help is the script language, one command a line.
func Help() string {
	var b strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&b, "%-36s %s\n", c.name+" "+c.usage, c.help)
	}
	fmt.Fprintf(&b, "%-36s %s\n", "declare NODE pg_weight N", "change the inventory file")
	fmt.Fprintf(&b, "%-36s %s\n", "wait DURATION", "let time pass")
	return b.String()
}
