package apply

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgtui/source"
)

// TestWriteInventory: mode, owner and links stay, only the text is another, and
// nothing else is left in the directory.
func TestWriteInventory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.yml"), filepath.Join(t.TempDir(), "pigsty.yml")
	put := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	put("old\r\n", 0o640)
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 65534, 65533
		if err := os.Chown(file, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteInventory(link, []byte("old\r\n"), []byte("new, and longer")); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(file)
	st, err := os.Stat(file)
	if err != nil || string(text) != "new, and longer" || st.Mode() != 0o640 {
		t.Errorf("%q %v %v", text, st.Mode(), err)
	}
	if sys := st.Sys().(*syscall.Stat_t); int(sys.Uid) != uid || int(sys.Gid) != gid {
		t.Errorf("it belongs to %d:%d", sys.Uid, sys.Gid)
	}
	if to, err := os.Readlink(link); err != nil || to != file {
		t.Errorf("the link: %q, %v", to, err)
	}

	for _, have := range []string{"new", "new, and longer.", "", "New, and longer"} {
		put(have, 0o600)
		err := WriteInventory(file, []byte("new, and longer"), []byte("x"))
		if text, _ := os.ReadFile(file); err == nil || !strings.Contains(err.Error(), "was changed meanwhile: nothing was changed") || source.TryOf(err) == "" || string(text) != have {
			t.Errorf("%q became %q: %v", have, text, err)
		}
	}
	put("a", 0o400) // Ansible reads it; that nobody writes it keeps no rename from it
	if err := WriteInventory(file, []byte("a"), []byte("b")); err != nil {
		t.Error(err)
	}

	other := filepath.Join(dir, "second.yml")
	if err := os.Link(file, other); err != nil {
		t.Fatal(err)
	}
	if err := WriteInventory(file, []byte("b"), []byte("c")); err == nil || !strings.Contains(err.Error(), "2 names") {
		t.Error(err)
	}
	for path, want := range map[string]string{dir: "not a regular file", filepath.Join(dir, "none.yml"): "no such file", "/dev/null": "not a regular file"} {
		if err := WriteInventory(path, nil, []byte("c")); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%s: %v", path, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left in the directory: %v, %v", entries, err)
	}
}
