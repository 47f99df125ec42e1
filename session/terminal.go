package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

// Foreground gives the terminal to a program until it ends, and returns its exit
// code. Like everything that runs on a node it is in the log. stopped is called
// when ctrl-z stops the program, and returns when it is to resume.
func (s *Session) Foreground(ctx context.Context, p model.Program, in, out *os.File, stopped func()) (int, error) {
	at := s.Now()
	exit, err := transport.Foreground(ctx, p, in, out, stopped)
	s.log.add(model.Ran{At: at, Node: p.Node, Argv: p.Argv, Took: s.Now().Sub(at), Exit: exit, Err: err})
	return exit, err
}

// Shell is a shell on a node of the inventory.
func (s *Session) Shell(ctx context.Context, inv *model.Inventory, h model.Host) (model.Program, error) {
	n, err := inv.NodeNamed(string(h))
	if err != nil {
		return model.Program{}, err
	}
	p, err := s.auto().Shell(ctx, n.SSH)
	p.Title, p.Node = "the shell on "+inv.Label(h), string(h)
	return p, err
}

// Psql is psql on a connection string of a cluster. It has no password: psql finds
// one in ~/.pgpass, $PGPASSFILE or $PGPASSWORD, or prompts for it.
func (s *Session) Psql(inv *model.Inventory, cluster model.ClusterName, dsn string) (model.Program, error) {
	p := model.Program{Title: "psql " + dsn, Argv: []string{"psql", dsn}}
	if s.Getenv("PGCONNECT_TIMEOUT") == "" {
		p.Env = []string{"PGCONNECT_TIMEOUT=10"} // libpq's own limit is none
	}
	if c := inv.Cluster(cluster); c != nil {
		for i := range c.Instances {
			if n := inv.Node(c.Instances[i].Host); n != nil && n.SSH.Root != "" {
				return p, errors.New("not in the sandbox: psql " + dsn)
			}
		}
	}
	return p, nil
}

// Editor is the operator's editor on the file and line that decide what is at a
// place of the inventory. pos is that line where it is known already. A read-only
// session refuses: the file is on this machine.
func (s *Session) Editor(ctx context.Context, inv *model.Inventory, at model.Place, pos source.Pos) (model.Program, error) {
	if err := transport.Refusal(s.ReadOnlyBy()); err != nil {
		return model.Program{}, err
	}
	if pos.File == "" {
		found, err := s.Origins(ctx, inv, at.Cluster) // the lines as they are now
		if err != nil && ctx.Err() != nil {
			return model.Program{}, err
		}
		pos = lineOf(inv, found.Rows, at) // no row where it does not load: the file is opened to fix that
	}
	if pos.File == "" {
		pos.File = inv.Source
	}
	if st, err := os.Stat(pos.File); err != nil || !st.Mode().IsRegular() {
		return model.Program{}, &source.Hint{Err: fmt.Errorf("%s is not a file that an editor opens", pos.File), Try: "v, and E on a value that comes from a file"}
	}
	for _, in := range inv.Inputs {
		if in.Runs && in.Name == pos.File {
			return model.Program{}, fmt.Errorf("%s is a program, and its output is the inventory", pos.File)
		}
	}
	return transport.Editor(s.Getenv("VISUAL"), s.Getenv("EDITOR"), pos.File, pos.Line)
}

// lineOf is where what is at a place is declared: an instance or a node by its
// own line, a service by its entry, a cluster by its name.
func lineOf(inv *model.Inventory, rows []source.Origin, at model.Place) source.Pos {
	of := func(holds func(*source.Origin) bool, variables ...string) source.Pos {
		for _, v := range variables {
			for i := range rows {
				if o := &rows[i]; o.Variable == v && holds(o) {
					return o.At
				}
			}
		}
		return source.Pos{}
	}
	any := func(*source.Origin) bool { return true }
	if h := inv.HostAt(at); h != "" {
		pos := of(func(o *source.Origin) bool { return slices.Contains(o.Hosts, string(h)) }, "pg_seq", "pg_role", "nodename", "ansible_host")
		if pos.File != "" {
			return pos
		}
	}
	if c := inv.Cluster(at.Cluster); c != nil && at.Service != "" {
		if svc := c.Service(at.Service); svc != nil && svc.Line.File != "" {
			return svc.Line
		}
		if pos := of(any, "pg_default_services"); pos.File != "" {
			return pos
		}
	}
	return of(any, "pg_cluster")
}
