package haproxy

import (
	"fmt"
	"slices"
	"strings"
)

// Usable reports whether HAProxy gives the server new connections when its turn
// comes: it is up, or not checked, and has a weight. "UP 2/3" is up; NOLB,
// DRAIN and MAINT are not.
func (s *ServerRow) Usable() bool {
	up := s.Status == "no check" || s.Status == "UP" || strings.HasPrefix(s.Status, "UP ")
	return up && s.Weight > 0
}

// Shares is the part of the section's new connections that each server gets, in
// percent: the usable regular servers by weight, at least 1 each; when there
// are none, the first usable backup in the order of the file gets all.
func Shares(servers []ServerRow) []int {
	out := make([]int, len(servers))
	total, backup := 0, -1
	for i := range servers {
		switch s := &servers[i]; {
		case !s.Usable():
		case !s.Backup:
			total += s.Weight
		case backup < 0:
			backup = i
		}
	}
	if total == 0 && backup >= 0 {
		out[backup] = 100
	}
	for i := range servers {
		if s := &servers[i]; s.Usable() && !s.Backup {
			out[i] = max((s.Weight*100+total/2)/total, 1)
		}
	}
	return out
}

// Routed are the names of the servers that get new connections, sorted. Never
// nil.
func Routed(servers []ServerRow) []string {
	out := []string{}
	for i, share := range Shares(servers) {
		if share > 0 {
			out = append(out, servers[i].Name)
		}
	}
	slices.Sort(out)
	return out
}

// Full is why HAProxy gives the server no further connection, "" when it does:
// it has maxconn sessions, and as many wait as maxqueue allows. HAProxy gives
// such a client to another server or closes it.
func (s *ServerRow) Full() string {
	if s.Limit == 0 || s.Sessions < s.Limit || s.QueueLimit == 0 || s.Queue < s.QueueLimit {
		return ""
	}
	return fmt.Sprintf("its queue is full: %d of %d sessions (maxconn), %d of %d wait (maxqueue)", s.Sessions, s.Limit, s.Queue, s.QueueLimit)
}

// IsDown reports whether a status is one of a server that failed its checks.
func IsDown(status string) bool { return strings.HasPrefix(status, "DOWN") }

// Turning reports whether HAProxy has seen some, and not yet all of the checks
// that turn a server: "UP 1/3" goes down, "DOWN 2/3" comes up.
func Turning(status string) bool { return strings.Contains(status, "/") }

// Unanswered reports whether a server is down because its check gets no HTTP
// response at all: no connection (L4CON, L4TOUT), no TLS (L6TOUT, L6RSP), or
// none that HAProxy can read (L7TOUT, L7RSP). An HTTP status that is not the
// expected one (L7STS) is a response.
func Unanswered(status, check string) bool {
	switch check {
	case "L4CON", "L4TOUT", "L6TOUT", "L6RSP", "L7TOUT", "L7RSP":
		return IsDown(status)
	}
	return false
}
