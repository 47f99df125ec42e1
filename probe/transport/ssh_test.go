package transport

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
)

// fakeSSH is an ssh that logs its arguments and then does what body says; the
// last argument is the remote command.
func fakeSSH(t *testing.T, body string) (program, log string) {
	t.Helper()
	dir := t.TempDir()
	program, log = filepath.Join(dir, "ssh"), filepath.Join(dir, "log")
	text := "#!/bin/sh\nfor a; do last=$a; done\nprintf '%s\\n' \"$*\" >>" + quote(log) + "\n" + body + "\n"
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, log
}

// sudo puts a sudo in PATH that does what body says. Its id says that the
// login is not root.
func fakeSudo(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"sudo": body, "id": "echo 1000"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return "PATH=" + quote(dir) + ":$PATH; "
}

// asLogin runs the remote command as sshd does.
const asLogin = `case $1 in -G) echo "stricthostkeychecking ${STRICT:-ask}"; exit 0 ;; esac
echo "Welcome to the node"
exec /bin/sh -c "$last"`

func node() model.SSHTarget { return model.SSHTarget{Address: "10.0.0.9"} }

func TestSSHRunsScript(t *testing.T) {
	for _, tc := range []struct {
		name, login string
	}{
		{"root login", "PATH=" + quote(t.TempDir()) + ":$PATH; "},
		{"sudo", fakeSudo(t, `[ "$1" = -n ] || exit 9; shift; exec "$@"`)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			program, _ := fakeSSH(t, tc.login+asLogin)
			s := &SSH{Program: program, ControlDir: t.TempDir()}
			var lines []string
			got, err := s.Run(t.Context(), Cmd{
				Target: node(), Script: `echo "$1"; cat; exit 3`, Args: []string{"it's"}, Stdin: []byte("in\x00put"),
				OnLine: func(l string) { lines = append(lines, l) },
			})
			if err != nil || string(got.Stdout) != "it's\nin\x00put" || got.Exit != 3 {
				t.Errorf("got %q, exit %d, %v", got.Stdout, got.Exit, err)
			}
			if want := []string{"it's", "in\x00put"}; !slices.Equal(lines, want) {
				t.Errorf("lines %q, want %q", lines, want)
			}
		})
	}
}

// The password goes to sudo when sudo asks, once, and nowhere else.
func TestSSHSudoPassword(t *testing.T) {
	const asks = `[ "$1" = -S ] || exit 9
printf '%s' "$3" >&2; IFS= read -r pw
if [ "$pw" != "it's s3cret" ]; then
	echo "Sorry, try again." >&2; printf '%s' "$3" >&2
	IFS= read -r pw || { echo "sudo: no password was provided" >&2; exit 1; }
fi
shift 3; exec "$@"`
	for _, tc := range []struct{ name, sudo, password, err string }{
		{"the right one", asks, "it's s3cret", ""},
		{"a wrong one", asks, "wrong", "sudo does not accept the password"},
		{"sudo does not ask", `[ "$1" = -S ] || exit 9; shift 3; exec "$@"`, "it's s3cret", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			program, log := fakeSSH(t, fakeSudo(t, tc.sudo)+asLogin)
			s := &SSH{Program: program, ControlDir: t.TempDir(), Sudo: func() model.Secret { return model.Secret(tc.password) }}
			got, err := s.Run(t.Context(), Cmd{Target: node(), Script: `cat; echo end`, Stdin: []byte("input\n")})
			if tc.err == "" && (err != nil || string(got.Stdout) != "input\nend\n") {
				t.Errorf("got %q, %v", got.Stdout, err)
			}
			if tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err) || !errors.Is(err, ErrNotStarted)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			if args, _ := os.ReadFile(log); strings.Contains(string(args), tc.password) || strings.Contains(string(got.Stderr), tc.password) {
				t.Errorf("the password shows: %s %s", args, got.Stderr)
			}
		})
	}
	program, _ := fakeSSH(t, fakeSudo(t, `[ "$1" = -n ] || exit 9; echo "sudo: a password is required" >&2; exit 1`)+asLogin)
	s := &SSH{Program: program, ControlDir: t.TempDir()}
	if _, err := s.Run(t.Context(), Cmd{Target: node(), Script: "true"}); err == nil || !strings.Contains(source.TryOf(err), "start pgtui with -K (--ask-become-pass)") {
		t.Errorf("%v, try %q", err, source.TryOf(err))
	}
}

