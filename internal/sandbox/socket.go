package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// HAProxy's numbers in "show servers state": enum srv_state and the check's
// status and result, as the lab's HAProxy prints them.
const (
	opStopped, opStarting, opRunning = 0, 1, 2
	resultFailed, resultPassed       = 2, 3
	statusL7OK, statusL7STS          = 15, 17
	checkIdle                        = 6
)

const statesHeader = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change" +
	" srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord" +
	" srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"

// maxCommand bounds the command that is read of a socket.
const maxCommand = 16 << 10

// shortDir is a directory for sockets: the state directory, or where its path is
// too long one of its own, which Close removes.
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
		path := filepath.Join(n.dir, "run/haproxy.sock")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("sandbox: node %s: %w", n.name, err)
		}
		dir, err := s.shortDir(path)
		if err != nil {
			return err
		}
		at := path
		if dir != filepath.Dir(path) {
			at = filepath.Join(dir, n.name+".sock")
		}
		_ = os.Remove(path)
		_ = os.Remove(at)
		ln, err := net.Listen("unix", at)
		if err != nil {
			return fmt.Errorf("sandbox: socket of %s: %w", n.name, err)
		}
		if at != path {
			if err := os.Symlink(at, path); err != nil {
				return errors.Join(fmt.Errorf("sandbox: socket of %s: %w", n.name, err), ln.Close())
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

// commanded is what a HAProxy answers to one command; "" when it does not run or
// its node is cut off.
func (s *Sandbox) commanded(n *node, line string) string {
	w := s.lock()
	defer s.unlock()
	if !n.ha.up || n.cut {
		return ""
	}
	var out string
	w.change(func() { out = n.ha.command(w, line) })
	w.advance(w.now)
	s.notify()
	return out
}

func (h *haproxy) command(w *world, line string) string {
	word := strings.Fields(line)
	switch {
	case strings.HasPrefix(line, "show servers state") && len(word) <= 4:
		only := ""
		if len(word) == 4 {
			only = word[3]
		}
		return h.states(w, only)
	case strings.HasPrefix(line, "set server ") && len(word) == 5:
		backend, name, err := splitServer(word[2])
		p, v := h.find(backend, name)
		if err != nil || v == nil {
			return "No such server.\n"
		}
		return h.setServer(w, p, v, word[3], word[4])
	}
	return "Unknown command: '" + line + "', but the simulated HAProxy knows: show servers state [backend], set server b/s state|weight.\n"
}

func (h *haproxy) setServer(w *world, p *proxy, v *server, what, to string) string {
	switch what {
	case "state":
		if to != "ready" && to != "drain" && to != "maint" {
			return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n"
		}
		h.setState(p, v, to, w.now)
	case "weight":
		n, err := strconv.Atoi(strings.TrimSuffix(to, "%"))
		if strings.HasSuffix(to, "%") {
			n = v.conf.weight * n / 100
		}
		if err != nil || n < 0 || n > 256 {
			return "Weight can only be from 0 to 256.\n"
		}
		h.setWeight(p, v, n, w.now)
	default:
		return "usage: 'set server <backend>/<server> weight|state'\n"
	}
	return ""
}

// states is "show servers state", of one backend or of all.
func (h *haproxy) states(w *world, only string) string {
	var b strings.Builder
	b.WriteString(statesHeader)
	for _, p := range h.proxies {
		if only != "" && p.conf.name != only {
			continue
		}
		for _, v := range p.servers {
			admin := 0
			switch {
			case v.maint:
				admin = 1
			case v.drain:
				admin = 8
			}
			if v.conf.disabled && v.maint {
				admin |= 4
			}
			op, status, res := opRunning, statusL7OK, resultPassed
			switch {
			case v.maint, v.checks() && v.health < v.conf.rise:
				op = opStopped
			case v.ramping:
				op = opStarting
			}
			if v.checked && !v.result.ok() {
				status, res = statusL7STS, resultFailed
			}
			fmt.Fprintf(&b, "%d %s %d %s %s %d %d %d %d %d %d %d %d %d 0 0 0 - %d - 0 %d - - 0\n", p.id, p.conf.name, v.id, v.conf.name, v.conf.addr,
				op, admin, v.weight, v.conf.weight, int(w.now.Sub(v.changed)/time.Second), status, res, v.health, checkIdle, v.conf.port, v.conf.checkPort)
		}
	}
	return b.String()
}
