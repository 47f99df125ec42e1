package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// PgsqlSvc runs bin/pgsql-svc of the Pigsty checkout in home with these
// arguments, for the inventory of that path and the tasks of the services only,
// whatever the script has. What it prints goes to out as it comes, standard
// error with it; it is not fit for a terminal yet. It has a session of its own:
// an interrupt typed in the terminal does not reach it, and ctx ends all of it.
func PgsqlSvc(ctx context.Context, home, inventory string, args []string, out io.Writer) error {
	if err := Trusted(filepath.Join(home, "bin/pgsql-svc")); err != nil {
		return fmt.Errorf("%w: %w", err, ErrNotStarted)
	}
	cmd := exec.CommandContext(ctx, "bin/pgsql-svc", args...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "ANSIBLE_RUN_TAGS=pg_service", "ANSIBLE_INVENTORY="+inventory, "ANSIBLE_NOCOLOR=1", "ANSIBLE_FORCE_COLOR=0", "PYTHONUNBUFFERED=1")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return signalGroup(cmd, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("bin/pgsql-svc %s in %s: %w: %w", strings.Join(args, " "), home, err, ErrNotStarted)
	}
	if err := cmd.Wait(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("bin/pgsql-svc %s: %w: %w", strings.Join(args, " "), err, ErrInterrupted)
	}
	return nil
}
