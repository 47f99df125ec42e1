// Command reference writes what the documentation has from the code: the JSON schemas of
// docs/schema and the pages of docs/reference. A test holds them to what it would write.
//
//	go run ./internal/reference     from the root of the repository; or: make reference
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// folders hold nothing but what this command writes.
func folders() []string { return []string{"docs/schema", "docs/reference"} }

// run writes every file, and removes those that are no longer written.
func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for _, dir := range folders() {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
		old, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			return err
		}
		for _, f := range old {
			if name := dir + "/" + f.Name(); files[name] == "" {
				if err := os.Remove(filepath.Join(root, name)); err != nil {
					return err
				}
			}
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate is the text of every file, by its path below root.
func generate(root string) (map[string]string, error) {
	files := map[string]string{}
	spoken, err := readComments(root)
	if err != nil {
		return nil, err
	}
	for _, d := range documents() {
		text, err := schema(&d, spoken)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, err)
		}
		files["docs/schema/"+d.Name+".json"] = text
	}
	files["docs/schema/README.md"] = index()
	files["docs/reference/commands.md"] = commands()
	files["docs/reference/config.md"] = configuration()
	files["docs/reference/risks.md"] = risks()
	files["docs/reference/exit-codes.md"] = exits()
	files["docs/reference/findings.md"], err = findings(root)
	return files, err
}

// head is how a generated page begins.
func head(title string) string {
	return "<!-- Generated from the code by `make reference`. Do not edit. -->\n\n# " + title + "\n\n"
}
