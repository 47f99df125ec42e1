package pigsty

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

// Checkout is what a Pigsty checkout says about the files it writes. The zero
// Checkout says nothing.
type Checkout struct {
	Dir     string        // as the user named it
	Dialect model.Dialect // "" when there is no service template
	// Template is the service template's path below Dir.
	Template string
	// Custom is the template's text when Pigsty never shipped it;
	// Dialect is the nearest then.
	Custom string
	// Defaults are the role defaults in force; nil takes the dialect's.
	Defaults *py.Dict
	Problems []source.Problem

	b *budget.Budget
}

// shipped are the service templates of every Pigsty release, by SHA-256.
func shipped() map[string]model.Dialect {
	return map[string]model.Dialect{
		"1d3c3b9dcf6916ad6ad7569f0e727eaf1ee1c6a8a999bc877bfab2cc0d5a9d78": model.DialectV20,
		"b1e041fd4f983425bd195e1001d97c92cd3ad23ed75b64d3ce81945fb909426d": model.DialectV27,
		"e1ee5e0130168cc099274d2231b1bb30dd50958d919992cf8740a86a514317cf": model.DialectV37,
		"9939b4668d996fbc384f3c17d1b474249716c4a41184f3344572b291267f2c84": model.DialectV40, // and v4.5: only the directory differs
	}
}

// ReadCheckoutIn reads the Pigsty checkout in fsys, called dir in messages. What
// is missing is left to the dialect; what cannot be read is a problem.
// It costs the budget b, nil for a whole one; a spent one is a problem of the
// checkout, and found by whoever uses it next.
func ReadCheckoutIn(b *budget.Budget, fsys fs.FS, dir string) *Checkout {
	c := &Checkout{Dir: dir, b: b}
	for _, name := range []string{"service.cfg", "service.j2"} {
		file := "roles/pgsql/templates/" + name
		text, err := c.read(fsys, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			c.problem(file, err, "its rules are taken from the inventory's version")
			return c
		}
		c.Template = file
		c.recognise(fsys, text)
		c.defaults(fsys)
		return c
	}
	return c
}

func (c *Checkout) read(fsys fs.FS, file string) (string, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := c.b.Spend(1, 3<<20); err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(f, 1<<20+1))
	c.b.Return(3<<20 - 2*len(data))
	if err == nil && len(data) > 1<<20 {
		err = errors.New("larger than 1 MB")
	}
	return string(data), err
}

func (c *Checkout) problem(file string, err error, so string) {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	c.Problems = append(c.Problems, source.Problem{At: source.Pos{File: path.Join(c.Dir, file), Line: 1, Column: 1}, Subject: "the Pigsty checkout",
		What: fmt.Sprintf("it cannot be used: %v; %s", err, so), Try: "make it readable, or name another with --pigsty-home"})
}

// recognise finds the dialect of the template, the nearest when Pigsty never
// shipped it.
func (c *Checkout) recognise(fsys fs.FS, text string) {
	sum := sha256.Sum256([]byte(text))
	d, known := shipped()[hex.EncodeToString(sum[:])]
	if !known {
		c.Custom, d = text, nearest(text)
	}
	if d == model.DialectV40 {
		tasks, err := c.read(fsys, "roles/pgsql/tasks/service_local.yml")
		switch {
		case err != nil:
			c.problem("roles/pgsql/tasks/service_local.yml", err, "v4.5's directory is taken, /etc/haproxy/conf.d")
			d = model.DialectV45
		case strings.Contains(tasks, "/etc/haproxy/conf.d/"):
			d = model.DialectV45
		}
	}
	c.Dialect = d
}

// nearest is the dialect whose template has the features of this one.
func nearest(text string) model.Dialect {
	switch {
	case strings.Contains(text, "pg_rto_plan"):
		return model.DialectV40
	case strings.Contains(text, "/etc/pki/ca.crt"):
		return model.DialectV20
	case strings.Contains(text, "check_port"):
		return model.DialectV27
	case strings.Contains(text, "fastinter"):
		return model.DialectV37
	}
	return model.DialectV40
}

// roleFiles are the role defaults that services and node access can use, in
// the order of the playbook: later ones win.
func roleFiles() []string {
	return []string{"roles/haproxy/defaults/main.yml", "roles/pgsql/defaults/main.yml"}
}

func (c *Checkout) defaults(fsys fs.FS) {
	for _, file := range roleFiles() {
		text, err := c.read(fsys, file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var v py.Value
		if err == nil {
			v, err = inventory.DecodeIn(c.b, path.Join(c.Dir, file), []byte(text))
		}
		d, ok := v.(*py.Dict)
		if err == nil && v != nil && !ok {
			err = errors.New("expected a mapping of variables")
		}
		if err != nil {
			c.problem(file, err, "the dialect's own defaults are taken")
			continue
		}
		forgetPlaces(d)
		if c.Defaults == nil {
			c.Defaults = py.NewDict(d.Len())
		}
		for _, e := range d.Entries() {
			c.Defaults.Set(e.Key, e.Value, source.Pos{})
		}
	}
}

// choose settles the dialect of the run, how it was found, and what of the
// checkout applies: nothing, when the user chose another dialect.
func choose(inv *inventory.Inventory, o Options) (d model.Dialect, from string, c *Checkout) {
	c = o.Checkout
	if c == nil {
		c = &Checkout{}
	}
	switch {
	case o.Dialect != "" && o.Dialect != c.Dialect:
		return o.Dialect, "--dialect", &Checkout{}
	case o.Dialect != "":
		return o.Dialect, "--dialect", c
	case c.Dialect != "":
		return c.Dialect, path.Join(c.Dir, c.Template), c
	}
	d, from = declared(inv)
	return d, from, c
}

// languageOf is the inventory's "language" variable, which Pigsty 4 has; "" without one.
func languageOf(inv *inventory.Inventory) string {
	if len(inv.Hosts) == 0 {
		return ""
	}
	e := inv.Hosts[0].All().Lookup("language")
	if e == nil {
		return ""
	}
	s, _ := py.Text(e.Value)
	return s
}

// declared takes the dialect from the inventory's "version" variable.
func declared(inv *inventory.Inventory) (model.Dialect, string) {
	newest := "the newest known: there is no Pigsty checkout and no version: in the inventory"
	if len(inv.Hosts) == 0 {
		return model.DialectV45, newest
	}
	e := inv.Hosts[0].All().Lookup("version")
	if e == nil {
		return model.DialectV45, newest
	}
	s, _ := py.Text(e.Value)
	d, err := ParseDialect(s)
	if err != nil {
		return model.DialectV45, fmt.Sprintf("the newest known: version: %s in %s:%d is not a Pigsty version", py.Cut(py.Str(e.Value)), e.At.File, e.At.Line)
	}
	return d, fmt.Sprintf("version: %s in %s:%d", s, e.At.File, e.At.Line)
}

// overlay puts the checkout's role defaults on top of the dialect's. The
// result is fresh.
func (c *Checkout) overlay(d *py.Dict) *py.Dict {
	for _, e := range c.Defaults.Entries() {
		d.Set(e.Key, e.Value, source.Pos{})
	}
	return d
}
