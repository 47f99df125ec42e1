package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pgtui/cmd"
)

// driver runs the installed ansible-inventory, as its own script does, for
// each command line of a batch: forked after the imports, which take longest.
const driver = `
import json, os, sys, tempfile
from ansible.cli.inventory import main
for line in sys.stdin:
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0), os.dup2(out.fileno(), 1), os.dup2(err.fileno(), 2)
        sys.argv = ["ansible-inventory"] + json.loads(line)
        code = 250
        try:
            main(sys.argv)
        except SystemExit as e:
            code = e.code
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code or 0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    text = []
    for f in (out, err):
        f.seek(0)
        text.append(f.read().decode("utf-8", "replace"))
    print(json.dumps({"code": code, "out": text[0], "err": text[1]}), flush=True)
`

// answer is what one run of ansible-inventory gave.
type answer struct {
	Code     int
	Out, Err string
}

// ansible answers all command lines with Debian's ansible-inventory.
func ansible(t *testing.T, lines [][]string) []answer {
	t.Helper()
	script, err := exec.LookPath("ansible-inventory")
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatal("missing: ansible-inventory (Debian package ansible-core)")
	default:
		t.Skip("missing: ansible-inventory (Debian package ansible-core)")
	}
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	python, _, _ := strings.Cut(strings.TrimPrefix(string(text), "#!"), "\n")
	c := exec.CommandContext(t.Context(), strings.TrimSpace(python), "-c", driver)
	c.Dir = t.TempDir()
	conf := filepath.Join(c.Dir, "empty.cfg")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Env = append(os.Environ(), "HOME="+c.Dir, "ANSIBLE_CONFIG="+conf, "ANSIBLE_NOCOLOR=1", "LC_ALL=C.UTF-8",
		"ANSIBLE_VAULT_PASSWORD_FILE="+filepath.Join(oracle(t), "vault.pass"))
	var in, stderr bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	c.Stdin, c.Stderr = &in, &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, stderr.String())
	}
	var answers []answer
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var a answer
		if err := dec.Decode(&a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(lines) {
		t.Fatalf("%d answers to %d questions: %s", len(answers), len(lines), stderr.String())
	}
	return answers
}

// ours runs `pgtui inventory` on the same source.
func ours(t *testing.T, source string, args ...string) (out string, ok bool) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"inventory", "-i", source, "--vault-password-file", filepath.Join(oracle(t), "vault.pass")}, args...)
	code := cmd.Run(context.Background(), args, cmd.IO{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Getenv: func(string) string { return "" }})
	if code != 0 {
		t.Logf("pgtui %s: exit %d: %s", strings.Join(args, " "), code, stderr.String())
	}
	return stdout.String(), code == 0
}

func oracle(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../testdata/oracle")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// cases are the oracle's inventories and our own sources.
func cases(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	dirs, err := filepath.Glob(filepath.Join(oracle(t), "*", "pigsty.yml"))
	if err != nil || len(dirs) < 28 {
		t.Fatalf("%d oracle cases, %v", len(dirs), err)
	}
	for _, d := range dirs {
		out[filepath.Base(filepath.Dir(d))] = d
	}
	own, err := filepath.Abs("testdata/inventory")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(own)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out["own-"+e.Name()] = filepath.Join(own, e.Name())
	}
	return out
}

// speechless reports whether ansible-inventory itself ended in a traceback:
// JSON has no sets and no bytes, Python no order of words and numbers.
func speechless(a answer) bool {
	return a.Code != 0 && (strings.Contains(a.Err, "is not JSON serializable") || strings.Contains(a.Err, "not supported between instances"))
}

