package inventory_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"pgtui/ansible/inventory"
	"pgtui/internal/fuzz"
	"pgtui/source"
	"pgtui/source/budget"
)

func load(files map[string]string, password string) (*inventory.Inventory, error) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return inventory.Load(fsys, "pigsty.yml", inventory.Options{VaultPassword: password})
}

// TestRefused holds that each broken inventory is one clear error with its place.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
	}{
		{"empty file", "", "pigsty.yml: empty: expected groups of hosts"},
		{"comments only", "# nothing\n", "pigsty.yml: empty"},
		{"binary", "all:\n  \x00\x01", "pigsty.yml:2:3: byte 0x00 is not text"},
		{"an ELF file", "\x7fELF\x02\x01", "pigsty.yml:1:1: byte 0x7f is not text"},
		{"a list", "- a\n- b\n", "pigsty.yml:1:1: expected a mapping of groups, found a list"},
		{"a word", "hello", "found a string"},
		{"broken YAML", "all:\n  children: {\n  a: b\n", "pigsty.yml:"},
		{"two documents", "all: {}\n---\nall: {}\n", "expected one YAML document"},
		{"hosts as a list", "all:\n  hosts:\n    - 10.0.0.1\n", `pigsty.yml:2:3: "hosts" of group all: expected a mapping, found a list`},
		{"vars as a number", "all: { vars: 5 }", `"vars" of group all: expected a mapping, found a number`},
		{"host vars as a list", "all: { hosts: { 10.0.0.1: [1] } }", "host 10.0.0.1 of group all: expected a mapping of variables, found a list"},
		{"host that is a number", "all: { hosts: { 10: {} } }", "host 10 of group all is a number"},
		{"group that is a number", "all: { children: { 5: {} } }", "group name 5 is a number"},
		{"child that is a list", "all: { children: { a: [] } }", "child a of group all: expected a mapping or nothing, found a list"},
		{"cyclic children", "all:\n  children:\n    a: { children: { b: { children: { c: { children: { a: } } } } } }\n", "group a is its own descendant: a > b > c > a"},
		{"all under itself", "all: { children: { x: { children: { all: } } } }", "is its own descendant"},
		{"alias to itself", "all: &a { children: *a }", "contains itself"},
		{"unclosed range", "all: { hosts: { \"10.0.0.[1:3\": } }", "must be closed with ]"},
		{"endless range", "all: { hosts: { \"10.0.0.[1:999999999]\": } }", "more than 65536 hosts"},
		{"unknown tag", "all: { vars: { a: !ruby x } }", "unknown tag !ruby"},
		{"plugin configuration", "plugin: aws_ec2\n", "configures an Ansible inventory plugin"},
		{"bad priority", "all: { vars: { ansible_group_priority: high } }", "expected a number"},
		{"bad date", "all: { vars: { a: 2026-13-45 } }", "is not a date"},
		{"20 MB", "all: { vars: { a: " + strings.Repeat("x", 20<<20) + " } }", "larger than 16 MB"},
		{"deep nesting", strings.Repeat("a: {", 3000), "pigsty.yml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(map[string]string{"pigsty.yml": c.text}, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the message is %d bytes long", len(err.Error()))
			}
		})
	}
}

// TestAliasBomb holds that thirty levels of nine aliases are refused where they
// become too many, and so are merge keys.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("all:\n  vars:\n    a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&b, "    a%d: &a%d [%s]\n", i, i, strings.Join(strings.Split(strings.Repeat(fmt.Sprintf("*a%d ", i-1), 9), " ")[:9], ", "))
	}
	b.WriteString("  hosts: { 10.0.0.1: }\n")
	var spent *budget.Error
	if _, err := load(map[string]string{"pigsty.yml": b.String()}, ""); !errors.As(err, &spent) || spent.At.Line != 10 {
		t.Fatalf("alias bomb: %v", err)
	}
	b.Reset()
	b.WriteString("m0: &m0 { a: 1, b: 2 }\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "m%d: &m%d { <<: [*m%d, *m%d, *m%d] }\n", i, i, i-1, i-1, i-1)
	}
	if _, err := load(map[string]string{"pigsty.yml": b.String()}, ""); !errors.As(err, &spent) || spent.At.Line == 0 {
		t.Fatalf("merge bomb: %v", err)
	}
}

// TestMissing holds that a file that is not there, or is a directory, says
// what to type.
func TestMissing(t *testing.T) {
	fsys := fstest.MapFS{"dir/x": &fstest.MapFile{}}
	for _, name := range []string{"nosuch.yml", "dir"} {
		_, err := inventory.Load(fsys, name, inventory.Options{})
		if err == nil || source.TryOf(err) == "" {
			t.Errorf("%s: %v, try %q", name, err, source.TryOf(err))
		}
	}
	_, err := inventory.Load(failing{}, "pigsty.yml", inventory.Options{})
	if err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("unreadable file: %v", err)
	}
}

type failing struct{}

func (failing) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

// FuzzLoad holds that no inventory makes the loader panic or hang, and that
// what it accepts has every host in a group.
func FuzzLoad(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{
		"all: { hosts: { 10.0.0.[1:3]: { a: 010, b: !vault x, c: !!set {a} } }, vars: { <<: {x: 1} } }",
		"a: { children: { b: { hosts: h } } }\nb: &x { vars: { k: *x } }\n",
		"all: {children: {c: {hosts: {h[a:c]:22: }}}}", "{\"all\": {\"hosts\": {\"a\": {\"n\": 1e2}}}}",
		"x: &a [*a]", "? [a]\n: b\n", "all:\n  vars:\n    d: 2026-01-02T03:04:05Z\n    f: 1:30.5\n", "%YAML 1.1\n---\nall: {}\n", "<<: 1",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := inventory.Parse("pigsty.yml", data, inventory.Options{VaultPassword: "x"})
		if err != nil {
			return
		}
		for _, h := range inv.Hosts {
			if len(h.Groups()) == 0 || h.All() == nil {
				t.Fatalf("host %q has no groups or variables", h.Name)
			}
		}
	})
}
