package transport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"pgtui/internal/text"
	"pgtui/model"
)

// SSH runs scripts by the OpenSSH client, with the user's configuration, agent
// and known hosts. Its zero value is ready for use; it must not be copied
// after that.
type SSH struct {
	// ConfigFile takes the place of ~/.ssh/config; "" leaves that to ssh.
	ConfigFile string
	// ControlDir is where the sockets of shared connections live; "" is a
	// directory of the user's own below $XDG_RUNTIME_DIR or the temporary
	// directory. Connections are not shared when it is not private to the user
	// or its path is too long for a socket.
	ControlDir string
	// Sudo gives the password for sudo where it wants one; nil has none, and
	// such nodes cannot be used. It is called from several goroutines.
	Sudo func() model.Secret
	// Program is the ssh client; "" is "ssh".
	Program string
	// ReadOnly has ssh write no file on this machine: a connection that is shared
	// already is used and none is opened, and the key of an unknown host
	// yet is not kept.
	ReadOnly bool

	mu   sync.Mutex
	keys map[model.SSHTarget]hostKeys
}

// hostKeys is what the user's configuration has about a target's host keys.
type hostKeys struct {
	strict bool   // it insists on known ones; accept-new would weaken that
	files  string // UserKnownHostsFile, "none" for none; "" when it is unknown
}

// Run implements Runner.
func (s *SSH) Run(ctx context.Context, c Cmd) (Output, error) {
	subject := text.Line(c.Target.Address, 80)
	if c.Target.Root != "" {
		return Output{}, fmt.Errorf("%s: a target with a root directory is not reached by ssh: %w", subject, ErrNotStarted)
	}
	where, err := s.where(c.Target)
	if err != nil {
		return Output{}, fmt.Errorf("%s: %w: %w", subject, err, ErrNotStarted)
	}
	argv := append([]string{s.program()}, options(s.controlPath(), s.hostKeys(ctx, c.Target, where), s.ReadOnly)...)
	argv = append(append(argv, where...), rootShell(s.Sudo != nil))
	return run(ctx, argv, c, subject, s.Sudo)
}

func (s *SSH) program() string { return cmp.Or(s.Program, "ssh") }

// options are pgtui's own: nothing is ever read from the terminal, nothing is
// forwarded, and a host key that has changed is refused. ssh takes the first
// value it is given, so none of the inventory's or the user's undoes these.
func options(controlPath string, keys hostKeys, readOnly bool) []string {
	o := []string{
		"BatchMode=yes", "ConnectTimeout=5", "ConnectionAttempts=1", "ServerAliveInterval=10", "ServerAliveCountMax=3",
		"LogLevel=ERROR", "ClearAllForwardings=yes", "PermitLocalCommand=no", "ForwardAgent=no", "ForwardX11=no",
		"RequestTTY=no", "RemoteCommand=none", "EscapeChar=none",
	}
	if readOnly {
		o = append(o, "UpdateHostKeys=no")
	}
	switch {
	case keys.strict:
	case readOnly && keys.files == "":
		o = append(o, "StrictHostKeyChecking=yes")
	case readOnly: // ssh looks into every file and writes the first
		o = append(o, "StrictHostKeyChecking=accept-new", "UserKnownHostsFile="+strings.TrimSuffix("/dev/null "+keys.files, " none"))
	default:
		o = append(o, "StrictHostKeyChecking=accept-new")
	}
	switch {
	case readOnly:
		o = append(o, "ControlMaster=no")
		if controlPath != "" {
			o = append(o, "ControlPath="+controlPath)
		}
	case controlPath != "":
		o = append(o, "ControlMaster=auto", "ControlPath="+controlPath, "ControlPersist=60s")
	}
	argv := []string{"-T"}
	for _, v := range o {
		argv = append(argv, "-o", v)
	}
	return argv
}

// where are the arguments that lead to the target, the host last.
func (s *SSH) where(t model.SSHTarget) ([]string, error) {
	if t.Address == "" {
		return nil, errors.New("it has no address")
	}
	for _, word := range []string{t.Address, t.User} {
		if strings.HasPrefix(word, "-") || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("%q is neither a host nor a user", text.Line(word, 60))
		}
	}
	var argv []string
	if s.ConfigFile != "" {
		argv = append(argv, "-F", s.ConfigFile)
	}
	if t.Port != 0 {
		argv = append(argv, "-p", strconv.Itoa(int(t.Port)))
	}
	if t.User != "" {
		argv = append(argv, "-l", t.User)
	}
	if t.KeyFile != "" {
		argv = append(argv, "-i", t.KeyFile)
	}
	common, err := split(t.CommonArgs)
	if err != nil {
		return nil, fmt.Errorf("ansible_ssh_common_args: %w", err)
	}
	return append(append(argv, common...), "--", t.Address), nil
}

// hostKeys reads from ssh what the user's configuration has about the target's keys.
func (s *SSH) hostKeys(ctx context.Context, t model.SSHTarget, where []string) hostKeys {
	s.mu.Lock()
	keys, known := s.keys[t]
	s.mu.Unlock()
	if known {
		return keys
	}
	cmd := exec.CommandContext(ctx, s.program(), append([]string{"-G"}, where...)...)
	cmd.WaitDelay = grace
	out, err := cmd.Output()
	if err != nil {
		return hostKeys{} // the connection itself will tell what is wrong
	}
	keys = parseHostKeys(out)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[model.SSHTarget]hostKeys{}
	}
	s.keys[t] = keys
	return keys
}

// parseHostKeys reads what ssh -G prints. It prints the names of files with
// nothing between them that could not be part of one: names that are not surely
// separate are left out.
func parseHostKeys(out []byte) hostKeys {
	var keys hostKeys
	for line := range bytes.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		switch strings.ToLower(key) {
		case "stricthostkeychecking":
			keys.strict = value == "true" || value == "yes"
		case "userknownhostsfile":
			keys.files = value
			for word := range strings.SplitSeq(value, " ") {
				if value != "none" && !filepath.IsAbs(word) || strings.ContainsAny(word, "%\"'\\") {
					keys.files = ""
				}
			}
		}
	}
	return keys
}

// controlPath is the pattern of the sockets' names, "" when there is no
// private place for them.
func (s *SSH) controlPath() string {
	// A socket's path has at most 104 bytes on some systems; %C becomes 40,
	// and ssh adds 17 while it makes the socket.
	const longest = 104 - 1 - 40 - 17
	dir := s.ControlDir
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "pgtui-"+strconv.Itoa(os.Geteuid()))
		if run := os.Getenv("XDG_RUNTIME_DIR"); run != "" {
			dir = filepath.Join(run, "pgtui")
		}
	}
	if len(dir) > longest || strings.ContainsAny(dir, "% \t\"'") || !s.ReadOnly && os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return ""
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return ""
	}
	return filepath.Join(dir, "%C")
}
