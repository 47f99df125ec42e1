package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The rivals of `pgtui status`. They time themselves on the node, without the
// time to enter it. TIMEFORMAT is bash's.
const (
	patronictl = `TIMEFORMAT=%R; { time patronictl -c /etc/patroni/patroni.yml list >/dev/null 2>&1; } 2>&1`
	curlLoop   = `TIMEFORMAT=%R; { time for n in 1 2 3; do a=10.10.10.1$n
  curl -s -m 2 "http://$a:8008/patroni" "http://$a:8008/cluster" "http://$a:8008/primary" "http://$a:8008/replica" >/dev/null
  curl -s -m 2 -u admin:pigsty "http://$a:9101/haproxy/pg-test-$n/;csv" >/dev/null; done; } 2>&1`
)

// cluster measures a cold answer about the lab's cluster beside the commands that
// a DBA would type instead. The lab must be up.
func cluster(ctx context.Context, bin, lab string) error {
	out, err := exec.CommandContext(ctx, lab, "inventory").Output()
	if err != nil {
		return fmt.Errorf("%s inventory: %w; start it with `make lab-up`", lab, err)
	}
	inv := strings.TrimSpace(string(out))
	const runs = 15
	var took []time.Duration
	for range runs {
		c := exec.CommandContext(ctx, bin, "-i", inv, "status", "pg-test", "-o", "json")
		t0 := time.Now()
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("status: %w: %s", err, out)
		}
		took = append(took, time.Since(t0))
	}
	fmt.Printf("against the lab, three nodes, median of %d\n", runs)
	row("pgtui status pg-test -o json, cold", ms(median(took)), "ms", "every route with its reason")
	for _, r := range []struct{ label, script, more string }{
		{"patronictl list, on a node", patronictl, "the state in the DCS"},
		{"curl, node after node", curlLoop, "without judgement"},
	} {
		took = took[:0]
		for range runs {
			out, err := exec.CommandContext(ctx, lab, "exec", "pg-test-1", "bash", "-c", r.script).Output()
			if err != nil {
				return fmt.Errorf("%s: %w", r.label, err)
			}
			s, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil {
				return fmt.Errorf("%s: %w", r.label, err)
			}
			took = append(took, time.Duration(s*float64(time.Second)))
		}
		row(r.label, ms(median(took)), "ms", r.more)
	}
	return labConsole(ctx, bin, inv, lab)
}

// labConsole measures the console on the lab: its start, at rest, and during a
// failover. It resets the lab afterwards.
func labConsole(ctx context.Context, bin, inv, lab string) error {
	ssh := filepath.Join(filepath.Dir(lab), ".state", "ssh_config")
	const runs = 15
	fmt.Printf("the console on the lab, 120×40, %d starts\n", runs)
	if err := starts(ctx, bin, inv, runs); err != nil {
		return err
	}
	head()
	board := program{[]string{bin, "-i", inv, "--ssh-config", ssh, "pg-test"}, "pg-test", "q"}
	f, err := watched(ctx, board, 1, 10*time.Second, 60*time.Second, nil)
	if err != nil {
		return err
	}
	f.print("its board, nothing changes, 60 s")
	out, err := exec.CommandContext(ctx, lab, "leader", "pg-test").Output()
	if err != nil {
		return err
	}
	defer func() { _ = exec.CommandContext(ctx, lab, "reset").Run() }()
	f, err = watched(ctx, board, 1, 10*time.Second, 60*time.Second, func() error {
		return exec.CommandContext(ctx, lab, "kill", strings.TrimSpace(string(out)), "patroni").Run()
	})
	if err != nil {
		return err
	}
	f.print("its board, the leader fails, 60 s")
	return nil
}
