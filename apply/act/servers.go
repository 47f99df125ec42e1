package act

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // servers.sh
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"pgtui/haproxy"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/probe/node"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed servers.sh
var serversScript string

// Limits of one call to a node.
const (
	maxAnswer  = 4 << 10 // bytes of HAProxy's answer to one command
	scriptTime = 30 * time.Second
	beginTime  = 7 * time.Second // until the node has the script: ssh itself gives up a connection after 5 s
)

// serversSeen is what one HAProxy reports of its servers.
type serversSeen struct {
	// states are "show servers state"; nil where only the stats page was read.
	states []haproxy.ServerState
	stats  haproxy.Stats
	// answers are HAProxy's to the commands, in their order; "" is success.
	answers []string
}

// state is a server by names, nil when HAProxy has none or its states were not read.
func (s *serversSeen) state(backend, server string) *haproxy.ServerState {
	for i := range s.states {
		if st := &s.states[i]; st.Proxy == backend && st.Server == server {
			return st
		}
	}
	return nil
}

// row is a server's row on the stats page, or nil.
func (s *serversSeen) row(backend, server string) *haproxy.ServerRow {
	if px := s.stats.Proxy(backend); px != nil {
		return px.Server(server)
	}
	return nil
}

// sessions are the sessions of the servers, "backend/server" each.
func (s *serversSeen) sessions(servers []string) (n int64) {
	for _, x := range servers {
		backend, name, _ := strings.Cut(x, "/")
		if row := s.row(backend, name); row != nil {
			n += row.Sessions
		}
	}
	return n
}

// plainName is a name that HAProxy's command line takes as one word.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)

// splitServer reads "backend/server".
func splitServer(word string) (backend, server string, err error) {
	backend, server, ok := strings.Cut(word, "/")
	if !ok || !plainName.MatchString(backend) || !plainName.MatchString(server) {
		return "", "", fmt.Errorf("%q is not the name of a server that HAProxy's command line takes: %w", text.Line(word, 80), ErrNotSent)
	}
	return backend, server, nil
}

// serverCommands are one command for each server of a step, whose name stands between
// before and after.
func serverCommands(s *action.Step, before, after string) ([]string, error) {
	out := make([]string, len(s.Servers))
	for i, x := range s.Servers {
		if _, _, err := splitServer(x); err != nil {
			return nil, err
		}
		out[i] = before + x + after
	}
	return out, nil
}

// setServers gives the servers of a step their state or weight on one HAProxy, and
// reads it back.
func setServers(ctx context.Context, r *run, s *action.Step) error {
	word := " state " + s.Value
	if strings.HasPrefix(s.Value, "weight ") {
		word = " " + s.Value
	}
	commands, err := serverCommands(s, "set server ", word)
	if err != nil {
		return err
	}
	got, err := r.sendCommands(ctx, s, commands, s.Value)
	if err != nil {
		return r.lostServer(s, err)
	}
	if err := checkSet(s, got); err != nil {
		return r.lostServer(s, err)
	}
	r.tell(action.Event{State: action.Proven, Host: s.HAProxy, What: fmt.Sprintf("%s read back as %s", strings.Join(s.Servers, ", "), s.Value)})
	return nil
}

