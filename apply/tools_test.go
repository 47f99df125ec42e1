package apply

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/logs"
	"pgtui/probe/node"
	"pgtui/probe/transport"
)

// toolRow is a row of the first table of docs/nodes.md.
var toolRow = regexp.MustCompile("(?m)^\\| `([a-z0-9]+)` \\|(?:[^|\n]*\\|){6}$")

// listedTools are the programs that docs/nodes.md promises to be enough.
func listedTools(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("../docs/nodes.md")
	must(t, err)
	var out []string
	for _, m := range toolRow.FindAllStringSubmatch(string(b), -1) {
		out = append(out, m[1])
	}
	if len(out) < 25 {
		t.Fatalf("docs/nodes.md lists %d programs: the table is not read", len(out))
	}
	return out
}

// bare runs scripts here or below a root of another system, with the programs in one
// folder and no other.
type bare struct {
	t     *testing.T
	node  string   // the folder that stands for the node
	tools string   // the folder of the programs
	sh    []string // the shell
	below string   // the root of another system; "" is this one
}

// paths is the line of node.sh that finds programs where a login's PATH has none.
const paths = "PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"

// complains is what a shell or a program prints when a program or an option is missing.
var complains = regexp.MustCompile(`(?i)not found|invalid option|unrecognized option|unknown option|illegal option|invalid directive|syntax error|applet`)

func (b bare) Run(ctx context.Context, c transport.Cmd) (transport.Output, error) {
	script := strings.ReplaceAll(c.Script, paths, "")
	if strings.Contains(script, "PATH=$PATH:") || strings.Contains(script, "/usr/bin") {
		b.t.Error("the script has a path of its own")
	}
	at := b.node
	argv := append(slices.Clone(b.sh), "-c", script, "pgtui")
	if b.below != "" {
		// the node and what a system has beside its files, seen by this process alone
		at = "/mnt"
		argv = append([]string{"unshare", "--mount", "/bin/sh", "-ec", `
			mount --bind "$NODE" "$BELOW/mnt"; mount --rbind /proc "$BELOW/proc"; mount --bind /dev "$BELOW/dev"; mount --bind "$TOOLS" "$BELOW/srv"
			exec chroot "$BELOW" /srv/env PATH=/mnt/bin:/srv PGTUI_ROOT=/mnt LC_ALL=C "$@"`, "bare"}, argv...)
	}
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], c.Args...)...)
	cmd.Env = []string{"PATH=" + filepath.Join(b.node, "bin") + ":" + b.tools, "PGTUI_ROOT=" + at, "LC_ALL=C"}
	if b.below != "" {
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NODE=" + b.node, "BELOW=" + b.below, "TOOLS=" + b.tools}
	}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(c.Stdin), &errs
	cmd.Stdout = &out
	if c.OnLine != nil {
		cmd.Stdout = &lineWriter{w: &out, line: c.OnLine}
	}
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		err = nil
	}
	if all := errs.String() + out.String(); complains.MatchString(all) {
		b.t.Errorf("a script complains: %.600s", all)
	}
	return transport.Output{Stdout: out.Bytes(), Stderr: errs.Bytes(), Exit: cmd.ProcessState.ExitCode()}, err
}

// linked is a folder with a link for each program; where finds its target, "" for none.
func linked(t *testing.T, tools []string, where func(name string) string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range tools {
		to := where(name)
		if to == "" {
			t.Fatalf("%s is not there", name)
		}
		must(t, os.Symlink(to, filepath.Join(dir, name)))
	}
	return dir
}

// found is a program of this system.
func found(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed", name)
	}
	return p
}

// client is a program for HAProxy's sockets that every node has.
func client(t *testing.T, look func(string) string) string {
	t.Helper()
	for _, name := range []string{"socat", "python3", "perl"} {
		if look(name) != "" {
			return name
		}
	}
	t.Fatal("neither socat, python3 nor perl is installed")
	return ""
}

