package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// maxCommand bounds the command that is read from a socket, in bytes.
const maxCommand = 16 << 10

// shortDir is a directory for sockets: the one of the longest path, or, where
// that path is too long for a socket, a directory that Close removes.
func (s *Sandbox) shortDir(longest string) (string, error) {
	if len(longest) <= maxSocketPath {
		return filepath.Dir(longest), nil
	}
	if s.sockDir == "" {
		dir, err := os.MkdirTemp("", "pgtui-")
		if err != nil {
			return "", fmt.Errorf("sandbox: %w", err)
		}
		s.sockDir = dir
	}
	return s.sockDir, nil
}

// listenSockets opens the socket of every node's HAProxy, /run/haproxy.sock.
func (s *Sandbox) listenSockets() error {
	for _, n := range s.w.nodes {
		path := filepath.Join(n.Dir, "run/haproxy.sock")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("sandbox: node %s: %w", n.Name, err)
		}
		dir, err := s.shortDir(path)
		if err != nil {
			return err
		}
		at := path
		if dir != filepath.Dir(path) {
			at = filepath.Join(dir, n.Name+".sock")
		}
		_ = os.Remove(path)
		_ = os.Remove(at)
		ln, err := net.Listen("unix", at)
		if err != nil {
			return fmt.Errorf("sandbox: socket of %s: %w", n.Name, err)
		}
		if at != path {
			if err := os.Symlink(at, path); err != nil {
				return errors.Join(fmt.Errorf("sandbox: socket of %s: %w", n.Name, err), ln.Close())
			}
		}
		s.sockets = append(s.sockets, ln)
		s.wg.Go(func() { s.accept(ln, func(c net.Conn) error { return s.command(c, n) }) })
	}
	return nil
}

// command answers one line of HAProxy's command language.
func (s *Sandbox) command(c net.Conn, n *node) error {
	line, err := bufio.NewReader(io.LimitReader(c, maxCommand)).ReadString('\n')
	if err != nil {
		return err
	}
	_, err = io.WriteString(c, s.commanded(n, strings.TrimSpace(line))+"\n")
	return err
}

// commanded is the answer of a HAProxy to one command; "" when it does not run or
// its node is cut off.
func (s *Sandbox) commanded(n *node, line string) string {
	w := s.lock()
	defer s.unlock()
	if !n.ha.Up || n.Cut {
		return ""
	}
	var out string
	w.Change(func() { out = n.ha.Command(line, w.Now()) })
	w.Advance(w.Now())
	s.notify()
	return out
}
