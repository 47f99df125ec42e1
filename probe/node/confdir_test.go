package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/probe/transport"
)

// nodeDir is a directory that stands for a node, with these files in conf.d.
func nodeDir(t *testing.T, files map[string]string) model.SSHTarget {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "etc/haproxy/conf.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return model.SSHTarget{Root: root, Address: "10.0.0.9"}
}

func read(t *testing.T, target model.SSHTarget) (ConfDir, error) {
	t.Helper()
	return ReadConfDir(t.Context(), transport.Local{}, target, "/etc/haproxy/conf.d")
}

func TestReadConfDir(t *testing.T) {
	odd := "it's a $name\n\"x\" é .cfg"
	files := map[string]string{
		"pg-test-primary.cfg": "listen pg-test-primary\n", "empty.cfg": "", "nul.cfg": "a\x00b\xff",
		"notes.txt": "password", "haproxy.cfg": "stats auth admin:secret\n", ".hidden.cfg": "x\n", ".cfg": "y\n",
		"-n.cfg": "dash\n", odd: "odd\n", "big.txt": strings.Repeat("x", maxConfFile+1),
	}
	target := nodeDir(t, files)
	dir := filepath.Join(target.Root, "etc/haproxy/conf.d")
	if err := os.Symlink("notes.txt", filepath.Join(dir, "link.cfg")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub.cfg"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := read(t, target)
	if err != nil {
		t.Fatal(err)
	}
	if got.Missing || got.Main || got.Dir != "/etc/haproxy/conf.d" || len(got.Files) != len(files)+1 {
		t.Errorf("%d files, %+v", len(got.Files), got)
	}
	for name, text := range files {
		f, ok := got.Files[name]
		sum := sha256.Sum256([]byte(text))
		if !ok || f.Size != int64(len(text)) || f.Mode != "640" || !strings.Contains(f.Owner, ":") || f.Link {
			t.Errorf("%q: %v %+v", name, ok, f)
		}
		if f.SHA256 != hex.EncodeToString(sum[:]) && isServiceFile(name) {
			t.Errorf("%q: SHA-256 %s", name, f.SHA256)
		}
		if isServiceFile(name) && (string(f.Data) != text || f.Data == nil) {
			t.Errorf("%q: %q, want %q", name, f.Data, text)
		}
		if !isServiceFile(name) && f.Data != nil {
			t.Errorf("%q: its content was read", name)
		}
	}
	if f := got.Files["link.cfg"]; !f.Link || string(f.Data) != "password" {
		t.Errorf("link: %+v", f)
	}
	if c := got.Contents(); len(c) != len(got.Files) || string(c["pg-test-primary.cfg"]) != files["pg-test-primary.cfg"] {
		t.Errorf("contents: %d", len(c))
	}
}

func TestReadConfDirMissing(t *testing.T) {
	target := model.SSHTarget{Root: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(target.Root, "etc/haproxy"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(target.Root, "etc/haproxy/haproxy.cfg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := read(t, target)
	if err != nil || !got.Missing || !got.Main || len(got.Files) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadConfDirEmpty(t *testing.T) {
	got, err := read(t, nodeDir(t, nil))
	if err != nil || got.Missing || len(got.Files) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadConfDirRefuses(t *testing.T) {
	many := map[string]string{}
	for i := range maxConfFiles + 1 {
		many[fmt.Sprint(i, ".txt")] = ""
	}
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"too many files":     {many, "4001 files: more than 4000"},
		"a huge service":     {map[string]string{"a.cfg": strings.Repeat("x", maxConfFile+1)}, "too large for a service file"},
		"too large together": {big(9), "too large together"},
	} {
		if _, err := read(t, nodeDir(t, tc.files)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func big(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[fmt.Sprint(i, ".cfg")] = strings.Repeat("x", maxConfFile)
	}
	return m
}

func TestReadConfDirErrors(t *testing.T) {
	at := model.SSHTarget{Address: "n"}
	for name, tc := range map[string]struct {
		answer transport.Exchange
		want   string
	}{
		"no connection": {transport.Exchange{Err: transport.ErrNotStarted}, "nothing was run"},
		"the script failed": {transport.Exchange{Output: transport.Output{Exit: 1, Stderr: []byte("\x1b[2Jcd: permission denied\n")}},
			"n: read /d: [2Jcd: permission denied"},
		"it failed silently":  {transport.Exchange{Output: transport.Output{Exit: 9}}, "exit code 9"},
		"another answer":      {transport.Exchange{Output: transport.Output{Stdout: []byte("hello\n")}}, "not a directory listing"},
		"a cut answer":        {transport.Exchange{Output: transport.Output{Stdout: []byte("pgtui-confdir 1\ndir 1\nmain 1\nfiles 1 0\n./a")}}, "damaged or cut"},
		"a file that changed": {transport.Exchange{Output: transport.Output{Stdout: []byte(strings.Replace(goodListing, "7 8 9\x00end", "7 8 10\x00end", 1))}}, "was changed while it was read"},
	} {
		tc.answer.Address, tc.answer.Args = "n", []string{"/d", "4000", "1048576"}
		_, err := ReadConfDir(context.Background(), transport.NewReplay(tc.answer), at, "/d")
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.ContainsRune(err.Error(), 0x1b) {
			t.Errorf("%s: %v", name, err)
		}
		if tc.answer.Err != nil && !errors.Is(err, tc.answer.Err) {
			t.Errorf("%s: %v does not wrap its cause", name, err)
		}
	}
}

const goodListing = "pgtui-confdir 1\ndir 1\nmain 1\nfiles 2 01\n./a.cfg\x00644\x00root:root\x002\x007 8 9\x00" +
	"./b\x00600\x00root:root\x0012\x003 4 5\x00hi./a.cfg\x00644\x00root:root\x002\x007 8 9\x00end\n"

func FuzzParseConfDir(f *testing.F) {
	fuzz.Target(f)
	if d, err := parseConfDir([]byte(goodListing)); err != nil || len(d.Files) != 2 || string(d.Files["a.cfg"].Data) != "hi" || !d.Files["b"].Link {
		f.Fatalf("%+v, %v", d, err)
	}
	f.Add([]byte(goodListing))
	f.Add([]byte("pgtui-confdir 1\ndir 0\nmain 0\nfiles 0 \nend\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseConfDir(b)
		if err != nil {
			return
		}
		if !bytes.HasSuffix(b, []byte("end\n")) {
			t.Fatalf("a listing without its end: %q", b)
		}
		for name, file := range d.Files {
			if name == "" || strings.Contains(name, "/") || isServiceFile(name) != (file.Data != nil) || file.Data != nil && int64(len(file.Data)) != file.Size {
				t.Fatalf("%q: %+v", name, file)
			}
		}
	})
}

// BenchmarkReadConfDir: a node of 200 clusters with four services each; budget 200 ms.
func BenchmarkReadConfDir(b *testing.B) {
	root := b.TempDir()
	dir := filepath.Join(root, "etc/haproxy/conf.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range 800 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("c-", i, ".cfg")), bytes.Repeat([]byte("line\n"), 300), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		d, err := ReadConfDir(b.Context(), transport.Local{}, model.SSHTarget{Root: root}, "/etc/haproxy/conf.d")
		if err != nil || len(d.Files) != 800 {
			b.Fatalf("%d files, %v", len(d.Files), err)
		}
	}
}
