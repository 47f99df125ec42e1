package sandbox

import (
	"fmt"
	"time"

	"pgtui/source"
)

// The generations of Patroni and HAProxy that can be simulated, named after
// the Debian release that ships them.
const (
	Bookworm = "bookworm" // Patroni 3.0.2, HAProxy 2.6.12, PostgreSQL 15
	Trixie   = "trixie"   // Patroni 4.0.7, HAProxy 3.0.11, PostgreSQL 17
)

// generation is what differs between them.
type generation struct {
	name           string
	modern         bool // Patroni 4: primary, streaming, quorum, names in bodies
	patroni        string
	python         string
	haproxy        string
	haproxyDate    string
	pgbouncer      string
	serverVersion  int
	pgMajor        string
	crashState     string        // state of a leader whose PostgreSQL died, once noticed
	crashSeen      time.Duration // until it is noticed
	leaderRestart  time.Duration // until it runs again
	replicaRestart time.Duration // the same for a replica
	columns        string        // header of the stats CSV
}

func generationOf(name string) (generation, error) {
	switch name {
	case "", Bookworm:
		return generation{
			name: Bookworm, patroni: "3.0.2", python: "3.11.2", haproxy: "2.6.12-1+deb12u4", haproxyDate: "2026/10/17", pgbouncer: "1.18.0",
			serverVersion: 150020, pgMajor: "15", crashState: stateCrashed, crashSeen: 1700 * time.Millisecond,
			leaderRestart: 3500 * time.Millisecond, replicaRestart: 4300 * time.Millisecond, columns: columns26,
		}, nil
	case Trixie:
		return generation{
			name: Trixie, modern: true, patroni: "4.0.7", python: "3.13.5", haproxy: "3.0.11-1+deb13u3", haproxyDate: "2026/05/20", pgbouncer: "1.24.1",
			serverVersion: 170011, pgMajor: "17", crashState: stateStarting, crashSeen: 4200 * time.Millisecond,
			leaderRestart: 5600 * time.Millisecond, replicaRestart: 5 * time.Second, columns: columns30,
		}, nil
	}
	return generation{}, &source.Hint{
		Err: fmt.Errorf("sandbox: no generation %q", name), Try: "use " + Bookworm + " or " + Trixie,
	}
}
