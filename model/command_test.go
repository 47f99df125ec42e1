package model

import (
	"slices"
	"strings"
	"testing"
)

// TestCommandValuesStayArguments: a value is one argument or part of one, whatever
// is in it, and never an option or a part of a line for a shell.
func TestCommandValuesStayArguments(t *testing.T) {
	values := map[string]string{"cluster": "pg-test; rm -rf /", "host": "10.10.10.11", "port": "5433"}
	c := Command{Name: "x", Argv: []string{"ssh", "{host}", "-p{port}", "{cluster}", "awk", "{ print }", "{{.Names}}"}}
	p, err := c.Program(values)
	want := []string{"ssh", "10.10.10.11", "-p5433", "pg-test; rm -rf /", "awk", "{ print }", "{{.Names}}"}
	if err != nil || !slices.Equal(p.Argv, want) {
		t.Errorf("%q, %v, expected %q", p.Argv, err, want)
	}
	c = Command{Name: "x", Shell: true, Argv: []string{`echo "$PGTUI_CLUSTER"`}}
	p, err = c.Program(values)
	if err != nil || !slices.Equal(p.Argv, []string{"sh", "-c", `echo "$PGTUI_CLUSTER"`}) || !slices.Contains(p.Env, "PGTUI_CLUSTER=pg-test; rm -rf /") || !slices.Contains(p.Env, "PGTUI_SERVICE=") {
		t.Errorf("with a shell: %q %q, %v", p.Argv, p.Env, err)
	}
	c = Command{Name: "x", Argv: []string{"ssh", "{host}"}}
	if _, err = c.Program(map[string]string{"host": "-oProxyCommand=reboot"}); err == nil || !strings.Contains(err.Error(), "would be taken for an option") {
		t.Errorf("a host that is an option: %v", err)
	}
	if _, err = c.Program(nil); err == nil || !strings.Contains(err.Error(), "x needs {host}") {
		t.Errorf("no host: %v", err)
	}
}

// TestValuesAt: the port is that of the service, else the instance's own.
func TestValuesAt(t *testing.T) {
	inv := &Inventory{Clusters: []Cluster{{Name: "pg-test",
		Instances:     []Instance{{Name: "pg-test-1", Host: "10.10.10.11", PgPort: 5432}},
		LoadBalancers: []LoadBalancer{{Host: "10.10.10.11", Services: []Service{{Name: "primary", Port: "5433"}}}}}}}
	for _, tt := range []struct {
		at   Place
		want map[string]string
	}{
		{Place{}, map[string]string{}},
		{Place{Cluster: "pg-test", Host: "10.10.10.11"}, map[string]string{"cluster": "pg-test", "host": "10.10.10.11", "instance": "pg-test-1", "port": "5432"}},
		{Place{Cluster: "pg-test", Instance: "pg-test-1", Service: "primary"}, map[string]string{"cluster": "pg-test", "host": "10.10.10.11", "instance": "pg-test-1", "service": "primary", "port": "5433"}},
	} {
		got := inv.ValuesAt(tt.at)
		for _, name := range Values() {
			if got[name] != tt.want[name] {
				t.Errorf("%+v: {%s} is %q, expected %q", tt.at, name, got[name], tt.want[name])
			}
		}
	}
}
