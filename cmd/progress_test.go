package cmd_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// slowInventory is an inventory that is a program and takes two seconds.
func slowInventory(t *testing.T) string {
	t.Helper()
	inv := filepath.Join(t.TempDir(), "inventory")
	script := "#!/bin/sh\nsleep 2\n" +
		`echo '{"pg-test": {"hosts": ["10.10.10.11"], "vars": {"pg_cluster": "pg-test"}}, "_meta": {"hostvars": {"10.10.10.11": {"pg_seq": 1, "pg_role": "primary"}}}}'` + "\n"
	if err := os.WriteFile(inv, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return inv
}

// onTerminal runs a command with standard error on a terminal of that width. signal is
// sent two seconds after it began; 0 is none.
func onTerminal(t *testing.T, width uint16, signal syscall.Signal, argv ...string) (code int, out, errs string) {
	t.Helper()
	tty, line, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	if err := pty.Setsize(line, &pty.Winsize{Rows: 24, Cols: width}); err != nil {
		t.Fatal(err)
	}
	p := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	p.Env = append(os.Environ(), "HOME="+t.TempDir(), "TERM=xterm", "LC_ALL=C.UTF-8")
	var printed bytes.Buffer
	p.Stdout, p.Stderr = &printed, line
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	line.Close()
	seen := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(tty) // it ends with an error once nobody has the terminal
		seen <- string(b)
	}()
	if signal != 0 {
		time.Sleep(1700 * time.Millisecond)
		if err := p.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	_ = p.Wait()
	return p.ProcessState.ExitCode(), printed.String(), <-seen
}

// leftLine is what a terminal shows on the line of the cursor after a text: what
// comes after the last erasure and end of line.
func leftLine(s string) string {
	s = s[strings.LastIndex(s, "\n")+1:]
	return s[strings.LastIndex(s, "\r\x1b[K")+len("\r\x1b[K"):]
}

// TestProgress: long work shows one line on a terminal, rewritten in place, which is
// gone at the end. Standard output has the answer alone.
func TestProgress(t *testing.T) {
	bin := program(t)
	inv := slowInventory(t)
	line := regexp.MustCompile(`\r\x1b\[Kreading the inventory … [1-9] s`)
	t.Run("an answer", func(t *testing.T) {
		t.Parallel()
		code, out, errs := onTerminal(t, 80, 0, bin, "-i", inv, "inventory", "-o", "json")
		if code != 0 || !json.Valid([]byte(out)) {
			t.Errorf("exit %d, %.300s", code, out)
		}
		if !line.MatchString(errs) || leftLine(errs) != "" || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q", errs)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		code, out, errs := onTerminal(t, 80, syscall.SIGINT, bin, "-i", inv, "status")
		if code != 130 || out != "" || !line.MatchString(errs) || !strings.HasSuffix(errs, "\r\x1b[Kpgtui: interrupted, nothing concluded\r\n") {
			t.Errorf("exit %d, %s\n%q", code, out, errs)
		}
	})
	t.Run("a narrow terminal", func(t *testing.T) {
		t.Parallel()
		_, _, errs := onTerminal(t, 24, 0, bin, "-i", inv, "inventory")
		for _, l := range strings.Split(errs, "\r\x1b[K")[1:] {
			if n := len([]rune(strings.SplitN(l, "\r", 2)[0])); n > 23 {
				t.Errorf("%d cells: %q", n, l)
			}
		}
		if !strings.Contains(errs, "reading the inven") {
			t.Errorf("%q", errs)
		}
	})
	t.Run("no terminal", func(t *testing.T) {
		t.Parallel()
		p := exec.CommandContext(t.Context(), bin, "-i", inv, "inventory", "-o", "json")
		p.Env = append(os.Environ(), "HOME="+t.TempDir())
		var errs bytes.Buffer
		p.Stderr = &errs
		out, err := p.Output()
		if err != nil || !json.Valid(out) || errs.String() != "pgtui: running "+inv+" --list\n" {
			t.Errorf("%v, %q", err, errs.String())
		}
	})
}
