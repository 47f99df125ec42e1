package transport

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// grace is how long a process may take to end after its signal, and how
// long its standard output may stay open after it has ended.
const grace = 500 * time.Millisecond

// lastWords is how long its standard error may stay open. The master
// connection that ssh leaves behind never closes it.
const lastWords = 50 * time.Millisecond

// run starts argv, waits until it is ready, and gives it the program of c.
// subject is what errors begin with. sudo gives the password that is sent when
// one is requested; nil sends none.
func run(ctx context.Context, argv []string, c Cmd, subject string, sudo func() model.Secret) (Output, error) {
	end := newEnd()
	text, err := program(c, end)
	if err != nil {
		return Output{}, fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	}
	out, stderr := newStream(end, c.OnLine, c.LinesOnly), &bounded{max: maxStderr}
	ctx, cancel := begins(ctx, c.Begin, out.isReady)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = out
	// A group of its own: all of it is ended together, and an interrupt typed
	// in the terminal does not reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return signalGroup(cmd, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return Output{}, fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	}
	words := &asking{w: stderr, asked: make(chan struct{}, 8)}
	copied, err := drain(cmd, words)
	if err != nil {
		return Output{}, notFound(subject, argv[0], err)
	}
	ended := make(chan struct{})
	sent := make(chan bool, 1)
	guard.Go("sending the script to "+subject, func() { sent <- feed(stdin, text, out.isReady, words.asked, ended, sudo) }, func(err error) {
		out.fail(err)
		sent <- false
	})
	guard.Go("waiting for "+subject, func() { reap(cmd, out.isDone, ended) }, func(error) { _ = signalGroup(cmd, syscall.SIGTERM) })
	err = cmd.Wait()
	close(ended)
	copied()
	complete := <-sent
	if ctx.Err() != nil {
		_ = signalGroup(cmd, syscall.SIGKILL) // it may be gone already
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	o := Output{Stdout: out.out, Stderr: stderr.bytes(), Exit: out.exit, Truncated: out.truncated}
	switch {
	case out.fault != nil && (out.done || out.begun && complete):
		return o, fmt.Errorf("%s: %w: %w", subject, out.fault, ErrInterrupted)
	case out.fault != nil:
		return o, fmt.Errorf("%s: %w: %w", subject, out.fault, ErrNotStarted)
	case out.done:
		return o, nil
	}
	return o, unfinished(ctx, subject, out, o.Stderr, err, complete)
}

// begins is a context that ends when ready has not come within limit, 0 for none.
func begins(ctx context.Context, limit time.Duration, ready <-chan struct{}) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	if limit == 0 {
		return ctx, func() { cancel(nil) }
	}
	t := time.AfterFunc(limit, func() {
		select {
		case <-ready:
		default:
			cancel(context.DeadlineExceeded)
		}
	})
	return ctx, func() { t.Stop(); cancel(nil) }
}

// drain starts cmd and copies its standard error to w. The returned function
// ends that, and is called once the process has ended.
func drain(cmd *exec.Cmd, w io.Writer) (func(), error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = write
	err = cmd.Start()
	write.Close()
	if err != nil {
		read.Close()
		return nil, err
	}
	done := make(chan struct{})
	copying := func(w io.Writer) func() {
		return func() {
			_, _ = io.Copy(w, read) // what came is kept; the process has why it ended
			close(done)
		}
	}
	guard.Go("reading", copying(w), func(error) { copying(io.Discard)() }) // a full pipe would hold the process up
	return func() {
		t := time.AfterFunc(lastWords, func() { _ = read.SetReadDeadline(time.Unix(1, 0)) })
		<-done
		t.Stop()
		read.Close()
	}, nil
}

// feed writes the program once the other side is ready, and reports whether
// all of it went out. What was cut short cannot have run. sudo gets the password
// at its prompt, once: another prompt means that it was wrong.
func feed(w io.WriteCloser, text string, isReady, asked, ended <-chan struct{}, sudo func() model.Secret) bool {
	defer w.Close()
	for first := true; ; first = false {
		select {
		case <-isReady:
			_, err := io.WriteString(w, text)
			return err == nil
		case <-asked:
			if !first || sudo == nil {
				return false
			}
			if _, err := io.WriteString(w, string(sudo())+"\n"); err != nil {
				return false
			}
		case <-ended:
			return false
		}
	}
}

// asking passes on what it is given and reports when sudo's question is in it.
type asking struct {
	w     io.Writer
	asked chan struct{} // has room for every time that sudo may ask
	last  []byte        // the end of what came, in which the question may begin
}

// Write never holds anything back.
func (a *asking) Write(p []byte) (int, error) {
	a.last = append(a.last, p...)
	for {
		_, rest, found := bytes.Cut(a.last, []byte(sudoAsks))
		if !found {
			break
		}
		a.last = rest
		select {
		case a.asked <- struct{}{}:
		default:
		}
	}
	a.last = bytes.Clone(a.last[max(0, len(a.last)-len(sudoAsks)+1):])
	return a.w.Write(p)
}

// reap ends a process that stays although the script has finished: something
// the script left behind holds its output open.
func reap(cmd *exec.Cmd, isDone, ended <-chan struct{}) {
	select {
	case <-isDone:
	case <-ended:
		return
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-t.C:
		_ = signalGroup(cmd, syscall.SIGTERM) // it may be gone already
	case <-ended:
	}
}

func signalGroup(cmd *exec.Cmd, sig syscall.Signal) error {
	return syscall.Kill(-cmd.Process.Pid, sig)
}

// unfinished is the error of a script that did not reach its end.
func unfinished(ctx context.Context, subject string, out *stream, stderr []byte, err error, complete bool) error {
	how, begun := ErrNotStarted, out.begun && complete
	if begun {
		how = ErrInterrupted
	}
	if cause := source.Ended(ctx); cause != nil {
		err = fmt.Errorf("%s: %w: %w", subject, cause, how)
		if !begun && errors.Is(cause, context.DeadlineExceeded) {
			return &source.Hint{Err: err, Try: reach}
		}
		return err
	}
	if !begun {
		if known := diagnose(subject, string(stderr)+"\n"+string(out.noise)); known != nil {
			return known
		}
	}
	err = cmp.Or(err, errors.New("the shell ended early"))
	return fmt.Errorf("%s: %s: %w", subject, cmp.Or(lastLine(string(stderr)), lastLine(string(out.noise)), err.Error()), how)
}

func notFound(subject, program string, err error) error {
	err = fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	if errors.Is(err, exec.ErrNotFound) {
		return &source.Hint{Err: err, Try: "install " + program + ", or put it in PATH"}
	}
	return err
}

// lastLine is the last line that is not empty, made harmless.
func lastLine(s string) string {
	lines := text.Lines(s, 1000, 200)
	if len(lines) == 0 {
		return ""
	}
	return plainWords(lines[len(lines)-1])
}

// newEnd makes the word that marks the end of a script's output. A script
// cannot print it by chance, nor a file that it shows.
func newEnd() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return "pgtui-end-" + hex.EncodeToString(b[:])
}
