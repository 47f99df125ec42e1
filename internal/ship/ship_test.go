package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgtui/cmd"
	"pgtui/lang"
)

// atRoot runs a test where the generator runs, at the root of the repository.
func atRoot(t *testing.T) {
	t.Helper()
	t.Chdir("../..")
}

// TestLicences: the licence of each module is of an allowed kind, and NOTICE has it.
func TestLicences(t *testing.T) {
	atRoot(t)
	mods, err := modules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(mods) < 20 {
		t.Fatalf("only %d modules: the list is broken", len(mods))
	}
	var out bytes.Buffer
	if err := notice(&out, mods); err != nil {
		t.Fatal(err)
	}
	for _, m := range mods {
		if m.Main {
			continue
		}
		for _, k := range m.kinds() {
			if !slices.Contains(allowed(), k) {
				t.Errorf("%s %s: licence %s is not allowed", m.Path, m.Version, k)
			}
		}
		if !strings.Contains(out.String(), "\n  "+m.Path+" "+m.Version+": ") {
			t.Errorf("NOTICE does not list %s", m.Path)
		}
		for _, l := range m.Licences {
			if l.Text == "" || !strings.Contains(out.String(), l.Text) {
				t.Errorf("NOTICE has no %s of %s", l.File, m.Path)
			}
		}
	}
}

// TestKinds: what is not allowed, or is no licence, is not taken for one that is.
func TestKinds(t *testing.T) {
	for text, want := range map[string]string{
		"GNU GENERAL PUBLIC LICENSE Version 3":                      "other",
		"GNU LESSER GENERAL PUBLIC LICENSE":                         "other",
		"Mozilla Public License Version 2.0":                        "other",
		"Business Source License 1.1":                               "other",
		"All rights reserved.":                                      "",
		"Licensed under the Apache License,\n  Version 2.0 (the \"": "Apache-2.0",
		"Redistribution and use in source and binary forms, with or\nwithout modification, are permitted": "BSD-2-Clause",
	} {
		if got := strings.Join(kinds(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestDependenciesAreListed: docs/dependencies.md lists the modules of the program, no more
// and no less, each with its reason or the module that needs it.
func TestDependenciesAreListed(t *testing.T) {
	atRoot(t)
	mods, err := modules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	section, _, _ := strings.Cut(string(b), "\n## In tests")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z][^ |]*\.[^ |]*) \| [\d,]+ \| ([^|]+) \|([^|]*)\|$`).FindAllStringSubmatch(section, -1) {
		listed[m[1]] = true
		if strings.TrimSpace(m[3]) == "" && !strings.HasPrefix(m[2], "(of ") {
			t.Errorf("docs/dependencies.md: %s has no reason", m[1])
		}
	}
	for _, m := range mods {
		if m.Main || m.Path == std {
			continue
		}
		if !listed[m.Path] {
			t.Errorf("docs/dependencies.md does not list %s, which is in the program", m.Path)
		}
		delete(listed, m.Path)
	}
	for path := range listed {
		t.Errorf("docs/dependencies.md lists %s, which is not in the program", path)
	}
}

// TestPages: every command has a page in both languages, with its options; the sections
// of a Chinese page are named in Chinese.
func TestPages(t *testing.T) {
	atRoot(t)
	defer lang.Use(lang.English)
	codes, err := exitCodes("docs/reference/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	e := edition{"v1.2.3", time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)}
	en := pages(cmd.NewManual(lang.English), e, codes)
	if len(en) < 40 {
		t.Fatalf("only %d pages", len(en))
	}
	for _, has := range []string{`.TH "PGTUI\-RELOAD" 1 2026-11-30 "pgtui v1.2.3" "Pigsty"`, `\fB\-\-accept\-risk\fP \fInames\fP`, `.SH "EXIT STATUS"`, `\fB64\fP`, `\fB130\fP`} {
		if !strings.Contains(en["pgtui-reload.1"], has) {
			t.Errorf("pgtui-reload.1 has no %s", has)
		}
	}
	if !strings.Contains(en["pgtui.1"], `\fBPGTUI_INVENTORY\fP`) {
		t.Error("pgtui.1 has no PGTUI_INVENTORY")
	}
	macro := regexp.MustCompile(`^\.(\\"|TH|SH|PP|TP|RS|RE|nf|fi|br|nh|ad|ds|if|  c|\\})`)
	for name, text := range en {
		checkLines(t, name, text, macro)
	}
	zh := pages(cmd.NewManual(lang.Chinese), e, codes)
	if len(zh) != len(en) {
		t.Errorf("%d pages in English, %d in Chinese", len(en), len(zh))
	}
	latin := regexp.MustCompile(`(?m)^\.SH "[A-Z]`)
	for name, text := range zh {
		checkLines(t, "zh "+name, text, macro)
		if at := latin.FindString(text); at != "" {
			t.Errorf("zh %s: section %s is not translated", name, at)
		}
	}
}

// checkLines: only macros begin with a dot, and no line with an apostrophe, which roff
// would take as one.
func checkLines(t *testing.T, name, text string, macro *regexp.Regexp) {
	t.Helper()
	for _, l := range strings.Split(text, "\n") {
		if strings.HasPrefix(l, "'") || strings.HasPrefix(l, ".") && !macro.MatchString(l) {
			t.Errorf("%s: %q would be a macro", name, l)
		}
	}
}

// TestCompletions: each shell's file is there.
func TestCompletions(t *testing.T) {
	dir := t.TempDir()
	if err := writeCompletions(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pgtui.bash", "_pgtui", "pgtui.fish"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Contains(b, []byte("__complete")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSBOM: it is the same each time, and what it refers to is in it.
func TestSBOM(t *testing.T) {
	atRoot(t)
	mods, err := modules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pgtui-linux-amd64")
	if err := os.WriteFile(file, []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	var once, twice bytes.Buffer
	e := edition{"v1.2.3", time.Unix(1796000000, 0).UTC()}
	if err := sbom(&once, e, mods, []string{file}); err != nil {
		t.Fatal(err)
	}
	if err := sbom(&twice, e, mods, []string{file}); err != nil || once.String() != twice.String() {
		t.Errorf("two lists differ (%v)", err)
	}
	var doc cdx
	if err := json.Unmarshal(once.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(doc.Serial) {
		t.Errorf("serial number %s", doc.Serial)
	}
	app := doc.Metadata.Component
	if app.Version != "v1.2.3" || len(app.Components) != 1 || len(app.Components[0].Hashes[0].Content) != 64 {
		t.Errorf("component %+v", app)
	}
	refs := map[string]bool{app.Ref: true}
	for _, c := range doc.Components {
		if refs[c.Ref] {
			t.Errorf("%s is there twice", c.Ref)
		}
		refs[c.Ref] = true
		if len(c.Licences) == 0 || c.Name != std && len(c.Hashes) != 1 {
			t.Errorf("%s has no licence or no digest", c.Name)
		}
	}
	for _, d := range doc.Dependencies {
		for _, ref := range append(d.DependsOn, d.Ref) {
			if !refs[ref] {
				t.Errorf("%s needs %s, which is not listed", d.Ref, ref)
			}
		}
	}
}
