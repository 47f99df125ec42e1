package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"pgtui/source"
)

// Options say which sandbox to start. The zero value is the four-node Pigsty
// of the demo, in real time, in a temporary directory.
type Options struct {
	// Dir is the state directory; "" makes a temporary one that Close removes.
	Dir string
	// Speed is how many simulated seconds pass in one second; 0 means 1.
	Speed float64
	// Clusters is the number of three-node clusters beside the single-node
	// pg-meta; 0 means 1. 333 make a fleet of 1,000 nodes.
	Clusters int
	// Generation is Bookworm or Trixie; "" means Bookworm.
	Generation string
	// Exe is the program behind the nodes' haproxy and systemctl; it must hand
	// its arguments after "sandbox-node" to NodeMain. "" means this program.
	Exe string
	// Now is the clock; nil means time.Now. Only differences of it are used.
	Now func() time.Time
	// Manual stops the clock: only Advance, and wait in a script, move it.
	Manual bool
}

// Sandbox is a running simulated Pigsty. Its methods may be called from any
// goroutine.
type Sandbox struct {
	opt  Options
	dir  string
	made bool // Close removes the directory
	// sockDir is a directory of its own for unix sockets, "" when the state
	// directory's path is short enough.
	sockDir string
	net     int // second number of the addresses
	hosts   []declared
	// The ports of every node.
	patroniPort, statsPort, pgPort, bouncerPort int

	mu       sync.Mutex
	w        *world
	base     time.Time // simulated time at origin
	origin   time.Time // by the clock
	timer    *time.Timer
	ports    []*port
	sockets  []net.Listener          // of the nodes' HAProxies
	services map[string]*servicePort // open service ports, by address
	conns    map[net.Conn]bool       // client connections of PostgreSQL's protocol
	changed  chan struct{}           // closed and replaced at every change
	closed   bool

	server *http.Server
	ctrl   *http.Server
	wg     sync.WaitGroup
	done   chan struct{}
}

// warmUp is how long the sandbox has been up when it starts, by its own clock:
// every check has settled and no weight ramps.
const warmUp = 3 * time.Hour

// Start makes the directory, binds the addresses and starts the simulation.
// It returns when every port answers. ctx bounds the start only.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	gen, err := generationOf(o.Generation)
	if err != nil {
		return nil, err
	}
	if o.Speed <= 0 {
		o.Speed = 1
	}
	o.Clusters = max(1, o.Clusters)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Exe == "" {
		if o.Exe, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("sandbox: own program: %w", err)
		}
	}
	s := &Sandbox{opt: o, done: make(chan struct{}), changed: make(chan struct{}), services: map[string]*servicePort{}, conns: map[net.Conn]bool{}}
	if err := s.start(ctx, gen); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Sandbox) start(ctx context.Context, gen generation) error {
	for _, step := range []func() error{s.makeDir, func() error { return s.bind(ctx) }, s.writeTree, s.writeServices} {
		if err := step(); err != nil {
			return err
		}
	}
	s.origin = s.opt.Now()
	s.base = s.origin
	w := build(gen, s.base.Add(-warmUp), s.patroniPort, s.dir, s.hosts)
	for _, n := range w.nodes {
		if err := w.load(n); err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		if err := source.Ended(ctx); err != nil {
			return fmt.Errorf("sandbox: start: %w", err)
		}
	}
	w.onPort = s.syncPorts
	w.Advance(s.base)
	w.settle(s.base)
	s.logged(w)
	s.w = w
	s.serve()
	if err := s.listenSockets(); err != nil {
		return err
	}
	if err := s.listenControl(); err != nil {
		return err
	}
	// The inventory is written last, and at once: whatever it names exists then.
	part := inventoryFile(s.dir) + ".part"
	if err := writeFile(part, s.inventoryText(), 0o644); err != nil {
		return err
	}
	if err := os.Rename(part, inventoryFile(s.dir)); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

func (s *Sandbox) makeDir() error {
	var err error
	if s.made = s.opt.Dir == ""; s.made {
		s.dir, err = os.MkdirTemp("", "pgtui-sandbox-")
	} else if s.dir, err = filepath.Abs(s.opt.Dir); err == nil {
		err = os.MkdirAll(s.dir, 0o755)
	}
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// InventoryPath is the sandbox's pigsty.yml.
func (s *Sandbox) InventoryPath() string { return inventoryFile(s.dir) }

// Dir is the state directory.
func (s *Sandbox) Dir() string { return s.dir }

// NodeRoot is the directory that stands for the "/" of the named node.
func (s *Sandbox) NodeRoot(node string) string { return nodeDir(s.dir, node) }

// Addr is the address of the named node; "" when there is none.
func (s *Sandbox) Addr(node string) string {
	for _, d := range s.hosts {
		if d.name() == node {
			return d.addr
		}
	}
	return ""
}

// simulated is the time that the simulation must reach.
func (s *Sandbox) simulated() time.Time {
	if s.opt.Manual {
		return s.base
	}
	return s.base.Add(time.Duration(float64(s.opt.Now().Sub(s.origin)) * s.opt.Speed))
}

// lock takes the simulation, brought up to now.
func (s *Sandbox) lock() *world {
	s.mu.Lock()
	s.w.Advance(s.simulated())
	return s.w
}

// unlock gives it back and sets the timer for its next event.
func (s *Sandbox) unlock() {
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if t, ok := s.w.Next(); ok && !s.closed && !s.opt.Manual {
		in := time.Duration(float64(t.Sub(s.w.Now())) / s.opt.Speed)
		s.timer = time.AfterFunc(max(0, in)+time.Millisecond, s.tick)
	}
}

// tick runs the events that are due: ports must open in time.
func (s *Sandbox) tick() {
	s.lock()
	s.notify()
	s.unlock()
}

// notify wakes the requests that wait for a node's answer. The lock is held.
func (s *Sandbox) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Advance moves a manual clock forward; with any other it is an error to use.
func (s *Sandbox) Advance(d time.Duration) {
	s.mu.Lock()
	s.base = s.base.Add(d)
	s.mu.Unlock()
	s.tick()
}

// wait lets d of simulated time pass.
func (s *Sandbox) wait(ctx context.Context, d time.Duration) error {
	if s.opt.Manual {
		s.Advance(d)
		return nil
	}
	t := time.NewTimer(time.Duration(float64(d) / s.opt.Speed))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return source.Ended(ctx)
	case <-s.done:
		return errClosed
	case <-t.C:
		s.tick()
		return nil
	}
}

var errClosed = errors.New("sandbox: closed")

// Close stops everything. It removes the state directory when Start made it.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	var errs []error
	for _, srv := range []*http.Server{s.server, s.ctrl} {
		if srv != nil {
			errs = append(errs, srv.Close())
		}
	}
	for _, ln := range s.sockets {
		errs = append(errs, ln.Close())
	}
	s.closePorts()
	s.wg.Wait()
	if s.sockDir != "" {
		errs = append(errs, os.RemoveAll(s.sockDir))
	}
	if s.made {
		errs = append(errs, os.RemoveAll(s.dir))
	} else {
		_ = os.Remove(controlPath(s.dir))
	}
	return errors.Join(errs...)
}
