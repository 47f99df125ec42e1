package inventory_test

import (
	"os"
	"strings"
	"testing"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
)

// TestScalars is YAML 1.1 as PyYAML resolves it, printed as Python prints it.
func TestScalars(t *testing.T) {
	for text, want := range map[string]string{
		"yes": "True", "Off": "False", "y": "'y'", "~": "None", "": "None", "null": "None", "010": "8", "0o17": "'0o17'", "09": "'09'",
		"0x10": "16", "1_000": "1000", "12:30": "750", "12:61": "'12:61'", "1e2": "'1e2'", "1.0e+3": "1000.0", "1e16": "'1e16'", ".5": "0.5",
		"1.": "1.0", "-0.0": "-0.0", "+5": "5", ".inf": "inf", "-.INF": "-inf", ".nan": "nan", "2026-01-02": "datetime(2026-01-02)",
		"1:30.5": "90.5", "0b101": "5", "10.10.10.10": "'10.10.10.10'", "1.0e+16": "1e+16", "1.0e-7": "1e-07", "'7'": "'7'", "!!str 7": "'7'",
		"!!int '7'": "7", "123456789012345678901234567890": "123456789012345678901234567890", "[a, 1]": "['a', 1]", "{a: }": "{'a': None}",
		"!!binary aGk=": "b'hi'", "!!set {a, b}": "{'a', 'b'}", "\"a'b\"": `"a'b"`, "2026-01-02 03:04:05.5Z": "datetime(2026-01-02 03:04:05.500000+00:00)",
	} {
		v, err := inventory.Decode("t.yml", []byte("k: "+text+"\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, _ := v.(*py.Dict).Get("k")
		if py.Repr(got) != want {
			t.Errorf("%s = %s, want %s", text, py.Repr(got), want)
		}
	}
}

// TestPrecedence is Ansible's order of definitions, weakest first.
func TestPrecedence(t *testing.T) {
	inv, err := load(map[string]string{
		"pigsty.yml": `
all:
  vars: { v1: all, v2: all, v3: all, v4: all, v5: all, v6: all }
  children:
    parent: { vars: { v2: parent, v3: parent }, children: { child: } }
    child: { vars: { v3: child, v4: child }, hosts: { h: { v5: host, v6: host } } }
    aaa: { hosts: { h: }, vars: { w: aaa, x: aaa, ansible_group_priority: 5 } }
    bbb: { hosts: { h: }, vars: { w: bbb } }
`,
		"group_vars/all.yml":    "v4: file-all\n",
		"group_vars/parent.yml": "v4: file-parent\nv5: file-parent\n",
		"group_vars/all/x.yml":  "hidden: no\n",
		"host_vars/h/b.yml":     "v6: file-b\n",
		"host_vars/h/a":         "v6: file-a\n",
		"host_vars/h/c.txt":     "v6: not read\n",
		"host_vars/h/.d.yml":    "v6: hidden\n",
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"v1": "all", "v2": "parent", "v3": "child", "v4": "file-parent", "v5": "host", "v6": "file-b", "w": "aaa", "hidden": "False"} {
		v, _ := inv.Host("h").All().Get(name)
		if py.Str(v) != want {
			t.Errorf("%s = %s, want %s", name, py.Str(v), want)
		}
	}
	if at := inv.Host("h").All().Lookup("v3").At; at.Line != 6 || at.Column != 22 {
		t.Errorf("v3 is at %d:%d, want 6:22", at.Line, at.Column)
	}
}

// TestOrder holds that hosts stand in order of first appearance.
func TestOrder(t *testing.T) {
	inv, err := load(map[string]string{"pigsty.yml": "\ufeffetcd: { hosts: { h3: , \"db[01:03]:2222\": } }\r\npg: { hosts: { h1: , h3: }, children: kid }\r\nkid: { hosts: x }\r\nkid: { hosts: y }\r\n"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, h := range inv.Hosts {
		names = append(names, h.Name)
	}
	if got := strings.Join(names, " "); got != "h3 db01 db02 db03 h1 y" {
		t.Errorf("order %q", got)
	}
	if p, _ := inv.Host("db02").All().Get("ansible_port"); p != int64(2222) {
		t.Errorf("port %v", p)
	}
	if len(inv.Warnings) != 1 || !strings.Contains(inv.Warnings[0].Text, "kid is written twice") {
		t.Errorf("warnings %v", inv.Warnings)
	}
}

// TestVault decrypts what ansible-vault wrote, and says why it cannot.
func TestVault(t *testing.T) {
	data, err := os.ReadFile("../../testdata/oracle/26-vault/pigsty.yml")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]string{"oracle-vault-pass": "", "wrong": "a different password", "": "no vault password"} {
		inv, err := inventory.Parse("pigsty.yml", data, inventory.Options{VaultPassword: password})
		if err != nil {
			t.Fatal(err)
		}
		v, _ := inv.Hosts[0].All().Get("pg_admin_password")
		got := v.(py.Vault)
		if want == "" && (got.Err != nil || got.Text == "") || want != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), want)) {
			t.Errorf("password %q: %v", password, got.Err)
		}
	}
}
