package inventory

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source"
	"pgtui/source/budget"
)

// Options says how an inventory is read. The zero value reads everything but
// executable inventories, and leaves !vault values undecrypted.
type Options struct {
	// VaultPassword decrypts !vault values and vaulted files. "" leaves them
	// locked: every cluster that sees one cannot be rendered.
	VaultPassword string
	// Display, when not "", is put before file names in positions and
	// messages: the directory fsys stands for, as the user named it.
	Display string
	// Playbooks is the directory of the playbooks, whose group_vars and
	// host_vars count too when a playbook runs; the zero Source is none. Those
	// of a source's own directory are not read twice.
	Playbooks Source
	// Run runs an executable inventory, named as in messages, and gives what
	// it printed. nil refuses executable inventories.
	Run func(file string, args ...string) ([]byte, error)
	// Budget is what reading may cost; nil takes a whole one.
	Budget *budget.Budget
}

// Source is one place Ansible reads an inventory from: a YAML, JSON or INI
// file, a program, or a directory of such.
type Source struct {
	FS      fs.FS  // holds the source and the vars files beside it
	Name    string // file or directory in FS; "." is FS itself
	Display string // as Options.Display, for this source
}

// Load reads the inventory called name, and group_vars and host_vars beside
// it, from fsys. The errors are *Error (with file, line and column) wrapped in
// *model.Hint where there is something to type.
func Load(fsys fs.FS, name string, o Options) (*Inventory, error) {
	return LoadAll([]Source{{FS: fsys, Name: name, Display: o.Display}}, o)
}

// LoadAll reads several sources into one inventory, as Ansible does when its
// configuration names them with commas between: later ones add to the earlier
// ones and override their variables.
func LoadAll(sources []Source, o Options) (*Inventory, error) {
	inv, err := loadAll(sources, o, nil)
	if err != nil {
		return nil, err
	}
	inv.again = func(with map[string][]byte) (*Inventory, error) {
		o.Budget = nil // a whole one: the text that was read is still there, though
		return loadAll(sources, o, with)
	}
	return inv, nil
}

// loadAll is LoadAll with other text for some files.
func loadAll(sources []Source, o Options, with map[string][]byte) (*Inventory, error) {
	l := newLoader(o)
	l.with = with
	b := newBuilder(l)
	var names []string
	for _, s := range sources {
		l.use(s)
		names = append(names, l.show(s.Name))
		if err := l.source(b, s.Name); err != nil {
			return nil, err
		}
	}
	l.inv.Source = strings.Join(names, ",")
	if err := b.reconcile(); err != nil {
		return nil, err
	}
	for _, s := range sources {
		l.use(s)
		if err := l.varsFiles(s.Name); err != nil {
			return nil, err
		}
	}
	if o.Playbooks.FS != nil {
		l.use(o.Playbooks)
		if err := l.playFiles(o.Playbooks.Name); err != nil {
			return nil, err
		}
	}
	return l.whole()
}

// whole is the inventory once everything was read.
func (l *loader) whole() (*Inventory, error) {
	if err := l.inv.merge(); err != nil {
		return nil, err
	}
	l.inv.Hash = hex.EncodeToString(l.sum.Sum(nil))
	first := source.Pos{Line: 1}
	if len(l.inv.Files) > 0 {
		first.File = l.inv.Files[0]
	}
	l.b.Where = func() (source.Pos, string) { return first, "" } // for work on the whole
	return l.inv, l.b.Err()
}

// Parse reads an inventory from memory; there are no vars files beside it.
func Parse(name string, data []byte, o Options) (*Inventory, error) {
	l := newLoader(o)
	l.inv.Source = l.show(name)
	if err := l.b.Spend(1, len(data)); err != nil {
		return nil, err
	}
	l.note(name, data)
	b := newBuilder(l)
	if err := l.file(b, name, data); err != nil {
		return nil, err
	}
	if err := b.reconcile(); err != nil {
		return nil, err
	}
	l.inv.again = func(with map[string][]byte) (*Inventory, error) {
		o.Budget = nil
		return Parse(name, with[l.show(name)], o)
	}
	return l.whole()
}

