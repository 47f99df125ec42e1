package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mostMemory is what a run may take at its peak, in bytes.
const mostMemory = 600 << 20

// hosts is a small cluster with these variables for all, which stand from line
// 2 on, and whatever else.
func withVars(vars, rest string) string {
	return "all:\n  vars:\n    " + strings.ReplaceAll(strings.TrimSpace(vars), "\n", "\n    ") + "\n" +
		"  children:\n    pg-a:\n      vars: { pg_cluster: pg-a }\n      hosts:\n" +
		"        127.0.0.1: { pg_seq: 1, pg_role: primary }\n        127.0.0.2: { pg_seq: 2, pg_role: replica }\n" + rest
}

// service is such a cluster with one service.
func withService(fields, vars string) string {
	return withVars("pg_services: [ { name: own, port: 5440, "+fields+" } ]\n"+vars, "")
}

// doubled are n variables, each twice the one before.
func doubled(n int, first, twice string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "d0: %s\n", first)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "d%d: "+twice+"\n", i, i-1, i-1)
	}
	return b.String()
}

// aliased are levels of aliases, each nine times the one before.
func aliased(levels int, of string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "a0: &a0 %s\n", of)
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	return b.String()
}

func expr(s string) string { return withVars("x: \"{{ "+s+" }}\"", "") }

