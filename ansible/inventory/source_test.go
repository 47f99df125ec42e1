package inventory_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/internal/fuzz"
	"pgtui/source"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

func program(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o755} }

// show is the inventory as "group: hosts" and "host.var=value" words.
func show(inv *inventory.Inventory) []string {
	var out []string
	for _, g := range inv.Groups {
		for _, h := range g.Hosts {
			out = append(out, g.Name+":"+h.Name)
		}
	}
	for _, h := range inv.Hosts {
		for _, e := range inv.HostVars(h).Entries() {
			out = append(out, h.Name+"."+py.Str(e.Key)+"="+py.Repr(e.Value))
		}
	}
	return out
}

func TestSources(t *testing.T) {
	cmdb := `{"all":{"children":["meta","pg-b","pg-a"]},"pg-b":{"hosts":["10.0.0.2","10.0.0.1"]},"pg-a":{"hosts":["10.0.0.3"]},
 "_meta":{"hostvars":{"10.0.0.1":{"pg_seq":1},"10.0.0.2":{"pg_seq":2.0},"10.0.0.9":{"x":1}}}}`
	flat := []string{"pg-b:10.0.0.2", "pg-b:10.0.0.1", "pg-a:10.0.0.3", "10.0.0.2.pg_seq=2.0", "10.0.0.1.pg_seq=1"}
	run := func(file string, args ...string) ([]byte, error) {
		switch file + " " + strings.Join(args, " ") {
		case "inv/inventory.sh --list":
			return []byte(cmdb), nil
		case "inv/old.sh --list":
			return []byte(`{"web":["w1","w2"]}`), nil
		case "inv/old.sh --host w1":
			return []byte(`{"a":1}`), nil
		case "inv/old.sh --host w2":
			return nil, nil
		}
		return nil, errors.New("connection refused")
	}
	for _, tt := range []struct {
		name, source string
		files        fstest.MapFS
		want         []string
	}{
		{"the CMDB's program", "inventory.sh", fstest.MapFS{"inventory.sh": program("#!/bin/bash\npsql\n")}, flat},
		{"its output, saved", "saved.json", fstest.MapFS{"saved.json": file(cmdb)}, flat},
		{"a program that is asked for each host", "old.sh", fstest.MapFS{"old.sh": program("#!/bin/sh\n")}, []string{"web:w1", "web:w2", "w1.a=1"}},
		{"a YAML file with a stray execute bit", "pigsty.yml", fstest.MapFS{"pigsty.yml": program("a: {hosts: {h: {x: 1}}}")}, []string{"a:h", "h.x=1"}},
		{"INI without an extension", "hosts", fstest.MapFS{"hosts": file("h1 x=1\n[web]\nh2\n")}, []string{"ungrouped:h1", "web:h2", "h1.x=1"}},
		{"a bare list of hosts", "hosts", fstest.MapFS{"hosts": file("h1\nh2\n")}, []string{"ungrouped:h1", "ungrouped:h2"}},
		{"a directory of sources, with the vars files in it", ".", fstest.MapFS{
			"20-web": file("[web]\nh1 x=ini\nh2\n"), "10-db.yml": file("db: {hosts: {h1: {x: yaml, y: 1}}}"),
			"sub/more.yml": file("sub: {hosts: {h3: }}"), "notes.md": file("#"), "old.ini": file("zzz"), ".git": file("x"), "x~": file("x"),
			"group_vars/all.yml": file("g: 1"), "sub/group_vars/all.yml": file("g: 2"), "broken.yml": file("a: ["),
		}, []string{"db:h1", "web:h1", "web:h2", "sub:h3", "h1.x='ini'", "h1.y=1", "h1.g=1", "h2.g=1", "h3.g=1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := inventory.Load(tt.files, tt.source, inventory.Options{Run: run, Display: "inv"})
			if err != nil {
				t.Fatal(err)
			}
			got, want := map[string]bool{}, map[string]bool{}
			for _, w := range show(inv) {
				got[w] = true
			}
			for _, w := range tt.want {
				want[w] = true
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", show(inv), tt.want)
			}
		})
	}
}

