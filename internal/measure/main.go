// Command measure runs the real program on a pseudo-terminal and prints what
// the README states: time to the first frame, bytes on an idle tick, time of
// `pgtui status`, beside what a user would otherwise type. The figures are of
// this machine, now; nothing fails on them.
//
//	go run ./internal/measure [-i inventory] [-idle 6s] [-clusters 333] [-fleet] [-lab testdata/lab/lab] [-rivals] [-bin program]
//
// Without -i it starts the embedded sandbox and measures against that, and then
// against a sandbox of 1,000 nodes. With -lab it measures one answer on the lab
// that is up, beside patronictl and curl, and nothing else. With -rivals it
// prints one table of what consoles cost: pgtui, hatop and pg_activity.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

func main() {
	inv := flag.String("i", "", "inventory to measure against; default: the embedded sandbox")
	idle := flag.Duration("idle", 6*time.Second, "how long the idle console is listened to")
	runs := flag.Int("runs", 15, "starts to measure the first frame over")
	clusters := flag.Int("clusters", 333, "size of the large fleet of the second part; 0 leaves it out")
	only := flag.Bool("fleet", false, "the large fleet only")
	lab := flag.String("lab", "", "the lab's command: measure on the lab that is up, only")
	rivals := flag.Bool("rivals", false, "hatop and pg_activity too, where they are installed, in the table of consoles; that table only")
	bin := flag.String("bin", "", "program to measure; default: built from here")
	flag.Parse()
	if err := run(context.Background(), *bin, *inv, *idle, *runs, *clusters, *only, *lab, *rivals); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, inv string, idle time.Duration, runs, clusters int, only bool, lab string, rivals bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp("", "pgtui-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if bin == "" {
		bin = filepath.Join(dir, "pgtui")
		if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "./cmd/pgtui").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w: %s", err, out)
		}
	}
	if lab != "" {
		return cluster(ctx, bin, lab)
	}
	if rivals {
		return table(ctx, bin, idle, runs, true)
	}
	if !only {
		if err := small(ctx, bin, inv, idle, runs); err != nil {
			return err
		}
	}
	if inv != "" {
		return nil
	}
	if !only {
		if err := table(ctx, bin, idle, runs, false); err != nil {
			return err
		}
	}
	if clusters == 0 {
		return nil
	}
	return fleet(ctx, bin, clusters, 20*time.Second)
}

// small measures on the given inventory, or on the sandbox's four nodes.
func small(ctx context.Context, bin, inv string, idle time.Duration, runs int) error {
	where := inv
	if inv == "" {
		var stop func()
		var err error
		if inv, stop, err = sandbox(ctx, bin); err != nil {
			return err
		}
		defer stop()
		where = "the embedded sandbox"
	}
	st, err := os.Stat(bin)
	if err != nil {
		return err
	}
	fmt.Printf("against %s, %s\n", where, time.Now().UTC().Format("2006-01-02"))
	fmt.Printf("%-44s %8.2f MB\n", "program, stripped", float64(st.Size())/1e6)
	first, live := make([]time.Duration, 0, runs), make([]time.Duration, 0, runs)
	for range runs {
		f, l, _, err := console(ctx, bin, inv, 0)
		if err != nil {
			return err
		}
		first, live = append(first, f), append(live, l)
	}
	fmt.Printf("%-44s %8.1f ms  (worst %.1f)\n", "console: start to first frame, median", ms(median(first)), ms(slices.Max(first)))
	fmt.Printf("%-44s %8.1f ms  (worst %.1f)\n", "console: start to first live answer, median", ms(median(live)), ms(slices.Max(live)))
	_, _, quiet, err := console(ctx, bin, inv, idle)
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %8d bytes in %s\n", "console: written while nothing changes", quiet, idle)
	return commands(ctx, bin, inv)
}

