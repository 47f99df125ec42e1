package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"pgtui/cmd"
	"pgtui/lang"
)

const root = "../.."

// TestCurrent: docs/schema and docs/reference are what the code makes, no more and no less.
func TestCurrent(t *testing.T) {
	want, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || string(got) != text {
			t.Errorf("%s is not current: make reference", name)
		}
	}
	for _, dir := range folders() {
		files, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if want[dir+"/"+f.Name()] == "" {
				t.Errorf("%s/%s is not made by anything: make reference", dir, f.Name())
			}
		}
	}
	if len(want) < 30 {
		t.Errorf("only %d files", len(want))
	}
}

// TestExitsNameCommands: every row of the exit codes names commands and flags that there are.
func TestExitsNameCommands(t *testing.T) {
	list := available(cmd.NewManual(lang.English).Root)
	var seen []string
	for _, r := range cmd.Exits() {
		for _, name := range r.Commands {
			if slices.Contains(seen, name) {
				t.Errorf("%s has two rows", name)
			}
			seen = append(seen, name)
			if name == "others" {
				continue
			}
			path, flag, _ := strings.Cut(name, " --")
			if !slices.ContainsFunc(list, func(c *cobra.Command) bool {
				return c.CommandPath() == "pgtui "+path && (flag == "" || c.Flags().Lookup(flag) != nil)
			}) {
				t.Errorf("%q is no command", name)
			}
		}
	}
	if !slices.Contains(seen, "others") {
		t.Error("no row is for all other commands")
	}
}