// Values of an INI file are Python literals where they are one.
func TestINIValues(t *testing.T) {
	text := "[g:vars]\n"
	want := map[string]string{
		"5": "5", "0644": "'0644'", "yes": "'yes'", "--1": "'--1'", "- 1": "-1", "-(1)": "-1", "1,2": "(1, 2)", "5 # five": "5", "x # y": "'x # y'",
		"'a' 'b'": "'ab'", "{'k': [None]}": "{'k': [None]}", "": "''", "1_000": "1000", "True": "True", "{{ x }}": "'{{ x }}'", "-True": "'-True'",
	}
	keys := map[string]string{}
	for v := range want {
		k := fmt.Sprintf("v%d", len(keys))
		keys[k] = v
		text += k + "=" + v + "\n"
	}
	inv, err := inventory.Parse("h.ini", []byte("[g]\nh\n"+text), inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range keys {
		if got, _ := inv.Host("h").All().Get(k); py.Repr(got) != want[v] {
			t.Errorf("%s: got %s, want %s", v, py.Repr(got), want[v])
		}
	}
}

// Later sources add to earlier ones, and their vars files win.
func TestSeveralSources(t *testing.T) {
	a := fstest.MapFS{"a.yml": file("g: {hosts: {h: {x: 1, y: 1}}}"), "group_vars/g.yml": file("f: a")}
	b := fstest.MapFS{"b.ini": file("[g]\nh x=2\nk\n"), "group_vars/g.yml": file("f: b")}
	inv, err := inventory.LoadAll([]inventory.Source{{FS: a, Name: "a.yml", Display: "/a"}, {FS: b, Name: "b.ini", Display: "/b"}}, inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(show(inv), " ")
	if want := "g:h g:k h.f='b' h.x=2 h.y=1 k.f='b'"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if at := inv.Host("h").All().Lookup("x").At; at != (source.Pos{File: "/b/b.ini", Line: 2, Column: 1}) {
		t.Errorf("x is written at %v", at)
	}
	if inv.Source != "/a/a.yml,/b/b.ini" {
		t.Errorf("source %q", inv.Source)
	}
}

func TestBadSources(t *testing.T) {
	run := func(string, ...string) ([]byte, error) { return nil, errors.New("psql: connection refused") }
	says := func(out string) func(string, ...string) ([]byte, error) {
		return func(string, ...string) ([]byte, error) { return []byte(out), nil }
	}
	sh := program("#!/bin/sh\n")
	for _, tt := range []struct {
		name, source string
		file         *fstest.MapFile
		run          func(string, ...string) ([]byte, error)
		want         string
	}{
		{"the database is away", "i.sh", sh, run, "connection refused"},
		{"nobody may run it", "i.sh", sh, nil, "i.sh: this inventory is a program, which is not run here"},
		{"it prints nothing", "i.sh", sh, says(""), "i.sh --list:1:1: empty"},
		{"it prints an error page", "i.sh", sh, says("<html>"), "i.sh --list:1:1: not valid JSON"},
		{"it is cut short", "i.sh", sh, says(`{"a": {`), "it ends too early"},
		{"it prints a list", "i.sh", sh, says("[]"), "expected a JSON object of groups"},
		{"hosts are a mapping", "i.sh", sh, says("{\"a\":\n {\"hosts\": {}}}"), "i.sh --list:2:10: hosts of group a: expected a list, found a mapping"},
		{"a group is in itself", "i.sh", sh, says(`{"a":{"children":["b"]},"b":{"children":["a"]}}`), "its own descendant: b > a > b"},
		{"two documents", "i.sh", sh, says("{} {}"), "something follows"},
		{"a program that lacks its bit", "i.sh", file("#!/bin/sh\npsql -x\n"), nil, "not executable"},
		{"a host without value", "h.ini", file("[a]\nh x\n"), nil, "h.ini:2:1: expected name=value after host h"},
		{"a quote is open", "h.ini", file("h x='a\n"), nil, "h.ini:1:1: host line"},
		{"an undeclared child", "h.ini", file("[a:children]\nb\n"), nil, "h.ini:2:1: [a:children] names the group b"},
		{"vars of nobody", "h.ini", file("[a:vars]\nx=1\n"), nil, "h.ini:1:1: [a:vars]"},
		{"blanks in a section", "h.ini", file("[a b]\n"), nil, "h.ini:1:1: [a b] is not a section"},
		{"another kind of section", "h.ini", file("[a:host]\n"), nil, "only vars and children"},
		{"YAML in an INI file", "h.ini", file("---\nall:\n  hosts:\n"), nil, "name it .yml"},
		{"a broken YAML file is not taken for INI", "p.yml", file("all:\n  hosts: [\n"), nil, "not valid YAML"},
		{"TOML", "h.toml", file("[a.hosts]\n"), nil, "TOML is not supported"},
		{"a directory with nothing in it", ".", nil, nil, "no inventory in this directory"},
		{"no such file", "gone.yml", nil, nil, "gone.yml: cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := fstest.MapFS{"README.md": file("x")}
			if tt.file != nil {
				files[tt.source] = tt.file
			}
			_, err := inventory.Load(files, tt.source, inventory.Options{Run: tt.run})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestMatchErrors(t *testing.T) {
	inv, err := inventory.Parse("p.yml", []byte("a: {hosts: {h1: , h2: }}"), inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"~(", "a[5]", "a[-3]"} {
		if _, err := inv.Match(p); err == nil || source.TryOf(err) == "" {
			t.Errorf("%s: got %v", p, err)
		}
	}
	for p, n := range map[string]int{"": 2, "!h1": 1, "nobody": 0, "a:!a": 0, "&h2": 1, ",,": 2} {
		if hosts, err := inv.Match(p); err != nil || len(hosts) != n {
			t.Errorf("%q: %d hosts, %v; want %d", p, len(hosts), err, n)
		}
	}
}

// What a vaulted value prints reads back as the same value.
func TestListReadsBack(t *testing.T) {
	yml := "g:\n  hosts: { h: { a: 1, b: [x, 1.5, null, true], u: !unsafe '{{ x }}', d: {k: v} } }\n  vars: { v: !vault \"$ANSIBLE_VAULT;1.1;AES256\\n00\\n\" }\n"
	inv, err := inventory.Parse("p.yml", []byte(yml), inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := inventory.JSONIn(nil, inv.List(false))
	again, err := inventory.Parse("saved.json", first, inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := inventory.JSONIn(nil, again.List(false)); string(second) != string(first) {
		t.Errorf("got %s\nwant %s", second, first)
	}
	graph, err := inv.Graph("all", true)
	if err != nil || strings.Contains(graph, "AES256") || !strings.Contains(graph, "{v = ********}") {
		t.Errorf("graph: %s %v", graph, err)
	}
}

func FuzzSource(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{
		"[web]\nh[1:3] a=1 b='x y' # c\n[web:vars]\nx={'a': [1, 2]}\n[all:children]\nweb\n", "h1:22\n[a:children]\nb\n[b]\nh2 x=\"1, 2\"\n",
		`{"a":{"hosts":["h"],"vars":{"x":1e5}},"_meta":{"hostvars":{"h":{"y":{"__ansible_vault":"z"}}}}}`, "all: {hosts: {h: }}", "a b=\\", "[a]\nx y=#",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		for _, name := range []string{"hosts.ini", "hosts", "saved.json"} {
			inv, err := inventory.Parse(name, data, inventory.Options{})
			if err != nil {
				if err.Error() == "" {
					t.Error("an error that says nothing")
				}
				continue
			}
			list, _ := inventory.JSONIn(nil, inv.List(false))
			if name == "saved.json" || !strings.Contains(string(list), `"__ansible_`) {
				if _, err := inventory.Parse("again.json", list, inventory.Options{}); err != nil && !strings.Contains(string(list), "Infinity") && !strings.Contains(string(list), "NaN") && !strings.Contains(err.Error(), "without a name") && !strings.Contains(err.Error(), "expected an address") {
					t.Errorf("%s: its own list cannot be read: %v\n%s", name, err, list)
				}
			}
			if _, err := inv.Graph("all", true); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	fuzz.Target(f)
	inv, err := inventory.Parse("p.yml", []byte("a: {hosts: {h1: , h2: , 10.0.0.1: }, children: {b: {hosts: {h3: }}}}"), inventory.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"a[0]", "~h[12]", "a:!h1:&b", "*,!h?", "[!x]1", "a[1:]", "h[1:2]", "fe80::1", "[]]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, p string) {
		hosts, err := inv.Match(p)
		if err == nil && len(hosts) > len(inv.Hosts) {
			t.Errorf("%q: a host comes twice", p)
		}
	})
}
