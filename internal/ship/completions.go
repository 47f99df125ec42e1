package main

import (
	"os"
	"path/filepath"

	"pgtui/cmd"
	"pgtui/lang"
)

// writeCompletions writes what bash, zsh and fish load.
func writeCompletions(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := cmd.NewManual(lang.English).Root
	if err := root.GenBashCompletionFileV2(filepath.Join(dir, "pgtui.bash"), true); err != nil {
		return err
	}
	if err := root.GenZshCompletionFile(filepath.Join(dir, "_pgtui")); err != nil {
		return err
	}
	return root.GenFishCompletionFile(filepath.Join(dir, "pgtui.fish"), true)
}
