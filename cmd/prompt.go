package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/charmbracelet/x/term"

	"pgtui/internal/guard"
	"pgtui/session"
	"pgtui/source"
)

// password is typed at the terminal, or without one the next line of standard
// input. An interrupt ends it and restores the terminal.
func (a *app) password(ctx context.Context, prompt string) (string, error) {
	var pw []byte
	var err error
	if f, ok := a.io.In.(*os.File); ok && term.IsTerminal(f.Fd()) {
		a.aside(func() {
			fmt.Fprint(a.io.Err, prompt)
			pw, err = hidden(ctx, f.Fd())
			fmt.Fprintln(a.io.Err)
		})
	} else {
		if a.lines == nil {
			a.lines = bufio.NewReader(io.LimitReader(a.io.In, 8192))
		}
		var line string
		line, err = a.lines.ReadString('\n')
		if pw = []byte(line); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	text := strings.TrimRight(string(pw), "\r\n")
	if err == nil && text == "" {
		err = errors.New("no password was given")
	}
	return text, err
}

// hidden reads a line without showing it.
func hidden(ctx context.Context, fd uintptr) ([]byte, error) {
	was, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type line struct {
		text []byte
		err  error
	}
	typed := make(chan line, 1)
	guard.Go("reading a password", func() {
		text, err := term.ReadPassword(fd)
		typed <- line{text, err}
	}, func(err error) { typed <- line{err: err} })
	select {
	case got := <-typed:
		return got.text, got.err
	case <-ctx.Done():
		return nil, errors.Join(errors.New("interrupted"), term.Restore(fd, was))
	}
}

// confirm prompts for the cluster's name on a terminal, and refuses without one.
// An interrupt is a no.
func (a *app) confirm(ctx context.Context, what, name string) error {
	f, ok := a.io.In.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return &source.Hint{Err: errors.New("refused: no terminal to confirm on, nothing was changed"), Try: "--yes, after reading --dry-run"}
	}
	fmt.Fprintf(a.io.Out, "\ntype %s to %s, anything else to cancel: ", name, what)
	type answer struct {
		line string
		err  error
	}
	typed := make(chan answer, 1)
	guard.Go("reading the answer", func() {
		line, err := bufio.NewReader(a.io.In).ReadString('\n')
		typed <- answer{line, err}
	}, func(err error) { typed <- answer{err: err} })
	select {
	case got := <-typed:
		if strings.TrimSpace(got.line) != name || (got.err != nil && got.line == "") {
			return errors.New("cancelled: nothing was changed")
		}
	case <-ctx.Done():
		fmt.Fprintln(a.io.Out)
	}
	return session.Stopped(ctx)
}
