package main

import (
	"bytes"
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

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
)

// dead is how many nodes of the large fleet answer nothing.
const dead = 20

// fleet measures the program on a sandbox of that many clusters, which another
// process serves and of which 20 nodes are cut off: how soon the first answers
// are on the screen, what the console costs while nothing changes, how soon a
// key shows, and one `pgtui status` of everything beside asking each Patroni
// with curl.
func fleet(ctx context.Context, bin string, clusters int, listen time.Duration) error {
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
	inv, stop, err := sandbox(ctx, bin, "--clusters", strconv.Itoa(clusters), "--script", script)
	if err != nil {
		return err
	}
	defer stop()
	time.Sleep(20 * time.Second) // every HAProxy has seen who is cut off
	fmt.Printf("against an embedded sandbox of %d clusters with %d dead nodes, served by another process\n", clusters, dead)
	if err := fleetConsole(ctx, bin, inv, config, listen); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, bin, "-i", inv, "status", "-o", "json")
	t0 := time.Now()
	out, err := c.Output()
	if err != nil && c.ProcessState.ExitCode() > 3 {
		return fmt.Errorf("status: %w", err)
	}
	row("pgtui status -o json, all of them", ms(time.Since(t0)), "ms", fmt.Sprintf("%.1f MB of JSON", float64(len(out))/1e6))
	if ru, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		row("  memory at its most", float64(ru.Maxrss)/1024, "MB", fmt.Sprintf("%.2f s of processor", c.ProcessState.UserTime().Seconds()+c.ProcessState.SystemTime().Seconds()))
	}
	return curls(ctx, inv)
}

// curls asks every Patroni for its status and every HAProxy for its CSV with
// curl, 64 nodes at a time: no judgement, only the answers.
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

// fleetConsole runs the console on a 120×40 terminal, asking every 5 s.
func fleetConsole(ctx context.Context, bin, inv, config string, listen time.Duration) error {
	c := exec.CommandContext(ctx, bin, "-i", inv)
	c.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "SSH_TTY=/dev/pts/0", "PGTUI_CONFIG="+config)
	t0 := time.Now()
	tty, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		return err
	}
	defer tty.Close()
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	s := &sink{}
	go s.read(tty)
	first, err := s.wait(t0, func(b []byte) bool {
		return bytes.Contains(b, []byte("reading the inventory")) || bytes.Contains(b, []byte("CLUSTER"))
	})
	if err != nil {
		return fmt.Errorf("first frame: %w", err)
	}
	list, err := s.wait(t0, func(b []byte) bool { return bytes.Contains(b, []byte("CLUSTER")) })
	if err != nil {
		return fmt.Errorf("list of clusters: %w", err)
	}
	answer, err := s.wait(t0, func(b []byte) bool { return strings.Contains(ansi.Strip(string(b)), "ok 1") })
	if err != nil {
		return fmt.Errorf("first answer: %w", err)
	}
	judged, err := s.wait(t0, func(b []byte) bool { return strings.Contains(ansi.Strip(string(b)), "● ok") })
	if err != nil {
		return fmt.Errorf("first cluster: %w", err)
	}
	row("console: start to first frame", ms(first), "ms", "")
	row("console: start to the list of clusters", ms(list), "ms", "")
	row("console: from there to the first services", ms(answer-list), "ms", "")
	row("console: from there to the first whole cluster", ms(judged-list), "ms", "")
	time.Sleep(15 * time.Second) // the first sweeps
	cpu0, at, quiet := cpu(c.Process.Pid), time.Now(), s.len()
	time.Sleep(listen)
	row("console: of one core, asking every 5 s", 100*(cpu(c.Process.Pid)-cpu0).Seconds()/time.Since(at).Seconds(), "%",
		fmt.Sprintf("%d bytes written in %s", s.len()-quiet, listen))
	row("console: memory", memory(c.Process.Pid, "VmRSS:"), "MB", fmt.Sprintf("%.1f at its most", memory(c.Process.Pid, "VmHWM:")))
	took, err := keys(tty, s, 1000)
	if err != nil {
		return err
	}
	row("console: key to screen, median", ms(median(took)), "ms",
		fmt.Sprintf("p99 %.1f, worst %.1f of %d", ms(took[len(took)*99/100]), ms(took[len(took)-1]), len(took)))
	_, _ = tty.Write([]byte("q"))
	return nil
}

// keys presses j and k in turn, at uneven intervals, and returns how long the
// screen took to follow, shortest first.
func keys(tty *os.File, s *sink, n int) ([]time.Duration, error) {
	var took []time.Duration
	for i := range n {
		before, t0 := s.len(), time.Now()
		if _, err := tty.Write([]byte{"jk"[i%2]}); err != nil {
			return nil, err
		}
		for s.len() == before {
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

// cpu is the processor time a process has used.
func cpu(pid int) time.Duration {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond // a tick is 10 ms on Linux
}

// memory is a line of a process's status in MB: VmRSS: is what it has resident,
// VmHWM: the most it ever had.
func memory(pid int, line string) float64 {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	for _, l := range strings.Split(string(b), "\n") {
		if v, ok := strings.CutPrefix(l, line); ok {
			kb, _ := strconv.Atoi(strings.Fields(v)[0])
			return float64(kb) / 1024
		}
	}
	return 0
}
