package transport

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgtui/source"
)

// TestTrusted holds what sudo, ssh and Ansible hold: whoever may write a
// program, a directory above it or a link to it chooses what runs.
func TestTrusted(t *testing.T) {
	const stranger = 4242
	owners, groups := map[string]int{}, map[string]int{} // of files in place of their own
	lookup := func(at string, st fs.FileInfo) (uid, gid int, ok bool) {
		uid, gid, ok = ids(at, st)
		if n, other := owners[at]; other {
			uid = n
		}
		if n, other := groups[at]; other {
			gid = n
		}
		return uid, gid, ok
	}
	give := func(path string) string { owners[path] = stranger; return "" }
	for name, tt := range map[string]struct {
		do   func(t *testing.T, dir, file string) string // what is asked for, file when ""
		want string                                      // what is wrong, "" for nothing
	}{
		"one's own": {func(*testing.T, string, string) string { return "" }, ""},
		"writable by everybody": {func(t *testing.T, _, file string) string {
			return must(t, os.Chmod(file, 0o777))
		}, "everybody may write to it"},
		"writable by a group": {func(t *testing.T, _, file string) string {
			groups[file] = stranger
			return must(t, os.Chmod(file, 0o775))
		}, "its group may write to it"},
		"somebody else's": {func(_ *testing.T, _, file string) string {
			return give(file)
		}, "it belongs to user 4242"},
		"in a directory of somebody else": {func(_ *testing.T, dir, _ string) string {
			return give(dir)
		}, "it belongs to user 4242"},
		"in a directory that everybody may write to": {func(t *testing.T, dir, _ string) string {
			return must(t, os.Chmod(dir, 0o777))
		}, "everybody may write to it"},
		"in a directory as /tmp is": {func(t *testing.T, dir, _ string) string {
			return must(t, os.Chmod(dir, 0o777|os.ModeSticky))
		}, ""},
		"somebody else's in a directory as /tmp is": {func(t *testing.T, dir, file string) string {
			_ = give(file)
			return must(t, os.Chmod(dir, 0o777|os.ModeSticky))
		}, "it belongs to user 4242"},
		"by one's own link": {func(t *testing.T, dir, file string) string {
			_ = must(t, os.Symlink(file, filepath.Join(dir, "link")))
			return filepath.Join(dir, "link")
		}, ""},
		"by one's own link into a bad directory": {func(t *testing.T, dir, file string) string {
			link := filepath.Join(t.TempDir(), "link")
			_ = must(t, os.Symlink(file, link))
			_ = must(t, os.Chmod(dir, 0o777))
			return link
		}, "everybody may write to it"},
		"by somebody else's link": {func(t *testing.T, dir, file string) string {
			_ = must(t, os.Symlink(file, filepath.Join(dir, "link")))
			_ = give(filepath.Join(dir, "link"))
			return filepath.Join(dir, "link")
		}, "it belongs to user 4242"},
		"by a link to the directory above": {func(t *testing.T, dir, file string) string {
			link := filepath.Join(t.TempDir(), "up")
			_ = must(t, os.Symlink(filepath.Dir(dir), link))
			_ = must(t, os.Chmod(dir, 0o777))
			return filepath.Join(link, filepath.Base(dir), filepath.Base(file))
		}, "everybody may write to it"},
		"links that go round": {func(t *testing.T, dir, _ string) string {
			_ = must(t, os.Symlink(filepath.Join(dir, "b"), filepath.Join(dir, "a")))
			_ = must(t, os.Symlink(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
			return filepath.Join(dir, "a")
		}, "leads nowhere"},
		"not there": {func(_ *testing.T, dir, _ string) string { return filepath.Join(dir, "nosuch") }, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dir")
			_ = must(t, os.Mkdir(dir, 0o755))
			file := script(t, dir, "inventory.sh", "#!/bin/sh\ntouch "+dir+"/ran\necho {}\n")
			path := tt.do(t, dir, file)
			if path == "" {
				path = file
			}
			who := trust{uid: os.Geteuid(), gid: os.Getegid(), ids: lookup, group: "/etc/group", passwd: "/etc/passwd"}
			err := who.path(path, 0)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if errors.Is(err, ErrUntrusted) && source.TryOf(err) == "" {
				t.Errorf("%v says nothing to type", err)
			}
			if len(owners)+len(groups) > 0 {
				clear(owners)
				clear(groups)
				return // the system does not know
			}
			_, err1 := RunInventory(t.Context(), path, "--list")
			_, err2 := RunPassword(t.Context(), path)
			if _, ran := os.Stat(filepath.Join(dir, "ran")); (tt.want == "") != (ran == nil) || (tt.want == "") != (err1 == nil) || (tt.want == "") != (err2 == nil) {
				t.Errorf("it ran: %v; %v, %v", ran == nil, err1, err2)
			}
		})
	}
}

func must(t *testing.T, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

// TestPrivateGroup holds that a group may write when there is nobody else in it.
func TestPrivateGroup(t *testing.T) {
	dir := t.TempDir()
	group, passwd := filepath.Join(dir, "group"), filepath.Join(dir, "passwd")
	for _, tt := range []struct {
		name, group, passwd string
		gid                 int
		want                bool
	}{
		{"one's own", "dba:x:1000:\n", "dba:x:1000:1000::/:/bin/sh\n", 1000, true},
		{"one's own, named", "dba:x:1000:dba\n", "dba:x:1000:1000::/:/bin/sh\n", 1000, true},
		{"with somebody in it", "dba:x:1000:eve\n", "dba:x:1000:1000::/:/bin/sh\n", 1000, false},
		{"everybody's own", "users:x:100:\n", "dba:x:1000:100::/:/bin/sh\neve:x:1001:100::/:/bin/sh\n", 100, false},
		{"not one's own", "adm:x:4:\n", "dba:x:1000:1000::/:/bin/sh\n", 4, false},
		{"root's", "", "", 0, true},
		{"unknown", "", "", 1000, false},
	} {
		_ = must(t, os.WriteFile(group, []byte(tt.group), 0o600))
		_ = must(t, os.WriteFile(passwd, []byte(tt.passwd), 0o600))
		gid := 1000
		if tt.name == "everybody's own" {
			gid = 100
		}
		if got := (&trust{uid: 1000, gid: gid, group: group, passwd: passwd}).private(tt.gid); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
