package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"pgtui/cmd"
)

// printedDir names the folder in which the programs of TestScripts leave the documents that
// they print: a file a process, its name the schema's with the process id.
const printedDir = "PGTUI_TEST_DOCUMENTS"

// recorded is the program; what it prints as JSON is also left in printedDir.
func recorded() int {
	name := schemaOf(os.Args[1:])
	dir := os.Getenv(printedDir)
	if name == "" || dir == "" {
		return cmd.Main()
	}
	file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s.%d", name, os.Getpid())))
	if err != nil {
		panic(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	done, out := make(chan error, 1), os.Stdout
	go func() {
		_, err := io.Copy(io.MultiWriter(out, file), r)
		done <- err
	}()
	os.Stdout = w
	code := cmd.Main()
	w.Close()
	if err := errors.Join(<-done, file.Close()); err != nil {
		panic(err)
	}
	return code
}

// schemaOf is the schema of what a command line prints; "" when it is not JSON.
func schemaOf(args []string) string {
	line := " " + strings.Join(args, " ") + " "
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, " "+w+" ") })
	}
	if has("-o ndjson") {
		return "event"
	}
	if !has("-o json", "--output json", "-o=json", "--output=json") {
		return ""
	}
	if has("doctor") && has("--setup") {
		return "setup"
	}
	if has("patroni history") {
		return "patroni-history"
	}
	named := []string{"access", "candidates", "components", "diff", "doctor", "ghosts", "history", "inventory", "lint", "logs", "pgbouncer", "postgres", "report", "roles", "routes", "status", "timeline", "trace", "version", "whatif"}
	if i := slices.IndexFunc(args, func(a string) bool { return slices.Contains(named, a) }); i >= 0 {
		return args[i]
	}
	switch {
	case has("reload", "undo", "states") && !has("patroni reload"):
		return "plan"
	case has("switchover", "failover", "restart", "reinit", "pause", "resume", "drain", "undrain", "maint", "ready", "weight", "enable", "maintenance", "cancel", "terminate", "patroni config", "patroni reload", "patroni flush"):
		return "action"
	}
	return ""
}

// schemas is the folder of the schemas.
var schemas = func() string {
	dir, err := filepath.Abs("../docs/schema")
	if err != nil {
		panic(err)
	}
	return dir
}()

// validate holds every document in dir to its schema; with all it wants one of each.
func validate(t *testing.T, dir string, all bool) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	seen := map[string]int{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, _, _ := strings.Cut(f.Name(), ".")
		in, err := os.Open(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for dec := json.NewDecoder(in); ; {
			var doc any
			dec.UseNumber()
			if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", f.Name(), err)
				break
			}
			of := name
			if _, many := doc.(map[string]any)["clusters"]; many && slices.Contains([]string{"access", "candidates", "diff", "ghosts", "patroni-history", "roles"}, name) {
				of = "several"
			}
			s, err := c.Compile(filepath.Join(schemas, of+".json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(doc); err != nil {
				text, _ := json.Marshal(doc)
				t.Errorf("%s: %v\n%.2000s", f.Name(), err, text)
			}
			seen[of]++
		}
		in.Close()
	}
	paths, err := filepath.Glob(filepath.Join(schemas, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if name := strings.TrimSuffix(filepath.Base(path), ".json"); all && seen[name] == 0 && name != "failed" { // that one is in several
			t.Errorf("no script prints a document of %s.json", name)
		}
	}
	t.Logf("documents: %v", slices.Sorted(maps.Keys(seen)))
}

// TestSchemasCanFail keeps validate honest: a field that is missing, one too many, a null.
func TestSchemasCanFail(t *testing.T) {
	s, err := jsonschema.NewCompiler().Compile(filepath.Join(schemas, "event.json"))
	if err != nil {
		t.Fatal(err)
	}
	good := `{"version":1,"at":"2026-11-30T09:00:00Z","cluster":"pg-test","kind":"route","subject":"primary 5433","before":"pg-test-1","after":"","severity":"warning"}`
	for doc, ok := range map[string]bool{
		good: true,
		strings.Replace(good, `"kind":"route",`, "", 1):              false,
		strings.Replace(good, `"kind":`, `"more":1,"kind":`, 1):      false,
		strings.Replace(good, `"kind":"route"`, `"kind":null`, 1):    false,
		strings.Replace(good, `"version":1`, `"version":2`, 1):       false,
		strings.Replace(good, `"kind":"route"`, `"kind":["one"]`, 1): false,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != ok {
			t.Errorf("%s: %v", doc, err)
		}
	}
}
