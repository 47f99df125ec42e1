package cmd

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/source"
)

// findInventory is the inventory's path: what -i says, $PGTUI_INVENTORY, the
// inventory that ansible.cfg names in $PIGSTY_HOME or ~/pigsty, ./pigsty.yml,
// ~/pigsty/pigsty.yml; the first that is given or exists.
func (a *app) findInventory() (string, error) {
	return findInventory(a.inventory, a.io.Getenv, a.obeyed)
}

func findInventory(flag string, getenv func(string) string, obeyed func(cfg string) bool) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if p := getenv("PGTUI_INVENTORY"); p != "" {
		return p, nil
	}
	var tried []string
	home := getenv("HOME")
	for _, dir := range []string{getenv("PIGSTY_HOME"), join(home, "pigsty")} {
		if dir == "" {
			continue
		}
		cfg := filepath.Join(dir, "ansible.cfg")
		if obeyed(cfg) {
			if p := ansibleInventory(cfg); p != "" {
				return p, nil
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
	return "", &source.Hint{Err: fmt.Errorf("no inventory found; looked at %s", strings.Join(tried, ", ")),
		Try: "pgtui -i /path/to/pigsty.yml, or `pgtui demo` to look around without one"}
}

// sourceFlag is -i, which may be given several times, as ansible takes it: the
// inventories are read together, those of the later one on top.
type sourceFlag struct {
	to    *string
	given bool
}

func (f *sourceFlag) String() string {
	if f.to == nil {
		return ""
	}
	return *f.to
}

func (f *sourceFlag) Type() string { return "path" }

func (f *sourceFlag) Set(path string) error {
	if f.given {
		path = *f.to + "," + path
	}
	*f.to, f.given = path, true
	return nil
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

// resolved is what the inventory at path is known by, whatever way leads to it:
// the absolute path of each of its sources without symbolic links, in their
// order, which decides whose values win, with commas between.
func resolved(path string) string {
	var out []string
	for _, p := range sourcesIn(path) {
		if abs, err := filepath.Abs(p); err == nil {
			p = abs
		}
		if real, err := filepath.EvalSymlinks(p); err == nil {
			p = real
		}
		out = append(out, p)
	}
	return strings.Join(out, ",")
}

// program reports whether an inventory is a program, which reading it runs.
func program(path string) bool {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 {
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

// join is filepath.Join, "" when home is not known.
func join(home string, rest ...string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, rest...)...)
}

// ansibleInventory is the inventory that an ansible.cfg names, relative to
// the file, several with commas between; "" when there is none.
func ansibleInventory(cfg string) string {
	return strings.Join(ansiblePaths(cfg, "inventory"), ",")
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
