package transport

import (
	"regexp"
	"strings"

	"pgtui/internal/text"
)

// byShell is the name and line that a shell puts before its message.
var byShell = regexp.MustCompile(`^-?(?:/[\w./]*/)?(?:ba|da|z|k|mk|a|c|tc|fi)?sh: *(?:(?:line )?[0-9]+: *)?(?:pgtui_script: *)?`)

// shellWords are the messages of shells, and the same in plain words.
func shellWords() []struct {
	says  *regexp.Regexp
	plain string
} {
	type w = struct {
		says  *regexp.Regexp
		plain string
	}
	return []w{
		{regexp.MustCompile(`^([^ :]+): (?:command )?not found$`), "there is no program $1"},
		{regexp.MustCompile(`^(?:command not found|Unknown command): ?([^ ]+)$`), "there is no program $1"},
		{regexp.MustCompile(`^cannot create ([^ ]+): (.*)$`), "$1 cannot be written: $2"},
		{regexp.MustCompile(`^cannot open ([^ ]+): (.*)$`), "$1 cannot be read: $2"},
		{regexp.MustCompile(`^(?i:syntax error).*$`), "its shell does not understand the script"},
		{regexp.MustCompile(`^.*(?:parameter not set|unbound variable|Bad substitution|bad substitution).*$`), "its shell does not understand the script"},
		{regexp.MustCompile(`^(?:can't|cannot) (?:access tty|cd to) .*$`), "its shell has no terminal or directory"},
	}
}

// Words are the first lines of what a script or a shell wrote to standard error,
// in plain words and safe to show: never a shell's own "sh: 12: …", whose line is
// one of a script that no one has before them.
func Words(stderr []byte, lines int) string {
	var out []string
	for _, l := range text.Lines(string(stderr), lines, 160) {
		out = append(out, plainWords(l))
	}
	return strings.Join(out, "; ")
}

// plainWords is one line in plain words.
func plainWords(line string) string {
	rest := byShell.ReplaceAllString(line, "")
	if rest == line {
		return line
	}
	for _, w := range shellWords() {
		if w.says.MatchString(rest) {
			return w.says.ReplaceAllString(rest, w.plain)
		}
	}
	return rest
}
