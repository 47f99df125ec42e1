package node

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
)

// Limits of what is read of HAProxy's processes.
const (
	maxGhosts  = 20
	maxSession = 512 << 10 // bytes of one answer
	maxWorkers = 200
)

//go:embed haproxy.sh
var haproxyScript string

//go:embed socket.sh
var socketScript string

// Script is a script with socket.sh in place of the line that names it: the client,
// and the functions talk and frame.
func Script(text string) string { return strings.Replace(text, "# socket.sh\n", socketScript, 1) }

// Runtime is what HAProxy's own sockets on a node report.
type Runtime struct {
	Processes haproxy.Processes
	Servers   haproxy.ServerStates // of the current worker
	NoServers error                // why Servers is unknown; nil when it is not
}

// ReadRuntime lists the HAProxy processes of a node, what its old workers hold
// and what was done to the servers of its current one, through HAProxy's sockets.
// What cannot be read for lack of a socket or a program is in Missing and
// NoServers, not an error.
func ReadRuntime(ctx context.Context, r transport.Runner, t model.SSHTarget) (Runtime, error) {
	return readRuntime(ctx, r, t, maxGhosts)
}

// readRuntime reads from at most so many old workers what they hold.
func readRuntime(ctx context.Context, r transport.Runner, t model.SSHTarget, ghosts int) (Runtime, error) {
	out, err := r.Run(ctx, transport.Cmd{Target: t, Reads: true, Script: Script(haproxyScript),
		Args: []string{strconv.Itoa(ghosts), strconv.Itoa(maxSession), strconv.Itoa(haproxy.MaxStates)}})
	if err != nil {
		return Runtime{}, fmt.Errorf("HAProxy's processes: %w", err)
	}
	if out.Exit != 0 || out.Truncated {
		raw := transport.Words(out.Stderr, 2)
		return Runtime{}, fmt.Errorf("%s: HAProxy's processes: the script ended with %d %s", text.Line(t.Address, 80), out.Exit, raw)
	}
	run, err := parseRuntime(out.Stdout)
	if err != nil {
		return Runtime{}, fmt.Errorf("%s: HAProxy's processes: %w", text.Line(t.Address, 80), err)
	}
	if run.NoServers != nil {
		run.NoServers = fmt.Errorf("%s: %w", text.Line(t.Address, 80), run.NoServers)
	}
	return run, nil
}

// parseRuntime reads what haproxy.sh prints:
//
//	pgtui-haproxy 1
//	now SECONDS.FRACTION
//	client NAME
//	socket 0|1
//
// then, in any order, lines "age PID SECONDS" and frames "servers N", "proc N",
// "stat PID N" and "sess PID N", each followed by N bytes and a line feed;
// then "end".
func parseRuntime(b []byte) (Runtime, error) {
	l := listing{rest: b}
	l.expect("pgtui-haproxy 1")
	now, okNow := seconds(l.line("now "))
	client, socket := l.line("client "), l.line("socket ")
	if l.bad || !okNow || (socket != "0" && socket != "1") {
		return Runtime{}, errors.New("the answer is not a list of processes")
	}
	p := haproxy.Processes{At: epoch().Add(now), Socket: socket == "1"}
	switch {
	case !p.Socket:
		p.Missing = "no master socket /run/haproxy-master.sock"
	case client == "none":
		p.Missing = "none of socat, python3, perl and nc to ask the master socket with"
		p.Socket = false
	}
	a := answers{ages: map[int]time.Duration{}, stat: map[int][]byte{}, sess: map[int][]byte{}}
	for {
		line := l.until('\n')
		if l.bad {
			return Runtime{}, errors.New("the list of processes is cut")
		}
		if line == "end" && len(l.rest) == 0 {
			break
		}
		if !a.take(&l, strings.Fields(line)) {
			return Runtime{}, errors.New("the list of processes is damaged")
		}
	}
	run := Runtime{Processes: a.judge(p)}
	switch {
	case client == "none":
		run.NoServers = errors.New("HAProxy's servers: none of socat, python3, perl and nc to ask its socket with")
	case a.servers == nil:
		run.NoServers = errors.New("HAProxy's servers: no socket answers show servers state: neither /run/haproxy-master.sock nor /run/haproxy.sock")
	default:
		run.Servers, run.NoServers = haproxy.ParseServerStates(a.servers)
	}
	return run, nil
}

