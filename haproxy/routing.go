package haproxy

import (
	"fmt"
	"slices"
	"strings"
)

// Routed are the servers that get new connections: those that are up and have
// a weight, or when there are none the first backup that is. Never nil.
func Routed(servers []ServerRow) []string {
	out := []string{}
	backup := ""
	for i := range servers {
		s := &servers[i]
		up := s.Status == "no check" || s.Status == "UP" || strings.HasPrefix(s.Status, "UP ")
		switch {
		case !up || s.Weight == 0:
		case !s.Backup:
			out = append(out, s.Name)
		case backup == "":
			backup = s.Name
		}
	}
	if len(out) == 0 && backup != "" {
		out = append(out, backup)
	}
	slices.Sort(out)
	return out
}

// Full is why HAProxy hands a server no further connection: it has maxconn
// sessions, and as many wait as maxqueue allows. HAProxy gives such a client to
// another server or closes it.
func Full(row *ServerRow) string {
	if row.Limit == 0 || row.Sessions < row.Limit || row.QueueLimit == 0 || row.Queue < row.QueueLimit {
		return ""
	}
	return fmt.Sprintf("its queue is full: %d of %d sessions (maxconn), %d of %d wait (maxqueue)", row.Sessions, row.Limit, row.Queue, row.QueueLimit)
}

// Usable reports whether HAProxy gives the server new connections when its
// turn comes: up-ish and weight above 0. "UP 2/3" is up; NOLB, DRAIN, MAINT
// are not.
func Usable(row *ServerRow) bool {
	up := row.Status == "no check" || row.Status == "UP" || strings.HasPrefix(row.Status, "UP ")
	return up && row.Weight > 0
}

// Turning reports whether HAProxy has seen some, and not yet all of the checks
// that turn a server: "UP 1/3" goes down, "DOWN 2/3" comes up.
func Turning(status string) bool { return strings.Contains(status, "/") }
