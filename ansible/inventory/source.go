package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// source reads one source the user named: whatever is wrong with it is an error.
func (l *loader) source(b *builder, name string) error {
	st, err := fs.Stat(l.fsys, name)
	if err != nil {
		what := err
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			what = pe.Err
		}
		return &source.Hint{Err: fmt.Errorf("%s: cannot be read: %w", l.show(name), what), Try: "name the inventory with -i FILE"}
	}
	if !st.IsDir() {
		return l.one(b, name, st.Mode())
	}
	n, err := l.directory(b, name, 0)
	if err == nil && n == 0 {
		err = &source.Hint{Err: fmt.Errorf("%s: no inventory in this directory", l.show(name)),
			Try: "name the file, for example -i " + l.show(name) + "/pigsty.yml"}
	}
	return err
}

// passedOver are the names Ansible passes over in a directory of sources.
var passedOver = regexp.MustCompile(`^\.|^host_vars$|^group_vars$|^vars_plugins$|(\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$`)

// directory reads the sources of a directory in the order of their names. Like
// Ansible, it skips those it cannot read, with a warning. It returns
// how many it read.
func (l *loader) directory(b *builder, dir string, depth int) (int, error) {
	if depth > 20 {
		return 0, fmt.Errorf("%s: directories nested too deep", l.show(dir))
	}
	entries, err := fs.ReadDir(l.fsys, dir)
	if err != nil {
		return 0, fmt.Errorf("%s: cannot be read: %w", l.show(dir), err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	read := 0
	for _, n := range names {
		if err := l.b.Spend(200, 4*budget.Item+2*len(n)); err != nil { // links may lead round in circles
			return read, err
		}
		full := path.Join(dir, n)
		st, err := fs.Stat(l.fsys, full)
		switch {
		case passedOver.MatchString(n), err != nil:
			continue
		case st.IsDir():
			sub, err := l.directory(b, full, depth+1)
			if err != nil {
				return read, err
			}
			read += sub
			continue
		case !st.Mode().IsRegular():
			continue
		}
		if err := l.one(b, full, st.Mode()); err != nil {
			if l.b.Err() != nil {
				return read, l.b.Err()
			}
			at := source.Pos{File: l.show(full), Line: 1, Column: 1}
			l.warn(at, fmt.Sprintf("not an inventory; Ansible skips it with a warning, too: %v", err))
			continue
		}
		read++
	}
	return read, nil
}

// one reads one file, or runs it.
func (l *loader) one(b *builder, name string, mode fs.FileMode) error {
	data, err := l.read(name)
	if err != nil {
		return err
	}
	if Executable(mode, data) {
		return l.program(b, name)
	}
	err = l.file(b, name, data)
	if err != nil && bytes.HasPrefix(data, []byte("#!")) {
		return &source.Hint{Err: fmt.Errorf("%w; it looks like a program, but it is not executable", err), Try: "chmod +x " + l.show(name)}
	}
	return err
}

// Executable reports whether the system would run the file, of which data are
// the first bytes. A YAML file with a stray execute bit is still a YAML file.
func Executable(mode fs.FileMode, data []byte) bool {
	return mode&0o111 != 0 && (bytes.HasPrefix(data, []byte("#!")) || bytes.HasPrefix(data, []byte("\x7fELF")))
}

// program runs an executable inventory and reads what it prints.
func (l *loader) program(b *builder, name string) error {
	at := source.Pos{File: l.show(name) + " --list"}
	if l.opt.Run == nil {
		return &Error{At: source.Pos{File: l.show(name)}, Msg: "this inventory is a program, which is not run here"}
	}
	run := func(args ...string) (*py.Dict, error) {
		out, err := l.opt.Run(l.show(name), args...)
		l.at = source.Pos{File: l.show(name) + " " + strings.Join(args, " ")}
		if err == nil {
			err = l.b.Spend(1, 2*len(out))
		}
		if err != nil {
			return nil, err
		}
		l.note(name, out)
		l.inv.Files = l.inv.Files[:len(l.inv.Files)-1] // named already
		if len(bytes.TrimSpace(out)) == 0 && args[0] == "--host" {
			return nil, nil
		}
		v, err := l.decodeJSON(l.show(name)+" "+strings.Join(args, " "), out)
		if err != nil {
			return nil, err
		}
		d, ok := v.(*py.Dict)
		if !ok {
			return nil, &Error{At: at, Msg: fmt.Sprintf("printed a %s: expected a JSON object of groups", typeWord(v))}
		}
		return d, nil
	}
	root, err := run("--list")
	if err != nil {
		return err
	}
	return b.list(root, func(host string) (*py.Dict, error) { return run("--host", host) })
}

// file adds what a file that is no program holds. As Ansible, it goes by the
// extension first: .yml, .yaml, .json and none at all may be YAML, everything
// may be INI.
func (l *loader) file(b *builder, name string, data []byte) error {
	ext := path.Ext(name)
	at := source.Pos{File: l.show(name), Line: 1, Column: 1}
	switch ext {
	case "", ".yml", ".yaml", ".json":
	case ".toml":
		return &source.Hint{Err: &Error{At: at, Msg: "an inventory in TOML is not supported"}, Try: "ansible-inventory -i " + l.show(name) + " --list > inventory.json; pgtui -i inventory.json"}
	default:
		return l.iniFile(b, name, data)
	}
	if looksJSON(data) && bytes.Contains(data, []byte(`"_meta"`)) {
		v, err := l.decodeJSON(l.show(name), data)
		if err != nil {
			return err
		}
		if root, ok := v.(*py.Dict); ok && isList(root) {
			return b.list(root, nil)
		}
	}
	v, err := l.parse(name, data)
	if l.b.Err() != nil {
		return l.b.Err()
	}
	_, text := v.(string)
	if (err != nil || text) && hasSection(data) || text && ext == "" {
		return l.iniFile(b, name, data)
	}
	if err != nil {
		return err
	}
	return l.groupsOf(b, v, at)
}

// groupsOf adds the groups of a YAML inventory.
func (l *loader) groupsOf(b *builder, v py.Value, at source.Pos) error {
	root, ok := v.(*py.Dict)
	switch {
	case v == nil || ok && root.Len() == 0:
		return &source.Hint{Err: &Error{At: source.Pos{File: at.File}, Msg: "empty: expected groups of hosts, such as all: {children: …}"},
			Try: "name the inventory with -i FILE, or pgtui demo without one"}
	case !ok:
		return &Error{At: at, Msg: fmt.Sprintf("expected a mapping of groups, found a %s", typeWord(v))}
	}
	if p, ok := root.Get("plugin"); ok && py.Truthy(p) {
		return &Error{At: root.Lookup("plugin").At, Msg: "this configures an Ansible inventory plugin: expected the inventory itself"}
	}
	return b.yaml(root)
}
