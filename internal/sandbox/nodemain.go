package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pgtui/source"
)

// NodeMain is what the haproxy and systemctl of a sandbox node are: the
// arguments after the hidden subcommand `sandbox-node`. The first is the
// directory that stands for the node's "/", the second the program's name.
// It returns the exit code.
func NodeMain(args []string, _ func(string) string, stdout, stderr io.Writer) int {
	if len(args) < 2 {
		fmt.Fprintln(stderr, "sandbox-node: expected ROOT haproxy|systemctl ARGS")
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	t := nodeTool{root: args[0], stdout: stdout, stderr: stderr}
	if code, text, err := ask(ctx, t.dir(), reachTarget(t.node()), ""); err == nil && code != http.StatusOK {
		fmt.Fprintf(stderr, "ssh: connect to host %s: %s\n", t.node(), text)
		return 255
	}
	switch args[1] {
	case "haproxy":
		return t.haproxy(args[2:])
	case "systemctl":
		return t.systemctl(ctx, args[2:])
	}
	fmt.Fprintf(stderr, "sandbox-node: %s: not found\n", args[1])
	return 127
}

// nodeTool is one run of a node's program.
type nodeTool struct {
	root           string
	stdout, stderr io.Writer
}

func (t nodeTool) node() string { return filepath.Base(t.root) }

func (t nodeTool) dir() string { return filepath.Dir(filepath.Dir(t.root)) }

// path is where a file named by the node's "/" really is. Paths inside the
// root are taken as they are.
func (t nodeTool) path(p string) string {
	if !filepath.IsAbs(p) || p == t.root || strings.HasPrefix(p, t.root+string(filepath.Separator)) {
		return p
	}
	if in := filepath.Join(t.root, p); exists(in) || !exists(p) {
		return in
	}
	return p
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

// alert prints one line as HAProxy does.
func (t nodeTool) alert(format string, args ...any) {
	fmt.Fprintf(t.stderr, "[ALERT]    (%d) : config : %s\n", os.Getpid(), fmt.Sprintf(format, args...))
}

// haproxy is `haproxy -c`, and `haproxy -v`; it never serves.
func (t nodeTool) haproxy(args []string) int {
	var paths []string
	check, quiet := false, false
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-f" && i+1 < len(args):
			i++
			paths = append(paths, args[i])
		case a == "--":
			paths = append(paths, args[i+1:]...)
			i = len(args)
		case slices.Contains([]string{"-S", "-p", "-C", "-L", "-n", "-N", "-x"}, a):
			i++
		case a == "-v" || a == "-vv":
			fmt.Fprintln(t.stdout, "HAProxy version 2.6.12-1+deb12u4 (simulated) - https://haproxy.org/")
			return 0
		case a == "-c":
			check = true
		case a == "-q":
			quiet = true
		}
	}
	if !check {
		fmt.Fprintln(t.stderr, "the simulated haproxy only checks configurations: use -c")
		return 1
	}
	return t.check(paths, quiet)
}

// check reads the files as HAProxy would and prints what is wrong with them.
func (t nodeTool) check(paths []string, quiet bool) int {
	var files []haFile
	for _, p := range paths {
		f, err := readConfigs(t.path(p))
		if err != nil {
			t.alert("Cannot open configuration file/directory %s : No such file or directory", p)
			return 1
		}
		files = append(files, f...)
	}
	conf := parseConfig(files, t.root)
	for _, a := range conf.alerts {
		t.alert("%s", a)
	}
	switch {
	case len(conf.alerts) > 0:
		return 1
	case !conf.listens():
		fmt.Fprintln(t.stdout, "Configuration file has no error but will not start (no listener) => exit(2).")
		return 2
	case !quiet:
		fmt.Fprintln(t.stdout, "Configuration file is valid")
	}
	return 0
}

// systemctl knows the verbs that a reload of HAProxy needs.
func (t nodeTool) systemctl(ctx context.Context, args []string) int {
	var words []string
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			words = append(words, strings.TrimSuffix(a, ".service"))
		}
	}
	if len(words) != 2 || words[1] != "haproxy" {
		fmt.Fprintln(t.stderr, "the simulated systemctl knows reload, restart, start, stop, status and is-active of haproxy")
		return 1
	}
	script := ""
	switch words[0] {
	case "reload", "try-reload-or-restart", "reload-or-restart":
		if t.checkOnDisk() != 0 {
			return 1
		}
		script = "reload " + t.node()
	case "restart":
		script = "kill haproxy " + t.node() + "\nstart " + t.node()
	case "start":
		script = "start " + t.node()
	case "stop":
		script = "kill haproxy " + t.node()
	case "status", "is-active":
		fmt.Fprintln(t.stdout, "active")
		return 0
	default:
		fmt.Fprintf(t.stderr, "Unknown command verb %s.\n", words[0])
		return 1
	}
	if err := Send(ctx, t.dir(), script); err != nil {
		fmt.Fprintln(t.stderr, err)
		if try := source.TryOf(err); try != "" {
			fmt.Fprintln(t.stderr, try)
		}
		return 1
	}
	return 0
}

// checkOnDisk is the check that Pigsty's unit makes before a reload.
func (t nodeTool) checkOnDisk() int {
	code := t.check([]string{"/etc/haproxy/haproxy.cfg", "/etc/haproxy/conf.d"}, true)
	if code != 0 {
		fmt.Fprintln(t.stderr, "Job for haproxy.service failed.")
		fmt.Fprintln(t.stderr, `See "systemctl status haproxy.service" and "journalctl -xeu haproxy.service" for details.`)
	}
	return code
}
