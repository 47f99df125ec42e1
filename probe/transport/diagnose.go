package transport

import (
	"fmt"
	"strings"

	"pgtui/source"
)

// symptom is a text that ssh or sudo prints, what it means and what to do.
type symptom struct{ prints, means, try string }

// reach is what to look at where a node does not answer.
const reach = "check the address, ansible_host and ansible_port, and that sshd runs"

// symptoms in the order they are looked for: the first one that is found is the most
// exact.
func symptoms() []symptom {
	const (
		sudoers = "allow the login passwordless sudo: Pigsty's node_admin_sudo: nopass"
		again   = "start pgtui with -K (--ask-become-pass), and type it again; leave the console for that"
		ask     = "start pgtui with -K (--ask-become-pass), which prompts for it once; leave the console for that; or " + sudoers
		keys    = "ssh-copy-id, ssh-add, or ansible_ssh_private_key_file in the inventory"
	)
	return []symptom{
		{"REMOTE HOST IDENTIFICATION HAS CHANGED", "ssh: its host key has changed",
			"make sure that it is the right machine, then: ssh-keygen -R with its address"},
		{"Host key verification failed", "ssh: its host key is unknown",
			"connect once by hand with ssh, and compare the key"},
		{"No host key is known for", "ssh: its host key is unknown",
			"connect once by hand with ssh, and compare the key"},
		{"Bad owner or permissions on", "ssh: its configuration file may be written by others", "chmod 600 that file"},
		{"Can't open user config file", "ssh: the file given by --ssh-config cannot be read", "check the path"},
		{"Bad configuration option", "ssh: the configuration file has an error", "run ssh -G with its address to see it"},
		{"terminating, ", "ssh: the configuration file has an error", "run ssh -G with its address to see it"},
		{"Could not resolve hostname", "ssh: its name does not resolve", "check the name, or set ansible_host"},
		{"Connection refused", "ssh: connection refused", reach},
		{"No route to host", "ssh: no route to it", reach},
		{"Network is unreachable", "ssh: no route to it", reach},
		{"Connection timed out", "ssh: no connection in time", reach},
		{"Operation timed out", "ssh: no connection in time", reach},
		{"Too many authentication failures", "ssh: too many keys were refused", "name the key with ansible_ssh_private_key_file, or IdentitiesOnly"},
		{"UNPROTECTED PRIVATE KEY FILE", "ssh: the private key may be read by others", "chmod 600 the key"},
		{"Permission denied (", "ssh: no key was accepted", keys},
		{"Permission denied, please try again", "ssh: no key was accepted", keys},
		{"kex_exchange_identification", "ssh: the server hung up at once", "it may have too many connections: try again"},
		{"incorrect password attempt", "sudo does not accept the password", again},
		{"no password was provided", "sudo does not accept the password", again},
		{"a password is required", "sudo wants a password", ask},
		{"a terminal is required", "sudo wants a password", ask},
		{"you must have a tty", "sudo wants a terminal", "remove requiretty from its sudoers"},
		{"not in the sudoers file", "the login may not use sudo", sudoers},
		{"not allowed to", "sudo does not allow it", sudoers},
		{"may not run sudo", "the login may not use sudo", sudoers},
		{"is not allowed to run sudo", "the login may not use sudo", sudoers},
		{"sudo: not found", "there is no sudo", "install sudo on the node, or log in as root (ansible_user)"},
		{"sudo: command not found", "there is no sudo", "install sudo on the node, or log in as root (ansible_user)"},
		{"no new privileges", "sudo cannot become root in this environment", "run pgtui outside the container, or as root"},
		{"account is currently not available", "ssh: the login has no shell", "set ansible_user to a login that has one"},
		{"Connection closed by", "ssh: the connection was closed before a login", keys},
		{"Connection reset by", "ssh: the connection was reset", reach},
	}
}

// diagnose recognises why a script did not start; nil when it does not.
func diagnose(subject, output string) error {
	for _, s := range symptoms() {
		if strings.Contains(output, s.prints) {
			return &source.Hint{Err: fmt.Errorf("%s: %s: %w", subject, s.means, ErrNotStarted), Try: s.try}
		}
	}
	return nil
}
