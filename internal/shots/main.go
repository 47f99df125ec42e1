// Command shots makes the pictures of docs/shots from the real program: it
// starts `pgtui demo` on a pseudo-terminal, presses keys, waits for the words
// that each screen must show, and writes the screen as SVG.
//
//	go run ./internal/shots [-out docs/shots] [-bin program] [-only fleet.svg]
//
// Nothing else is changed. A picture is written only when its screen appears.
// Otherwise the error has the screen that appeared instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
)

func main() {
	out := flag.String("out", "docs/shots", "folder to write the pictures to")
	bin := flag.String("bin", "", "program to show; default: built from this tree")
	only := flag.String("only", "", "the scene of this picture only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := shoot(ctx, os.Stdout, *bin, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "shots:", err)
		os.Exit(1)
	}
}

// shoot plays the scenes and writes their pictures.
func shoot(ctx context.Context, log io.Writer, bin, out, only string) error {
	dir, err := folder()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if bin == "" {
		bin = filepath.Join(dir, "pgtui")
		if err := build(ctx, bin); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	played := false
	for _, s := range scenes() {
		if only != "" && !slices.Contains(s.files(), only) {
			continue
		}
		played = true
		home := filepath.Join(dir, "home") // each scene's is new
		if err := errors.Join(os.RemoveAll(home), os.Mkdir(home, 0o700)); err != nil {
			return err
		}
		if err := play(ctx, log, s, bin, home, out); err != nil {
			return err
		}
	}
	if !played {
		return fmt.Errorf("-only %s: no scene has that picture", only)
	}
	return nil
}

// folder is a temporary folder. Screens have paths below it: its name is the same
// in every run, unless a folder of that name exists.
func folder() (string, error) {
	dir := filepath.Join(os.TempDir(), "pgtui-shots")
	if err := os.Mkdir(dir, 0o700); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "pgtui-shots-")
}

// build makes the program; it must be called within the module.
func build(ctx context.Context, bin string) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, "pgtui/cmd/pgtui").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	return nil
}

// play plays one scene. home is the program's home and temporary
// folder.
func play(ctx context.Context, log io.Writer, s scene, bin, home, out string) (err error) {
	t, err := start(ctx, s.cols, s.rows, home, append([]string{bin, "demo", "--dir", filepath.Join(home, "demo")}, s.args...)...)
	if err != nil {
		return err
	}
	defer func() {
		if e := t.close(); err == nil && e != nil {
			err = fmt.Errorf("the demo ended with %w", e)
		}
	}()
	for i, st := range s.steps {
		if err := t.press(st.keys); err != nil {
			return err
		}
		screen, err := t.await(ctx, st.shown)
		if err != nil {
			return fmt.Errorf("step %d, keys %q, waiting for %q: %w", i+1, st.keys, st.see, err)
		}
		if st.file == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(out, st.file), []byte(drawSVG(screen, st.title, dark())), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(log, filepath.Join(out, st.file))
	}
	return nil
}