// lostServer reports a step of one HAProxy that did not end as planned, as what it is.
func (r *run) lostServer(s *action.Step, err error) error {
	state := action.Failed
	switch {
	case errors.Is(err, ErrUnknown):
		state = action.Unknown
	case errors.Is(err, ErrNotSent):
		state = action.Refused
	}
	r.tell(action.Event{State: state, Host: s.HAProxy, What: strings.Join(s.Servers, ", ") + " " + s.Value, Err: err})
	if strings.HasPrefix(err.Error(), string(s.HAProxy)+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", s.HAProxy, err)
}

// checkSet checks that every server of the step is as it was set.
func checkSet(s *action.Step, got *serversSeen) error {
	for _, x := range s.Servers {
		backend, name, err := splitServer(x)
		if err != nil {
			return err
		}
		st, row := got.state(backend, name), got.row(backend, name)
		switch {
		case got.states != nil && st == nil, got.states == nil && row == nil:
			return fmt.Errorf("HAProxy has no server %s", x)
		case st != nil:
			err = asSet(s.Value, st)
		default:
			err = asShown(s.Value, row)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", x, err)
		}
	}
	return nil
}

// asSet compares a server's administrative bits or weight with what was set.
func asSet(value string, st *haproxy.ServerState) error {
	if n, ok := strings.CutPrefix(value, "weight "); ok {
		if strconv.Itoa(st.Weight) != n {
			return fmt.Errorf("its weight is %d", st.Weight)
		}
		return nil
	}
	if got := st.Bits.Admin(); string(got) != value {
		return fmt.Errorf("it is in %s", got)
	}
	return nil
}

// asShown is asSet by the stats page, which does not show a drain of a server that
// is DOWN.
func asShown(value string, row *haproxy.ServerRow) error {
	got, _ := haproxy.AdminOf(row, source.Observed[haproxy.ServerStates]{}, "")
	switch {
	case got == haproxy.AdminUnknown:
		return fmt.Errorf("it is %s, and the stats page does not show whether it is in drain then: %w", row.Status, ErrUnknown)
	case string(got) != value:
		return fmt.Errorf("its status is %s", row.Status)
	}
	return nil
}

// sendCommands sends commands to one HAProxy, once: through its socket over SSH, or, where
// SSH fails before anything was sent, through its stats page. action is the stats
// page's word for them; it has none for a weight.
func (r *run) sendCommands(ctx context.Context, s *action.Step, commands []string, word string) (*serversSeen, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), scriptTime)
	defer cancel()
	got, err := r.runCommands(ctx, s.HAProxy, commands, func() {
		r.tell(action.Event{State: action.Sent, Host: s.HAProxy, What: strings.Join(commands, "; ")})
	})
	switch {
	case err == nil:
		for i, a := range got.answers {
			if a != "" {
				return got, fmt.Errorf("HAProxy answers %q to %s", text.Line(a, 200), commands[i])
			}
		}
		return got, nil
	case errors.Is(err, ErrNotSent):
		got, perr := r.postForms(ctx, s, word, err)
		return got, perr
	}
	// Something may have been sent: it is read, and not sent again.
	if again, rerr := r.lookAt(ctx, s.HAProxy); rerr == nil && checkSet(s, again) == nil {
		return again, nil
	}
	return nil, fmt.Errorf("%w: %w", err, ErrUnknown)
}

// lookAt reads the servers of one HAProxy: through its socket, or by its stats page.
func (r *run) lookAt(ctx context.Context, h model.Host) (*serversSeen, error) {
	got, err := r.runCommands(ctx, h, nil, nil)
	if err == nil {
		return got, nil
	}
	if st, serr := r.statsPage(ctx, h); serr == nil {
		return &serversSeen{stats: st}, nil
	}
	return nil, err
}

