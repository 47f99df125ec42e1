package lang

import (
	"regexp"
	"slices"
	"strings"
)

// A datum is what stays as it is in every language: a name, a number, an address, a time,
// a path, a command, quoted text, or one word that the catalogue does not have.

// datum reports whether s is one.
func datum(s string) bool {
	if !balanced(s) {
		return false
	}
	if !strings.Contains(s, " ") {
		return !stop(s) && !strings.HasSuffix(s, ",") && !strings.HasSuffix(s, ":") && !strings.HasSuffix(s, ".")
	}
	return names(s) || command(s)
}

// names reports whether s is names and numbers alone, with commas between or not.
func names(s string) bool {
	if quoted(s) {
		return balanced(s)
	}
	if s == "" || !balanced(s) || strings.Contains(s, "  ") || strings.ContainsAny(s[:1]+s[len(s)-1:], " ,;") {
		return false
	}
	for w := range strings.FieldsSeq(s) {
		w = strings.TrimSuffix(w, ",")
		if !name(w) && !slices.Contains(values, w) {
			return false
		}
	}
	return true
}

// quoted reports whether s is one quoted text.
func quoted(s string) bool {
	if len(s) < 2 || !strings.Contains("\"'`", s[:1]) || s[0] != s[len(s)-1] {
		return false
	}
	return !strings.Contains(strings.ReplaceAll(s[1:len(s)-1], `\`+s[:1], ""), s[:1])
}

// name reports whether a word is no word of a language: it has a digit or a sign in it, or
// capitals only, or it is a proper name.
func name(w string) bool {
	if w == "" || strings.ContainsAny(w[len(w)-1:], ".:;,!?") && w != "?" {
		return false
	}
	return !speaks(w) || strings.ContainsAny(w, "0123456789/_.:@=$%*~<>[]{}") || strings.Contains(strings.Trim(w, "-"), "-") ||
		slices.Contains(proper, w) || strings.ToUpper(w) == w
}

// proper are names of programs and products.
var proper = []string{"PostgreSQL", "Patroni", "HAProxy", "HAProxies", "Pigsty", "Ansible", "pgbouncer", "pgbackrest", "etcd", "Linux", "Debian", "JSON", "YAML", "keepalived", "libpq", "pgx", "min", "kB", "MiB", "GiB", "KiB", "ms"} //nolint:gochecknoglobals // a table

// values are words that programs print and that names are made of.
var values = []string{"primary", "replica", "default", "offline", "standby", "delayed", "leader", "streaming", "running", "stopped", "async", "sync", "quorum", //nolint:gochecknoglobals // a table
	"postgres", "patroni", "haproxy", "true", "false", "test", "meta", "none", "idle", "active"}

// stop reports whether a word is one that only sentences have.
func stop(w string) bool { return slices.Contains(stops, strings.ToLower(w)) }

var stops = strings.Fields("a an the is are was were be been of and or not no it its they them their this that these those when while until which who whom whose with without " + //nolint:gochecknoglobals // a table
	"to in at by for from as if than then has have had does do did will would can cannot could may must more most all any each every only also but so")

// programs are what a command that is printed begins with.
var programs = strings.Fields("pgtui ssh sudo curl patronictl systemctl psql pg ss tail journalctl kill ansible-playbook bin/pgsql-svc SELECT SHOW RESUME PAUSE RELOAD show set enable disable shutdown haproxy fuser chown chmod ./node.yml ./pgsql.yml nc etcdctl") //nolint:gochecknoglobals // a table

// says are words of a sentence behind a command, and not of a command.
var says = regexp.MustCompile(`[;:,] | (shows|writes|checks|lists|prints|needs|reads|ends|has|is|are|was|then|and|the|a|for|when|until|with|in|on|to|from|of|if|it|failed|fails)( |$)`)

// command reports whether s is a command as a person types it.
func command(s string) bool {
	first, rest, ok := strings.Cut(s, " ")
	return ok && slices.Contains(programs, first) && !says.MatchString(" "+rest)
}

// balanced reports whether brackets and double quotes that are opened in s are closed.
func balanced(s string) bool {
	n := 0
	for _, r := range s {
		switch r {
		case '(':
			n++
		case ')':
			if n--; n < 0 {
				return false
			}
		}
	}
	return n == 0 && strings.Count(s, `"`)%2 == 0
}

// glue reports whether a form has no word of its own but what joins words.
func glue(id string) bool {
	for _, w := range words(verb.ReplaceAllString(id, " ")) {
		if !slices.Contains(joining, strings.ToLower(w)) {
			return false
		}
	}
	return true
}

var joining = strings.Fields("of and in on by to for from at is are as or with through through s a the") //nolint:gochecknoglobals // a table
