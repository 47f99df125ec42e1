package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pgtui/source"
)

// maxSocketPath is the longest safe path of a unix socket, in bytes.
const maxSocketPath = 100

// controlPath is the file that holds the path of the control socket.
func controlPath(dir string) string { return filepath.Join(dir, "control") }

// markerPath is the file that marks the directory of a sandbox, running or not.
func markerPath(dir string) string { return filepath.Join(dir, ".sandbox") }

// AuditPath is the audit file of a sandbox, by its inventory: the records of
// simulated nodes are kept apart from those of machines. It is "" for the
// inventory of machines.
func AuditPath(inventory string) string {
	dir := filepath.Dir(inventory)
	if st, err := os.Lstat(markerPath(dir)); err != nil || !st.Mode().IsRegular() || inventory != inventoryFile(dir) {
		return ""
	}
	return filepath.Join(dir, "audit.jsonl")
}

// listenControl opens the control socket for the nodes' programs and for Send.
func (s *Sandbox) listenControl() error {
	path := filepath.Join(s.dir, "control.sock")
	dir, err := s.shortDir(path)
	if err != nil {
		return err
	}
	path = filepath.Join(dir, "control.sock")
	_ = os.Remove(path)
	ln, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("sandbox: control: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("sandbox: control: %w", err), ln.Close())
	}
	if err := writeFile(controlPath(s.dir), path+"\n", 0o600); err != nil {
		return errors.Join(err, ln.Close())
	}
	s.ctrl = &http.Server{Handler: http.HandlerFunc(s.handleControl), ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() { _ = s.ctrl.Serve(ln) })
	return nil
}

// handleControl runs a script at /do, and reports at /reach whether ssh reaches
// a node.
func (s *Sandbox) handleControl(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/do":
		script, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err == nil {
			err = s.Do(r.Context(), string(script))
		}
		if err != nil {
			text := err.Error()
			if try := source.TryOf(err); try != "" {
				text += "\n" + try
			}
			http.Error(w, text, http.StatusBadRequest)
		}
	case "/reach":
		world := s.lock()
		n, err := world.node(r.URL.Query().Get("node"))
		cut := err == nil && n.Cut
		s.unlock()
		if err != nil || cut {
			http.Error(w, "no route to host", http.StatusBadGateway)
		}
	default:
		http.NotFound(w, r)
	}
}

// Send runs a script in the sandbox of another process and waits for its end.
// path is that sandbox's state directory or inventory.
func Send(ctx context.Context, path, script string) error {
	if filepath.Base(path) == "pigsty.yml" {
		path = filepath.Dir(path)
	}
	code, text, err := ask(ctx, path, "/do", script)
	switch {
	case err != nil:
		return err
	case code != http.StatusOK:
		return errors.New(text)
	}
	return nil
}

// ask is one request to the control socket of the sandbox in dir.
func ask(ctx context.Context, dir, target, body string) (code int, text string, err error) {
	sock, err := os.ReadFile(controlPath(dir))
	if err != nil {
		return 0, "", &source.Hint{Err: fmt.Errorf("no sandbox runs in %s: %w", dir, err), Try: "start one with `pgtui demo --serve`"}
	}
	c := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", strings.TrimSpace(string(sock)))
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sandbox"+target, strings.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("sandbox: %w", err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", &source.Hint{Err: fmt.Errorf("the sandbox of %s does not answer: %w", dir, err), Try: "start it again with `pgtui demo --serve`"}
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return 0, "", fmt.Errorf("sandbox: %w", err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b)), nil
}

func reachTarget(node string) string { return "/reach?node=" + url.QueryEscape(node) }