// attacks are inventories that ask for far more than there is, by what of it.
func attacks() map[string]string {
	const set = "{% set s = 'aaaaaaaa' * 100000 %}"
	nested := "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
	big := strings.Repeat("x", 1<<20)
	out := map[string]string{
		"replace":                   withVars(`x: "`+set+`{{ s | replace('a', s) }}"`, ""),
		"replace, the method":       withVars(`x: "`+set+`{{ s.replace('a', s) }}"`, ""),
		"replace of nothing":        withVars(`x: "`+set+`{{ s | replace('', s) }}"`, ""),
		"repeat":                    expr("'ab' * 2000000000"),
		"repeat a list":             expr("[1, 2] * 2000000000"),
		"repeat, number first":      expr("9223372036854775807 * 'ab'"),
		"product":                   expr("range(9999) | product(range(9999), range(9999)) | list"),
		"product of many":           expr("[1,2] | product([1,2]" + strings.Repeat(",[1,2]", 40) + ") | list | length"),
		"empty nested loops":        withVars(`x: "`+nested+`"`, ""),
		"loops with a condition":    withVars(`x: "{% for a in range(99999) if false %}{% endfor %}{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}"`, ""),
		"variables that double":     withVars(doubled(50, "0123456789abcdef", `"{{ d%d }}{{ d%d }}"`), ""),
		"lists that double":         withVars(doubled(50, "[1, 2, 3]", `"{{ d%d + d%d }}"`), ""),
		"variables, concatenated":   withVars(doubled(50, "0123456789abcdef", `"{{ d%d ~ d%d }}"`), ""),
		"variables, joined":         withVars(doubled(50, "0123456789abcdef", `"{{ [d%d, d%d] | join('-') }}"`), ""),
		"a local that doubles":      withVars(`x: "{% set ns = 'ab' %}`+strings.Repeat("{% set ns = ns + ns %}", 60)+`{{ ns | length }}"`, ""),
		"a list that doubles":       withVars(`x: "{% set ns = [1, 2] %}`+strings.Repeat("{% set ns = ns + ns %}", 60)+`{{ ns | length }}"`, ""),
		"a list of itself":          withVars(`x: "{% set ns = [1, 2] %}`+strings.Repeat("{% set ns = [ns, ns] %}", 60)+`{{ ns }}"`, ""),
		"a set block":               withVars(`x: "{% set s = 'abcdefgh' %}`+strings.Repeat("{% set s %}{{ s }}{{ s }}{% endset %}", 50)+`"`, ""),
		"center":                    expr("'a' | center(2000000000)"),
		"indent":                    withVars(`x: "{{ ('a\n' * 100000) | indent(1000000000) }}"`, ""),
		"indent by a text":          withVars(`x: "`+set+`{{ ('a\\n' * 100000 + 'b') | replace('\\n', '`+"\n\n"+`    ') | indent(s) }}"`, ""),
		"zfill":                     expr("'1'.zfill(4000000000)"),
		"a format":                  expr("'%1000000000d' % 1"),
		"a format's precision":      expr("'%.1000000000f' % 1.0"),
		"the filter format":         expr("'%999999d%999999d%999999d%999999d' | format(1, 2, 3, 4) * 1000"),
		"braces":                    withVars(`x: "`+set+`{{ ('{0}' * 10000).format(s) }}"`, ""),
		"power":                     expr("9 ** (9 ** 9)"),
		"power by power":            expr("(2 ** 60000) ** 60000"),
		"factors":                   withVars(`x: "{% set n = 7 %}`+strings.Repeat("{% set n = n * n %}", 60)+`{{ n }}"`, ""),
		"join":                      withVars(`x: "`+set+`{{ range(99999) | join(s) }}"`, ""),
		"join, the method":          withVars(`x: "`+set+`{{ s.join(['a'] * 99999) }}"`, ""),
		"regex_replace":             withVars(`x: "`+set+`{{ s | regex_replace('a', s) }}"`, ""),
		"regex_replace, groups":     withVars(`x: "`+set+`{{ s | regex_replace('(a*)', '`+strings.Repeat(`\\1`, 1000)+`') }}"`, ""),
		"a regular expression":      withVars(`x: "{{ 'a' | regex_search('(`+strings.Repeat("abcdefghijklmnop", 4000)+`){1000}') }}"`, ""),
		"classes of Unicode":        withVars(`x: "{{ 'a' | regex_search('`+strings.Repeat(`\\pL`, 200000)+`') }}"`, ""),
		"regex_findall":             withVars(`x: "`+set+`{{ s | regex_findall('') | length }}{{ s | regex_findall('a*?b|a') | length }}"`, ""),
		"a match":                   withVars(`x: "`+set+`{{ s is match('(a|aa|aaa|aaaa){500}b') }}{{ s is search('(.*a){400}b') }}"`, ""),
		"quote":                     withVars(`x: "{% set s = \"'\" * 40000000 %}{{ s | quote | quote }}"`, ""),
		"map":                       withVars(`x: "`+set+`{{ range(99999) | map('replace', '', s) | list | length }}{{ ([s] * 99999) | map('upper') | list | length }}"`, ""),
		"to_json":                   withVars(`x: "`+set+`{{ ([s] * 9999) | to_json | length }}"`, ""),
		"the text of a list":        withVars(`x: "`+set+`{{ ([s] * 9999) | string | length }}"`, ""),
		"batch":                     expr("[1] | batch(2000000000, 0) | list | length"),
		"slice":                     expr("[1] | slice(2000000000) | list | length"),
		"flatten":                   withVars(`x: "{% set ns = [1, 2] %}`+strings.Repeat("{% set ns = [ns, ns] %}", 49)+`{{ ns | flatten | length }}"`, ""),
		"unique":                    expr("range(99999) | unique | list | length"),
		"union":                     expr("range(99999) | union(range(99999)) | length"),
		"sum":                       expr("([range(9999) | list] * 9999) | sum(start=[]) | length"),
		"letters":                   withVars(`x: "`+set+`{% for a in range(99999) %}{{ s[a] }}{% endfor %}"`, ""),
		"lists of letters":          withVars(`x: "`+set+`{% for a in range(99999) %}{% set l = s | list %}{% endfor %}"`, ""),
		"splits":                    withVars(`x: "`+set+`{% for a in range(99999) %}{% set l = s.split('a') %}{% endfor %}"`, ""),
		"a deep expression":         withVars(`x: "{{ 1`+strings.Repeat("+1", 600_000)+` }}"`, ""),
		"brackets":                  withVars(`x: "{{ '[' ~ ('(' * 90) ~ ('1,)' ) ~ (',)' * 89) ~ ']' }}"`+"\n"+doubled(40, "xy", `"{{ d%d }}{{ d%d }}"`), ""),
		"json_query":                withVars(`x: "{{ range(9999) | list | json_query('[*].[`+strings.TrimSuffix(strings.Repeat("@,", 900), ",")+`]') }}"`, ""),
		"a product in a query":      withVars(`x: "{% set l = range(3000) | list %}{{ ([l] * 3000) | json_query('[].[@,@,@,@][]') }}"`, ""),
		"hostvars of all":           withVars(`x: "{% for a in range(99999) %}{% for h in groups.all %}{{ hostvars[h].pg_role }}{% endfor %}{% endfor %}"`, ""),
		"templates in templates":    withVars(`x: "{{ ('{{ y }}' * 1000000) }}"`+"\n"+`y: "{{ 'abcdefghij' * 1000000 }}"`+"\nz: \"{{ x }}{{ y }}{{ y }}{{ x }}\"", ""),
		"aliases":                   withVars(aliased(30, "[x, x, x, x, x, x, x, x, x]"), ""),
		"aliases of a text":         withVars(aliased(7, "'"+strings.Repeat("lol ", 200)+"'")+"y: \"{{ a7 }}\"", ""),
		"aliases as services":       withVars(aliased(9, "{ name: a, port: 1, selector: '[]' }")+"pg_services: *a9", ""),
		"merge keys":                "m0: &m0 { a: 1, b: 2 }\n" + merges(40),
		"a range of hosts":          "all: { hosts: { 'h[1:65536]': {}, 'k[1:65536]': {}, 'l[1:65536]': {} }, vars: { pg_cluster: a } }",
		"a range that overflows":    "all: { hosts: { 'h[-9223372036854775807:9223372036854775807]': {} } }\nbig: { hosts: { 'h[1:60000]': {} } }",
		"a range of long names":     "all:\n  hosts:\n    ? 'h[1:60000]" + strings.Repeat("x", 1<<18) + "'\n    : {}\n",
		"variables of many hosts":   manyVars(),
		"one large cluster":         "all:\n  children:\n    pg-a: { vars: { pg_cluster: pg-a, pg_seq: 1, pg_role: replica }, hosts: { 'h[1:4000]': {} } }\n  vars: { version: v3.7.0 }\n",
		"a dense file":              "x: [" + strings.Repeat("[],", 3<<20) + "]",
		"a dense mapping":           "x: {" + numbered(700_000) + "}",
		"a number of many digits":   withVars("x: "+strings.Repeat("9", 3_000_000)+"\ny: \"{{ 'a' * 999999999 }}\"", ""),
		"many groups":               manyGroups(60_000),
		"a long value in a message": withVars("pg_role: '"+big+"'", "") + "    pg-b: { vars: { pg_cluster: pg-b, pg_seq: 1 }, hosts: { 'h[1:3000]': {} } }\n",
		"control characters":        withVars(`x: "{{ ['\u0001' * 9999999, '\u0001' * 9999999] | string | length }}"`, ""),
		"one long line of JSON":     `{"_meta": {"hostvars": {"h": {"a": [` + strings.Repeat("{},", 4<<20) + `{}]}}}, "g": {"hosts": ["h"]}}`,
		"selector, repeated":        withService(`selector: "[].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][].[@,@,@,@,@,@,@,@][]"`, ""),
		"selector, a step":          withService(`selector: "[1::9223372036854775807]"`, `y: "{{ 'a' * 999999999 }}"`),
		"selector, joins":           withService(`selector: "[? join('`+strings.Repeat("x", 15000)+`', [`+strings.TrimSuffix(strings.Repeat("'a',", 200), ",")+`]) == 'a']"`, doubled(40, "xy", `"{{ d%d }}{{ d%d }}"`)),
	}
	return out
}

