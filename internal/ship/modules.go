package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// program is the package that is shipped.
const program = "./cmd/pgtui"

// module is a module that has packages in the program; Go's own library is "std".
type module struct {
	Path, Version, Dir, Sum string
	Main                    bool
	Needs                   []string // modules that its packages import, sorted
	Licences                []licence
}

// licence is a file with a licence, or with what one requires to be shipped.
type licence struct {
	File  string
	Kinds []string // SPDX identifiers; none for a file that is no licence
	Text  string
}

// std is the module that Go's own packages count as.
const std = "std"

// modules are the modules of the program on each architecture that is shipped, Go's own
// library included, by path.
func modules(ctx context.Context) ([]*module, error) {
	found := map[string]*module{}
	for _, arch := range []string{"amd64", "arm64"} {
		if err := listed(ctx, arch, found); err != nil {
			return nil, err
		}
	}
	for _, m := range found {
		if err := m.read(ctx); err != nil {
			return nil, err
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *module) int { return strings.Compare(a.Path, b.Path) }), nil
}

// listed adds the modules of the program on one architecture to found.
func listed(ctx context.Context, arch string, found map[string]*module) error {
	c := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Standard,Module,Imports", program)
	c.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	c.Stderr = os.Stderr
	b, err := c.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	type pkg struct {
		ImportPath string
		Standard   bool
		Module     *module
		Imports    []string
	}
	of := map[string]string{} // module of each package
	imports := map[string][]string{}
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		m := p.Module
		if p.Standard {
			m = &module{Path: std, Version: strings.TrimPrefix(runtime.Version(), "go")}
		}
		if m == nil {
			return fmt.Errorf("package %s has no module", p.ImportPath)
		}
		if found[m.Path] == nil {
			found[m.Path] = m
		}
		of[p.ImportPath] = m.Path
		imports[m.Path] = append(imports[m.Path], p.Imports...)
	}
	for path, names := range imports {
		m := found[path]
		for _, n := range names {
			if need := of[n]; need != "" && need != path && !slices.Contains(m.Needs, need) {
				m.Needs = append(m.Needs, need)
			}
		}
		slices.Sort(m.Needs)
	}
	return nil
}

// legal are the names of files that must be shipped with a module.
var legal = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)([-._].*)?$`)

// read reads the licences of a module.
func (m *module) read(ctx context.Context) error {
	dir := m.Dir
	switch {
	case m.Path == std:
		b, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
		if err != nil {
			return fmt.Errorf("go env GOROOT: %w", err)
		}
		dir = strings.TrimSpace(string(b))
	case m.Main:
		return nil // its LICENSE is a file of its own
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Path, err)
	}
	for _, e := range entries {
		if e.IsDir() || !legal.MatchString(e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", m.Path, err)
		}
		text := strings.ReplaceAll(string(b), "\r\n", "\n")
		m.Licences = append(m.Licences, licence{e.Name(), kinds(text), strings.TrimSpace(text)})
	}
	if len(m.kinds()) == 0 {
		return fmt.Errorf("%s %s: no licence that is known, in %s", m.Path, m.Version, dir)
	}
	return nil
}

// kinds are the licences of a module, sorted.
func (m *module) kinds() (out []string) {
	for _, l := range m.Licences {
		out = append(out, l.Kinds...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sentences are what makes a text a licence of a kind; "other" is one that pgtui does not
// ship.
func sentences() []struct{ kind, has string } {
	return []struct{ kind, has string }{
		{"other", "general public license"},
		{"other", "mozilla public license"},
		{"other", "eclipse public license"},
		{"other", "server side public license"},
		{"other", "business source license"},
		{"other", "creative commons"},
		{"other", "commons clause"},
		{"Apache-2.0", "apache license, version 2.0"},
		{"Apache-2.0", "apache license version 2.0, january 2004"},
		{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
		{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
		{"BSD-2-Clause", "redistribution and use in source and binary forms, with or without modification, are permitted"},
		{"BSD-3-Clause", "may be used to endorse or promote products derived from this software"},
	}
}

// allowed are the licences that a module of the program may have.
func allowed() []string { return []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"} }

// kinds are the licences that a text is of.
func kinds(text string) (out []string) {
	flat := strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, s := range sentences() {
		if strings.Contains(flat, s.has) && !slices.Contains(out, s.kind) {
			out = append(out, s.kind)
		}
	}
	if slices.Contains(out, "BSD-3-Clause") { // its text begins as the one with two clauses
		out = slices.DeleteFunc(out, func(k string) bool { return k == "BSD-2-Clause" })
	}
	return out
}

// notice is the file NOTICE: every module, and its licences.
func notice(w io.Writer, mods []*module) error {
	var b strings.Builder
	b.WriteString("pgtui\n\nLicensed under the Apache License, Version 2.0; see LICENSE.\n\nThe program has these modules in it:\n\n")
	for _, m := range mods {
		if !m.Main {
			fmt.Fprintf(&b, "  %s %s: %s\n", m.Path, m.Version, strings.Join(m.kinds(), ", "))
		}
	}
	for _, m := range mods {
		for _, l := range m.Licences {
			fmt.Fprintf(&b, "\n%s\n%s %s, %s\n%s\n\n%s\n", rule, m.Path, m.Version, l.File, rule, l.Text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const rule = "--------------------------------------------------------------------------------"