// sudo's question is seen wherever the reads cut it.
func TestAsking(t *testing.T) {
	for cut := range len(sudoAsks) {
		var b strings.Builder
		a := &asking{w: &b, asked: make(chan struct{}, 8)}
		text := "banner " + sudoAsks + "Sorry\n" + sudoAsks
		for _, part := range []string{text[:7+cut], text[7+cut:]} {
			if n, err := a.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if len(a.asked) != 2 || b.String() != text {
			t.Errorf("cut at %d: asked %d times, %q", cut, len(a.asked), b.String())
		}
	}
}

func TestSSHArguments(t *testing.T) {
	program, log := fakeSSH(t, asLogin)
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := &SSH{Program: program, ConfigFile: "/x/ssh_config", ControlDir: dir}
	target := model.SSHTarget{Address: "10.0.0.9", Port: 2222, User: "dba", KeyFile: "~/.ssh/k", CommonArgs: `-o ProxyCommand="ssh -W %h:%p b" -o StrictHostKeyChecking=no`}
	run := func(secret string) string {
		os.Remove(log)
		if _, err := s.Run(t.Context(), Cmd{Target: target, Script: "true", Args: []string{secret}, Stdin: []byte(secret)}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), secret) {
			t.Errorf("an argument of the script is on the command line: %s", b)
		}
		return string(b)
	}
	got := run("s3cret")
	for _, want := range []string{
		"-o BatchMode=yes", "-o StrictHostKeyChecking=accept-new", "-o ControlPath=" + dir + "/%C",
		"-F /x/ssh_config -p 2222 -l dba -i ~/.ssh/k -o ProxyCommand=ssh -W %h:%p b -o StrictHostKeyChecking=no -- 10.0.0.9 sh -c",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	got = got[strings.LastIndex(strings.TrimSpace(got), "\n")+1:] // without ssh -G
	if i, j := strings.Index(got, "Checking=accept-new"), strings.Index(got, "Checking=no"); i > j {
		t.Error("the inventory may switch off the check of host keys")
	}
	if again := run("s3cret"); strings.Contains(again, "-G") {
		t.Error("ssh -G is run again for the same node")
	}
}

func TestSSHKeepsTheUsersStrictness(t *testing.T) {
	t.Setenv("STRICT", "true")
	program, log := fakeSSH(t, asLogin)
	s := &SSH{Program: program, ControlDir: t.TempDir()}
	if _, err := s.Run(t.Context(), Cmd{Target: node(), Script: "true"}); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(log); strings.Contains(string(b), "accept-new") {
		t.Errorf("accept-new weakens the user's StrictHostKeyChecking yes: %s", b)
	}
}

// TestSSHReadOnly: no key is kept, no connection is left open, no directory is
// made, and a key that has changed is refused all the same.
func TestSSHReadOnly(t *testing.T) {
	for _, tt := range []struct {
		name, says string
		want       string // how host keys are checked
	}{
		{"the defaults", "stricthostkeychecking ask\nuserknownhostsfile /h/.ssh/known_hosts /h/.ssh/known_hosts2",
			"-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/dev/null /h/.ssh/known_hosts /h/.ssh/known_hosts2 -o"},
		{"no file", "stricthostkeychecking ask\nuserknownhostsfile none", "-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=/dev/null -o"},
		{"the user is strict", "stricthostkeychecking true\nuserknownhostsfile /h/known", "-o UpdateHostKeys=no -o ControlMaster=no"},
		{"names that cannot be told apart", "stricthostkeychecking ask\nuserknownhostsfile /h/a b", "-o StrictHostKeyChecking=yes -o"},
		{"a name with a sign of its own", "stricthostkeychecking ask\nuserknownhostsfile /h/%h", "-o StrictHostKeyChecking=yes -o"},
		{"it does not say", "", "-o StrictHostKeyChecking=yes -o"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			program, log := fakeSSH(t, `case $1 in -G) printf '%s\n' "$SAYS"; exit 0 ;; esac
exec /bin/sh -c "$last"`)
			t.Setenv("SAYS", tt.says)
			dir := filepath.Join(t.TempDir(), "control")
			s := &SSH{Program: program, ControlDir: dir, ReadOnly: true}
			if _, err := s.Run(t.Context(), Cmd{Target: node(), Script: "true", Reads: true}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			got := string(b)
			for _, want := range []string{tt.want, "-o UpdateHostKeys=no", "-o ControlMaster=no"} {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in %s", want, got)
				}
			}
			if strings.Contains(got, "ControlPersist") || strings.Contains(got, "ControlMaster=auto") {
				t.Errorf("a connection stays open: %s", got)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a directory was made")
			}
		})
	}
	private := t.TempDir()
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := (&SSH{ControlDir: private, ReadOnly: true}).controlPath(); got != private+"/%C" {
		t.Errorf("a connection that is shared already is not used: %q", got)
	}
}