func merges(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "m%d: &m%d { <<: [*m%d, *m%d, *m%d] }\n", i, i, i-1, i-1, i-1)
	}
	return b.String()
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1, ", i)
	}
	return b.String()
}

func manyVars() string {
	var b strings.Builder
	b.WriteString("all:\n  vars:\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "    variable_%d: %d\n", i, i)
	}
	b.WriteString("  hosts: { 'h[1:20000]': {} }\n")
	return b.String()
}

func manyGroups(n int) string {
	var b strings.Builder
	b.WriteString("all:\n  children:\n")
	for i := range n {
		fmt.Fprintf(&b, "    g%d: { hosts: { h: }, children: { g%d: } }\n", i, i+1)
	}
	return b.String()
}

// run is one run of the program: what it printed, its code, and its memory at
// its peak in bytes.
type run struct {
	out    string
	code   int
	memory int64
	cpu    time.Duration
}

// limited runs the program. What does not end is ended after a minute, which no
// machine needs: the budget counts steps, not time.
func limited(t *testing.T, bin string, args ...string) run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, bin, args...)
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "PGTUI_INVENTORY=", "PIGSTY_HOME=")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	ru, _ := c.ProcessState.SysUsage().(*syscall.Rusage)
	return run{out.String(), c.ProcessState.ExitCode(), ru.Maxrss << 10, c.ProcessState.UserTime() + c.ProcessState.SystemTime()}
}

// otherwise is what is said of those that are refused before they cost anything.
func otherwise() map[string]string {
	return map[string]string{
		"a range that overflows":  "a host range of more than 65536 hosts",
		"a number of many digits": "a number of more than 4300 digits",
		"a deep expression":       "nested too deep",
		"a regular expression":    "the regular expression",
	}
}

