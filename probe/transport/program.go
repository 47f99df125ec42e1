package transport

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ready is printed by the launcher once it is root and about to read the
// program. Until then nothing has been sent, so nothing can have run.
const ready = "pgtui: ready"

// plainShell announces itself and then reads its program from standard input.
const plainShell = `echo ` + ready + `; exec sh -s`

// rootShell is the same as root. It is the only text that a login shell ever
// sees, and therefore has nothing in it that bash, zsh, csh and fish read
// differently: no argument of a script is ever on a command line.
//
// The password is sent when sudo requests it, and at no other time: without a
// request there is no one to read it.
func rootShell(password bool) string {
	how := "-n"
	if password {
		how = `-S -p "` + sudoAsks + `"`
	}
	return `sh -c 'LC_ALL=C; export LC_ALL; ` +
		`if [ "$(id -u)" = 0 ]; then ` + plainShell + `; ` +
		`else exec sudo ` + how + ` sh -c "` + plainShell + `"; fi'`
}

// sudoAsks is what sudo prints on its standard error when it wants a password.
const sudoAsks = "pgtui: password for sudo"

// program makes the text that runs c's script with its arguments and input,
// and then prints a line of end and the script's exit code.
//
// All of it is one compound command. A shell parses that to the last byte
// before it runs the first, so a connection that breaks while the text is on
// its way runs nothing. The input travels in the text too, as base64 in a here
// document: sh may read ahead on its standard input, which makes it unfit to
// be shared with the script.
func program(c Cmd, end string) (string, error) {
	if strings.ContainsRune(c.Script, 0) || strings.ContainsRune(c.Target.Root, 0) {
		return "", errors.New("a NUL byte in the script")
	}
	var b strings.Builder
	b.Grow(len(c.Script) + 2*len(c.Stdin) + 1024)
	b.WriteString("{\n")
	fmt.Fprintf(&b, "LC_ALL=C PGTUI_ROOT=%s\nexport LC_ALL PGTUI_ROOT\n", quote(c.Target.Root))
	if c.Target.Root != "" {
		fmt.Fprintf(&b, "PATH=%s:\"$PATH\"\n", quote(c.Target.Root+"/bin"))
	} else {
		b.WriteString("PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin\"\n")
	}
	b.WriteString("export PATH\nset --")
	for _, a := range c.Args {
		if strings.ContainsRune(a, 0) {
			return "", errors.New("a NUL byte in an argument")
		}
		b.WriteByte(' ')
		b.WriteString(quote(a))
	}
	b.WriteString("\npgtui_script() {\n:\n")
	b.WriteString(c.Script)
	b.WriteString("\n}\n")
	if len(c.Stdin) == 0 {
		b.WriteString("( pgtui_script \"$@\" ) </dev/null\n")
	} else {
		b.WriteString("pgtui_stdin() {\nbase64 -d <<'" + end + "'\n")
		for chunk := range slices.Chunk(c.Stdin, 57) { // lines of 76 letters, which any tool can read
			b.WriteString(base64.StdEncoding.EncodeToString(chunk) + "\n")
		}
		b.WriteString(end + "\n}\npgtui_stdin | ( pgtui_script \"$@\" )\n")
	}
	// The line feed in front ends a last line of the script's that has none.
	b.WriteString("printf '\\n%s %s\\n' '" + end + "' \"$?\"\nexit 0\n}\n")
	return b.String(), nil
}

// quote makes s one word of a POSIX shell. This is the only place that quotes.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// split cuts s into words as a POSIX shell would, without expanding anything:
// the inventory's ansible_ssh_common_args are written that way.
func split(s string) ([]string, error) {
	var (
		out   []string
		word  strings.Builder
		open  bool // a word has begun
		mark  byte // the quote that is open, 0 for none
		slash bool // the next byte is taken as it is
	)
	for i := range len(s) {
		switch c := s[i]; {
		case slash:
			if mark == '"' && strings.IndexByte("\"\\$`", c) < 0 {
				word.WriteByte('\\')
			}
			word.WriteByte(c)
			slash = false
		case c == '\\' && mark != '\'':
			slash, open = true, true
		case mark != 0:
			if c == mark {
				mark = 0
			} else {
				word.WriteByte(c)
			}
		case c == '\'' || c == '"':
			mark, open = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if open {
				out = append(out, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if mark != 0 || slash {
		return nil, errors.New("a quote is not closed")
	}
	if open {
		out = append(out, word.String())
	}
	return out, nil
}
