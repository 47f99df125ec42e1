package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
)

// Local runs scripts on this machine. With a target's Root that directory
// stands for the node's "/": the script finds it in PGTUI_ROOT, finds
// Root/bin first in PATH, and does not become root.
type Local struct {
	Sudo func() model.Secret // as in SSH
}

// Run implements Runner.
func (l Local) Run(ctx context.Context, c Cmd) (Output, error) {
	subject := text.Line(c.Target.Address, 80)
	if subject == "" {
		subject = "this machine"
	}
	argv := []string{"sh", "-c", plainShell}
	switch {
	case c.Target.Root != "":
		if !filepath.IsAbs(c.Target.Root) || strings.ContainsAny(c.Target.Root, ":\x00") {
			return Output{}, fmt.Errorf("%s: %q is not an absolute path: %w", subject, text.Line(c.Target.Root, 100), ErrNotStarted)
		}
	case os.Geteuid() != 0:
		how := []string{"sudo", "-n"}
		if l.Sudo != nil {
			how = []string{"sudo", "-S", "-p", sudoAsks}
		}
		argv = append(how, argv...)
	}
	return run(ctx, argv, c, subject, l.Sudo)
}

// Auto runs scripts on this machine when that is the target, else by SSH. It
// must not be copied after its first use.
type Auto struct {
	SSH SSH
	// Addrs lists this machine's addresses; net.InterfaceAddrs when nil.
	Addrs func() ([]net.Addr, error)
}

// Run implements Runner.
func (a *Auto) Run(ctx context.Context, c Cmd) (Output, error) {
	if a.isLocal(c.Target) {
		return Local{Sudo: a.SSH.Sudo}.Run(ctx, c)
	}
	return a.SSH.Run(ctx, c)
}

// isLocal reports whether the target is this machine. An address of this
// machine with a port or ssh arguments of its own is something else: a
// forwarded port, or an address that is used twice.
func (a *Auto) isLocal(t model.SSHTarget) bool {
	if t.Local || t.Root != "" {
		return true
	}
	if t.Port != 0 && t.Port != 22 || t.CommonArgs != "" {
		return false
	}
	if t.Address == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(t.Address)
	if err != nil {
		return false
	}
	if ip.IsLoopback() {
		return true
	}
	addrs := a.Addrs
	if addrs == nil {
		addrs = net.InterfaceAddrs
	}
	mine, err := addrs()
	if err != nil {
		return false
	}
	for _, m := range mine {
		if p, err := netip.ParsePrefix(m.String()); err == nil && p.Addr().Unmap() == ip.Unmap() {
			return true
		}
	}
	return false
}
