package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"pgtui/internal/proc"
)

// dead is the number of nodes of the large fleet that do not answer.
const dead = 20

// fleet measures the program on a sandbox of that many clusters, which another
// process serves and of which 20 nodes are cut off: the time to the first
// answers, the costs of the console while nothing changes, the time from a key
// to the screen, and one `pgtui status` of everything beside curl of each Patroni.
func fleet(ctx context.Context, bin string, clusters int, watch time.Duration) error {
	dir, err := os.MkdirTemp("", "pgtui-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "script")
	var lines strings.Builder
	for n := range min(dead, clusters-2) {
		fmt.Fprintf(&lines, "partition pg-%03d-3\n", n+2) // the clusters of a fleet are pg-test, pg-002, pg-003, …
	}
	if err := os.WriteFile(script, []byte(lines.String()), 0o600); err != nil {
		return err
	}
	config := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(config, []byte("refresh: 5s\n"), 0o600); err != nil {
		return err
	}
	inv, stop, _, err := sandbox(ctx, bin, "--clusters", strconv.Itoa(clusters), "--script", script)
	if err != nil {
		return err
	}
	defer stop()
	time.Sleep(20 * time.Second) // until every HAProxy has noticed the dead nodes
	fmt.Printf("against an embedded sandbox of %d clusters with %d dead nodes, served by another process\n", clusters, dead)
	if err := fleetConsole(ctx, bin, inv, config, watch); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, bin, "-i", inv, "status", "-o", "json")
	t0 := time.Now()
	out, err := c.Output()
	if err != nil && c.ProcessState.ExitCode() > 3 {
		return fmt.Errorf("status: %w", err)
	}
	row("pgtui status -o json, all clusters", ms(time.Since(t0)), "ms", fmt.Sprintf("%.1f MB of JSON", float64(len(out))/1e6))
	if ru, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		row("  memory at its most", float64(ru.Maxrss)/1024, "MB", fmt.Sprintf("%.2f s of processor", c.ProcessState.UserTime().Seconds()+c.ProcessState.SystemTime().Seconds()))
	}
	return curls(ctx, inv)
}

// curls reads every Patroni's status and every HAProxy's CSV with curl, 64 nodes
// at a time, without any judgement.
func curls(ctx context.Context, inv string) error {
	text, err := os.ReadFile(inv)
	if err != nil {
		return err
	}
	var nodes strings.Builder
	for _, m := range regexp.MustCompile(`([0-9.]+): \{ pg_seq: .*nodes/([^"]+)"`).FindAllSubmatch(text, -1) {
		fmt.Fprintf(&nodes, "%s %s\n", m[1], m[2])
	}
	c := exec.CommandContext(ctx, "xargs", "-P64", "-L1", "sh", "-c", `curl -s -m 2 "http://$0:8008/patroni" "http://$0:8008/cluster"; curl -s -m 2 -u admin:pigsty "http://$0:9101/haproxy/$1/;csv"`)
	c.Stdin = strings.NewReader(nodes.String())
	t0 := time.Now()
	out, err := c.Output()
	if err != nil && c.ProcessState == nil {
		return fmt.Errorf("curl: %w", err)
	}
	row("curl of the same nodes, 64 at a time", ms(time.Since(t0)), "ms",
		fmt.Sprintf("%.1f MB, %.1f s of processor", float64(len(out))/1e6, c.ProcessState.UserTime().Seconds()+c.ProcessState.SystemTime().Seconds()))
	return nil
}

func row(label string, n float64, unit, more string) {
	if more != "" {
		more = "  (" + more + ")"
	}
	fmt.Printf("%-44s %8.1f %s%s\n", label, n, unit, more)
}

// fleetConsole runs the console with a refresh of 5 s.
func fleetConsole(ctx context.Context, bin, inv, config string, watch time.Duration) error {
	t, err := open(ctx, []string{bin, "-i", inv}, "PGTUI_CONFIG="+config)
	if err != nil {
		return err
	}
	defer t.close("q")
	first, err1 := t.shows("reading the inventory", "CLUSTER")
	list, err2 := t.shows("CLUSTER")
	answer, err3 := t.reads("ok 1")
	judged, err4 := t.reads("● ok")
	if err := cmp.Or(err1, err2, err3, err4); err != nil {
		return err
	}
	row("console: start to first frame", ms(first), "ms", "")
	row("console: start to the list of clusters", ms(list), "ms", "")
	row("console: from there to the first services", ms(answer-list), "ms", "")
	row("console: from there to the first whole cluster", ms(judged-list), "ms", "")
	time.Sleep(15 * time.Second) // the first sweeps
	pid := t.cmd.Process.Pid
	f, _ := t.watch(watch, nil)
	row("console: of one core, refresh 5 s", f.cpu, "%", fmt.Sprintf("%.0f bytes written in %s", f.bytes*watch.Seconds(), watch))
	row("console: memory", f.rss, "MB", fmt.Sprintf("%.1f at its most", memory(pid, "VmHWM:")))
	took, err := keys(t, 1000)
	if err != nil {
		return err
	}
	row("console: key to screen, median", ms(median(took)), "ms",
		fmt.Sprintf("p99 %.1f, worst %.1f of %d", ms(took[len(took)*99/100]), ms(took[len(took)-1]), len(took)))
	return nil
}

// keys presses j and k in turn, at uneven intervals, and returns the times until
// the screen changed, shortest first.
func keys(t *terminal, n int) ([]time.Duration, error) {
	var took []time.Duration
	for i := range n {
		before, t0 := t.len(), time.Now()
		t.press("jk"[i%2 : i%2+1])
		for t.len() == before {
			if time.Since(t0) > 2*time.Second {
				return nil, fmt.Errorf("no answer to a key within 2 s")
			}
			time.Sleep(100 * time.Microsecond)
		}
		took = append(took, time.Since(t0))
		time.Sleep(time.Duration(20+i*37%61) * time.Millisecond)
	}
	slices.Sort(took)
	return took, nil
}

// cpu is the processor time that a process has used; 0 when it cannot be read.
func cpu(pid int) time.Duration {
	s, _ := proc.Read(pid)
	return s.CPU
}

// memory is a line of a process's status in MB: VmRSS: is its resident memory,
// VmHWM: the highest value so far; 0 when it cannot be read.
func memory(pid int, line string) float64 {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	kb := 0
	_, rest, _ := strings.Cut(string(b), "\n"+line)
	_, _ = fmt.Sscan(rest, &kb)
	return float64(kb) / 1024
}
