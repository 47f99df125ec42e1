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
	run   func(w *world, args []string) error
	args  int // how many; -1: run checks
}

// commands is the whole language but "wait" and "declare", which change more
// than the simulation.
func commands() []command {
	onMember := func(do func(*patroni.Member) error) func(*world, []string) error {
		return func(w *world, a []string) error {
			n, err := w.node(a[0])
			if err != nil {
				return err
			}
			return do(n.m)
		}
	}
	onCluster := func(do func(*patroni.Cluster)) func(*world, []string) error {
		return func(w *world, a []string) error {
			c, err := w.cluster(a[0])
			if err == nil {
				do(c)
			}
			return err
		}
	}
	return []command{
		{"fail", "NODE", "kill Patroni and PostgreSQL of a node", onMember((*patroni.Member).Fail), 1},
		{"kill", "patroni|postgres|pgbouncer|haproxy NODE", "kill one of the four", (*world).kill, 2},
		{"start", "NODE|all", "start what does not run", (*world).start, 1},
		{"switchover", "CLUSTER [NODE]", "hand the leader's role to another member", (*world).switchover, -1},
		{"drain", "NODE|all PROXY/SERVER", "no new connections to a server, in one HAProxy or all", setState("drain"), 2},
		{"maint", "NODE|all PROXY/SERVER", "take a server out", setState("maint"), 2},
		{"ready", "NODE|all PROXY/SERVER", "undo drain and maint", setState("ready"), 2},
		{"weight", "NODE|all PROXY/SERVER N", "weight in the running HAProxy", (*world).weight, 3},
		{"check", "NODE|all PROXY/SERVER on|off", "health check in the running HAProxy", (*world).check, 3},
		{"freeze", "NODE", "stop Patroni with SIGSTOP", onMember((*patroni.Member).Freeze), 1},
		{"partition", "NODE", "cut a node's network", (*world).partition, 1},
		{"heal", "NODE|all", "undo freeze and partition", (*world).heal, 1},
		{"pause", "CLUSTER", "Patroni's maintenance mode", onCluster((*patroni.Cluster).Pause), 1},
		{"resume", "CLUSTER", "end it", onCluster((*patroni.Cluster).Resume), 1},
		{"lag", "NODE BYTES", "replay lag of a replica, for example 64MB", (*world).lag, 2},
		{"sync", "CLUSTER off|on|quorum [NODE]", "synchronous_mode, and the synchronous standby", (*world).sync, -1},
		{"dcs", "up|down", "stop and start etcd", (*world).dcsSwitch, 1},
		{"pool", "NODE VERB [DB [N]]", "pgbouncer: " + pg.Verbs, (*world).pooler, -1},
		{"reload", "NODE", "systemctl reload haproxy", (*world).reload, 1},
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
		if c.args >= 0 && len(args) != c.args {
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