func TestSSHControlPath(t *testing.T) {
	private, open, long := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("x", 80))
	for dir, mode := range map[string]os.FileMode{private: 0o700, open: 0o755} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(private, link); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		private: private + "/%C", open: "", long: "", link: "", private + "/new": private + "/new/%C",
	} {
		if got := (&SSH{ControlDir: dir}).controlPath(); got != want {
			t.Errorf("%s: got %q, want %q", dir, got, want)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", private)
	if got := (&SSH{}).controlPath(); got != private+"/pgtui/%C" {
		t.Errorf("default: %q", got)
	}
}

func TestSSHFailures(t *testing.T) {
	say := func(text string, exit string) string {
		return "[ \"$1\" = -G ] && exit 0\nprintf '%s\\n' " + quote(text) + " >&2\nexit " + exit
	}
	for _, tc := range []struct {
		name, ssh string
		want      string
		hint      bool
		is        error
	}{
		{"no key", say("dba@10.0.0.9: Permission denied (publickey).", "255"), "10.0.0.9: ssh: no key was accepted", true, ErrNotStarted},
		{"refused", say("ssh: connect to host 10.0.0.9 port 22: Connection refused", "255"), "10.0.0.9: ssh: connection refused", true, ErrNotStarted},
		{"unknown host key", say("Host key verification failed.", "255"), "10.0.0.9: ssh: its host key is unknown", true, ErrNotStarted},
		{"changed host key", say("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", "255"), "10.0.0.9: ssh: its host key has changed", true, ErrNotStarted},
		{"unknown failure, with escapes", say("weird \x1b[31mthing", "255"), "10.0.0.9: weird [31mthing", false, ErrNotStarted},
		{"silent failure", say("", "255"), "10.0.0.9: exit status 255", false, ErrNotStarted},
		{"no shell", "[ \"$1\" = -G ] && exit 0\necho 'This account is currently not available.'; exit 1", "10.0.0.9: ssh: the login has no shell", true, ErrNotStarted},
		{"sudo wants a password", fakeSudo(t, `echo "sudo: a password is required" >&2; exit 1`) + asLogin, "10.0.0.9: sudo wants a password", true, ErrNotStarted},
		{"sudo limited", fakeSudo(t, `echo "Sorry, user dba is not allowed to execute '/usr/bin/sh -c' as root on n1." >&2; exit 1`) + asLogin, "10.0.0.9: sudo does not allow it", true, ErrNotStarted},
		{"no sudo", fakeSudo(t, "") + `PATH=${PATH%%:*}; /bin/rm -f "$PATH/sudo"; /bin/ln -sf /bin/sh "$PATH/sh"; ` + asLogin, "10.0.0.9: there is no sudo", true, ErrNotStarted},
		{"lost in the middle", asLogin[:strings.Index(asLogin, "exec")] + `head -c 30 <<E
` + ready + `
half of the output
E
cat >/dev/null
echo "Connection to 10.0.0.9 closed by remote host." >&2; exit 255`, "10.0.0.9: Connection to 10.0.0.9 closed by remote host.", false, ErrInterrupted},
		{"lost before all was sent", asLogin[:strings.Index(asLogin, "exec")] + `echo "` + ready + `"
exec 0<&-
sleep 0.2
exit 255`, "10.0.0.9: ", false, ErrNotStarted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			program, _ := fakeSSH(t, tc.ssh)
			s := &SSH{Program: program, ControlDir: t.TempDir()}
			// More than a pipe holds, so that it cannot all be sent to nobody.
			_, err := s.Run(t.Context(), Cmd{Target: node(), Script: "true", Stdin: everyByte(1 << 20)})
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || !errors.Is(err, tc.is) || (source.TryOf(err) != "") != tc.hint {
				t.Errorf("got %v (hint %q)\nwant %s, %v", err, source.TryOf(err), tc.want, tc.is)
			}
			if err != nil && strings.ContainsRune(err.Error(), 0x1b) {
				t.Error("an escape in the error")
			}
		})
	}
}

