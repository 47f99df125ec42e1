package history

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
)

// maxSentence is the longest line that is read, in bytes; what is longer is cut.
const maxSentence = 4096

// The sentences of HAProxy (2.4 to 3.x, check.c, server.c, mworker.c).
var (
	// "Server pg-test-primary/pg-test-1 is DOWN, reason: Layer7 wrong status, code: 503, …",
	// "Backup Server …", "… is going DOWN for maintenance", "… enters drain state".
	serverSentence = regexp.MustCompile(`\b(?:Backup )?Server ([A-Za-z0-9_.:-]+)/([A-Za-z0-9_.:-]+) (is|enters|remains|leaves|was)\b(.*)`)
	emptySentence  = regexp.MustCompile(`\b(?:proxy|backend|listen) '?([A-Za-z0-9_.:-]+)'? has no server available`)
	reasonPart     = regexp.MustCompile(`reason: ([^,]+(?:, code: \d+)?(?:, info: "[^"]*")?)`)
	leftPart       = regexp.MustCompile(`(\d+) active and (\d+) backup servers? (?:left|online)`)
	cutPart        = regexp.MustCompile(`(\d+) sessions active`)
	forkedSentence = regexp.MustCompile(`New worker .*forked`)
)

// ParseHAProxy reads one line that HAProxy wrote on a node; false for a line that is
// no event.
func ParseHAProxy(line string, at time.Time, host model.Host, from string) (Event, bool) {
	line = bounded(line)
	e := Event{At: at, Host: host, Cut: -1, Left: -1, Evidence: []Evidence{{from, at, text.Line(line, 300)}}}
	if m := serverSentence.FindStringSubmatch(line); m != nil {
		e.Kind, e.Proxy, e.Instance = KindServer, text.Line(m[1], 100), model.InstanceName(text.Line(m[2], 100))
		if e.After = serverState(m[3], m[4]); e.After == "" {
			return Event{}, false
		}
		if r := reasonPart.FindStringSubmatch(m[4]); r != nil {
			e.Why = text.Line(r[1], 200)
		}
		if l := leftPart.FindStringSubmatch(m[4]); l != nil {
			if a, b := number(l[1]), number(l[2]); a >= 0 && b >= 0 {
				e.Left = a + b
			}
		}
		if c := cutPart.FindStringSubmatch(m[4]); c != nil && e.After == "DOWN" {
			e.Cut = number(c[1])
		}
		return e, true
	}
	if m := emptySentence.FindStringSubmatch(line); m != nil {
		e.Kind, e.Proxy, e.After, e.Left = KindPort, text.Line(m[1], 100), "no server", 0
		return e, true
	}
	if forkedSentence.MatchString(line) {
		e.Kind, e.After, e.Within = KindReload, "a new worker started", time.Second
		return e, true
	}
	return Event{}, false
}

// serverState is the state that a sentence about a server leads to; "" for one that does
// not change it.
func serverState(verb, rest string) string {
	rest, _, _ = strings.Cut(rest, "reason:")
	up := strings.Contains(rest, "UP")
	switch {
	case verb == "remains" || verb == "leaves" || strings.Contains(rest, "but remains"):
		return ""
	case strings.Contains(rest, "leaving") && strings.Contains(rest, "DRAIN"), verb == "enters" && strings.Contains(rest, "drain"):
		return "DRAIN"
	case strings.Contains(rest, "maintenance") && !strings.Contains(rest, "leaving"):
		return "MAINT"
	case verb == "is" && strings.Contains(rest, "stopping"):
		return "NOLB"
	case verb == "is" && up:
		return "UP"
	case verb == "is" && strings.Contains(rest, "DOWN"):
		return "DOWN"
	}
	return ""
}

// number is a number of at most nine digits; -1 for a longer one.
func number(s string) int {
	if n, err := strconv.Atoi(s); err == nil && len(s) < 10 {
		return n
	}
	return -1
}

func bounded(line string) string {
	if len(line) > maxSentence {
		line = line[:maxSentence]
	}
	return line
}

// patroniSentence is a part of a sentence of Patroni's (ha.py, postgresql/__init__.py, 2.1 to 4.1),
// and what it means.
type patroniSentence struct {
	part  string
	kind  Kind
	after string
}

// patroniSentences are those that are events; the first that a line has counts.
func patroniSentences() []patroniSentence {
	return []patroniSentence{
		{"promoted self to leader", KindRole, "primary"},
		{"acquired session lock as a leader", KindLock, "held"},
		{"received switchover request", KindRequest, "switchover"},
		{"received failover request", KindRequest, "failover"},
		{"demoted self", KindRole, "replica"},
		{"demoting self", KindRole, "demoting"},
		{"demoting myself", KindRole, "demoting"},
		{"failed to update leader lock", KindPatroni, "failed to update the leader key"},
		{"lost leader lock", KindPatroni, "lost the leader key"},
		{"Lost leader lock", KindPatroni, "lost the leader key"},
		{"lost lock", KindPatroni, "lost the leader key"},
		{"Lost lock", KindPatroni, "lost the leader key"},
		{"leader key released", KindLock, "free"},
		{"Leader key released", KindLock, "free"},
		{"exceeds maximum replication lag", KindPatroni, "a member exceeds maximum_lag_on_failover"},
		{"wal position exceeds", KindPatroni, "its WAL position is behind: it does not take part"},
		{"DCS is not accessible", KindPatroni, "the DCS is not accessible"},
		{"leader key up for grabs", KindLock, "free"},
		{"starting as a secondary", KindPatroni, "PostgreSQL starts as a replica"},
		{"starting as readonly because i had the session lock", KindPatroni, "PostgreSQL starts again as the leader"},
		{"Cleaning up failover key", KindPatroni, "the request was removed"},
		{"Cleaning up switchover key", KindPatroni, "the request was removed"},
	}
}

// ParsePatroni reads one line of an instance's Patroni; false for a line that is no
// event. Its clock has whole seconds.
func ParsePatroni(line string, at time.Time, in *model.Instance, from string) (Event, bool) {
	line = bounded(line)
	if strings.Contains(line, "no action.") {
		return Event{}, false
	}
	for _, s := range patroniSentences() {
		if !strings.Contains(line, s.part) {
			continue
		}
		e := Event{At: at, Within: time.Second, Kind: s.kind, Host: in.Host, Instance: in.Name, After: s.after, Cut: -1, Left: -1,
			Evidence: []Evidence{{from, at, text.Line(line, 300)}}}
		if _, because, ok := strings.Cut(line, " because "); ok {
			e.Why = text.Line(because, 200)
		}
		if s.kind == KindRequest {
			e.Why = text.Line(line[strings.Index(line, "request"):], 200)
		}
		return e, true
	}
	return Event{}, false
}

// vipSentence is what vip-manager writes when it takes or releases its address.
var vipSentence = regexp.MustCompile(`IP address ([0-9a-fA-F.:]+(?:/\d+)?) state is (true|false), desired (true|false)`)

// ParseVIPManager reads one line of a node's vip-manager; false for a line that is no
// event.
func ParseVIPManager(line string, at time.Time, host model.Host, from string) (Event, bool) {
	line = bounded(line)
	m := vipSentence.FindStringSubmatch(line)
	if m == nil || m[2] == m[3] {
		return Event{}, false
	}
	after := "takes " + m[1]
	if m[3] == "false" {
		after = "releases " + m[1]
	}
	return Event{At: at, Within: time.Second, Kind: KindVIP, Host: host, After: after, Cut: -1, Left: -1, Evidence: []Evidence{{from, at, text.Line(line, 300)}}}, true
}
