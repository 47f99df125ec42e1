package transport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pgtui/internal/guard"
	"pgtui/model"
	"pgtui/source"
)

// leaving is how long a program that has the terminal may take to end after its
// signal.
const leaving = 2 * time.Second

// Foreground gives the terminal, in and out, to a program and takes it back when
// the program has ended. It returns the exit code, 128 and the signal for a
// program that a signal ended. The program is a process group of its own, so that
// neither ctrl-c nor ctrl-z typed in it reaches pgtui. ctx ends it.
//
// stopped is called when ctrl-z has stopped the program: it returns when the
// operator resumes pgtui, or at once where nothing could resume it. The program
// resumes then.
func Foreground(ctx context.Context, p model.Program, in, out *os.File, stopped func()) (exit int, err error) {
	path, err := exec.LookPath(p.Argv[0])
	if err != nil {
		return 0, notFound(p.Title, p.Argv[0], err)
	}
	attr := &os.ProcAttr{Dir: p.Dir, Env: append(os.Environ(), p.Env...), Files: []*os.File{in, out, out}}
	attr.Sys = &syscall.SysProcAttr{Setpgid: true}
	own, err := unix.IoctlGetInt(int(in.Fd()), unix.TIOCGPGRP)
	jobs := err == nil // else it is not the terminal that controls this process
	if jobs {
		attr.Sys.Foreground, attr.Sys.Ctty = true, int(in.Fd())
		defer takeTerminal(in, own)
	}
	proc, err := os.StartProcess(path, p.Argv, attr)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %w", p.Title, err, ErrNotStarted)
	}
	pid := proc.Pid
	_ = proc.Release() // it is waited for by its number, which reports stops too
	ended := make(chan struct{})
	guard.Go("ending "+p.Title, func() { endGroup(ctx, pid, ended) }, func(error) { _ = syscall.Kill(-pid, syscall.SIGKILL) })
	defer close(ended)
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("%s: %w: %w", p.Title, err, ErrInterrupted)
		case status.Stopped():
			if jobs {
				takeTerminal(in, own)
				stopped()
				_ = unix.IoctlSetPointerInt(int(in.Fd()), unix.TIOCSPGRP, pid) // in the background it waits for fg, as every job
			}
			_ = syscall.Kill(-pid, syscall.SIGCONT)
		case status.Signaled():
			return 128 + int(status.Signal()), nil
		default:
			return status.ExitStatus(), nil
		}
	}
}

// endGroup ends the process group when ctx ends, as a terminal that hangs up
// does, and after a while by force.
func endGroup(ctx context.Context, pid int, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	_ = syscall.Kill(-pid, syscall.SIGHUP)
	_ = syscall.Kill(-pid, syscall.SIGCONT)
	t := time.NewTimer(leaving)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// takeTerminal makes the group the one that has the terminal. Only a process in
// the background is stopped for that, unless it ignores the signal.
func takeTerminal(tty *os.File, group int) {
	if !signal.Ignored(syscall.SIGTTOU) {
		signal.Ignore(syscall.SIGTTOU)
		defer signal.Reset(syscall.SIGTTOU)
	}
	_ = unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPGRP, group)
}

// Shell is a shell on the target, over the same connection and with the same
// options as a script. The login is the inventory's and does not become root.
// Unlike a script, ssh may prompt for a passphrase.
func (a *Auto) Shell(ctx context.Context, t model.SSHTarget) (model.Program, error) {
	if !a.isLocal(t) {
		return a.SSH.shell(ctx, t)
	}
	sh := os.Getenv("SHELL")
	if sh == "" {
		sh = "sh"
	}
	if t.Root == "" {
		return model.Program{Argv: []string{sh}, Keep: model.KeepRefused}, nil
	}
	// A sandbox's node is a directory of this machine.
	return model.Program{Argv: []string{"sh", "-c", `PATH="$PGTUI_ROOT/bin:$PATH"; export PATH; exec sh`}, Dir: t.Root, Keep: model.KeepRefused,
		Env: []string{"PGTUI_ROOT=" + t.Root, "PS1=" + t.Address + "$ "}}, nil
}

// shell is ssh with a terminal.
func (s *SSH) shell(ctx context.Context, t model.SSHTarget) (model.Program, error) {
	where, err := s.where(t)
	if err != nil {
		return model.Program{}, fmt.Errorf("%s: %w: %w", t.Address, err, ErrNotStarted)
	}
	o := options(s.controlPath(), s.hostKeys(ctx, t, where), s.ReadOnly)
	argv := []string{s.program(), "-t"}
	for i := 1; i < len(o); i += 2 { // "-T", then pairs
		if name, _, _ := strings.Cut(o[i+1], "="); name != "BatchMode" && name != "RequestTTY" && name != "EscapeChar" {
			argv = append(argv, o[i], o[i+1])
		}
	}
	return model.Program{Argv: append(argv, where...), Keep: model.KeepRefused}, nil
}

// Editor is the editor of the operator on a file at a line: the one of $VISUAL,
// else of $EDITOR, else vi. Each may have arguments.
func Editor(visual, editor, file string, line int) (model.Program, error) {
	name, value := "VISUAL", visual
	if value == "" {
		name, value = "EDITOR", editor
	}
	words, err := split(cmp.Or(value, "vi"))
	if err != nil || len(words) == 0 {
		return model.Program{}, &source.Hint{Err: fmt.Errorf("$%s: %w", name, cmp.Or(err, errors.New("it is blank"))), Try: "export " + name + "=vim"}
	}
	return model.Editor(words, file, line), nil
}
