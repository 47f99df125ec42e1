package pigsty_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/render"
	"pgtui/source"
)

const small = `all:
  vars: { version: v3.3.0 }
  children:
    pg-a:
      hosts:
        10.0.0.1: { pg_seq: 1, pg_role: primary }
        10.0.0.2: { pg_seq: 2, pg_role: replica, pg_weight: 50 }
      vars: { pg_cluster: pg-a, pg_services: [ { name: own, port: 5440, selector: "[? pg_role == 'replica']", backup: "[]" } ] }
`

// checkout is a Pigsty checkout with these files.
func checkout(files map[string]string) *pigsty.Checkout {
	m := fstest.MapFS{}
	for name, text := range files {
		m["roles/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return pigsty.ReadCheckoutIn(nil, m, "/root/pigsty")
}

func model1(t *testing.T, o pigsty.Options) *model.Inventory {
	t.Helper()
	inv, err := pigsty.Parse("pigsty.yml", []byte(small), o)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

const (
	confd    = "template: src=service.cfg dest=/etc/haproxy/conf.d/{{ service_name }}.cfg"
	template = "pgsql/templates/service.cfg"
	tasks    = "pgsql/tasks/service_local.yml"
)

func TestDialectFrom(t *testing.T) {
	none := `all: { hosts: { h: } }`
	for _, tt := range []struct {
		name, inventory string
		o               pigsty.Options
		want            model.Dialect
		from            string
	}{
		{"the inventory says", small, pigsty.Options{}, model.DialectV27, "version: v3.3.0 in pigsty.yml:2"},
		{"nobody says", none, pigsty.Options{}, model.DialectV45, "the newest known: there is no Pigsty checkout"},
		{"the inventory says nonsense", "all: { hosts: { h: }, vars: { version: latest } }", pigsty.Options{}, model.DialectV45, "version: latest in pigsty.yml:1 is not a Pigsty version"},
		{"the user says", small, pigsty.Options{Dialect: model.DialectV40}, model.DialectV40, "--dialect"},
		{"the checkout beats the inventory", small, pigsty.Options{Checkout: checkout(map[string]string{template: "pg_rto_plan", tasks: confd})}, model.DialectV45, "/root/pigsty/roles/pgsql/templates/service.cfg"},
		{"the user beats the checkout", small, pigsty.Options{Dialect: model.DialectV37, Checkout: checkout(map[string]string{template: "pg_rto_plan"})}, model.DialectV37, "--dialect"},
		{"a directory without a template", small, pigsty.Options{Checkout: checkout(map[string]string{"x": ""})}, model.DialectV27, "version: v3.3.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := pigsty.Parse("pigsty.yml", []byte(tt.inventory), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if inv.Dialect != tt.want || !strings.HasPrefix(inv.DialectFrom, tt.from) && !strings.HasSuffix(inv.DialectFrom, tt.from) {
				t.Errorf("got %s from %q, want %s from %q", inv.Dialect, inv.DialectFrom, tt.want, tt.from)
			}
		})
	}
}

// A template Pigsty never shipped has the features of one of its generations.
func TestNearestDialect(t *testing.T) {
	for _, tt := range []struct {
		text, tasks string
		want        model.Dialect
	}{
		{"{{ pg_rto_plan }}", "dest=/etc/haproxy/x", model.DialectV40},
		{"{{ pg_rto_plan }}", confd, model.DialectV45},
		{"ca-file /etc/pki/ca.crt {{ service.check_port }}", "", model.DialectV20},
		{"{{ service.check_port }}", "", model.DialectV27},
		{"inter 3s fastinter 1s", "", model.DialectV37},
	} {
		if got := checkout(map[string]string{template: tt.text, tasks: tt.tasks}).Dialect; got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestRoleDefaultsFromCheckout(t *testing.T) {
	c := checkout(map[string]string{template: "pg_rto_plan", tasks: confd,
		"pgsql/defaults/main.yml":   "pg_default_service_dest: postgres\npg_default_services: [ { name: only, port: 5999, selector: '[]' } ]\n",
		"haproxy/defaults/main.yml": "haproxy_exporter_port: 9999\n"})
	c.Custom = "" // the dialect's own rules
	inv := model1(t, pigsty.Options{Checkout: c})
	files := render.Files(inv, &inv.Clusters[0], "X")
	if len(files) != 4 || files[0].Name != "pg-a-only.cfg" || !strings.Contains(string(files[0].Data), "10.0.0.1:5432 ") {
		t.Errorf("%d files, first %s", len(files), files[0].Data)
	}
	if inv.Nodes[0].HAProxy.Port != 9999 {
		t.Errorf("port %d", inv.Nodes[0].HAProxy.Port)
	}
	bad := checkout(map[string]string{template: "x", tasks: confd, "pgsql/defaults/main.yml": "a: ["})
	if len(bad.Problems) != 1 || !strings.Contains(bad.Problems[0].What, "not valid YAML") || bad.Problems[0].At.File != "/root/pigsty/roles/pgsql/defaults/main.yml" {
		t.Errorf("problems %+v", bad.Problems)
	}
}

const custom = `# {{ ansible_managed }}
{% set members = hostvars|json_query(pg_cluster_members_query)|json_query(service.selector) %}
listen {{ pg_cluster }}-{{ service.name }}
    bind *:{{ service.port }}
    http-check send meth OPTIONS uri {{ service.check|default('/') }}
    default-server inter 1s
{% for m in members %}
    server {{ m.pg_cluster }}-{{ m.pg_seq }} {{ m.inventory_hostname }}:{{ m.pg_port|default(5432) }} check port 8008 weight {{ m.pg_weight|default(100) }}
{% endfor %}
`

// The user's own template is what counts; the servers shown are its servers.
func TestCustomTemplate(t *testing.T) {
	inv := model1(t, pigsty.Options{Checkout: checkout(map[string]string{template: custom + "    # {{ pg_rto_plan.norm[5] }}\n", tasks: confd})})
	f := inv.Clusters[0].LoadBalancer("10.0.0.1")
	s := f.Service("own")
	want := "# ansible managed: THEN\nlisten pg-a-own\n    bind *:5440\n    http-check send meth OPTIONS uri /\n    default-server inter 1s\n" +
		"    server pg-a-2 10.0.0.2:5432 check port 8008 weight 50\n    # 2s\n"
	if got := string(render.ServiceFile(s, inv.Dialect, "THEN")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	servers, _ := s.Servers()
	if fmt.Sprint(servers) != "[{pg-a-2 10.0.0.2 5432 8008 false 50}]" || s.Port != "5440" || s.Options != "inter 1s" {
		t.Errorf("servers %v, port %s, options %s", servers, s.Port, s.Options)
	}
	if p := inv.Problems; len(p) != 1 || p[0].Fatal || !strings.Contains(p[0].What, "files are rendered from it") {
		t.Errorf("problems %+v", p)
	}
}

func TestCustomTemplateThatFails(t *testing.T) {
	for _, tt := range []struct {
		name, text, problem, cluster string
		text1                        bool // a file comes from the template
	}{
		{"Ansible would fail on it", "{{ service.nothing }} {{ pg_rto_plan }}", "rendered from it", "service.cfg fails: ", false},
		{"a filter pgtui has not", "{{ service.name|xmlattr }} pg_rto_plan", "pgtui cannot render it: ", "", false},
		{"a tag pgtui has not", "{% include 'x' %} pg_rto_plan", "cannot render it: template syntax: unknown or misplaced tag include", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv := model1(t, pigsty.Options{Checkout: checkout(map[string]string{template: tt.text, tasks: confd})})
			if len(inv.Problems) != 1 || !strings.Contains(inv.Problems[0].What, tt.problem) {
				t.Errorf("problems %+v", inv.Problems)
			}
			c := inv.Clusters[0]
			if tt.cluster != "" {
				if len(c.Problems) == 0 || !c.Problems[0].Fatal || !strings.Contains(c.Problems[0].What, tt.cluster) {
					t.Errorf("cluster problems %+v", c.Problems)
				}
				return
			}
			if s := c.LoadBalancer("10.0.0.1").Service("own"); s == nil || s.Text != "" || len(c.Problems) != 0 {
				t.Errorf("the dialect's own file is missing: %+v %+v", s, c.Problems)
			}
		})
	}
}

func TestAnsibleCore(t *testing.T) {
	for _, tt := range []struct {
		name, core string
		dialect    model.Dialect
		yaml       string
		fatal      bool
		what       string
	}{
		{"the rules followed here", "2.18.9", model.DialectV27, small, false, ""},
		{"not known", "", model.DialectV27, small, false, ""},
		{"old Pigsty does not run", "2.19.0", model.DialectV27, small, true, "does not run with ansible-core 2.19"},
		{"nothing that differs", "2.19.0", model.DialectV45, small, false, ""},
		{"a template", "2.20.1", model.DialectV45, strings.Replace(small, "pg_weight: 50", "pg_weight: '{{ 50 }}'", 1), false, "pg_weight of 10.0.0.2 is a template"},
		{"a date", "3.0", model.DialectV45, strings.Replace(small, "pg_weight: 50", "since: 2026-01-02", 1), false, "is a date"},
		{"numbers in a selector function", "2.19", model.DialectV40, strings.Replace(small, "[? pg_role == 'replica']", "sort_by(@, &pg_seq)", 1), false, "uses sort_by()"},
		{"a fact in a selector", "2.19rc1", model.DialectV40, small, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := pigsty.Parse("pigsty.yml", []byte(tt.yaml), pigsty.Options{Dialect: tt.dialect, Core: tt.core})
			if err != nil {
				t.Fatal(err)
			}
			c := inv.Clusters[0]
			if inv.Unpredictable() != tt.fatal {
				t.Errorf("unpredictable %v: %+v", inv.Unpredictable(), inv.Problems)
			}
			last := source.Problem{}
			if n := len(c.Problems); n > 0 {
				last = c.Problems[n-1]
			}
			if tt.what == "" && last.What != "" || !strings.Contains(last.What, tt.what) || last.Fatal != tt.fatal {
				t.Errorf("problems %+v", c.Problems)
			}
		})
	}
}