// slow are those that come near the budget only after a second or so of work,
// each beside one of its kind that does not; PGTUI_ATTACKS=all runs them, too.
func slow() []string {
	return []string{
		"the text of a list", "lists that double", "aliases of a text", "quote", "many groups", "to_json", "flatten", "lists of letters",
		"variables, joined", "variables, concatenated", "a set block", "loops with a condition", "map", "a list that doubles", "a list of itself",
		"product of many", "letters", "sum", "brackets", "control characters", "selector, joins", "union",
	}
}

// place is where an error stands.
var place = regexp.MustCompile(`(?m)^.*pigsty\.yml:[0-9]+(:[0-9]+)?: `)

// TestInventoryThatAsksForTooMuch runs the program on inventories that would
// take all memory or go on for ever: it ends, says where, and stays small.
func TestInventoryThatAsksForTooMuch(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "pgtui")
	if out, err := exec.Command("go", "build", "-o", bin, "./pgtui").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for name, text := range attacks() {
		if os.Getenv("PGTUI_ATTACKS") != "all" && slices.Contains(slow(), name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pigsty.yml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			r := limited(t, bin, "-i", file, "lint")
			t.Logf("%.2f s of processor, %d MB, exit %d: %.300s", r.cpu.Seconds(), r.memory>>20, r.code, r.out)
			if r.memory > mostMemory {
				t.Errorf("it took %d MB", r.memory>>20)
			}
			want := "the inventory exceeds its budget"
			if other := otherwise()[name]; other != "" {
				want = other
			}
			if r.code != 3 && r.code != 2 || !strings.Contains(r.out, want) || !place.MatchString(r.out) {
				t.Errorf("exit %d: %.600s", r.code, r.out)
			}
		})
	}
}

// TestConsoleWithAnInventoryThatAsksForTooMuch: the console says so, on its
// screen, and leaves the terminal as it was; one that has a good inventory goes
// on with it when the file becomes such.
func TestConsoleWithAnInventoryThatAsksForTooMuch(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "pgtui")
	if out, err := exec.Command("go", "build", "-o", bin, "./pgtui").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for _, name := range []string{"replace", "variables that double", "aliases"} {
		file := filepath.Join(t.TempDir(), "pigsty.yml")
		text := attacks()[name]
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(name+", with status", func(t *testing.T) {
			if r := limited(t, bin, "-i", file, "status"); r.code == 0 || r.memory > mostMemory || !strings.Contains(r.out, "exceeds its budget") || !place.MatchString(r.out) {
				t.Errorf("exit %d, %d MB: %.400s", r.code, r.memory>>20, r.out)
			}
		})
		t.Run(name+", at the start", func(t *testing.T) {
			c := open(t, true, nil, bin, "-i", file)
			c.await(t, "exceeds its budget")
			c.keys("q")
			within(t, "the program ends", func() bool { return exists(filepath.Join(c.dir, "code")) })
			c.alone(t)
			c.restored(t)
		})
	}
	t.Run("later", func(t *testing.T) {
		inv := served(t, bin)
		c := open(t, true, nil, bin, "-i", inv, "pg-test")
		c.await(t, "pg-test-1")
		good, err := os.ReadFile(inv)
		if err != nil {
			t.Fatal(err)
		}
		bad := append(bytes.TrimSuffix(good, []byte("\n")), "\n    x: \"{{ 'a' | center(2000000000) }}\"\n"+strings.ReplaceAll("    "+doubled(50, "0123456789abcdef", `"{{ d%d }}{{ d%d }}"`), "\nd", "\n    d")...)
		if err := os.WriteFile(inv, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		pid := c.program()
		c.keys("d")
		c.await(t, "exceeds its budget")
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		peak := regexp.MustCompile(`VmHWM:\s+([0-9]+) kB`).FindSubmatch(status)
		if peak == nil {
			t.Fatal("no peak of memory")
		}
		if kb, _ := strconv.Atoi(string(peak[1])); kb > mostMemory>>10 {
			t.Errorf("%d MB", kb>>10)
		}
		if err := os.WriteFile(inv, good, 0o600); err != nil {
			t.Fatal(err)
		}
		c.keys("R")
		c.await(t, "HAProxy files are up to date")
		c.keys("q")
		c.keys("q")
		c.left(t, 0)
		c.restored(t)
	})
}
