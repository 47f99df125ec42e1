// Package py has the values Ansible works with, as Python has them: what is
// true, what equals what, what prints how. Pigsty's files are printed by
// Python, so a port that was written 6010.0 or a list given where a word was
// expected must come out as Python would print it.
//
// A Value is one of: nil (None), bool, int64, *big.Int (only when it does not
// fit int64), float64, string, Computed, Verbatim, Unsafe, Vault, []Value, Tuple, *Dict,
// Set, Bytes, Time, Object. Everything in this package is pure and safe for concurrent use as
// long as values are not changed.
package py

import (
	"math/big"
	"time"

	"pgtui/source"
)

// Value is any of the Python values listed in the package comment.
type Value = any

// Computed is a string that Jinja or JMESPath made. It differs from a string
// that stood in YAML in one point only: JMESPath can sort by it.
type Computed string

// Verbatim is a Computed string that Ansible does not read back as a list, a
// mapping or a bool, whatever it looks like: what the filter "string" gives.
type Verbatim string

// Object is a host as templates and selectors see it: not a mapping, but it
// answers for names. Attr reports whether the host has the variable at all.
type Object interface {
	Attr(name string) (v Value, ok bool, err error)
	Names() []string
}

// Unsafe is a string that is never treated as a template (YAML tag !unsafe).
type Unsafe string

// Vault is a decrypted !vault string. Ansible never treats it as a template,
// and JMESPath functions do not take it for a string.
type Vault struct {
	Text string
	// Sealed is the value as it is written, encrypted.
	Sealed string
	// Err says why it could not be decrypted; Text is empty then.
	Err error
}

// Set is a Python set, in the order it was written.
type Set struct{ Items []Value }

// Tuple is a Python tuple. Only templates make them.
type Tuple []Value

// Bytes is a Python bytes value (YAML tag !!binary).
type Bytes string

// Time is a date or a timestamp.
type Time struct {
	At       time.Time
	DateOnly bool
	Zone     bool // an offset was written
}

// Dict is an ordered mapping that remembers where each entry was written.
// The zero Dict is empty and ready to use.
type Dict struct {
	At      source.Pos
	entries []Entry
	index   map[Key]int
	under   map[Key][]Entry // what Over has replaced, the last first
	base    *Dict           // what is below it, nil for nothing: see OverlayOf
	fresh   int             // entries that base does not have
}

// OverlayOf is a mapping with all entries of base, which must not change any
// more, to which others are added: it takes no more room than those.
func OverlayOf(base *Dict) *Dict { return &Dict{base: base} }

// Entry is one key of a Dict with its value and the place it was written.
type Entry struct {
	Key   Value
	Value Value
	At    source.Pos
}

// Key is a hashable form of a value: keys that Python calls equal are equal.
type Key struct {
	kind byte
	text string
	num  float64
}

// KeyOf is the hashable form of v; ok is false when Python could not hash it.
func KeyOf(v Value) (k Key, ok bool) {
	switch x := v.(type) {
	case nil:
		return Key{kind: 'n'}, true
	case bool:
		if x {
			return Key{kind: '#', num: 1}, true
		}
		return Key{kind: '#'}, true
	case int64:
		return Key{kind: '#', num: float64(x)}, true
	case float64:
		return Key{kind: '#', num: x}, true
	case *big.Int:
		return Key{kind: 'b', text: x.String()}, true
	case string:
		return Key{kind: 's', text: x}, true
	case Computed:
		return Key{kind: 's', text: string(x)}, true
	case Verbatim:
		return Key{kind: 's', text: string(x)}, true
	case Unsafe:
		return Key{kind: 's', text: string(x)}, true
	case Vault:
		return Key{kind: 's', text: x.Text}, true
	case Bytes:
		return Key{kind: 'y', text: string(x)}, true
	case Time:
		return Key{kind: 't', text: Str(x)}, true
	}
	return Key{}, false
}

// NewDict returns an empty mapping with room for n entries.
func NewDict(n int) *Dict {
	return &Dict{entries: make([]Entry, 0, n), index: make(map[Key]int, n)}
}

// Len is the number of entries.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	if d.base != nil {
		return d.base.Len() + d.fresh
	}
	return len(d.entries)
}