func TestSSHMissing(t *testing.T) {
	s := &SSH{Program: "no-such-ssh", ControlDir: t.TempDir()}
	_, err := s.Run(t.Context(), Cmd{Target: node(), Script: "true"})
	if !errors.Is(err, ErrNotStarted) || source.TryOf(err) == "" {
		t.Errorf("%v", err)
	}
}

func TestSSHRefusesOddTargets(t *testing.T) {
	program, log := fakeSSH(t, asLogin)
	s := &SSH{Program: program, ControlDir: t.TempDir()}
	for _, target := range []model.SSHTarget{
		{}, {Address: "-oProxyCommand=x"}, {Address: "a b"}, {Address: "a", User: "-x"}, {Address: "a\nb"},
		{Address: "a", CommonArgs: `"`}, {Address: "a", Root: "/x"},
	} {
		if _, err := s.Run(t.Context(), Cmd{Target: target, Script: "true"}); !errors.Is(err, ErrNotStarted) {
			t.Errorf("%+v: %v", target, err)
		}
	}
	if _, err := os.Stat(log); err == nil {
		t.Error("ssh was started")
	}
}

// What the script started must not outlive it when time is up.
func TestDeadlineEndsTheGroup(t *testing.T) {
	for _, tc := range []struct {
		name, ssh string
		is        error
	}{
		{"while it runs", asLogin, ErrInterrupted},
		{"before it is ready", "[ \"$1\" = -G ] && exit 0\nsleep 1000 & echo $! >$PIDFILE\nwait", ErrNotStarted},
		{"deaf to polite signals", "trap '' TERM\n" + asLogin, ErrInterrupted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pidfile := filepath.Join(t.TempDir(), "pid")
			t.Setenv("PIDFILE", pidfile)
			program, _ := fakeSSH(t, tc.ssh)
			s := &SSH{Program: program, ControlDir: t.TempDir()}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { // time is up once the child is there
				for {
					if b, _ := os.ReadFile(pidfile); strings.HasSuffix(string(b), "\n") {
						cancel()
						return
					}
					time.Sleep(5 * time.Millisecond)
				}
			}()
			_, err := s.Run(ctx, Cmd{Target: node(), Script: `sleep 1000 & echo $! >"$PIDFILE"; wait`})
			if !errors.Is(err, tc.is) || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, tc.is)
			}
			gone(t, pidfile)
		})
	}
}

// Begin bounds the way to the node, and not the script.
func TestBeginBoundsTheWayOnly(t *testing.T) {
	dead, _ := fakeSSH(t, "[ \"$1\" = -G ] && exit 0\nexec sleep 1000")
	_, err := (&SSH{Program: dead, ControlDir: t.TempDir()}).Run(t.Context(), Cmd{Target: node(), Script: "true", Begin: 50 * time.Millisecond})
	if !errors.Is(err, ErrNotStarted) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer before the deadline") {
		t.Errorf("a node that does not answer: %v", err)
	}
	slow, _ := fakeSSH(t, asLogin)
	var once bool
	got, err := (&SSH{Program: slow, ControlDir: t.TempDir()}).Run(t.Context(), Cmd{Target: node(), Script: "echo begun; sleep 3; echo ended", Begin: 2 * time.Second, OnLine: func(string) { once = true }})
	if err != nil || string(got.Stdout) != "begun\nended\n" || !once {
		t.Errorf("a script that is longer than Begin: %q, %v", got.Stdout, err)
	}
}