// TestScriptsWithToolsOnly runs every script that a node gets with the programs of
// docs/nodes.md and no other: in each shell, with busybox's own programs, and with those
// of Debian 11.
func TestScriptsWithToolsOnly(t *testing.T) {
	t.Parallel()
	tools := listedTools(t)
	here := func(name string) string {
		p, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return p
	}
	for _, sh := range shells(t) {
		t.Run(filepath.Base(sh), func(t *testing.T) {
			t.Parallel()
			argv := map[string][]string{"bash": {sh, "--posix"}, "busybox": {sh, "sh"}}[filepath.Base(sh)]
			if argv == nil {
				argv = []string{sh}
			}
			applets := map[string]bool{}
			if filepath.Base(sh) == "busybox" {
				list, err := exec.CommandContext(t.Context(), sh, "--list").Output()
				must(t, err)
				for _, name := range strings.Fields(string(list)) {
					applets[name] = name != "stat" && name != "date" // they lack --printf and %N
				}
			}
			dir := linked(t, append(slices.Clone(tools), client(t, here)), func(name string) string {
				if name == "sh" || applets[name] {
					return sh
				}
				return found(t, name)
			})
			everyScript(t, bare{t: t, tools: dir, sh: argv})
		})
	}
	t.Run("debian 11", func(t *testing.T) {
		t.Parallel()
		root := os.Getenv("PGTUI_OLDEST")
		if root == "" {
			root = "/var/cache/pgtui-lab/roots/bullseye-tools"
		}
		if _, err := os.Stat(filepath.Join(root, "usr/bin/stat")); err != nil || os.Getuid() != 0 {
			if os.Getenv("CI") == "true" {
				t.Fatalf("the root of Debian 11 is missing: testdata/oldest makes it, as root (%v)", err)
			}
			t.Skip("not run: testdata/oldest makes the root of Debian 11, as root")
		}
		below := func(name string) string {
			for _, dir := range []string{"/usr/bin", "/bin", "/usr/sbin", "/sbin"} {
				for _, alias := range []string{name, map[string]string{"sh": "dash", "awk": "mawk"}[name]} {
					if st, err := os.Stat(filepath.Join(root, dir, alias)); alias != "" && err == nil && st.Mode().IsRegular() {
						return filepath.Join(dir, alias)
					}
				}
			}
			return ""
		}
		dir := linked(t, append(slices.Clone(tools), client(t, below), "env"), below)
		everyScript(t, bare{t: t, tools: dir, sh: []string{"/srv/sh"}, below: root})
	})
}

