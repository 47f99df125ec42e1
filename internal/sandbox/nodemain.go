package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pgtui/internal/sandbox/haproxy"
	"pgtui/source"
)

// NodeMain is the haproxy, systemctl and pgbackrest program of a sandbox node. args are the
// arguments after the hidden subcommand `sandbox-node`: the directory that stands
// for the node's "/", the program's name and the program's own arguments. It
// returns the exit code.
func NodeMain(args []string, _ func(string) string, stdout, stderr io.Writer) int {
	if len(args) < 2 {
		fmt.Fprintln(stderr, "sandbox-node: expected ROOT haproxy|systemctl|pgbackrest ARGS")
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	t := nodeTool{haproxy.Program{Root: args[0], Stdout: stdout, Stderr: stderr}}
	if code, text, err := ask(ctx, t.dir(), reachTarget(t.node()), ""); err == nil && code != http.StatusOK {
		fmt.Fprintf(stderr, "ssh: connect to host %s: %s\n", t.node(), text)
		return 255
	}
	switch args[1] {
	case "haproxy":
		return t.Run(args[2:])
	case "systemctl":
		return t.systemctl(ctx, args[2:])
	case "pgbackrest":
		return t.pgbackrest()
	}
	fmt.Fprintf(stderr, "sandbox-node: %s: not found\n", args[1])
	return 127
}

// nodeTool is one run of a node's program.
type nodeTool struct{ haproxy.Program }

func (t nodeTool) node() string { return filepath.Base(t.Root) }
func (t nodeTool) dir() string  { return filepath.Dir(filepath.Dir(t.Root)) }

// pgbackrest prints what `pgbackrest info` does: a full backup and an incremental one,
// older than the sandbox.
func (t nodeTool) pgbackrest() int {
	st, err := os.Stat(filepath.Join(t.Root, "pg/data"))
	if err != nil {
		fmt.Fprintln(t.Stderr, err)
		return 1
	}
	stanza := t.node() // its instance; the cluster is what is before the last dash
	if i := strings.LastIndex(stanza, "-"); i > 0 {
		stanza = stanza[:i]
	}
	full, last := st.ModTime().Add(-30*time.Hour).Unix(), st.ModTime().Add(-6*time.Hour).Unix()
	fmt.Fprintf(t.Stdout, `[{"name":%q,"status":{"code":0,"message":"ok"},"backup":[`+
		`{"label":"full","type":"full","timestamp":{"start":%d,"stop":%d},"info":{"size":30000000}},`+
		`{"label":"incr","type":"incr","timestamp":{"start":%d,"stop":%d},"info":{"size":31000000}}]}]`+"\n", stanza, full-60, full, last-60, last)
	return 0
}

// systemctl has the verbs that a reload of HAProxy needs.
func (t nodeTool) systemctl(ctx context.Context, args []string) int {
	var words []string
	for _, a := range args {
		if !strings.HasPrefix(a, "-") {
			words = append(words, strings.TrimSuffix(a, ".service"))
		}
	}
	if len(words) != 2 || words[1] != "haproxy" {
		fmt.Fprintln(t.Stderr, "the simulated systemctl knows reload, restart, start, stop, status and is-active of haproxy")
		return 1
	}
	script := ""
	switch words[0] {
	case "reload", "try-reload-or-restart", "reload-or-restart":
		if t.CheckOnDisk() != 0 {
			fmt.Fprintln(t.Stderr, "Job for haproxy.service failed.")
			fmt.Fprintln(t.Stderr, `See "systemctl status haproxy.service" and "journalctl -xeu haproxy.service" for details.`)
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
		fmt.Fprintln(t.Stdout, "active")
		return 0
	default:
		fmt.Fprintf(t.Stderr, "Unknown command verb %s.\n", words[0])
		return 1
	}
	if err := Send(ctx, t.dir(), script); err != nil {
		fmt.Fprintln(t.Stderr, err)
		if try := source.TryOf(err); try != "" {
			fmt.Fprintln(t.Stderr, try)
		}
		return 1
	}
	return 0
}

// IsNode reports whether root is the directory that stands for the "/" of a node
// of any sandbox.
func IsNode(root string) bool {
	if !filepath.IsAbs(root) || filepath.Clean(root) != root || strings.ContainsAny(root, ":\x00") {
		return false
	}
	nodes := filepath.Dir(root)
	st, err := os.Lstat(markerPath(filepath.Dir(nodes)))
	return err == nil && st.Mode().IsRegular() && filepath.Base(nodes) == "nodes"
}
