package model

import (
	"strconv"
	"strings"
	"time"
)

// CheckTiming is how often HAProxy checks a server, and how often a check must
// pass before the server is UP.
type CheckTiming struct {
	Fast, Down time.Duration // between checks while the server turns, and while it is DOWN
	Rise       int
	// Given reports that the service's options have all of it; otherwise what they
	// lack is Pigsty's default.
	Given bool
}

// Timing is the timing of the service's health checks, by the arguments of its
// default-server.
func (s *Service) Timing() CheckTiming {
	t := CheckTiming{Fast: time.Second, Down: 5 * time.Second, Rise: 3}
	given := map[string]bool{}
	f := strings.Fields(s.Options)
	for i := 0; i+1 < len(f); i++ {
		d, err := haproxyTime(f[i+1])
		n, err2 := strconv.Atoi(f[i+1])
		switch {
		case f[i] == "fastinter" && err == nil && d > 0:
			t.Fast = d
		case f[i] == "downinter" && err == nil && d > 0:
			t.Down = d
		case f[i] == "rise" && err2 == nil && n > 0:
			t.Rise = n
		default:
			continue
		}
		given[f[i]] = true
	}
	t.Given = len(given) == 3
	return t
}

// haproxyTime is a duration as HAProxy reads it: milliseconds without a unit.
func haproxyTime(v string) (time.Duration, error) {
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(n) * time.Millisecond, nil
	}
	return time.ParseDuration(v)
}

// Least is how long HAProxy takes at the least to use a server that was DOWN and
// that now passes its checks.
func (t CheckTiming) Least() time.Duration { return time.Duration(max(t.Rise-1, 0)) * t.Fast }

// Most is how long it takes at most: until the next check of a server that is
// DOWN, and then the rest of them at the fast pace.
func (t CheckTiming) Most() time.Duration { return t.Down + t.Least() }
