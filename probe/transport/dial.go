package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// Dialer opens TCP connections that leave from a node.
type Dialer interface {
	// Dial connects to addr, a host:port, from the target.
	Dial(ctx context.Context, t model.SSHTarget, addr string) (net.Conn, error)
}

// Dial implements Dialer by `ssh -W`: the connection leaves from the node, and
// nothing is run there. sshd must allow TCP forwarding. Deadlines of the
// connection are kept; its addresses are not those of a socket. ctx bounds the
// whole connection.
func (s *SSH) Dial(ctx context.Context, t model.SSHTarget, addr string) (net.Conn, error) {
	subject := text.Line(t.Address, 80)
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	}
	where, err := s.where(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	}
	argv := append([]string{s.program()}, options(s.controlPath(), s.hostKeys(ctx, t, where), s.ReadOnly)...)
	argv = append(append(argv, "-W", addr), where...)
	return overPipes(ctx, argv, subject, addr)
}

// overPipes is the connection over the standard input and output of argv.
func overPipes(ctx context.Context, argv []string, subject, addr string) (net.Conn, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return signalGroup(cmd, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted), inR.Close(), inW.Close())
	}
	c := &pipeConn{cmd: cmd, in: inW, out: outR, errs: &bounded{max: 4 << 10}, subject: subject, addr: addr}
	cmd.Stdin, cmd.Stdout = inR, outW
	copied, err := drain(cmd, c.errs)
	_, _ = inR.Close(), outW.Close()
	if err != nil {
		_, _ = inW.Close(), outR.Close()
		return nil, notFound(subject, argv[0], err)
	}
	c.ended = make(chan struct{})
	guard.Go("waiting for "+subject, func() { defer close(c.ended); _ = cmd.Wait(); copied() }, func(error) {})
	return c, nil
}

// pipeConn is a program's standard input and output as a connection.
type pipeConn struct {
	cmd           *exec.Cmd
	in, out       *os.File
	errs          *bounded
	subject, addr string
	ended         chan struct{} // closed once the program has ended
	once          sync.Once
}

// Read gives, where the program has ended without a byte, what it printed. Only a
// channel that never opened is ErrNotStarted: what was written may have left
// otherwise.
func (c *pipeConn) Read(p []byte) (int, error) {
	n, err := c.out.Read(p)
	if n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	select {
	case <-c.ended:
	case <-time.After(grace):
	}
	printed := string(c.errs.bytes())
	last := lastLine(printed)
	if strings.Contains(printed, "open failed") || strings.Contains(printed, "forwarding failed") {
		return 0, &source.Hint{Err: fmt.Errorf("%s: ssh -W %s: %s: %w", c.subject, c.addr, last, ErrNotStarted),
			Try: "sshd on the node must allow TCP forwarding (AllowTcpForwarding), and Patroni must run there"}
	}
	if known := diagnose(c.subject, printed); known != nil {
		return 0, &source.Hint{Err: errors.New(known.Error()), Try: source.TryOf(known)}
	}
	return 0, err
}

func (c *pipeConn) Write(p []byte) (int, error) { return c.in.Write(p) }

// Close ends the program.
func (c *pipeConn) Close() error {
	c.once.Do(func() {
		_, _ = c.in.Close(), c.out.Close()
		select {
		case <-c.ended:
		default:
			_ = signalGroup(c.cmd, syscall.SIGTERM) // it may be gone already
		}
	})
	return nil
}

func (c *pipeConn) LocalAddr() net.Addr  { return pipeAddr("ssh " + c.subject) }
func (c *pipeConn) RemoteAddr() net.Addr { return pipeAddr(c.addr) }

func (c *pipeConn) SetDeadline(t time.Time) error {
	return errors.Join(c.in.SetWriteDeadline(t), c.out.SetReadDeadline(t))
}
func (c *pipeConn) SetReadDeadline(t time.Time) error  { return c.out.SetReadDeadline(t) }
func (c *pipeConn) SetWriteDeadline(t time.Time) error { return c.in.SetWriteDeadline(t) }

// pipeAddr is an address in words.
type pipeAddr string

func (pipeAddr) Network() string  { return "tcp" }
func (a pipeAddr) String() string { return string(a) }

// Dial implements Dialer: a connection that leaves from this machine where that is
// the target, else by SSH.
func (a *Auto) Dial(ctx context.Context, t model.SSHTarget, addr string) (net.Conn, error) {
	if a.isLocal(t) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
	return a.SSH.Dial(ctx, t, addr)
}

// Dial implements Dialer. Whatever is sent over the connection may change
// something: a read-only Guard opens none.
func (g *Guard) Dial(ctx context.Context, t model.SSHTarget, addr string) (net.Conn, error) {
	at := g.Now()
	conn, err := net.Conn(nil), Refusal(g.ReadOnly)
	d, ok := g.Runner.(Dialer)
	switch {
	case err != nil:
	case !ok:
		err = errors.New("this way to the node carries no connections")
	default:
		conn, err = d.Dial(ctx, t, addr)
	}
	if g.Ran != nil {
		g.Ran(model.Ran{At: at, Node: t.Address, Argv: []string{"ssh", "-W", addr}, Took: g.Now().Sub(at), Err: err})
	}
	return conn, err
}
