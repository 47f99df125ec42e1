// Package logs reads the logs of Pigsty's components on a node over SSH: files
// where Pigsty has them, and systemd's journal. It only reads.
package logs

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed logs.sh
var script string

// Limits of one log.
const (
	begin    = 10 * time.Second // to connect, to log in and to become root
	readTime = 30 * time.Second // of a log that is not followed, from the login on
	// MostLines is how many lines of a unit are read at first.
	MostLines = 10_000
)

// Reader reads logs.
type Reader struct{ Runner transport.Runner }

// Read reads the log of one unit on a node; in is the instance there, nil when
// there is none. started gets the source, once, before the first line. Both are
// called from one goroutine, and the node waits for them. Read returns when the
// log was read, and with Follow when ctx ends. ctx ends the program on the node
// within some seconds.
func (r Reader) Read(ctx context.Context, n *model.Node, in *model.Instance, u model.LogUnit, req model.LogRequest, started func(model.LogSource), line func(model.LogLine)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !req.Follow {
		ctx, cancel = context.WithTimeout(ctx, begin+readTime)
		defer cancel()
	}
	var p *parser
	var damaged error
	none := false
	c := transport.Cmd{Target: n.SSH, Script: script, Args: args(u, in, req), Begin: begin, Reads: true, LinesOnly: true}
	c.OnLine = func(s string) {
		switch {
		case damaged != nil:
		case p == nil:
			var src model.LogSource
			if p, src, damaged = parseHead(s, u, req.Since); damaged != nil {
				cancel()
				return
			}
			none = src.Err != nil
			started(src)
		default:
			for _, l := range p.take(s) {
				line(l)
			}
		}
	}
	out, err := r.Runner.Run(ctx, c)
	if p != nil {
		for _, l := range p.rest() {
			line(l)
		}
	}
	switch {
	case damaged != nil:
		return fmt.Errorf("%s: the log of %s: %w", text.Line(string(n.Host), 80), u, damaged)
	case err != nil:
		return err // it names the node
	case p == nil:
		return fmt.Errorf("%s: the log of %s: the answer is empty", text.Line(string(n.Host), 80), u)
	case req.Follow && !none:
		why := cmp.Or(transport.Words(out.Stderr, 2), "the reader on the node has ended")
		return fmt.Errorf("%s: the log of %s is no longer followed: %s", text.Line(string(n.Host), 80), u, why)
	}
	return nil
}

// args are those of logs.sh.
func args(u model.LogUnit, in *model.Instance, req model.LogRequest) []string {
	var dirs model.LogDirs
	if in != nil {
		dirs = in.Logs
	}
	first, unit := "file", string(u)
	var files []string
	switch u {
	case model.LogPostgres:
		dir := cmp.Or(dirs.Postgres, "/pg/log/postgres")
		unit, files = "postgresql", []string{dir, "*.csv", dir, "*.log"} // csvlog is Pigsty's
	case model.LogPatroni:
		files = []string{cmp.Or(dirs.Patroni, "/pg/log/patroni"), "patroni.log"}
	case model.LogPgBouncer:
		files = []string{cmp.Or(dirs.PgBouncer, "/pg/log/pgbouncer"), "pgbouncer.log", "/var/log/pgbouncer", "pgbouncer.log"}
	case model.LogHAProxy:
		first, files = "journal", []string{"/var/log", "haproxy.log"}
	case model.LogVIPManager:
		first, files = "journal", []string{"/var/log", "vip-manager.log"}
	}
	follow, since := "0", int64(req.Since/time.Second)
	if req.Follow {
		follow = "1"
	}
	return append([]string{strconv.Itoa(min(max(req.Lines, 1), MostLines)), follow, strconv.FormatInt(since, 10), first, unit}, files...)
}

// noLog says where a log was searched for.
func noLog(u model.LogUnit) error {
	return &source.Hint{Err: fmt.Errorf("%w of %s: neither a file nor a line in the journal", model.ErrNoLog, u), Try: "pgtui components, which shows what runs there"}
}
