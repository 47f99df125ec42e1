package transport

import (
	"os/exec"
	"strings"
)

// Client is why this machine has no SSH client; nil when it has one.
func Client() error {
	_, err := exec.LookPath("ssh")
	return err
}

// Sudoers is the line of sudoers that lets a login run what pgtui runs as root on a node, and no
// other command line. The shell that it starts reads the script from standard input: whoever may
// use the line is root there, as with Pigsty's own node_admin_sudo.
func Sudoers(user string) string {
	args := strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`, "=", `\=`).Replace("-c " + plainShell)
	return user + " ALL=(root) NOPASSWD: /bin/sh " + args + ", /usr/bin/sh " + args
}
