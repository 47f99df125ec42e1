// Package session is one opened context: an inventory, the ways to its nodes,
// and what the command line and the console do with them. It loads the
// inventory, watches and examines the nodes, connects as clients do, reads the
// roles, plans and applies. It parses no flag and draws nothing.
package session

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"pgtui/apply"
	"pgtui/model"
	"pgtui/probe"
	"pgtui/probe/node"
	"pgtui/probe/postgres"
	"pgtui/probe/transport"
)

// Options say how the inventory is found and read, and how its nodes are
// reached. The zero value is pgtui's own choice for each.
type Options struct {
	Inventory   string // path; several with commas between; "" is found, see Find
	Dialect     string // version of Pigsty, such as v4.5.0
	Core        string // version of ansible-core
	ManagedAt   string // date of the 'ansible managed' line, in ManagedLayout
	PigstyHome  string // Pigsty checkout
	VaultFile   string // file or program with the vault password
	AskVault    bool   // prompt for the vault password
	RequireAuth string // how PostgreSQL may request the password, as libpq's require_auth
	SSHConfig   string // in place of ~/.ssh/config
	SSHProgram  string // "" is ssh
	SSHControl  string // directory of shared connections
	ReadOnly    string // what makes the session read-only; "" is nothing
	NoFiles     bool   // the nodes' files are read for a plan only
	Preview     bool   // worth a second to detect the version of ansible-core
	EntryPoints []model.EntryPoint
	Stores      []Store // of the configuration; nil leaves them to the inventory
	Recorder    RecorderOptions
}

// World is what a session uses of its process.
type World struct {
	Getenv func(string) string
	Now    func() time.Time
	// Ask prompts the operator for a password.
	Ask func(ctx context.Context, prompt string) (string, error)
	// Sudo is the password for sudo on the nodes; nil without one.
	Sudo func() model.Secret
	// Notice prints a line to the operator. nil prints none: programs that run on
	// this machine are in the log then.
	Notice func(text string)
	// Doing shows that work is under way, "probing 12 nodes", until done is called; work
	// may be within other work. nil shows nothing.
	Doing func(what string) (done func())
	// Loaded takes in each inventory that was read. nil takes in none.
	Loaded func(*model.Inventory)
	// Dial opens the connections of the calls that change something on Patroni or
	// HAProxy; a net.Dialer's when nil.
	Dial postgres.DialFunc
}

// Session is one opened context. Its methods may be called at the same time.
type Session struct {
	Options
	World
	log       *log
	typed     string                  // the vault password that was typed
	untrusted []string                // each ansible.cfg that was reported as ignored
	loading   chan struct{}           // has room for one load
	seen      *marks                  // of the audit file
	roles     map[model.Host]string   // pg_role in place of the inventory's
	locked    *atomic.Pointer[string] // what made it read-only since it was opened
	rec       *recorder
	// runsNothing fails what would run a program, with errRuns.
	runsNothing bool
}

// New opens no file yet: Load does.
func New(o Options, w World) *Session {
	return &Session{Options: o, World: w, log: new(log), loading: make(chan struct{}, 1), seen: new(marks), locked: new(atomic.Pointer[string]), rec: new(recorder)}
}

// Another is a session with other options in the same process. It shares the
// log, loads no inventory while this one does, and is read-only once this one is.
func (s *Session) Another(o Options) *Session {
	return &Session{Options: o, World: s.World, log: s.log, loading: s.loading, seen: new(marks), locked: s.locked, rec: new(recorder)}
}

// Prober probes nodes over the network; it takes the CA from the inventory.
func (s *Session) Prober() *probe.Prober {
	return probe.New(probe.Options{RequireAuth: s.RequireAuth})
}

// Runner is the only way to run anything on a node.
func (s *Session) Runner() transport.Runner {
	return &transport.Guard{
		Runner:   s.auto(),
		ReadOnly: s.ReadOnlyBy(), Now: s.Now, Ran: s.log.add,
	}
}

// auto reaches nodes by the OpenSSH client, and this machine without it.
func (s *Session) auto() *transport.Auto {
	return &transport.Auto{SSH: transport.SSH{ConfigFile: s.SSHConfig, Program: s.SSHProgram, ControlDir: s.SSHControl, Sudo: s.Sudo, ReadOnly: s.ReadOnlyBy() != ""}}
}

// nodes reads several nodes at once over SSH.
func (s *Session) nodes() node.Reader { return node.Reader{Runner: s.Runner(), Now: s.Now} }

// Applier reads and changes the HAProxy files on the nodes of the inventory at
// path.
func (s *Session) Applier(path string) *apply.Applier {
	p := s.Prober()
	return &apply.Applier{
		Audit: s.Audit(path), Who: s.operator(), Runner: s.Runner(), Stats: p.Stats, Probe: p.Probe, Now: s.Now, Managed: s.Managed(path),
	}
}

// ManagedLayout is how Pigsty prints the date of its template.
const ManagedLayout = "2006-01-02 15:04:05"

// Managed is the date of the 'ansible managed' line: the option, the
// modification time of the checkout's template, else that of the inventory, so
// that rendering twice gives the same bytes.
func (s *Session) Managed(path string) string {
	if s.ManagedAt != "" {
		return s.ManagedAt
	}
	if home := s.Home(path); home != "" {
		path = templateIn(home)
	}
	if st, err := os.Stat(path); err == nil {
		return st.ModTime().Format(ManagedLayout)
	}
	return s.Now().Format(ManagedLayout)
}

// doing shows that work is under way until done is called.
func (s *Session) doing(what string) (done func()) {
	if s.Doing == nil {
		return func() {}
	}
	return s.Doing(what)
}

// notice prints a line, where there is a place for it.
func (s *Session) notice(text string) {
	if s.Notice != nil {
		s.Notice(text)
	}
}

// Lock makes the session read-only from here on. by is what did it. Nothing undoes it.
func (s *Session) Lock(by string) { s.locked.CompareAndSwap(nil, &by) }

// ReadOnlyBy is what makes the session read-only, "" when nothing does.
func (s *Session) ReadOnlyBy() string {
	if by := s.locked.Load(); s.ReadOnly == "" && by != nil {
		return *by
	}
	return s.ReadOnly
}

// Can reports whether the session does it.
func (s *Session) Can(a model.Ability) bool {
	switch a {
	case model.CanReload, model.CanAct:
		return s.ReadOnlyBy() == ""
	case model.CanExamine:
		return !s.NoFiles
	}
	return true
}