func newLoader(o Options) *loader {
	l := &loader{opt: o, display: o.Display, sum: sha256.New(), b: o.Budget}
	if l.b == nil {
		l.b = budget.New()
	}
	l.b.Where = func() (source.Pos, string) { return l.at, "" }
	l.inv = &Inventory{groups: map[string]*Group{}, hosts: map[string]*Host{}, spent: l.b}
	return l
}

type loader struct {
	fsys    fs.FS  // of the source being read
	display string // of the source being read
	opt     Options
	inv     *Inventory
	sum     hash.Hash
	b       *budget.Budget
	at      source.Pos        // what is being read
	opened  map[string]opened // vaulted texts, decrypted once
	with    map[string][]byte // text to take instead of what a file holds, by the names in Files
}

// use makes s the source that files are read from.
func (l *loader) use(s Source) { l.fsys, l.display = s.FS, s.Display }

func (l *loader) show(name string) string {
	switch {
	case l.display == "":
		return name
	case name == ".":
		return l.display
	}
	return strings.TrimSuffix(l.display, "/") + "/" + name
}

// read reads one file, bounded.
func (l *loader) read(name string) ([]byte, error) {
	f, err := l.fsys.Open(name)
	if err != nil {
		what := err
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			what = pe.Err
		}
		return nil, &source.Hint{Err: fmt.Errorf("%s: cannot be read: %w", l.show(name), what),
			Try: "name the inventory with -i FILE"}
	}
	defer f.Close()
	l.at = source.Pos{File: l.show(name), Line: 1}
	data, err := io.ReadAll(io.LimitReader(metered{f, l.b}, MaxList+1))
	if l.b.Err() != nil {
		return nil, l.b.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", l.show(name), err)
	}
	if text, ok := l.with[l.show(name)]; ok {
		data = text
	}
	l.note(name, data)
	return data, nil
}

// metered pays for what it reads before that is kept, and for the room that a
// buffer has while it grows.
type metered struct {
	r io.Reader
	b *budget.Budget
}

// Read implements io.Reader.
func (m metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if over := m.b.Spend(1, 2*n); over != nil {
		return 0, over
	}
	return n, err
}

// note keeps what Files and Hash tell.
func (l *loader) note(name string, data []byte) {
	l.inv.Files = append(l.inv.Files, l.show(name))
	fmt.Fprintf(l.sum, "%s\x00%d\x00", name, len(data))
	l.sum.Write(data)
	if l.inv.text == nil {
		l.inv.text = map[string][]byte{}
	}
	l.inv.text[l.show(name)] = data
}

// parse turns the bytes of one file into a value.
func (l *loader) parse(name string, data []byte) (py.Value, error) {
	if len(data) > MaxSize {
		return nil, &source.Hint{Err: fmt.Errorf("%s: larger than %d MB: this is not a Pigsty inventory", l.show(name), MaxSize>>20),
			Try: "name the inventory with -i FILE"}
	}
	data, err := l.unlockFile(name, data)
	if err != nil {
		return nil, err
	}
	d := &decoder{file: l.show(name), vault: l.unlock, warn: l.twice, b: l.b, at: &l.at}
	return d.document(data)
}

func (l *loader) warn(at source.Pos, text string) {
	l.inv.Warnings = append(l.inv.Warnings, Warning{At: at, Text: text})
}

// twice is warn for a key that is written twice.
func (l *loader) twice(at source.Pos, text string) {
	l.inv.Warnings = append(l.inv.Warnings, Warning{At: at, Text: text, Twice: true})
}

// typeWord is the type of v in YAML's words.
func typeWord(v py.Value) string {
	switch v.(type) {
	case nil:
		return "null"
	case []py.Value:
		return "list"
	case *py.Dict:
		return "mapping"
	case string, py.Unsafe, py.Vault:
		return "string"
	case bool:
		return "bool"
	case py.Time:
		return "date"
	}
	if py.IsNumber(v) {
		return "number"
	}
	return py.TypeName(v)
}

// Decode reads one YAML document the way Ansible reads a vars file.
func Decode(name string, data []byte) (py.Value, error) { return DecodeIn(nil, name, data) }

// DecodeIn is Decode within a budget; nil takes a whole one.
func DecodeIn(b *budget.Budget, name string, data []byte) (py.Value, error) {
	l := newLoader(Options{Budget: b})
	defer func() { l.b.Where = nil }()
	return l.parse(name, data)
}
