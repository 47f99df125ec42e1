package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wellFormed is the text of a picture, its pieces joined by spaces.
func wellFormed(t *testing.T, svg string) string {
	t.Helper()
	var words []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return strings.Join(words, " ")
		}
		if err != nil {
			t.Fatalf("not well formed: %v: %s", err, svg)
		}
		if c, ok := tok.(xml.CharData); ok {
			words = append(words, strings.Fields(string(c))...)
		}
	}
}

// TestShot takes one picture of the real program on its own sandbox.
func TestShot(t *testing.T) {
	out := t.TempDir()
	if err := shoot(t.Context(), io.Discard, "", out, "access.svg"); err != nil {
		t.Fatal(err)
	}
	files, _ := os.ReadDir(out)
	if len(files) != 1 {
		t.Errorf("%d files, expected the one of that scene", len(files))
	}
	b, err := os.ReadFile(filepath.Join(out, "access.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 60_000 {
		t.Errorf("%d bytes are much for a picture", len(b))
	}
	text := wellFormed(t, string(b))
	for _, w := range []string{"pgtui pg-test › access", "HOST 5432 6432 5433", "● serving 1", "primary: pg-test-1", "enter trace", "f2 fail leader"} {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in %s", w, text)
		}
	}
}

// TestShotFails: a screen that does not appear is an error with the screen that did.
func TestShotFails(t *testing.T) {
	err := shoot(t.Context(), io.Discard, "/bin/false", t.TempDir(), "access.svg")
	if err == nil || !strings.Contains(err.Error(), "step 1") {
		t.Errorf("a program that ends at once: %v", err)
	}
	if err := shoot(t.Context(), io.Discard, "/bin/false", t.TempDir(), "none.svg"); err == nil {
		t.Error("a picture that no scene has")
	}
}

// TestStored: docs/shots holds the pictures of the scenes and no others, and
// what the README shows is there.
func TestStored(t *testing.T) {
	var want, got []string
	for _, s := range scenes() {
		want = append(want, s.files()...)
	}
	stored, err := os.ReadDir("../../docs/shots")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range stored {
		got = append(got, f.Name())
		b, err := os.ReadFile(filepath.Join("../../docs/shots", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, string(b))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("docs/shots has %v, the scenes make %v: make shots", got, want)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	images := regexp.MustCompile(`!\[([^]]+)\]\(docs/shots/([a-z]+\.svg)\)`).FindAllStringSubmatch(string(readme), -1)
	if len(images) == 0 {
		t.Error("the README shows no picture")
	}
	for _, m := range images {
		if !slices.Contains(got, m[2]) {
			t.Errorf("the README shows %s, which is not there", m[2])
		}
	}
}
