package main

import (
	"cmp"
	"context"
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// sizes prints the code and data of each module in the program, the largest first. What
// the linker shares between packages counts as Go's own.
func sizes(ctx context.Context, w io.Writer) error {
	mods, err := modules(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "pgtui-sizes-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin := filepath.Join(dir, "pgtui")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, program)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	f, err := elf.Open(bin)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	symbols, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("symbols: %w", err)
	}
	symbols = slices.DeleteFunc(symbols, func(s elf.Symbol) bool { // what takes no room in the file
		return int(s.Section) >= len(f.Sections) || f.Sections[s.Section].Type == elf.SHT_NOBITS
	})
	for _, s := range weigh(symbols, mods) {
		if _, err := fmt.Fprintf(w, "%6d KB  %s\n", (s.bytes+500)/1000, s.path); err != nil {
			return err
		}
	}
	return nil
}

type size struct {
	path  string
	bytes int
}

// weigh adds up the symbols of each module.
func weigh(symbols []elf.Symbol, mods []*module) []size {
	sum := map[string]int{}
	for _, s := range symbols {
		name, best := strings.ReplaceAll(s.Name, "%2e", "."), ""
		for _, m := range mods {
			if len(m.Path) > len(best) && m.Path != std && owns(m.Path, name) {
				best = m.Path
			}
		}
		sum[cmp.Or(best, std)] += int(s.Size)
	}
	var out []size
	for _, p := range slices.Sorted(maps.Keys(sum)) {
		out = append(out, size{p, sum[p]})
	}
	slices.SortStableFunc(out, func(a, b size) int { return cmp.Compare(b.bytes, a.bytes) })
	return out
}

// owns reports whether a symbol is of a package below path: "type:.eq.path/sub.Name" is.
func owns(path, name string) bool {
	_, rest, ok := strings.Cut(name, path)
	return ok && (strings.HasPrefix(rest, "/") || strings.HasPrefix(rest, "."))
}
