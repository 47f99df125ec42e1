package sandbox

import (
	"fmt"

	"pgtui/internal/sandbox/haproxy"
	"pgtui/internal/sandbox/patroni"
	"pgtui/internal/sandbox/pg"
	"pgtui/source"
)

// The generations of Patroni and HAProxy that can be simulated, named after
// the Debian release that ships them.
const (
	Bookworm = "bookworm" // Patroni 3.0.2, HAProxy 2.6.12, PostgreSQL 15
	Trixie   = "trixie"   // Patroni 4.0.7, HAProxy 3.0.11, PostgreSQL 17
)

// generation is the difference between them.
type generation struct {
	patroni   patroni.Release
	pgbouncer pg.Release
	columns   string // header of the stats CSV
}

func generationOf(name string) (generation, error) {
	switch name {
	case "", Bookworm:
		return generation{patroni.Bookworm(), pg.Bookworm(), haproxy.Columns26}, nil
	case Trixie:
		return generation{patroni.Trixie(), pg.Trixie(), haproxy.Columns30}, nil
	}
	return generation{}, &source.Hint{
		Err: fmt.Errorf("sandbox: no generation %q", name), Try: "use " + Bookworm + " or " + Trixie,
	}
}