// statsPage is the stats page of one HAProxy.
func (r *run) statsPage(ctx context.Context, h model.Host) (haproxy.Stats, error) {
	n, err := r.inv.NodeNamed(string(h))
	if err != nil {
		return haproxy.Stats{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	return r.Stats(ctx, *n)
}

// pageTime is how long one read of a stats page may take.
const pageTime = 5 * time.Second

// runCommands runs servers.sh on a node. sent is called before the first command is
// sent. The error has ErrNotSent when none was.
func (r *run) runCommands(ctx context.Context, h model.Host, commands []string, sent func()) (*serversSeen, error) {
	target := model.SSHTarget{Address: string(h)}
	if n := r.inv.Node(h); n != nil {
		target = n.SSH
	}
	var began atomic.Bool
	c := transport.Cmd{Target: target, Script: node.Script(serversScript), Reads: len(commands) == 0, Begin: beginTime, Args: append([]string{strconv.Itoa(haproxy.MaxStates), strconv.Itoa(maxAnswer)}, commands...),
		OnLine: func(line string) {
			if line == "sending" && began.CompareAndSwap(false, true) {
				sent()
			}
		}}
	out, err := r.Runner.Run(ctx, c)
	switch {
	case errors.Is(err, transport.ErrNotStarted):
		return nil, fmt.Errorf("%w: %w", err, ErrNotSent)
	case err != nil:
		return nil, err
	}
	got, err := parseServers(out.Stdout, len(commands))
	switch {
	case err != nil && out.Exit == 0 && bytes.HasPrefix(out.Stdout, []byte(serversMagic)) && !bytes.Contains(out.Stdout, []byte("\nsending\n")):
		return nil, fmt.Errorf("HAProxy's socket: %w: %w", err, ErrNotSent)
	case err != nil:
		return nil, fmt.Errorf("HAProxy's socket: %w %s", err, transport.Words(out.Stderr[:min(len(out.Stderr), 400)], 2))
	}
	return got, nil
}

const serversMagic = "pgtui-servers 1\n"

// parseServers reads what servers.sh prints:
//
//	pgtui-servers 1
//	way worker|master
//
// then, for each of n commands, a line "sending" and a frame "answer N" of N bytes
// and a line feed, then the frames "states N" and "stat N", then "end". A line in
// place of the second is why nothing was sent.
func parseServers(b []byte, n int) (*serversSeen, error) {
	rest, ok := bytes.CutPrefix(b, []byte(serversMagic))
	if !ok {
		return nil, errors.New("the answer is not in the expected form")
	}
	line, rest, _ := bytes.Cut(rest, []byte("\n"))
	if !bytes.HasPrefix(line, []byte("way ")) {
		return nil, errors.New(text.Line(string(line), 200))
	}
	out := &serversSeen{}
	for range n {
		var a []byte
		if rest, ok = bytes.CutPrefix(rest, []byte("sending\n")); ok {
			a, rest, ok = takeFrame(rest, "answer ")
		}
		if !ok {
			return nil, errors.New("the answer is cut")
		}
		out.answers = append(out.answers, strings.TrimSpace(string(a)))
	}
	states, rest, ok := takeFrame(rest, "states ")
	stat, rest, ok2 := takeFrame(rest, "stat ")
	if !ok || !ok2 || string(rest) != "end\n" {
		return nil, errors.New("the answer is cut")
	}
	var err error
	if out.states, err = haproxy.ParseServers(states); err != nil {
		return nil, err
	}
	if out.stats, err = haproxy.ParseStats(bytes.TrimRight(stat, "\n")); err != nil {
		return nil, err
	}
	return out, nil
}

// takeFrame takes "WORD N", a line feed, N bytes and a line feed.
func takeFrame(b []byte, word string) (text, rest []byte, ok bool) {
	head, rest, ok := bytes.Cut(b, []byte("\n"))
	size, has := bytes.CutPrefix(head, []byte(word))
	n, err := strconv.Atoi(string(size))
	if !ok || !has || err != nil || n < 0 || n+1 > len(rest) || rest[n] != '\n' {
		return nil, nil, false
	}
	return rest[:n], rest[n+1:], true
}

// awaitCheck waits until a health check of the servers has ended. HAProxy takes a
// server that leaves maint as up ("DRAIN 1/3") until then.
func awaitCheck(ctx context.Context, r *run, s *action.Step) error {
	err := r.untilServers(ctx, s, cmp.Or(r.SettleFor, checkWait), func(got *serversSeen) (left int64, what string, err error) {
		for _, x := range s.Servers {
			backend, name, err := splitServer(x)
			if err != nil {
				return 0, "", err
			}
			row := got.row(backend, name)
			switch {
			case row == nil:
				return 0, "", fmt.Errorf("HAProxy has no server %s", x)
			case haproxy.IsDown(row.Status) && s.Value != action.Passed:
			case strings.HasPrefix(row.Status, "MAINT"), haproxy.IsDown(row.Status), haproxy.Turning(row.Status), row.CheckStatus == "INI":
				left++
				what = x + " is " + row.Status
			}
		}
		return left, what, nil
	})
	if err != nil {
		return r.lostServer(s, err)
	}
	r.tell(action.Event{State: action.Settled, Host: s.HAProxy, What: "a health check of " + strings.Join(s.Servers, ", ") + " has ended"})
	return nil
}

// checkWait is how long a health check is waited for: Pigsty checks at least every
// 5 s.
const checkWait = 30 * time.Second

// untilServers reads one HAProxy again and again until nothing is left, at most for so
// long. judge returns how much is left and what; an error ends it.
func (r *run) untilServers(ctx context.Context, s *action.Step, most time.Duration, judge func(*serversSeen) (int64, string, error)) error {
	last := ""
	for end := r.Now().Add(most); ; {
		got, unread := r.seeServers(ctx, s.HAProxy)
		if unread == nil {
			left, what, err := judge(got)
			if err != nil || left == 0 {
				return err
			}
			if what != last {
				last = what
				r.tell(action.Event{State: action.Waiting, Host: s.HAProxy, What: what})
			}
		}
		switch {
		case r.Now().Before(end):
		case unread != nil:
			return fmt.Errorf("%w: %w", unread, ErrUnknown)
		default:
			return fmt.Errorf("after %s: %s", most, last)
		}
		if err := r.rest(ctx); err != nil {
			return err
		}
	}
}

// rest waits for the next poll; the error is that the operator stopped the run.
func (r *run) rest(ctx context.Context) error {
	if pause(ctx, r.poll()); ctx.Err() != nil {
		return r.waitStopped()
	}
	return nil
}

// held are the sessions of the step's servers on each HAProxy of the cluster, and
// the HAProxies of which that is unknown. They are read at the same time.
func (r *run) held(ctx context.Context, s *action.Step) (n int64, unread []model.Host) {
	hosts := r.cluster().HAProxies()
	if s.HAProxy != "" {
		hosts = []model.Host{s.HAProxy}
	}
	const unknown = -1
	counts := guard.Collect(hosts, func(h model.Host) string { return "reading the sessions on " + string(h) },
		func(h model.Host) (model.Host, int64) {
			got, err := r.seeServers(ctx, h)
			if err != nil {
				return h, unknown
			}
			return h, got.sessions(s.Servers)
		},
		func(h model.Host, _ error) (model.Host, int64) { return h, unknown })
	for _, h := range hosts {
		if counts[h] == unknown {
			unread = append(unread, h)
			continue
		}
		n += counts[h]
	}
	return n, unread
}

// seeServers reads the servers of one HAProxy: by its stats page, or through its socket
// where that does not answer.
func (r *run) seeServers(ctx context.Context, h model.Host) (*serversSeen, error) {
	if st, err := r.statsPage(ctx, h); err == nil {
		return &serversSeen{stats: st}, nil
	}
	return r.runCommands(ctx, h, nil, nil)
}

// awaitSessions waits until the servers of a step have no session. Where some are left
// and none is to be cut, it fails.
func awaitSessions(ctx context.Context, r *run, s *action.Step) error {
	q := &r.plan.Request
	first, last := int64(-1), int64(-1)
	var at time.Time
	for end := r.Now().Add(q.Wait); ; {
		n, unread := r.held(ctx, s)
		if first = max(first, n); n == 0 && len(unread) == 0 {
			r.tell(action.Event{State: action.Settled, What: fmt.Sprintf("%s has no session", s.Instance), Done: first, Total: first})
			return nil
		}
		if n != last || r.Now().Sub(at) > waitingEvery {
			last, at = n, r.Now()
			r.tell(action.Event{State: action.Waiting, What: text.Plural(int(n), "session") + " left", Done: first - n, Total: first})
		}
		if !r.Now().Before(end) {
			return r.remains(s, n, unread)
		}
		if err := r.rest(ctx); err != nil {
			return fmt.Errorf("%w: %s of %s left", err, text.Plural(int(n), "session"), s.Instance)
		}
	}
}

// waitingEvery is how often a wait in which nothing changes is reported.
const waitingEvery = 5 * time.Second

// remains is the end of a wait with sessions left.
func (r *run) remains(s *action.Step, n int64, unread []model.Host) error {
	q := &r.plan.Request
	left := text.Plural(int(n), "session")
	if len(unread) > 0 {
		return fmt.Errorf("after %s %s has %s, and how many on %s is unknown: %w", q.Wait, s.Instance, left, model.Join(unread), ErrUnknown)
	}
	if q.Cut {
		r.tell(action.Event{State: action.Settled, What: fmt.Sprintf("after %s %s has %s left: they are ended next", q.Wait, s.Instance, left)})
		return nil
	}
	r.rep.State = fmt.Sprintf("%s is in drain; %s left", s.Instance, left)
	again := *q
	again.Wait, again.Cut = 0, true
	r.thenNext(again)
	return &source.Hint{Err: fmt.Errorf("after %s %s has %s left", q.Wait, s.Instance, left), Try: "pgtui status " + string(q.Cluster) + " shows them"}
}

// cutSessions ends the sessions that are left to the servers of one HAProxy.
func cutSessions(ctx context.Context, r *run, s *action.Step) error {
	commands, err := serverCommands(s, "shutdown sessions server ", "")
	if err != nil {
		return err
	}
	if _, err := r.sendCommands(ctx, s, commands, "shutdown"); err != nil {
		return r.lostServer(s, err)
	}
	err = r.untilServers(ctx, s, cutWait, func(got *serversSeen) (int64, string, error) {
		n := got.sessions(s.Servers)
		return n, text.Plural(int(n), "session") + " left", nil
	})
	if err != nil {
		return r.lostServer(s, err)
	}
	r.tell(action.Event{State: action.Proven, Host: s.HAProxy, What: strings.Join(s.Servers, ", ") + " has no session"})
	return nil
}

// cutWait is how long sessions may take to end once they are cut.
const cutWait = 5 * time.Second

// openFrontend opens the port of a frontend that was closed by hand. The stats page
// cannot do it.
func openFrontend(ctx context.Context, r *run, s *action.Step) error {
	var commands []string
	for _, x := range s.Servers {
		if !plainName.MatchString(x) {
			return fmt.Errorf("%q is not the name of a frontend: %w", text.Line(x, 80), ErrNotSent)
		}
		commands = append(commands, "enable frontend "+x)
	}
	if _, err := r.sendCommands(ctx, s, commands, ""); err != nil {
		return r.lostServer(s, err)
	}
	err := r.untilServers(ctx, s, cutWait, func(got *serversSeen) (n int64, what string, err error) {
		for _, x := range s.Servers {
			if px := got.stats.Proxy(x); px == nil || px.Front.Status != "OPEN" {
				n++
				what = "the frontend " + x + " is not OPEN"
			}
		}
		return n, what, nil
	})
	if err != nil {
		return r.lostServer(s, err)
	}
	r.tell(action.Event{State: action.Proven, Host: s.HAProxy, What: strings.Join(s.Servers, ", ") + " is OPEN"})
	return nil
}