// epoch is the time that date +%s counts from.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

// seconds reads a number of seconds, not above a thousand years.
func seconds(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 9e9 {
		return 0, false
	}
	return time.Duration(f * float64(time.Second)), true
}

// answers are the pieces of a listing.
type answers struct {
	ages       map[int]time.Duration
	order      []int // of ages
	proc       []byte
	servers    []byte // nil when no one answered
	stat, sess map[int][]byte
}

// take reads one line, with the frame that follows it.
func (a *answers) take(l *listing, w []string) bool {
	frame := func(size string, most int) ([]byte, bool) {
		n, err := strconv.Atoi(size)
		if err != nil || n < 0 || n > most {
			return nil, false
		}
		b := l.take(n)
		return b, l.until('\n') == "" && !l.bad
	}
	ok := false
	switch {
	case len(w) == 2 && w[0] == "proc":
		a.proc, ok = frame(w[1], maxSession)
		return ok
	case len(w) == 2 && w[0] == "servers":
		a.servers, ok = frame(w[1], haproxy.MaxStates)
		return ok
	case len(w) != 3:
		return false
	}
	pid, err := strconv.Atoi(w[1])
	if err != nil || pid <= 0 || len(a.ages)+len(a.stat) > 2*maxWorkers {
		return false
	}
	switch w[0] {
	case "age":
		d, ok := seconds(w[2])
		if ok {
			a.ages[pid] = d
			a.order = append(a.order, pid)
		}
		return true // the kernel's word is optional
	case "stat":
		a.stat[pid], ok = frame(w[2], maxSession)
	case "sess":
		a.sess[pid], ok = frame(w[2], maxSession)
	}
	return ok
}

// judge makes processes of the pieces.
func (a *answers) judge(p haproxy.Processes) haproxy.Processes {
	if p.Missing != "" {
		// Without the master's word the youngest is the one that serves.
		young := -1
		for i, pid := range a.order {
			if young < 0 || a.ages[pid] < a.ages[a.order[young]] {
				young = i
			}
		}
		for i, pid := range a.order {
			p.Workers = append(p.Workers, haproxy.Worker{PID: pid, Old: i != young, Started: p.At.Add(-a.ages[pid]), Err: "not checked: " + p.Missing})
		}
		return p
	}
	procs, err := parseProc(a.proc)
	if err != nil {
		p.Socket, p.Missing = false, "the master socket does not answer: "+err.Error()
		return p
	}
	p.Failed = procs.failed
	for _, w := range procs.workers {
		age := w.uptime
		// The master counts whole seconds. The kernel knows better, unless a
		// container hides the machine's clock from it.
		if k, ok := a.ages[w.pid]; ok && (k-age).Abs() < 2*time.Second {
			age = k
		}
		out := haproxy.Worker{PID: w.pid, Old: w.old, Started: p.At.Add(-age), Version: w.version}
		if w.old {
			a.hold(&out)
		}
		p.Workers = append(p.Workers, out)
	}
	return p
}

// hold fills in what an old worker holds.
func (a *answers) hold(w *haproxy.Worker) {
	page, asked := a.stat[w.PID]
	if !asked {
		w.Err = fmt.Sprintf("not checked: more than %d old workers", maxGhosts)
		return
	}
	st, err := haproxy.ParseStats(bytes.TrimRight(page, "\n"))
	if err != nil {
		w.Err = "it does not answer, it may have ended: " + err.Error()
		return
	}
	w.Known = true
	for _, px := range st.Proxies {
		for _, s := range px.Servers {
			if s.Sessions > 0 {
				w.Pins = append(w.Pins, haproxy.Pin{Proxy: px.Name, Server: s.Name, Sessions: s.Sessions})
			}
		}
	}
	for _, s := range parseSess(a.sess[w.PID]) {
		w.Oldest = max(w.Oldest, s.age)
	}
}
