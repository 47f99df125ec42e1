package session

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/source"
)

// Find is the inventory's path: the option, $PGTUI_INVENTORY, the inventory that
// ansible.cfg names in $PIGSTY_HOME or ~/pigsty, ./pigsty.yml,
// ~/pigsty/pigsty.yml; the first that is given or exists.
func (s *Session) Find() (string, error) {
	if p := cmp.Or(s.Inventory, s.Getenv("PGTUI_INVENTORY")); p != "" {
		return p, nil
	}
	var tried []string
	home := s.Getenv("HOME")
	for _, dir := range []string{s.Getenv("PIGSTY_HOME"), join(home, "pigsty")} {
		if dir == "" {
			continue
		}
		cfg := filepath.Join(dir, "ansible.cfg")
		if s.trusted(cfg) {
			if p := ansiblePaths(cfg, "inventory"); len(p) > 0 {
				return strings.Join(p, ","), nil
			}
		}
		tried = append(tried, cfg)
	}
	for _, p := range []string{"pigsty.yml", join(home, "pigsty", "pigsty.yml")} {
		if p == "" {
			continue
		}
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
		tried = append(tried, p)
	}
	return "", &source.Hint{Err: fmt.Errorf("no inventory found; tried %s", strings.Join(tried, ", ")),
		Try: "pgtui -i /path/to/pigsty.yml, or `pgtui demo` to try it without one"}
}

// sourcesIn are the sources that path names: one file, program or directory, or
// several with commas between.
func sourcesIn(path string) []string {
	if _, err := os.Stat(path); err == nil || !strings.Contains(path, ",") {
		return []string{path}
	}
	out := strings.FieldsFunc(path, func(r rune) bool { return r == ',' })
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	return out
}

// Resolved identifies the inventory at path:
// the absolute path of each of its sources without symbolic links, in their
// order, which decides whose values win, with commas between.
func Resolved(path string) string {
	var out []string
	for _, p := range sourcesIn(path) {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		if target, err := filepath.EvalSymlinks(p); err == nil {
			p = target
		}
		out = append(out, p)
	}
	return strings.Join(out, ",")
}

// program reports whether the inventory at path is a program: loading it runs it.
func program(path string) bool {
	st, err := os.Stat(path)
	if err != nil || !Executable(path) {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var first [4]byte
	n, _ := io.ReadFull(f, first[:])
	return inventory.Executable(st.Mode(), first[:n])
}

// Executable reports whether the file is a program.
func Executable(file string) bool {
	st, err := os.Stat(file)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// Expand is a path with ~/ as the home directory.
func (s *Session) Expand(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		return join(s.Getenv("HOME"), rest)
	}
	return path
}

// join is filepath.Join, "" without a home.
func join(home string, rest ...string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, rest...)...)
}

// ansiblePaths are the paths of a setting in the [defaults] section of an
// ansible.cfg.
func ansiblePaths(cfg, setting string) []string {
	f, err := os.Open(cfg)
	if err != nil {
		return nil
	}
	defer f.Close()
	section := ""
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, val, ok := strings.Cut(line, "=")
		if section != "[defaults]" || !ok || strings.TrimSpace(key) != setting {
			continue
		}
		val, _, _ = strings.Cut(val, " ;")
		val, _, _ = strings.Cut(val, " #")
		val = strings.Trim(strings.TrimSpace(val), `"'`)
		var paths []string
		for p := range strings.SplitSeq(val, ",") {
			p = strings.TrimSpace(p)
			if p == "" {
				continue
			}
			if !filepath.IsAbs(p) && !strings.HasPrefix(p, "~") {
				p = filepath.Join(filepath.Dir(cfg), p)
			}
			paths = append(paths, p)
		}
		return paths
	}
	return nil
}