// gone waits until the process in the file does not run any more.
func gone(t *testing.T, pidfile string) {
	t.Helper()
	b, err := os.ReadFile(pidfile)
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(b))
	for range 400 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("process %s still runs", pid)
}

// A process that the script leaves behind with its output open must not hold
// up the answer; the master connection of ssh is one.
func TestLeftBehindDoesNotBlock(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		got, err := Local{}.Run(t.Context(), Cmd{Target: model.SSHTarget{Root: t.TempDir()}, Script: "sleep 30 & echo a"})
		if err != nil || string(got.Stdout) != "a\n" {
			t.Errorf("%q, %v", got.Stdout, err)
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("Run waits for the process that was left behind")
	}
}

func TestLocalRoot(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bin", "systemctl"), []byte("#!/bin/sh\necho sandbox $*\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := Local{}.Run(t.Context(), Cmd{Target: model.SSHTarget{Root: root}, Script: `systemctl "$1"; echo "$PGTUI_ROOT"`, Args: []string{"reload"}})
	if err != nil || string(got.Stdout) != "sandbox reload\n"+root+"\n" {
		t.Errorf("%q, %v", got.Stdout, err)
	}
	if _, err := (Local{}).Run(t.Context(), Cmd{Target: model.SSHTarget{Root: "relative"}, Script: "true"}); !errors.Is(err, ErrNotStarted) {
		t.Errorf("relative root: %v", err)
	}
}

func TestAuto(t *testing.T) {
	a := &Auto{Addrs: func() ([]net.Addr, error) {
		_, n, _ := net.ParseCIDR("10.10.10.0/24")
		n.IP = net.IPv4(10, 10, 10, 10)
		return []net.Addr{n, &net.IPNet{IP: net.ParseIP("fd00::2"), Mask: net.CIDRMask(64, 128)}}, nil
	}}
	for _, tc := range []struct {
		name string
		t    model.SSHTarget
		want bool
	}{
		{"declared local", model.SSHTarget{Local: true, Address: "10.9.9.9"}, true},
		{"a sandbox", model.SSHTarget{Root: "/x", Address: "10.9.9.9"}, true},
		{"own address", model.SSHTarget{Address: "10.10.10.10"}, true},
		{"own address, ssh port", model.SSHTarget{Address: "10.10.10.10", Port: 22}, true},
		{"own IPv6 address", model.SSHTarget{Address: "fd00::2"}, true},
		{"a neighbour", model.SSHTarget{Address: "10.10.10.11"}, false},
		{"a forwarded port", model.SSHTarget{Address: "127.0.0.1", Port: 2222}, false},
		{"behind a bastion", model.SSHTarget{Address: "10.10.10.10", CommonArgs: "-J bastion"}, false},
		{"a name", model.SSHTarget{Address: "pg-test-1"}, false},
		{"loopback", model.SSHTarget{Address: "127.0.0.1"}, true},
		{"nothing", model.SSHTarget{}, false},
	} {
		if got := a.isLocal(tc.t); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestReplay(t *testing.T) {
	r := NewReplay(Exchange{Address: "a", Script: "reload", Args: []string{"x"}, Output: Output{Stdout: []byte("1\n2\n")}})
	var lines []string
	c := Cmd{Target: model.SSHTarget{Address: "a"}, Script: "systemctl reload", Args: []string{"x"}, OnLine: func(l string) { lines = append(lines, l) }}
	if o, err := r.Run(t.Context(), c); err != nil || string(o.Stdout) != "1\n2\n" || !slices.Equal(lines, []string{"1", "2"}) || r.Left() != 0 {
		t.Errorf("%q %q %v", o.Stdout, lines, err)
	}
	if _, err := r.Run(t.Context(), c); !errors.Is(err, ErrNotStarted) {
		t.Errorf("used twice: %v", err)
	}
	if len(r.Ran()) != 2 {
		t.Errorf("%d commands", len(r.Ran()))
	}
}

// BenchmarkLocal: one script on this machine; budget 10 ms.
func BenchmarkLocal(b *testing.B) {
	root := b.TempDir()
	for b.Loop() {
		if _, err := (Local{}).Run(b.Context(), Cmd{Target: model.SSHTarget{Root: root}, Script: "true"}); err != nil {
			b.Fatal(err)
		}
	}
}
