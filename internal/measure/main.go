// Command measure runs the real program on a pseudo-terminal and prints the
// figures of the documentation: time to the first frame, bytes on an idle tick
// and time of `pgtui status`, beside the commands that a user would type
// without pgtui. The figures are of this machine at this time. No test uses them.
//
//	go run ./internal/measure [-i inventory] [-idle 6s] [-clusters 333] [-fleet] [-lab testdata/lab/lab] [-rivals] [-bin program]
//
// Without -i it starts the embedded sandbox and measures against that, and then
// against a sandbox of 1,000 nodes. With -lab it measures only one answer on the
// lab that is up, beside patronictl and curl. With -rivals it prints one table of
// the costs of consoles: pgtui, hatop and pg_activity.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	inv := flag.String("i", "", "inventory to measure against; default: the embedded sandbox")
	idle := flag.Duration("idle", 6*time.Second, "how long the idle console is watched")
	runs := flag.Int("runs", 15, "number of starts for the first frame")
	clusters := flag.Int("clusters", 333, "size of the large fleet of the second part; 0: none")
	only := flag.Bool("fleet", false, "only the large fleet")
	lab := flag.String("lab", "", "the lab's command: measure only on the lab that is up")
	rivals := flag.Bool("rivals", false, "only the table of consoles, with hatop and pg_activity where they are installed")
	bin := flag.String("bin", "", "program to measure; default: built from this tree")
	flag.Parse()
	if err := measure(context.Background(), *bin, *inv, *idle, *runs, *clusters, *only, *lab, *rivals); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, bin, inv string, idle time.Duration, runs, clusters int, only bool, lab string, rivals bool) error {
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
		if inv, stop, _, err = sandbox(ctx, bin); err != nil {
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
	row("program, stripped", float64(st.Size())/1e6, "MB", "")
	if err := starts(ctx, bin, inv, runs); err != nil {
		return err
	}
	_, _, quiet, err := console(ctx, bin, inv, idle)
	if err != nil {
		return err
	}
	row("console: written while nothing changes", float64(quiet), "bytes", "in "+idle.String())
	return commands(ctx, bin, inv)
}

// commands times `pgtui status` and, where it is installed, the command that a
// DBA would type instead.
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
		row(r.label, ms(median(took)), "ms", "")
	}
	return nil
}

// sandbox starts `pgtui demo --serve` and returns its inventory. run gives it a
// script.
func sandbox(ctx context.Context, bin string, more ...string) (inv string, stop func(), run func(string) error, err error) {
	// It stands for other machines: the measured program has priority.
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
	run = func(script string) error { _, err := io.WriteString(in, script); return err }
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		for _, w := range strings.Fields(sc.Text()) {
			if strings.HasSuffix(w, "pigsty.yml") {
				go func() { _, _ = io.Copy(io.Discard, out) }()
				time.Sleep(4 * time.Second) // let its checks settle
				return w, stop, run, nil
			}
		}
	}
	stop()
	return "", nil, nil, fmt.Errorf("the sandbox did not print its inventory")
}

// console starts the console: the time to its first frame, the time to the first
// cluster with a live state, and the bytes written in the idle time after that.
func console(ctx context.Context, bin, inv string, idle time.Duration) (first, live time.Duration, quiet int, err error) {
	t, err := open(ctx, []string{bin, "-i", inv})
	if err != nil {
		return 0, 0, 0, err
	}
	defer t.close("q")
	if first, err = t.shows("pg-meta"); err != nil {
		return 0, 0, 0, fmt.Errorf("first frame: %w", err)
	}
	if live, err = t.shows("pg-meta-1"); err != nil {
		return 0, 0, 0, fmt.Errorf("first answer: %w", err)
	}
	if idle > 0 {
		time.Sleep(5 * time.Second) // the first sweeps, and a lag that changes
		before := t.len()
		time.Sleep(idle)
		quiet = t.len() - before
	}
	return first, live, quiet, nil
}

// starts starts the console some times and prints its times.
func starts(ctx context.Context, bin, inv string, runs int) error {
	var first, live []time.Duration
	for range runs {
		f, l, _, err := console(ctx, bin, inv, 0)
		if err != nil {
			return err
		}
		first, live = append(first, f), append(live, l)
	}
	worst := func(d []time.Duration) string { return fmt.Sprintf("worst %.1f", ms(slices.Max(d))) }
	row("console: start to first frame, median", ms(median(first)), "ms", worst(first))
	row("console: start to first live answer, median", ms(median(live)), "ms", worst(live))
	return nil
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
