package node

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
)

// procs is the master's answer to "show proc".
type procs struct {
	failed  int // reloads that failed
	workers []proc
}

// proc is one worker.
type proc struct {
	pid     int
	old     bool
	uptime  time.Duration // whole seconds
	version string
}

// parseProc reads "show proc" by the names in its header: HAProxy 2.4 has a
// column that later ones lack.
func parseProc(b []byte) (procs, error) {
	var out procs
	var col map[string]int
	old := false
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#<PID>"):
			col = columnsOf(line)
			if _, ok := col["uptime"]; !ok {
				return out, errors.New("show proc has no column uptime")
			}
			continue
		case strings.HasPrefix(line, "# "):
			old = strings.HasPrefix(line, "# old")
			continue
		case line == "" || col == nil:
			continue
		}
		w, failed := fields(line)
		if failed >= 0 {
			out.failed = failed
		}
		at := func(name string) string {
			if i, ok := col[name]; ok && i < len(w) {
				return w[i]
			}
			return ""
		}
		pid, err := strconv.Atoi(w[0])
		up, ok := uptime(at("uptime"))
		if err != nil || pid <= 0 || !ok {
			return out, errors.New("a line of show proc is not a process")
		}
		if at("type") != "worker" {
			continue
		}
		if len(out.workers) >= maxWorkers {
			return out, errors.New("show proc lists too many workers")
		}
		out.workers = append(out.workers, proc{pid: pid, old: old, uptime: up, version: text.Line(at("version"), 40)})
	}
	if col == nil {
		return out, errors.New("no answer to show proc")
	}
	return out, nil
}

// columnsOf finds the columns of "#<PID> <type> <relative PID> …".
func columnsOf(header string) map[string]int {
	out := map[string]int{}
	for i, part := range strings.Split(strings.TrimPrefix(header, "#"), "<")[1:] {
		name, _, _ := strings.Cut(part, ">")
		out[strings.ToLower(name)] = i
	}
	return out
}

// fields are the words of a line without the "[failed: N]" of the master's,
// and with HAProxy 2.4's "[was: 1]" as one; failed is -1 where there is none.
func fields(line string) (words []string, failed int) {
	failed = -1
	line = strings.Replace(line, "[was: ", "[was:", 1)
	if i := strings.Index(line, "[failed:"); i >= 0 {
		if j := strings.IndexByte(line[i:], ']'); j > 0 {
			if n, err := strconv.Atoi(strings.TrimSpace(line[i+len("[failed:") : i+j])); err == nil && n >= 0 {
				failed = n
			}
			line = line[:i] + line[i+j+1:]
		}
	}
	words = strings.Fields(line)
	if len(words) == 0 {
		words = []string{""}
	}
	return words, failed
}

// uptime reads HAProxy's "0d00h11m40s", with every unit.
func uptime(s string) (time.Duration, bool) {
	marks := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s)
	d, ok := spell(s)
	return d, ok && marks == "dhms" && d < 36501*24*time.Hour
}

// session is one line of "show sess".
type session struct {
	id      string // "0x563568b7be40"
	src     string
	backend string
	server  string
	age     time.Duration
}

// maxSessions bounds the sessions that are read of one answer.
const maxSessions = 20000

// parseSess reads "show sess" of one worker. The session of the query, which runs
// in no section of the configuration, is left out, and so is a line that is
// cut.
func parseSess(b []byte) []session {
	var out []session
	for line := range strings.Lines(string(b)) {
		if !strings.HasSuffix(line, "\n") || !strings.HasPrefix(line, "0x") || len(out) >= maxSessions {
			continue
		}
		w := strings.Fields(line)
		s := session{id: strings.TrimSuffix(w[0], ":")}
		front := ""
		for _, f := range w[1:] {
			k, v, ok := strings.Cut(f, "=")
			if !ok {
				continue
			}
			switch k {
			case "src":
				s.src = text.Line(v, 60)
			case "fe":
				front = v
			case "be":
				s.backend = text.Line(v, 120)
			case "srv":
				s.server = text.Line(v, 120)
			case "age":
				s.age, _ = spell(v)
			}
		}
		if front != "GLOBAL" {
			out = append(out, s)
		}
	}
	return out
}

// spell reads HAProxy's short times, "4s", "1m40s", "23h59m", "2d3h"; 0 and false
// for any other text.
func spell(s string) (total time.Duration, ok bool) {
	units := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
	for s != "" {
		i := max(0, strings.IndexAny(s, "dhms"))
		n, err := strconv.ParseUint(s[:i], 10, 16)
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * units[s[i]]
		s = s[i+1:]
	}
	return total, true
}
