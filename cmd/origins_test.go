package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/sandbox"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// originsApp is a run over an inventory, and what it prints.
func originsApp(inventory string) (*app, *bytes.Buffer) {
	out := new(bytes.Buffer)
	a := newApp(IO{Out: out, Err: new(bytes.Buffer), Getenv: func(string) string { return "" }})
	a.Inventory, a.Core = inventory, "2.14.18"
	return a, out
}

// TestTheInventoryPageIsTheCommand: the values of the console's page, of the
// table and of the JSON are the same, for a cluster and for all.
func TestTheInventoryPageIsTheCommand(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sb.Close() }()
	for file, clusters := range map[string][]model.ClusterName{
		"../testdata/oracle/17-vars-dirs/pigsty.yml":           {"", "pg-dir"},
		"../testdata/oracle/05-standby-and-delayed/pigsty.yml": {"", "pg-test", "pg-testdelay"},
		"../testdata/oracle/02-delegated-provider/pigsty.yml":  {""},
		sb.InventoryPath(): {"", "pg-test"}, // what `pgtui demo` shows
	} {
		for _, c := range clusters {
			sameOrigins(t, file, c)
		}
	}
}

func sameOrigins(t *testing.T, file string, cluster model.ClusterName) {
	t.Helper()
	a, out := originsApp(file)
	inv, err := a.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, err := a.Origins(t.Context(), inv, cluster)
	if err != nil || len(page.Rows) == 0 || page.Hash != inv.Hash || page.Source != inv.Source {
		t.Fatalf("%s, %q: %d rows of %s, %v", file, cluster, len(page.Rows), page.Source, err)
	}
	var args []string
	if cluster != "" {
		args = []string{string(cluster)}
	}
	if err := a.origins(t.Context(), &inventoryOptions{output: "table"}, args); err != nil {
		t.Fatal(err)
	}
	table := strings.Split(strings.TrimSpace(out.String()), "\n")[2:]
	out.Reset()
	if err := a.origins(t.Context(), &inventoryOptions{output: "json"}, args); err != nil {
		t.Fatal(err)
	}
	var doc jsonv1.Origins
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(table) != len(page.Rows) || len(doc.Values) != len(page.Rows) {
		t.Fatalf("%s, %q: %d rows in the page, %d in the table, %d in JSON", file, cluster, len(page.Rows), len(table), len(doc.Values))
	}
	blanks := regexp.MustCompile(` {2,}`)
	for i := range page.Rows {
		o := &page.Rows[i]
		want := strings.Join([]string{show.Dash(o.Cluster), o.Where(), o.Variable, text.Line(o.Value, 60), text.Line(o.From(), 120)}, "|")
		if got := blanks.ReplaceAllString(table[i], "|"); got != want {
			t.Errorf("the table says %s, the page %s", got, want)
		}
		j := doc.Values[i]
		from := (&source.Definition{At: source.Pos{File: j.File, Line: j.Line}}).From()
		if j.Cluster != o.Cluster || j.Variable != o.Variable || j.Value != o.Value || from != o.From() || j.By != o.By ||
			len(j.Hosts) != len(o.Hosts) || j.All != o.All() || j.Differs != o.Differs || len(j.Hid) != len(o.Hid) || j.Text != strings.Join(o.Text, "\n") {
			t.Errorf("JSON says %+v, the page %+v", j, *o)
		}
	}
}

// TestTheInventoryPageReadsAfresh: what the file says now, under a hash that
// tells it from the one that is shown; a cluster that there is not and a
// question that was called off say so.
func TestTheInventoryPageReadsAfresh(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pigsty.yml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := "all:\n  children:\n    a:\n      vars: {pg_cluster: pg-a, pg_port: 5432, pg_port: 5433}\n      hosts: {10.0.0.1: {pg_seq: 1, pg_role: primary}}\n"
	write(text)
	a, _ := originsApp(file)
	inv, err := a.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The cluster's name is not the group's: its members are found all the same.
	found, err := a.Origins(t.Context(), inv, "pg-a")
	if err != nil || found.Hash != inv.Hash || len(found.Problems) != 1 || found.Problems[0].At.Line != 4 {
		t.Fatalf("%+v, %v", found, err)
	}
	write(strings.Replace(text, "5433", "5434", 1))
	found, err = a.Origins(t.Context(), inv, "pg-a")
	if err != nil || found.Hash == inv.Hash {
		t.Fatalf("the file has changed: %v", err)
	}
	said := ""
	for _, o := range found.Rows {
		if o.Variable == "pg_port" {
			said = o.Value
		}
	}
	if said != "5434" {
		t.Errorf("pg_port is %q", said)
	}
	if _, err := a.Origins(t.Context(), inv, "pg-none"); source.TryOf(err) == "" {
		t.Errorf("a cluster that there is not: %v", err)
	}
	off, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Origins(off, inv, "pg-a"); !errors.Is(err, context.Canceled) {
		t.Errorf("a question that was called off: %v", err)
	}
	write("all: [")
	if _, err := a.Origins(t.Context(), inv, "pg-a"); err == nil || !strings.Contains(err.Error(), "pigsty.yml") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}
