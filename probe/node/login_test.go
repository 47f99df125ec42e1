package node

import "testing"

func TestParseLogin(t *testing.T) {
	for in, want := range map[string]string{
		"pgtui-login 1 dba\n":        "dba",
		"pgtui-login 1 root":         "root",
		"pgtui-login 1 a.b-c_d$\n":   "a.b-c_d$",
		"":                           "",
		"dba\n":                      "",
		"pgtui-login 2 dba\n":        "",
		"pgtui-login 1 a,b\n":        "",
		"pgtui-login 1 x=ALL\n":      "",
		"pgtui-login 1 %wheel\n":     "",
		"pgtui-login 1 a\x1b[31mb\n": "",
		"pgtui-login 1 dba more\n":   "",
	} {
		got, err := parseLogin([]byte(in))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}