// commands times `pgtui status` and, where it is installed, what a DBA would
// type instead.
func commands(ctx context.Context, bin, inv string) error {
	rows := []struct {
		label string
		argv  []string
	}{
		{"pgtui status -o json, all clusters", []string{bin, "-i", inv, "status", "-o", "json"}},
		{"pgtui render --all", []string{bin, "-i", inv, "render", "--all"}},
	}
	if p, err := exec.LookPath("ansible-inventory"); err == nil {
		rows = append(rows, struct {
			label string
			argv  []string
		}{"ansible-inventory --list, reading only", []string{p, "-i", inv, "--list"}})
	}
	for _, r := range rows {
		var took []time.Duration
		for range 5 {
			t0 := time.Now()
			c := exec.CommandContext(ctx, r.argv[0], r.argv[1:]...)
			out, err := c.CombinedOutput()
			took = append(took, time.Since(t0))
			if err != nil && c.ProcessState.ExitCode() > 3 {
				return fmt.Errorf("%s: %w: %s", r.label, err, out)
			}
		}
		fmt.Printf("%-44s %8.1f ms\n", r.label, ms(median(took)))
	}
	return nil
}

// sandbox starts `pgtui demo --serve` and returns its inventory.
func sandbox(ctx context.Context, bin string, more ...string) (inv string, stop func(), err error) {
	inv, stop, _, err = sandboxTold(ctx, bin, more...)
	return inv, stop, err
}

// sandboxTold is a sandbox that can be told what shall happen.
func sandboxTold(ctx context.Context, bin string, more ...string) (inv string, stop func(), say func(string) error, err error) {
	// It plays other machines: what is measured here comes first.
	c := exec.CommandContext(ctx, "nice", append([]string{"-n", "19", bin, "demo", "--serve"}, more...)...)
	in, err := c.StdinPipe() // closing it ends the sandbox
	if err != nil {
		return "", nil, nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return "", nil, nil, err
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return "", nil, nil, err
	}
	stop = func() {
		_ = in.Close()
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
	}
	say = func(what string) error { _, err := io.WriteString(in, what); return err }
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		for _, w := range strings.Fields(sc.Text()) {
			if strings.HasSuffix(w, "pigsty.yml") {
				go func() { _, _ = io.Copy(io.Discard, out) }()
				time.Sleep(4 * time.Second) // let its checks settle
				return w, stop, say, nil
			}
		}
	}
	stop()
	return "", nil, nil, fmt.Errorf("the sandbox did not print its inventory")
}

// console starts the console on a 120×40 terminal: time to the first frame,
// time to the first cluster with a live state, and how many bytes it wrote in
// the idle time that follows.
func console(ctx context.Context, bin, inv string, idle time.Duration) (first, live time.Duration, quiet int, err error) {
	c := exec.CommandContext(ctx, bin, "-i", inv)
	c.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "SSH_TTY=/dev/pts/0")
	t0 := time.Now()
	tty, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		return 0, 0, 0, err
	}
	defer tty.Close()
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	s := &sink{}
	go s.read(tty)
	if first, err = s.wait(t0, func(b []byte) bool { return bytes.Contains(b, []byte("pg-meta")) }); err != nil {
		return 0, 0, 0, fmt.Errorf("first frame: %w", err)
	}
	if live, err = s.wait(t0, func(b []byte) bool { return bytes.Contains(b, []byte("pg-meta-1")) }); err != nil {
		return 0, 0, 0, fmt.Errorf("first answer: %w", err)
	}
	if idle > 0 {
		time.Sleep(5 * time.Second) // the first sweeps, and a lag that moves
		before := s.len()
		time.Sleep(idle)
		quiet = s.len() - before
	}
	_, _ = tty.Write([]byte("q"))
	return first, live, quiet, nil
}

// sink collects what the console writes.
type sink struct {
	mu  sync.Mutex
	buf []byte
}

func (s *sink) read(r io.Reader) {
	b := make([]byte, 32<<10)
	for {
		n, err := r.Read(b)
		s.mu.Lock()
		s.buf = append(s.buf, b[:n]...)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *sink) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.buf)
}

// wait polls until ok holds, and says how long after t0 that was.
func (s *sink) wait(t0 time.Time, ok func([]byte) bool) (time.Duration, error) {
	for time.Since(t0) < 10*time.Second {
		s.mu.Lock()
		found := ok(s.buf)
		s.mu.Unlock()
		if found {
			return time.Since(t0), nil
		}
		time.Sleep(200 * time.Microsecond)
	}
	return 0, fmt.Errorf("not within 10 s")
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
