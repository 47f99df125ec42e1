package inventory_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/internal/fuzz"
	"pgtui/source"
)

// roleOf is a change of one host's pg_role.
func roleOf(host, value string) inventory.Change {
	return inventory.Change{Host: host, Variable: "pg_role", Value: value}
}

// TestEdit: «old» in a text is the value that is replaced, and every other byte
// stays.
func TestEdit(t *testing.T) {
	for _, c := range []struct {
		name, text string
		changes    []inventory.Change
	}{
		{"flow", "all: { children: { a: { hosts: { h1: { pg_seq: 1, pg_role: «primary» }, h2: { pg_seq: 2, pg_role: «replica» } } } } }\n", []inventory.Change{roleOf("h1", "replica"), roleOf("h2", "primary")}},
		{"in the other order", "all: { children: { a: { hosts: { h1: { pg_seq: 1, pg_role: «primary» }, h2: { pg_seq: 2, pg_role: «replica» } } } } }\n", []inventory.Change{roleOf("h2", "primary"), roleOf("h1", "replica")}},
		{"block", "all:\n  children:\n    a:\n      hosts:\n        h1:\n          # the first\n          pg_role:   «primary»   # as of May\n          pg_seq: 1\n", []inventory.Change{roleOf("h1", "replica")}},
		{"on the next line", "all:\n  hosts:\n    h1:\n      pg_role:\n        # here\n        «primary»\n", []inventory.Change{roleOf("h1", "replica")}},
		{"double quotes", "all: { hosts: { h1: { \"pg_role\":\"«primary»\" } } }", []inventory.Change{roleOf("h1", "replica")}},
		{"single quotes", "all: { hosts: { h1: { 'pg_role': '«primary»'} } }", []inventory.Change{roleOf("h1", "replica")}},
		{"no end of line", "all: { hosts: { h1: } }\nb:\n  hosts:\n    h1:\n      pg_role: «primary»", []inventory.Change{roleOf("h1", "replica")}},
		{"CR LF", "all:\r\n  # x\r\n  hosts:\r\n    h1: { pg_role: «primary» }\r\n", []inventory.Change{roleOf("h1", "replica")}},
		{"CR alone", "all:\r  hosts:\r    h1: { pg_role: «primary» }\r", []inventory.Change{roleOf("h1", "replica")}},
		{"lines that only YAML breaks", "# a\u2028# b\u2029# c\u0085all:\n  hosts:\n    h1: { pg_role: «primary» }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"letters of several bytes before it", "all:\n  hosts:\n    h1: { desc: 'größer 数据库 🐘', pg_role: «primary», x: 'é' } # ü\n", []inventory.Change{roleOf("h1", "replica")}},
		{"a byte order mark", "\ufeffall: { hosts: { h1: { pg_role: «primary» } } }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"a byte order mark, later line", "\ufeffall:\n  hosts: { h1: { pg_role: «primary» } }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"a document's marks", "%YAML 1.1\n--- # begin\nall: { hosts: { h1: { pg_role: «primary» } } }\n...\n", []inventory.Change{roleOf("h1", "replica")}},
		{"tabs", "all:\n  hosts:\n    h1: {\tpg_role:\t«primary»\t}\n", []inventory.Change{roleOf("h1", "replica")}},
		{"the definition that wins is the last", "a: { hosts: { h1: { pg_role: primary } } }\nb: { hosts: { h1: { pg_role: «primary» } } }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"written twice", "a: { hosts: { h1: { pg_role: primary, pg_role: «primary» } } }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"the host's wins over the group's", "a: { vars: { pg_role: replica }, hosts: { h1: { pg_role: «primary» }, h2: } }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"an anchor that nobody uses", "a: &a { hosts: &h { h1: &one { pg_role: «primary» } } }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"a mapping beside what is merged in", "a: { vars: { x: &x { pg_role: replica } }, hosts: { h1: { <<: *x, pg_role: «primary» } } }\n", []inventory.Change{roleOf("h1", "replica")}},
		{"the same word all over the line", "a: { hosts: { primary: { pg_role: «primary», primary: pg_role } } } # pg_role: primary\n", []inventory.Change{roleOf("primary", "replica")}},
		{"a word in another's place", "a: { hosts: { h1: { pg_role: «offline» } } }\n", []inventory.Change{roleOf("h1", "primary")}},
		{"a shorter word before a longer", "a: { hosts: { h1: { pg_role: «primary» }, h2: { pg_role: «offline-x» }, h3: { pg_role: «d» } } }\n", []inventory.Change{roleOf("h2", "r"), roleOf("h3", "delayed"), roleOf("h1", "x")}},
		{"nothing to do", "a: { hosts: { h1: { pg_role: primary } } }\n", []inventory.Change{roleOf("h1", "primary")}},
		{"what is vaulted stays", "a: { hosts: { h1: { pg_role: «primary» } }, vars: { p: !vault '$ANSIBLE_VAULT;1.1;AES256', d: 2026-01-02, n: .nan, b: !!binary aGk=, s: !!set {a, b}, f: 1.0, u: !unsafe '{{ x }}' } }\n", []inventory.Change{roleOf("h1", "replica")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := strings.FieldsFunc(c.text, func(r rune) bool { return r == '«' || r == '»' })
			old := strings.Join(parts, "")
			inv, err := inventory.Parse("pigsty.yml", []byte(old), inventory.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := inv.Edit(c.changes)
			if err != nil {
				t.Fatal(err, source.TryOf(err))
			}
			marks := strings.Count(c.text, "«")
			if marks == 0 {
				if got != nil {
					t.Errorf("changed: %q", got)
				}
				return
			}
			if len(got) != 1 || got[0].File != "pigsty.yml" || string(got[0].Before) != old {
				t.Fatalf("%+v", got)
			}
			rest := string(got[0].After)
			for i := 0; i < len(parts); i += 2 { // what is not to change
				at := strings.Index(rest, parts[i])
				if at < 0 || i == 0 && at != 0 {
					t.Fatalf("%q is gone from %q", parts[i], got[0].After)
				}
				rest = rest[at+len(parts[i]):]
			}
			if strings.Contains(c.text, "»") && len(parts) == 2*marks+1 && rest != "" {
				t.Errorf("%q was added", rest)
			}
			total := len(old)
			for i := 1; i < len(parts); i += 2 {
				total -= len(parts[i])
			}
			again, err := inventory.Parse("pigsty.yml", got[0].After, inventory.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, ch := range c.changes {
				total += len(ch.Value)
				if v, _ := again.Host(ch.Host).All().Get("pg_role"); v != ch.Value {
					t.Errorf("%s is %v", ch.Host, v)
				}
			}
			if total != len(got[0].After) {
				t.Errorf("%d bytes, want %d: %q", len(got[0].After), total, got[0].After)
			}
		})
	}
}

// TestEditRefused: what cannot be edited is told with its place, why, and what
// to write by hand.
func TestEditRefused(t *testing.T) {
	for _, c := range []struct{ name, text, err, try string }{
		{"missing", "a:\n  hosts:\n    h1: { pg_seq: 1 }\n", "pigsty.yml:3: pg_role of host h1 cannot be edited: it has none", "add to host h1 at pigsty.yml:3: pg_role: replica"},
		{"of a group", "a:\n  vars: { pg_role: primary }\n  hosts:\n    h1:\n", "pigsty.yml:2: pg_role of host h1 cannot be edited: it is written for a group", "write it for the host itself, at pigsty.yml:4: pg_role: replica"},
		{"an alias", "a:\n  vars: { x: &r primary }\n  hosts:\n    h1: { pg_role: *r }\n", "pigsty.yml:4: pg_role of host h1 cannot be edited: its value is the alias *r", "write at pigsty.yml:4, for host h1: pg_role: replica"},
		{"an anchor", "a:\n  hosts:\n    h1: { pg_role: &r primary }\n    h2: { pg_role: *r }\n", "its value has the anchor &r", "pigsty.yml:3"},
		{"a merge key", "a:\n  vars:\n    x: &x { pg_role: primary }\n  hosts:\n    h1: { <<: *x }\n", "pigsty.yml:3: pg_role of host h1 cannot be edited: it is part of the anchor &x on line 3", "pg_role: replica"},
		{"an alias to another host", "a:\n  hosts:\n    h1: &h { pg_role: primary }\n    h2: *h\n", "it is part of the anchor &h on line 3, which is used elsewhere too", ""},
		{"the second of two hosts of one text", "a:\n  hosts:\n    h2: &h { pg_role: primary }\n    h1: *h\n", "the anchor &h on line 3", ""},
		{"a template", "a: { vars: { r: primary }, hosts: { h1: { pg_role: '{{ r }}' } } }\n", "pigsty.yml:1: pg_role of host h1 cannot be edited: its value is a template", ""},
		{"a tag", "a: { hosts: { h1: { pg_role: !!str primary } } }\n", "its value has the tag !!str", ""},
		{"a vault", "a:\n  hosts:\n    h1:\n      pg_role: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        30\n", "pigsty.yml:4: pg_role of host h1 cannot be edited: it is vaulted", ""},
		{"a block", "a:\n  hosts:\n    h1:\n      pg_role: |\n        primary\n", "its value is a block of text", ""},
		{"folded over lines", "a:\n  hosts:\n    h1:\n      pg_role: pri\n        mary\n", "its value is written with escapes or over several lines", ""},
		{"escapes", "a: { hosts: { h1: { pg_role: \"prim\\x61ry\" } } }\n", "its value is written with escapes", ""},
		{"empty", "a:\n  hosts:\n    h1:\n      pg_role:\n", "its value is a null, no word", ""},
		{"an empty word", "a: { hosts: { h1: { pg_role: '' } } }\n", "its value is an empty word", ""},
		{"a bool", "a: { hosts: { h1: { pg_role: no } } }\n", "its value is a bool, no word", ""},
		{"a mapping", "a: { hosts: { h1: { pg_role: { a: primary } } } }\n", "its value is a mapping, no word", ""},
		{"a range of hosts", "a: { hosts: { 'h[1:3]': { pg_role: primary } } }\n", "it is written for host h2 as well", "for host h1: pg_role: replica"},
		{"JSON", `{"a": {"hosts": {"h1": {"pg_role": "primary"}}}}`, "the file is JSON", ""},
		{"INI", "[a]\nh1 pg_role=primary\n", "the file is not YAML", "for host h1: pg_role: replica"},
		{"a saved --list", `{"a":{"hosts":["h1"]},"_meta":{"hostvars":{"h1":{"pg_role":"primary"}}}}`, "the file is JSON", ""},
		{"UTF-16", "\xff\xfe" + utf16("a: { hosts: { h1: { pg_role: primary } } }\n"), "the file is not UTF-8", ""},
		{"no such host", "a: { hosts: { h2: } }\n", `no host "h1" in pigsty.yml`, "-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inv, err := inventory.Parse("pigsty.yml", []byte(c.text), inventory.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := inv.Edit([]inventory.Change{roleOf("h1", "replica")})
			if got != nil || err == nil || !strings.Contains(err.Error(), c.err) {
				t.Fatalf("%q, error %v, want %q", got, err, c.err)
			}
			if try := source.TryOf(err); c.try != "-" && (!strings.Contains(try, c.try) || !strings.HasSuffix(try, "pg_role: replica")) {
				t.Errorf("try %q, want %q", try, c.try)
			}
		})
	}
	inv, err := inventory.Parse("pigsty.yml", []byte("a: { hosts: { h1: { pg_role: '{{ a }}' }, h2: { pg_role: primary }, h3: } }\n"), inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := inv.Edit([]inventory.Change{roleOf("h1", "replica"), roleOf("h2", "replica"), roleOf("h3", "primary")}); got != nil || strings.Count(fmt.Sprint(err), "cannot be edited") != 2 {
		t.Errorf("%v, %v: expected both refusals and no result", got, err)
	}
	for _, value := range []string{"", "a b", "yes", "null", "a,b", "Ä", "x}", "a:"} {
		if got, err := inv.Edit([]inventory.Change{roleOf("h2", value)}); got != nil || err == nil {
			t.Errorf("%q was written: %v", value, got)
		}
	}
}

func utf16(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		b.WriteByte(0)
	}
	return b.String()
}

// TestEditVarsFiles: a definition in host_vars is edited there; one in
// group_vars is shared; a program's is its own.
func TestEditVarsFiles(t *testing.T) {
	fsys := fstest.MapFS{
		"pigsty.yml":             {Data: []byte("a:\n  hosts:\n    h1: { pg_role: replica }\n    h2: { pg_role: replica }\n    h3:\n    h4:\n")},
		"host_vars/h1.yml":       {Data: []byte("# own\npg_role: primary\n")},
		"group_vars/a.yml":       {Data: []byte("pg_role: replica\n")},
		"inventory.sh":           {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
		"play/host_vars/h2.yaml": {Data: []byte("pg_role: replica\n")},
	}
	o := inventory.Options{Display: "dir", Playbooks: inventory.Source{FS: fsys, Name: "play", Display: "dir"},
		Run: func(string, ...string) ([]byte, error) {
			return []byte(`{"a":{"hosts":["h9"]},"_meta":{"hostvars":{"h9":{"pg_role":"primary"}}}}`), nil
		}}
	inv, err := inventory.Load(fsys, "pigsty.yml", o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := inv.Edit([]inventory.Change{roleOf("h1", "replica"), roleOf("h2", "primary")})
	if err != nil || len(got) != 2 {
		t.Fatalf("%q, %v", got, err)
	}
	if f := got[0]; f.File != "dir/host_vars/h1.yml" || string(f.After) != "# own\npg_role: replica\n" {
		t.Errorf("%s %q", f.File, f.After)
	}
	if f := got[1]; f.File != "dir/play/host_vars/h2.yaml" || string(f.After) != "pg_role: primary\n" {
		t.Errorf("%s %q", f.File, f.After)
	}
	if _, err := inv.Edit([]inventory.Change{roleOf("h3", "primary")}); err == nil || !strings.Contains(err.Error(), "dir/group_vars/a.yml:1: pg_role of host h3 cannot be edited: it is written for a group") {
		t.Error(err)
	}
	if inv, err = inventory.Load(fsys, "inventory.sh", o); err != nil {
		t.Fatal(err)
	}
	if _, err := inv.Edit([]inventory.Change{roleOf("h9", "replica")}); err == nil || !strings.Contains(err.Error(), "it comes from a program") || !strings.Contains(source.TryOf(err), "inventory.sh") {
		t.Error(err, source.TryOf(err))
	}
	// what was read in between is not taken for the change
	inv, err = inventory.Load(fsys, "pigsty.yml", o)
	if err != nil {
		t.Fatal(err)
	}
	fsys["group_vars/a.yml"] = &fstest.MapFile{Data: []byte("pg_role: replica\nother: 1\n")}
	if _, err := inv.Edit([]inventory.Change{roleOf("h1", "replica")}); err == nil || !strings.Contains(err.Error(), "refused: the change would have changed") {
		t.Error(err)
	}
}

// TestEditRoleOfEveryInventory: what FuzzEditRole holds, of the inventories that
// are too large to begin it with.
func TestEditRoleOfEveryInventory(t *testing.T) {
	for _, data := range editSeeds(t) {
		editRoles(t, data, 50)
	}
}

// editSeeds are the inventories of testdata.
func editSeeds(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, glob := range []string{"oracle/*/pigsty.yml", "lint/*.yml"} {
		files, err := filepath.Glob("../../testdata/" + glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("no seeds in %s: %v", glob, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, data)
		}
	}
	return out
}

// FuzzEditRole: whatever the inventory says, a host's pg_role is refused with a
// reason, or becomes the value asked for; the text around that one word stays,
// it can be read again, and no other value of any host changes. Each host is an
// inventory that is read once more: few of them, of a short text, leave time to
// try many.
func FuzzEditRole(f *testing.F) {
	fuzz.Target(f)
	small := 0
	for _, data := range editSeeds(f) {
		if len(data) <= 1000 {
			small++
			f.Add(data)
		}
	}
	if small < 5 {
		f.Fatalf("%d small seeds only", small)
	}
	f.Add([]byte("\ufeffa: { hosts: { h1: { d: 'é数', pg_role: \"primary\" }, h2: { <<: &x { pg_role: primary } }, h3: *x } }\r\n"))
	f.Add([]byte("a:\r  # x\u2028  hosts:\n    h1:\n      ? pg_role\n      : 'primary'\n    'h[2:4]': { pg_role: primary }\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) <= 2000 {
			editRoles(t, data, 6)
		}
	})
}

// editRoles edits the role of every host of an inventory that has no more than
// most of them.
func editRoles(t *testing.T, data []byte, most int) {
	inv, err := inventory.Parse("x.yml", data, inventory.Options{})
	if err != nil || len(inv.Hosts) > most {
		return
	}
	for _, h := range inv.Hosts {
		got, err := inv.Edit([]inventory.Change{roleOf(h.Name, "witness")})
		was, had := h.All().Get("pg_role")
		if err != nil {
			if got != nil || err.Error() == "" {
				t.Errorf("refused with a result, or without a reason: %v, %v", got, err)
			}
			continue
		}
		old, isWord := was.(string)
		if !had || !isWord {
			t.Fatalf("%s has no pg_role to edit: %v", h.Name, was)
		}
		if len(got) == 0 && old == "witness" {
			continue
		}
		if len(got) != 1 || string(got[0].Before) != string(data) {
			t.Fatalf("%q", got)
		}
		checkEdit(t, inv, h.Name, old, got[0])
	}
}

// checkEdit compares before and after in its own way.
func checkEdit(t *testing.T, inv *inventory.Inventory, host, old string, e inventory.Edited) {
	a, b := string(e.Before), string(e.After)
	found := false
	for at := 0; !found; at++ {
		i := strings.Index(b[at:], "witness")
		if i < 0 {
			break
		}
		at += i
		found = b[:at]+old+b[at+len("witness"):] == a
	}
	if !found {
		t.Fatalf("more than %q has changed:\n%q\n%q", old, a, b)
	}
	again, err := inventory.Parse("x.yml", e.After, inventory.Options{})
	if err != nil {
		t.Fatalf("it cannot be read again: %v", err)
	}
	for _, h := range inv.Hosts {
		k := again.Host(h.Name)
		if k == nil || h.All().Len() != k.All().Len() {
			t.Fatalf("host %s has changed", h.Name)
		}
		for _, x := range h.All().Entries() {
			y := k.All().Lookup(x.Key)
			if h.Name == host && py.Str(x.Key) == "pg_role" {
				if y == nil || y.Value != "witness" {
					t.Errorf("pg_role of %s: %v", host, y)
				}
			} else if y == nil || py.Repr(x.Value) != py.Repr(y.Value) {
				t.Errorf("%v of %s has changed: %v", x.Key, h.Name, y)
			}
		}
	}
}