// TestAnsibleInventory holds `pgtui inventory` against the real one.
func TestAnsibleInventory(t *testing.T) {
	var names []string
	var lines [][]string
	least := 140
	for name, source := range cases(t) {
		questions := [][]string{{"--list"}, {"--list", "--export"}, {"--graph"}, {"--graph", "--vars"}, {"--host", lastHost(t, source)}}
		if testing.Short() { // Python needs a moment for each
			i := len(name) % len(questions)
			questions, least = questions[i:i+1], 25
		}
		for _, args := range questions {
			if args[len(args)-1] == "--vars" && (written(t, source, "!vault") || written(t, source, "!!set")) {
				continue // vaulted values come in the clear, sets in any order
			}
			names = append(names, name)
			lines = append(lines, append([]string{"-i", source}, args...))
		}
	}
	for _, own := range []string{"hosts", "dir"} { // with vars files beside the playbooks
		for _, args := range [][]string{{"--list"}, {"--list", "--export"}, {"--graph", "--vars"}} {
			names = append(names, "own-"+own)
			lines = append(lines, append([]string{"-i", absolute(t, "testdata/inventory/"+own)}, append(args, "--playbook-dir", absolute(t, "testdata/playbooks"))...))
		}
	}
	answered := 0
	for i, want := range ansible(t, lines) {
		got, ok := ours(t, lines[i][1], lines[i][2:]...)
		switch {
		case speechless(want):
			t.Logf("%s %v: ansible-inventory has no answer: %s", names[i], lines[i][2:], lastLine(want.Err))
			continue
		case want.Code != 0 || !ok:
			t.Errorf("%s %v: pgtui ok %v; ansible-inventory exits %d: %s", names[i], lines[i][2:], ok, want.Code, want.Err)
		case got != want.Out:
			t.Errorf("%s %v: %s", names[i], lines[i][2:], difference(lines[i][2], got, want.Out))
		}
		answered++
	}
	if answered < least {
		t.Errorf("only %d answers compared", answered)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// written reports whether the text stands in the source.
func written(t *testing.T, source, text string) bool {
	t.Helper()
	data, err := os.ReadFile(source)
	return err == nil && bytes.Contains(data, []byte(text))
}

func lastLine(s string) string {
	l := strings.Split(strings.TrimSpace(s), "\n")
	return l[len(l)-1]
}

// lastHost is one host of the source.
func lastHost(t *testing.T, source string) string {
	t.Helper()
	graph, _ := ours(t, source, "--graph")
	m := regexp.MustCompile(`(?m)--([^@{].*)$`).FindAllStringSubmatch(graph, -1)
	if len(m) == 0 {
		t.Fatalf("no host in %s", graph)
	}
	return m[len(m)-1][1]
}

// difference says whether two outputs mean the same, and where they part.
func difference(kind, got, want string) string {
	means := "they mean different things"
	var g, w any
	if kind == "--list" && json.Unmarshal([]byte(got), &g) == nil && json.Unmarshal([]byte(want), &w) == nil && reflect.DeepEqual(g, w) {
		means = "they mean the same"
	}
	gl, wl := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gl), len(wl)) {
		if gl[i] != wl[i] {
			return means + ", from line " + gl[i] + "\n  ansible-inventory: " + wl[i]
		}
	}
	return means + ", one is longer"
}

// TestPatterns compares host patterns.
func TestPatterns(t *testing.T) {
	source, err := filepath.Abs("testdata/inventory/hosts")
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for _, p := range []string{
		"db1", "db[0]", "db[-1]", "db*,!db1,!db2", "web:&east", "~db[13]", "all,!db,!web,!jump", "web[1:1]", "d?2", "east[0:0]", "all[2]",
		"*.example.com", "web:!web[0]:!web[1]", "nobody", "db[7]", "db[1]:&db[1:2]", "[!d]b1,db3", "db", "alone", "ungrouped,!jump", "!db:!web:!alone", "&west",
		"web[0-0]", "~(?:db1|jump):!jump", "east:west:!web[1:]", "all[-1]", "d[ab]1", "db1,db1",
	} {
		lines = append(lines, []string{"-i", source, "--host", p})
	}
	for i, want := range ansible(t, lines) {
		got, ok := ours(t, source, lines[i][2:]...)
		if ok != (want.Code == 0) || ok && got != want.Out {
			t.Errorf("%s: pgtui %v %q\nansible-inventory %d %q", lines[i][3], ok, got, want.Code, want.Out)
		}
	}
}
