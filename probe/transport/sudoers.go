package transport

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"pgtui/internal/text"
)

// Client is why this machine has no SSH client; nil when it has one.
func Client() error {
	_, err := exec.LookPath("ssh")
	return err
}

// ClientVersion is what the SSH client of this machine prints as its version; program is
// "" for ssh. It has 2 seconds.
func ClientVersion(ctx context.Context, program string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out := &bounded{max: maxStderr}
	cmd := exec.CommandContext(ctx, cmp.Or(program, "ssh"), "-V")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, grace
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s -V: %w", cmp.Or(program, "ssh"), err)
	}
	return text.Line(string(out.bytes()), 200), nil
}

// Sudoers is the line of sudoers that lets a login run what pgtui runs as root on a node, and no
// other command line. The shell that it starts reads the script from standard input: whoever may
// use the line is root there, as with Pigsty's own node_admin_sudo.
func Sudoers(user string) string {
	args := strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`, "=", `\=`).Replace("-c " + plainShell)
	return user + " ALL=(root) NOPASSWD: /bin/sh " + args + ", /usr/bin/sh " + args
}