// Entries are the entries in order. The slice must not be changed.
func (d *Dict) Entries() []Entry {
	if d == nil {
		return nil
	}
	if d.base != nil {
		return d.laid()
	}
	return d.entries
}

// laid are the entries of the base with those over them in their place, and
// then the others.
func (d *Dict) laid() []Entry {
	out := make([]Entry, 0, d.Len())
	for _, e := range d.base.Entries() {
		if k, ok := KeyOf(e.Key); ok {
			if i, over := d.index[k]; over {
				e.Value, e.At = d.entries[i].Value, d.entries[i].At
			}
		}
		out = append(out, e)
	}
	for _, e := range d.entries {
		if d.base.Lookup(e.Key) == nil {
			out = append(out, e)
		}
	}
	return out
}

// Lookup returns the entry of that key, nil when there is none.
func (d *Dict) Lookup(key Value) *Entry {
	if d == nil {
		return nil
	}
	k, ok := KeyOf(key)
	if !ok {
		return nil
	}
	for ; d != nil; d = d.base {
		if i, ok := d.index[k]; ok {
			return &d.entries[i]
		}
	}
	return nil
}

// Get returns the value of a string key.
func (d *Dict) Get(key string) (Value, bool) {
	k := Key{kind: 's', text: key}
	for ; d != nil; d = d.base {
		if i, ok := d.index[k]; ok {
			return d.entries[i].Value, true
		}
	}
	return nil, false
}

// Set adds or replaces an entry. A replaced key keeps its place in the order,
// as in Python. It reports whether the key was there, and does nothing when
// the key cannot be hashed.
func (d *Dict) Set(key, value Value, at source.Pos) (replaced bool) {
	k, ok := KeyOf(key)
	if !ok {
		return false
	}
	if d.index == nil {
		d.index = map[Key]int{}
	}
	if i, ok := d.index[k]; ok {
		d.entries[i].Value, d.entries[i].At = value, at
		return true
	}
	below := d.base != nil && d.base.Lookup(key) != nil
	if !below {
		d.fresh++
	}
	d.index[k] = len(d.entries)
	d.entries = append(d.entries, Entry{Key: key, Value: value, At: at})
	return below
}

// Over is Set for a definition that overrides one from another place: what it
// replaces is kept for Under.
func (d *Dict) Over(key, value Value, at source.Pos) {
	if was := d.Lookup(key); was != nil && was.At != at {
		k, _ := KeyOf(key)
		if d.under == nil {
			d.under = map[Key][]Entry{}
		}
		d.under[k] = append([]Entry{*was}, d.under[k]...)
	}
	d.Set(key, value, at)
}

// Under are the entries of a key that Over has replaced, the last first.
func (d *Dict) Under(key Value) []Entry {
	if d == nil || d.under == nil {
		return nil
	}
	k, ok := KeyOf(key)
	if !ok {
		return nil
	}
	return d.under[k]
}

// Identity distinguishes lists and mappings with equal content: one
// keeps its identity as long as it lives. ok is false for everything else,
// and for what is empty.
func Identity(v Value) (id any, ok bool) {
	switch x := v.(type) {
	case []Value:
		if len(x) > 0 {
			return identity{&x[0], len(x)}, true
		}
	case *Dict:
		if x.Len() > 0 {
			return x, true
		}
	}
	return nil, false
}

// identity is a part of a list: its first item, and how many there are.
type identity struct {
	first *Value
	n     int
}

// Text is the value as a string when it is one of the string kinds.
func Text(v Value) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case Computed:
		return string(x), true
	case Verbatim:
		return string(x), true
	case Unsafe:
		return string(x), true
	case Vault:
		return x.Text, true
	}
	return "", false
}

// Int makes an integer value of b, small when it fits.
func Int(b *big.Int) Value {
	if b.IsInt64() {
		return b.Int64()
	}
	return b
}

// IsNumber reports whether Jinja's "is number" holds: integers, floats, bool.
func IsNumber(v Value) bool {
	switch v.(type) {
	case bool, int64, *big.Int, float64:
		return true
	}
	return false
}

// TypeName is Python's name for the type of v.
func TypeName(v Value) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string, Computed, Verbatim, Unsafe, Vault:
		return "str"
	case []Value:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case Set:
		return "set"
	case Bytes:
		return "bytes"
	case Time:
		return "datetime"
	}
	return "object"
}
