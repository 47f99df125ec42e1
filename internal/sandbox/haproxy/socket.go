package haproxy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// HAProxy's numbers in "show servers state": enum srv_state, and the status and
// result of the check. A real HAProxy prints these.
const (
	opStopped, opStarting, opRunning = 0, 1, 2
	resultFailed, resultPassed       = 2, 3
	statusL7OK, statusL7STS          = 15, 17
	checkIdle, checkOff              = 6, 2
)

const statesHeader = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change" +
	" srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord" +
	" srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"

// Command is the answer to one line on the admin socket.
func (h *HAProxy) Command(line string, now time.Time) string {
	word := strings.Fields(line)
	switch {
	case strings.HasPrefix(line, "show servers state") && len(word) <= 4:
		return h.states(strings.Join(word[3:], ""), now)
	case line == "show stat":
		h.CatchUp(now)
		return string(h.CSV(""))
	case strings.HasPrefix(line, "set server ") && len(word) == 5:
		v := h.named(word[2])
		if v == nil {
			return "No such server.\n"
		}
		return v.set(word[3], word[4], now)
	case strings.HasPrefix(line, "shutdown sessions server ") && len(word) == 4:
		v := h.named(word[3])
		if v == nil {
			return "No such server.\n"
		}
		v.held = 0
		return ""
	case (word0(word) == "enable" || word0(word) == "disable") && len(word) == 3:
		return h.switched(word[0] == "enable", word[1], word[2], now)
	}
	return "Unknown command: '" + line + "', but the simulated HAProxy knows: show servers state [backend], show stat, set server b/s state|weight, " +
		"shutdown sessions server b/s, enable|disable frontend f|health b/s.\n"
}

func word0(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

// named is the server of "backend/server"; nil when there is none.
func (h *HAProxy) named(word string) *Server {
	backend, name, err := SplitServer(word)
	if err != nil {
		return nil
	}
	return h.Find(backend, name)
}

// switched is "enable" and "disable" of a frontend or of a server's checks.
func (h *HAProxy) switched(on bool, what, name string, now time.Time) string {
	switch what {
	case "frontend":
		for _, p := range h.proxies {
			if p.conf.name == name {
				p.paused = !on
				return ""
			}
		}
		return "No such frontend.\n"
	case "health":
		v := h.named(name)
		if v == nil {
			return "No such server.\n"
		}
		v.SetChecks(on, now)
		return ""
	}
	return "'" + what + "' is unknown.\n"
}

// set is "set server … state" and "set server … weight".
func (s *Server) set(what, to string, now time.Time) string {
	switch what {
	case "state":
		if to != "ready" && to != "drain" && to != "maint" {
			return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n"
		}
		s.SetState(to, now)
	case "weight":
		n, err := strconv.Atoi(strings.TrimSuffix(to, "%"))
		if strings.HasSuffix(to, "%") {
			n = s.conf.weight * n / 100
		}
		if err != nil || n < 0 || n > 256 {
			return "Weight can only be from 0 to 256.\n"
		}
		s.SetWeight(n, now)
	default:
		return "usage: 'set server <backend>/<server> weight|state'\n"
	}
	return ""
}

// states is "show servers state", of one backend or of all.
func (h *HAProxy) states(only string, now time.Time) string {
	var b strings.Builder
	b.WriteString(statesHeader)
	for v := range h.each {
		p := v.proxy
		if only != "" && p.conf.name != only {
			continue
		}
		admin := flag(v.maint) | 4*flag(v.maint && v.conf.disabled) | 8*flag(v.drain && !v.maint)
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
		check := checkIdle
		if v.unchecked {
			check = checkOff
		}
		fmt.Fprintf(&b, "%d %s %d %s %s %d %d %d %d %d %d %d %d %d 0 0 0 - %d - 0 %d - - 0\n", p.id, p.conf.name, v.id, v.conf.name, v.conf.addr,
			op, admin, v.weight, v.conf.weight, int(now.Sub(v.changed)/time.Second), status, res, v.health, check, v.conf.port, v.conf.checkPort)
	}
	return b.String()
}
