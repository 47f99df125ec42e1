package transport

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgtui/internal/fuzz"
	"pgtui/model"
)

// shells are what /bin/sh is on Pigsty's systems: dash on Debian and Ubuntu,
// bash on EL.
var shells = []string{"dash", "bash"}

// through runs c's program by the shell, as a node would.
func through(tb testing.TB, shell string, c Cmd) (Output, bool) {
	tb.Helper()
	end := newEnd()
	text, err := program(c, end)
	if err != nil {
		tb.Fatal(err)
	}
	s, stderr := newStream(end, c.OnLine, c.LinesOnly), &bounded{max: maxStderr}
	s.Write([]byte(ready + "\n"))
	cmd := exec.Command(shell, "-s")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), s, stderr
	if err := cmd.Run(); err != nil {
		tb.Logf("%s: %v: %s", shell, err, stderr.bytes())
	}
	return Output{Stdout: s.out, Stderr: stderr.bytes(), Exit: s.exit, Truncated: s.truncated}, s.done
}

func everyByte(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i + i/251)
	}
	return b
}

func TestProgram(t *testing.T) {
	big := everyByte(300_000) // far more than a pipe or a shell's buffer holds
	for _, tc := range []struct {
		name string
		cmd  Cmd
		out  string
		err  string
		exit int
	}{
		{name: "output and success", cmd: Cmd{Script: "echo hello"}, out: "hello\n"},
		{name: "no last line feed", cmd: Cmd{Script: "printf hello"}, out: "hello"},
		{name: "no output", cmd: Cmd{Script: "true"}},
		{name: "empty script", cmd: Cmd{}},
		{name: "only a comment", cmd: Cmd{Script: "# nothing"}},
		{name: "only empty lines", cmd: Cmd{Script: "echo; echo; echo"}, out: "\n\n\n"},
		{name: "exit code", cmd: Cmd{Script: "echo a; exit 3; echo b"}, out: "a\n", exit: 3},
		{name: "exit 255 is the script's own", cmd: Cmd{Script: "exit 255"}, exit: 255},
		{name: "set -e", cmd: Cmd{Script: "set -e\nfalse\necho b"}, exit: 1},
		{name: "killed", cmd: Cmd{Script: `exec 2>/dev/null; sh -c 'kill -9 $$'; exit $?`}, exit: 137},
		{name: "trap at exit", cmd: Cmd{Script: "trap 'echo bye' EXIT; exit 4"}, out: "bye\n", exit: 4},
		{name: "standard error", cmd: Cmd{Script: "echo oops >&2; exit 1"}, err: "oops\n", exit: 1},
		{name: "input is empty", cmd: Cmd{Script: "cat"}},
		{name: "input", cmd: Cmd{Script: "cat", Stdin: big}, out: string(big)},
		{name: "input that is not read", cmd: Cmd{Script: "echo a", Stdin: big}, out: "a\n"},
		{name: "input read by head", cmd: Cmd{Script: "head -c 3; printf /; cat", Stdin: []byte("abcdef\x00g")}, out: "abc/def\x00g"},
		{name: "exit code with input", cmd: Cmd{Script: "cat >/dev/null; exit 7", Stdin: []byte("x")}, exit: 7},
		{name: "arguments", cmd: Cmd{Script: `printf '<%s>' "$#" "$@"`, Args: []string{"a b", "", "it's", `"$HOME" \ !`, "x\ny", "-n", "é\xff"}},
			out: "<7><a b><><it's><\"$HOME\" \\ !><x\ny><-n><é\xff>"},
		{name: "root", cmd: Cmd{Target: model.SSHTarget{Root: "/a b/it's"}, Script: `echo "$PGTUI_ROOT" "${PATH%%:*}"`}, out: "/a b/it's /a b/it's/bin\n"},
		{name: "no root", cmd: Cmd{Script: `echo "<$PGTUI_ROOT>" "$LC_ALL"`}, out: "<> C\n"},
		{name: "here document", cmd: Cmd{Script: "cat <<'E'\n$x }\nE\n"}, out: "$x }\n"},
	} {
		for _, shell := range shells {
			t.Run(tc.name+"/"+shell, func(t *testing.T) {
				t.Setenv("PGTUI_ROOT", "/inherited")
				got, done := through(t, shell, tc.cmd)
				if !done || string(got.Stdout) != tc.out || string(got.Stderr) != tc.err || got.Exit != tc.exit || got.Truncated {
					t.Errorf("done %v, got %.200q, %q, exit %d; want %.200q, %q, exit %d",
						done, got.Stdout, got.Stderr, got.Exit, tc.out, tc.err, tc.exit)
				}
			})
		}
	}
}

// A connection that breaks while the program is on its way must run nothing,
// wherever it breaks.
func TestCutProgramRunsNothing(t *testing.T) {
	mark := t.TempDir() + "/ran"
	c := Cmd{Script: "echo ran >>" + quote(mark) + "\ncat >>" + quote(mark), Args: []string{"a", "b"}, Stdin: []byte("0123456789")}
	const end = "end"
	text, err := program(c, end)
	if err != nil {
		t.Fatal(err)
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	for _, shell := range shells {
		for i := 0; i < len(text)-len("\n"); i += step {
			cmd := exec.Command(shell, "-s")
			cmd.Stdin = strings.NewReader(text[:i])
			out, _ := cmd.Output() // most of them are syntax errors
			if _, err := os.Stat(mark); err == nil || len(out) > 0 {
				t.Fatalf("%s ran a program cut at byte %d: …%q", shell, i, text[max(0, i-30):i])
			}
		}
	}
}

func TestNULIsRefused(t *testing.T) {
	for _, c := range []Cmd{{Script: "a\x00"}, {Args: []string{"\x00"}}, {Target: model.SSHTarget{Root: "/\x00"}}} {
		if _, err := program(c, "end"); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []string
		bad  bool
	}{
		{in: ""},
		{in: "  "},
		{in: "-o ProxyJump=bastion", want: []string{"-o", "ProxyJump=bastion"}},
		{in: `-o ProxyCommand="ssh -W %h:%p 'my host'"`, want: []string{"-o", "ProxyCommand=ssh -W %h:%p 'my host'"}},
		{in: `a\ b '' "c\"d\e" 'f\g'`, want: []string{"a b", "", `c"d\e`, `f\g`}},
		{in: `a "b`, bad: true},
		{in: `a \`, bad: true},
	} {
		got, err := split(tc.in)
		if (err != nil) != tc.bad || !slices.Equal(got, tc.want) && !tc.bad {
			t.Errorf("split(%q) = %q, %v; want %q", tc.in, got, err, tc.want)
		}
	}
}

// FuzzQuote: every argument reaches the script as it is, through real shells.
func FuzzQuote(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{"", "a b", "it's", "'", "''", `\`, "$(id)", "`id`", "a\nb", "!x", "-e", "é", "\xff\xfe", "*", "~", "#", "\r", "a'\"'b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, 0) {
			return // no argument can hold one
		}
		for _, shell := range shells {
			out, err := exec.Command(shell, "-c", "printf %s "+quote(s)).Output()
			if err != nil || string(out) != s {
				t.Fatalf("%s: %q became %q (%v)", shell, s, out, err)
			}
		}
		if words, err := split(quote(s)); err != nil || !slices.Equal(words, []string{s}) {
			t.Fatalf("split(quote(%q)) = %q, %v", s, words, err)
		}
	})
}