// everyScript runs each script on a folder that stands for a node.
func everyScript(t *testing.T, b bare) {
	t.Helper()
	root := nodeDir(t)
	b.node = root
	// the node's own programs: they need no more than the scripts do
	for _, name := range []string{"haproxy", "systemctl"} {
		p := filepath.Join(root, "bin", name)
		text, err := os.ReadFile(p)
		must(t, err)
		if b.below != "" {
			text = bytes.Replace(text, []byte("#!/bin/sh"), []byte("#!/srv/sh"), 1)
		}
		writeFile(t, p, string(text), 0o755)
	}
	for name, text := range map[string]string{
		"pg/log/patroni/patroni.log": "2026-01-05 11:59:50 +0000 INFO: no action. I am (pg-test-1), the leader with the lock\n",
		"etc/haproxy/haproxy.cfg":    "global\n    user haproxy\ndefaults\n    mode tcp\n",
	} {
		must(t, errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755), os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))) //nolint:gosec // as on a node
	}
	for _, name := range []string{"run", "tmp", "pg/data/pg_wal"} {
		must(t, os.MkdirAll(filepath.Join(root, name), 0o755))
	}
	haproxySocket(t, root)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	target := model.SSHTarget{Root: root}
	at := &model.Node{Host: "10.10.10.11", Name: "pg-test-1", SSH: target}
	read := node.Reader{Runner: b, Now: time.Now}

	dir, err := node.ReadConfDir(ctx, b, target, "/etc/haproxy/conf.d")
	if err != nil || len(dir.Files) == 0 {
		t.Errorf("confdir: %d files, %v", len(dir.Files), err)
	}
	if run, err := node.ReadRuntime(ctx, b, target); err != nil || len(run.Processes.Workers) != 2 {
		t.Errorf("haproxy: %+v, %v", run, err)
	}
	for what, err := range map[string]error{
		"login": read.Logins(ctx, []*model.Node{at})[at.Host].Err,
		"facts": read.Facts(ctx, []*model.Node{at})[at.Host].Err,
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if s, err := read.Store(ctx, at, "pg-test"); err != nil || s.Data.Total == 0 {
		t.Errorf("store: %+v, %v", s, err)
	}
	lines := 0
	err = logs.Reader{Runner: b}.Read(ctx, at, nil, model.LogPatroni, model.LogRequest{Lines: 10}, func(model.LogSource) {}, func(model.LogLine) { lines++ })
	if err != nil || lines != 1 {
		t.Errorf("logs: %d lines, %v", lines, err)
	}
	servers, err := os.ReadFile("act/servers.sh")
	must(t, err)
	out, err := b.Run(ctx, transport.Cmd{Target: target, Script: node.Script(string(servers)), Args: []string{"1000", "1000", "set server a/b state drain"}})
	if err != nil || !strings.HasSuffix(string(out.Stdout), "\nend\n") || !strings.Contains(string(out.Stdout), "way master") {
		t.Errorf("servers: %v\n%s", err, out.Stdout)
	}

	a := &Applier{Runner: b, Now: time.Now}
	n := change(t, root)
	before := tree(t, root)
	do := func(want string, stdin []byte, args ...string) *run {
		t.Helper()
		r, err := a.runScript(ctx, n, func(plan.StepResult) {}, stdin, args...)
		if err != nil {
			t.Fatalf("%s: %v", args[0], err)
		}
		if r.outcome != want {
			t.Errorf("%s: outcome %q, want %q: %v", args[0], r.outcome, want, r.err)
		}
		return r
	}
	mode := func(name string, more ...string) []string {
		return append([]string{name, testPlan, n.ConfDir, "alice@admin"}, more...)
	}
	do("untouched", nil, mode("ready")...)
	do("untouched", nil, mode("hold")...)
	do("untouched", nil, mode("release")...)
	do("untouched", payload(n, "pg-test-", true), mode("look", "pg-test-")...)
	r := do("applied", payload(n, "pg-test-", true), mode("apply", "pg-test-", "20261120T093000Z", "0")...)
	diffTree(t, "applied", tree(t, root), wantTree(before))
	if _, err := a.kept(ctx, target, testPlan); err != nil {
		t.Errorf("backup: %v", err)
	}
	do("restored", nil, mode("restore", r.backup)...)
	diffTree(t, "restored", tree(t, root), before)
	r = do("applied", payload(n, "pg-test-", true), mode("apply", "pg-test-", "20261120T093001Z", "60")...)
	do("applied", nil, mode("confirm", r.backup)...)
	do("", payload(n, "pg-test-", false), mode("settle")...)
	do("untouched", nil, mode("recover", "boot")...)
	do("applied", nil, mode("states", "20261120T093002Z", "enable")...)
	do("untouched", nil, mode("close", "100", "pg-test-primary", "pg-test-1")...)
}

// haproxySocket answers as HAProxy's master does; each reload that it sees makes a new
// worker.
func haproxySocket(t *testing.T, root string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(root, "run/haproxy-master.sock"))
	must(t, err)
	t.Cleanup(func() { l.Close() })
	var asked atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			q, _ := bufio.NewReader(c).ReadString('\n')
			switch {
			case strings.HasPrefix(q, "@1 show servers state"):
				fmt.Fprint(c, "1\n# be_id be_name srv_id srv_name srv_addr\n\n")
			case strings.HasPrefix(q, "show proc"):
				fmt.Fprintf(c, "#<PID> <type> <reloads> <uptime> <version>\n1 master 1 [failed: 0] 0d00h01m00s 2.6\n# workers\n%d worker 0 0d00h01m00s 2.6\n# old workers\n100 worker 1 0d00h01m00s 2.6\n\n", 200+asked.Add(1))
			default:
				fmt.Fprintln(c)
			}
			c.Close()
		}
	}()
}
