package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// figure is the cost of a program on a 120×40 terminal.
type figure struct {
	first time.Duration // from its start to its first frame
	bytes float64       // written to the terminal in a second
	cpu   float64       // per cent of one core
	rss   float64       // MB resident
}

// head prints the head of a table of figures.
func head() {
	fmt.Printf("%-34s %12s %12s %10s %8s\n", "", "first frame", "written", "one core", "memory")
}

// print prints a row of it.
func (f figure) print(name string) {
	fmt.Printf("%-34s %9.0f ms %8.0f B/s %8.1f %% %5.0f MB\n", name, ms(f.first), f.bytes, f.cpu, f.rss)
}

// watch is the cost over that time. meanwhile, which may be nil, runs at its start.
func (t *terminal) watch(long time.Duration, meanwhile func() error) (f figure, err error) {
	pid, wrote, used, at := t.cmd.Process.Pid, t.len(), cpu(t.cmd.Process.Pid), time.Now()
	if meanwhile != nil {
		err = meanwhile()
	}
	time.Sleep(long - time.Since(at))
	took := time.Since(at).Seconds()
	return figure{bytes: float64(t.len()-wrote) / took, cpu: 100 * (cpu(pid) - used).Seconds() / took, rss: memory(pid, "VmRSS:")}, err
}

// program is a program that draws on a terminal.
type program struct {
	argv  []string
	shows string // is on its first frame
	quit  string // the keys that end it
}

// watched runs p and measures it: the first frame over some starts, the rest
// over that time, after settle.
func watched(ctx context.Context, p program, starts int, settle, long time.Duration, meanwhile func() error) (f figure, err error) {
	var took []time.Duration
	for i := range starts {
		t, err := open(ctx, p.argv)
		if err != nil {
			return f, err
		}
		first, err := t.shows(p.shows)
		if took = append(took, first); err == nil && i == starts-1 {
			time.Sleep(settle)
			f, err = t.watch(long, meanwhile)
		}
		t.close(p.quit)
		if err != nil {
			return f, fmt.Errorf("%s: %w", filepath.Base(p.argv[0]), err)
		}
	}
	f.first = median(took)
	return f, nil
}

// table prints the costs of consoles: of pgtui while nothing changes and during
// a failover, and with rivals those of Debian's packages too. It names the ones
// that are not installed.
func table(ctx context.Context, bin string, idle time.Duration, runs int, rivals bool) error {
	inv, stop, run, err := sandbox(ctx, bin)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("consoles on 120×40, %s each; first frame: median of %d\n", idle, runs)
	head()
	console := program{[]string{bin, "-i", inv}, "pg-meta", "q"}
	f, err := watched(ctx, console, runs, 8*time.Second, idle, nil)
	if err != nil {
		return err
	}
	f.print("pgtui, nothing changes")
	board := program{append(slices.Clone(console.argv), "pg-test"), "pg-test", "q"}
	f, err = watched(ctx, board, runs, 8*time.Second, 30*time.Second, func() error { return run("fail pg-test-1\n") })
	if err != nil {
		return err
	}
	f.print("pgtui, the leader fails, 30 s")
	if !rivals {
		return nil
	}
	dir, err := os.MkdirTemp("", "pgtui-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, r := range []struct {
		name  string
		needs []string
		start func(ctx context.Context, dir string, need []string) (program, func(), error)
	}{
		{"hatop", []string{"hatop", "haproxy"}, hatop},
		{"pg_activity", []string{"pg_activity", "initdb", "postgres"}, pgActivity},
	} {
		need, missing := located(r.needs)
		if len(missing) > 0 {
			fmt.Printf("%-34s not measured: %s is not installed\n", r.name, strings.Join(missing, ", "))
			continue
		}
		p, end, err := r.start(ctx, dir, need)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		f, err := watched(ctx, p, min(runs, 5), 8*time.Second, idle, nil)
		end()
		if err != nil {
			return err
		}
		f.print(r.name + ", nothing changes")
	}
	return nil
}

// located finds programs, Debian's PostgreSQL among them.
func located(names []string) (paths, missing []string) {
	for _, n := range names {
		p, err := exec.LookPath(n)
		if err != nil {
			found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + n)
			if len(found) == 0 {
				missing = append(missing, n)
				continue
			}
			p = found[len(found)-1]
		}
		paths = append(paths, p)
	}
	return paths, missing
}

// hatop is hatop on a HAProxy with the services of the sandbox's pg-test.
func hatop(ctx context.Context, dir string, need []string) (program, func(), error) {
	socket, cfg := filepath.Join(dir, "haproxy.sock"), filepath.Join(dir, "haproxy.cfg")
	var b strings.Builder
	fmt.Fprintf(&b, "global\n  stats socket %s mode 600 level admin\ndefaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1m\n  timeout server 1m\n", socket)
	for i, name := range []string{"primary", "replica", "default", "offline"} {
		fmt.Fprintf(&b, "listen pg-test-%s\n  bind unix@%s\n", name, filepath.Join(dir, name))
		for n := range 3 {
			fmt.Fprintf(&b, "  server pg-test-%d 127.79.10.1%d:%d\n", n+1, n+1, 5432+i)
		}
	}
	if err := os.WriteFile(cfg, []byte(b.String()), 0o600); err != nil {
		return program{}, nil, err
	}
	end, err := started(ctx, socket, nil, need[1], "-db", "-f", cfg)
	return program{[]string{need[0], "-s", socket}, "pg-test-", "q"}, end, err
}

// pgActivity is pg_activity on an empty PostgreSQL of its own.
func pgActivity(ctx context.Context, dir string, need []string) (program, func(), error) {
	data := filepath.Join(dir, "data")
	var as *syscall.SysProcAttr
	if os.Geteuid() == 0 { // PostgreSQL does not run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return program{}, nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		if err := os.Chown(dir, uid, gid); err != nil {
			return program{}, nil, err
		}
	}
	c := exec.CommandContext(ctx, need[1], "-D", data, "-U", "postgres", "-A", "trust", "-N")
	c.SysProcAttr, c.Dir = as, dir
	if out, err := c.CombinedOutput(); err != nil {
		return program{}, nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	end, err := started(ctx, filepath.Join(dir, ".s.PGSQL.5432"), as, need[2], "-D", data, "-k", dir, "-c", "listen_addresses=")
	return program{[]string{need[0], "-h", dir, "-U", "postgres"}, "RUNNING QUERIES", "q"}, end, err
}

// started runs a server until end is called, and waits for its socket.
func started(ctx context.Context, socket string, as *syscall.SysProcAttr, argv ...string) (end func(), err error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.SysProcAttr, c.Dir = as, filepath.Dir(socket)
	if err := c.Start(); err != nil {
		return nil, err
	}
	end = func() { _ = c.Process.Signal(syscall.SIGINT); _ = c.Wait() }
	for range 100 {
		if _, err := os.Stat(socket); err == nil {
			return end, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	end()
	return nil, fmt.Errorf("%s: no %s within 10 s", argv[0], socket)
}
