package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgtui/internal/fuzz"
)

const whole = `context: prod
refresh: 3s
theme: dark
read-only: false
mouse: false
times: ago
read-files: false
ssh:
  config: /etc/pgtui/ssh
record: {on: false, size: 2GB, keep: 48h}
keys:
  reload: [ctrl+r]
  help: f1
columns:
  fleet: [cluster, state]
entry-points:
  nlb: {host: nlb-1.example.com, cluster: pg-test, scheme: nlb, ports: {primary: 5433, replica: 15434}}
  far: {host: "2001:db8::1", ports: [5433, 5436]}
contexts:
  prod:
    inventory: ~/pigsty/pigsty.yml
    environment: production
    read-only: true
  lab:
    inventory: /lab/pigsty.yml
    refresh: 1s
    ssh: {config: /lab/ssh_config}
    entry-points: {here: {host: 10.0.0.1}}
`

func TestParse(t *testing.T) {
	got, problems := Parse("config.yml", []byte(whole), Known{})
	if len(problems) != 0 {
		t.Fatalf("problems: %v", problems)
	}
	want := Config{
		Context: "prod", Refresh: 3 * time.Second, Theme: "dark", NoMouse: true, Ago: true, NoFiles: true, SSH: SSH{Config: "/etc/pgtui/ssh"}, Record: Record{Off: true, Size: 2 << 30, Keep: 48 * time.Hour},
		Keys: map[string][]string{"reload": {"ctrl+r"}, "help": {"f1"}}, Columns: map[string][]string{"fleet": {"cluster", "state"}},
		Contexts: []Context{
			{Name: "prod", Inventory: "~/pigsty/pigsty.yml", Environment: "production", ReadOnly: true, Line: 21},
			{Name: "lab", Inventory: "/lab/pigsty.yml", Refresh: time.Second, SSH: SSH{Config: "/lab/ssh_config"}, Line: 25,
				EntryPoints: []EntryPoint{{Name: "here", Host: "10.0.0.1", Scheme: "external", Line: 28}}},
		},
		EntryPoints: []EntryPoint{
			{Name: "nlb", Host: "nlb-1.example.com", Cluster: "pg-test", Scheme: "nlb", Ports: []Port{{"primary", 5433}, {"replica", 15434}}, Line: 17},
			{Name: "far", Host: "2001:db8::1", Scheme: "external", Ports: []Port{{"", 5433}, {"", 5436}}, Line: 18},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if c, ok := got.Of("prod"); !ok || !c.Production() {
		t.Errorf("prod is not production: %+v", c)
	}
}

func TestProblemsSayWhereAndWhat(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"unknown key", "refresh: 2s\nthem: dark\n", `c.yml:2: the file: unknown key "them" · did you mean theme?`},
		{"bare number", "refresh: 2\n", `c.yml:1: refresh: expected a time such as 2s or 500ms, found "2" · did you mean 2s?`},
		{"too quick", "refresh: 1ms\n", `c.yml:1: refresh: 1ms is not between 500ms and 10m0s`},
		{"a size without a unit", "record: {size: 64}\n", `c.yml:1: record.size: expected a size from 1MB to 100GB, found "64" · did you mean 64MB?`},
		{"kept too short", "record: {keep: 1m}\n", `c.yml:1: record.keep: expected a time from 10m to 8760h, found "1m" · did you mean 24h?`},
		{"bad theme", "theme: drak\n", `c.yml:1: theme: expected one of terminal, dark, light, colour-blind, none, found "drak" · did you mean dark?`},
		{"not yes or no", "read-only: maybe\n", `c.yml:1: read-only: expected true or false, found "maybe"`},
		{"unknown action", "keys:\n  relod: x\n", `c.yml:2: keys: unknown key "relod" · did you mean reload?`},
		{"an action twice", "keys:\n  reload: x\n  reload: y\n", `c.yml:3: keys: reload is listed twice`},
		{"a key of two actions", "keys:\n  reload: [x, ctrl+x]\n  help:\n    - f1\n    - ctrl+x\n", `c.yml:5: keys.help: ctrl+x is already the key of reload`},
		{"a key of one action twice", "keys: {reload: [x, x]}\n", `c.yml:1: keys.reload: x is already the key of reload`},
		{"no such key", "keys:\n  reload: ctlr+r\n", `c.yml:2: keys.reload: unknown key "ctlr+r"`},
		{"a key that is called otherwise", "keys:\n  reload: ctrl+pgdwn\n", `c.yml:2: keys.reload: unknown key "ctrl+pgdwn" · did you mean ctrl+pgdown?`},
		{"a key in capitals", "keys:\n  reload: Ctrl+R\n", `c.yml:2: keys.reload: unknown key "Ctrl+R" · did you mean ctrl+r?`},
		{"two letters", "keys:\n  reload: gg\n", `c.yml:2: keys.reload: unknown key "gg"`},
		{"good keys", "keys: {reload: [x, X, ctrl+r, alt+left, shift+tab, f12, '+', ctrl++, ö, space, '1'], help: []}\n", ``},
		{"unknown screen", "columns:\n  flete: [cluster]\n", `c.yml:2: columns: unknown key "flete" · did you mean fleet?`},
		{"a screen without columns", "columns:\n  board: [cluster]\n", `c.yml:2: columns: unknown key "board"; expected fleet`},
		{"unknown column", "columns:\n  fleet:\n    - Cluster\n    - stat\n", `c.yml:4: columns.fleet: no column "stat"; expected cluster, state, worst lag · did you mean state?`},
		{"a column twice", "columns:\n  fleet: [state, State]\n", `c.yml:2: columns.fleet: state is listed twice`},
		{"good columns", "columns: {fleet: [worst lag, CLUSTER]}\n", ``},
		{"a key taken from another action", "keys:\n  reload: z\n", `c.yml:2: warning: keys: on fleet, z is the key of reload, so faults has none there; give it another key, or keys.faults: [] for none`},
		{"a global key taken by a screen", "keys:\n  help: [r]\n", `c.yml:2: warning: keys: on fleet, r is the key of reload, so help has none there; give it another key`},
		{"a key taken from an action with another", "keys: {reload: '?'}\n", ``},
		{"a key taken from an action that is to have none", "keys: {reload: z, faults: []}\n", ``},
		{"two actions change their keys", "keys: {reload: z, faults: r}\n", ``},
		{"no such context", "context: prd\ncontexts:\n  prod: {inventory: x}\n", `c.yml:1: context: no context "prd" in contexts · did you mean prod?`},
		{"no inventory", "contexts:\n  prod:\n    environment: production\n", `c.yml:3: contexts.prod has no inventory`},
		{"no host", "entry-points:\n  nlb:\n    scheme: nlb\n", `c.yml:3: entry-points.nlb has no host`},
		{"a port in the host", "entry-points:\n  nlb:\n    host: db:5433\n", `c.yml:3: entry-points.nlb.host: a port belongs to ports, found "db:5433" · did you mean db?`},
		{"a DSN as host", "entry-points: {nlb: {host: 'postgres://db'}}\n", `c.yml:1: entry-points.nlb.host: expected a name or an address, found "postgres://db"`},
		{"consul with a port", "entry-points: {c: {host: a.service.consul, consul: 'db:8500'}}\n", `c.yml:1: entry-points.c.consul: expected the agent's name or address, found "db:8500"; its ports are consul-http and consul-dns`},
		{"consul without a name of its own", "entry-points: {c: {host: db, consul: 10.0.0.1}}\n", `c.yml:1: entry-points.c: consul belongs to a host such as primary.pg-test.service.consul, found "db"`},
		{"a port of no agent", "entry-points: {c: {host: a.service.consul, consul-dns: 53}}\n", `c.yml:1: entry-points.c: a Consul port needs an agent: consul: ADDRESS`},
		{"a bad port of consul", "entry-points: {c: {host: a.service.consul, consul: db, consul-http: x}}\n", `c.yml:1: entry-points.c.consul-http: expected a port from 1 to 65535, found "x"`},
		{"a bad name", "entry-points: {a=b: {host: db}}\n", `c.yml:1: entry-points: "a=b" is not a valid name: it must not have a blank, = or /`},
		{"unknown scheme", "entry-points:\n  nlb:\n    host: db\n    scheme: nbl\n", `c.yml:4: entry-points.nlb.scheme: expected one of external, nlb, found "nbl" · did you mean nlb?`},
		{"unknown part", "entry-points:\n  nlb:\n    host: db\n    port: 5433\n", `c.yml:4: entry-points.nlb: unknown key "port" · did you mean ports?`},
		{"bad port", "entry-points:\n  nlb:\n    host: db\n    ports:\n      primary: 70000\n", `c.yml:5: entry-points.nlb.ports: expected a port from 1 to 65535, found "70000"`},
		{"port twice", "entry-points:\n  nlb:\n    host: db\n    ports: [5433, 5433]\n", `c.yml:4: entry-points.nlb.ports: 5433 is listed twice`},
		{"one port", "entry-points:\n  nlb:\n    host: db\n    ports: 5433\n", `c.yml:4: entry-points.nlb.ports: expected ports, or services with a port each`},
		{"no ports", "entry-points:\n  nlb:\n    host: db\n    ports: []\n", `c.yml:4: entry-points.nlb.ports is empty; remove it for the services' own ports`},
		{"in a context", "contexts:\n  prod:\n    inventory: x\n    entry-points:\n      nlb: {}\n", `c.yml:5: contexts.prod.entry-points.nlb has no host`},
		{"other spelling", "entry_points: {}\n", `c.yml:1: the file: unknown key "entry_points" · did you mean entry-points?`},
		{"twice", "theme: dark\ntheme: light\n", `c.yml:2: the file: theme is listed twice`},
		{"a list", "- a\n", `c.yml:1: the file: expected keys with values`},
		{"broken", "a: [\n", `c.yml:1: did not find expected node content`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := Parse("c.yml", []byte(tt.in), Known{Actions: []string{"reload", "help", "faults"}, Columns: map[string][]string{"fleet": {"cluster", "state", "worst lag"}}, Screens: screens(), Schemes: []string{"external", "nlb"}})
			var got []string
			for _, p := range problems {
				got = append(got, p.Error())
			}
			if strings.Join(got, "\n") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), tt.want)
			}
		})
	}
}

// screens are one with two actions, and a key that works everywhere.
func screens() []Screen {
	return []Screen{{Name: "fleet", Bindings: []Binding{{"reload", []string{"r"}}, {"faults", []string{"z"}}, {"help", []string{"?", "f1"}}}}}
}

func TestNoFileIsAConfig(t *testing.T) {
	if c, problems := Parse("c.yml", nil, Known{}); problems != nil || !reflect.DeepEqual(c, Config{}) {
		t.Errorf("got %+v, %v", c, problems)
	}
}

// FuzzParse: whatever a file holds, every problem has a text, and a line of the file.
func FuzzParse(f *testing.F) {
	fuzz.Target(f)
	f.Add(whole)
	f.Add("contexts: {a: *b}\nkeys: [1]\n")
	f.Fuzz(func(t *testing.T, s string) {
		_, problems := Parse("c.yml", []byte(s), Known{})
		for _, p := range problems {
			if p.Text == "" || p.Line < 0 {
				t.Errorf("%+v", p)
			}
		}
	})
}
