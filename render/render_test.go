package render_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/render"
)

// fleet is an inventory of clusters with perCluster hosts each.
func fleet(clusters, perCluster int) []byte {
	var b bytes.Buffer
	b.WriteString("all:\n  vars: { version: v4.5.0, admin_ip: 10.0.0.1 }\n  children:\n")
	for c := range clusters {
		fmt.Fprintf(&b, "    pg-%d:\n      hosts:\n", c)
		for i := range perCluster {
			role := "replica"
			if i == 0 {
				role = "primary"
			}
			fmt.Fprintf(&b, "        10.%d.%d.%d: { pg_seq: %d, pg_role: %s, pg_weight: %d }\n", 1+c/250, c%250, i+1, i+1, role, 100+i)
		}
		fmt.Fprintf(&b, "      vars:\n        pg_cluster: pg-%d\n        pg_users: [ { name: dbuser_%d, password: DBUser.%d, pgbouncer: true, roles: [ dbrole_admin ] } ]\n", c, c, c)
	}
	return b.Bytes()
}

func renderAll(t testing.TB, data []byte) (files, size int) {
	t.Helper()
	inv, err := pigsty.Parse("pigsty.yml", data, pigsty.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range inv.Clusters {
		if p := inv.Clusters[i].Problems; len(p) > 0 {
			t.Fatal(p[0].What)
		}
		for _, f := range render.Files(inv, &inv.Clusters[i], "2000-01-01 00:00:00") {
			files, size = files+1, size+len(f.Data)
		}
	}
	return files, size
}

// BenchmarkTwentyNodes: 20 nodes, 80 files, from the inventory's bytes to the
// last byte of the files; budget 50 ms.
func BenchmarkTwentyNodes(b *testing.B) {
	data := fleet(5, 4)
	b.ReportAllocs()
	for b.Loop() {
		if n, _ := renderAll(b, data); n != 80 {
			b.Fatalf("%d files", n)
		}
	}
}

// BenchmarkTwoThousandHosts: 2,000 hosts in 200 clusters, 8,000 files; budget
// one second and 200 MB.
func BenchmarkTwoThousandHosts(b *testing.B) {
	data := fleet(200, 10)
	b.ReportAllocs()
	for b.Loop() {
		inv, err := pigsty.Parse("pigsty.yml", data, pigsty.Options{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for i := range inv.Clusters {
			n += len(render.Files(inv, &inv.Clusters[i], "x"))
		}
		if n != 8000 {
			b.Fatalf("%d files", n)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys)/(1<<20), "MB-from-OS")
	}
}

// TestDialects holds what differs between the generations, on one service.
func TestDialects(t *testing.T) {
	text := `
pg: { hosts: { 10.0.0.1: { pg_seq: 1, pg_role: primary, patroni_ssl_enabled: yes } }, vars: { pg_cluster: pg,
  pg_default_services: [], pg_services: [ { name: x, port: 6001, selector: "[]", check_port: 8009 } ] } }`
	const common = " on-marked-down shutdown-sessions slowstart 30s maxconn 3000 maxqueue 128 weight 100"
	for tag, want := range map[string]string{
		"v2.0.2": "inter 3s fastinter 1s downinter 5s rise 3 fall 3" + common + " 8009\n    # servers\n    server pg-1 10.0.0.1:6432 check-ssl ca-file /etc/pki/ca.crt check port 8008 weight 100 \n",
		"v2.7.0": "inter 3s fastinter 1s downinter 5s rise 3 fall 3" + common + " 8009\n    # servers\n    server pg-1 10.0.0.1:6432 check-ssl ca-file /pg/cert/ca.crt check port 8008 weight 100 \n",
		"v3.6.1": "inter 3s fastinter 1s downinter 5s rise 3 fall 3" + common + " 8009\n    # servers\n",
		"v3.7.0": "inter 3s fastinter 1s downinter 5s rise 3 fall 3" + common + "\n\n    # servers\n",
		"v4.0.0": "inter 2s fastinter 1s downinter 2s rise 3 fall 3" + common + "\n\n    # servers\n",
		"v4.5.0": "inter 2s fastinter 1s downinter 2s rise 3 fall 3" + common + "\n\n    # servers\n",
		"v5.1.0": "inter 2s fastinter 1s downinter 2s rise 3 fall 3" + common + "\n\n    # servers\n",
	} {
		d, err := pigsty.ParseDialect(tag)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := pigsty.Parse("pigsty.yml", []byte(text), pigsty.Options{Dialect: d})
		if err != nil {
			t.Fatal(err)
		}
		files := render.Files(inv, &inv.Clusters[0], "now")
		if len(files) != 1 || !strings.Contains(string(files[0].Data), want) {
			t.Errorf("%s: %s", tag, files[0].Data)
		}
	}
	for _, tag := range []string{"v1.5.1", "four", "", "v", "v4.x"} {
		if d, err := pigsty.ParseDialect(tag); err == nil {
			t.Errorf("%q is taken for %s", tag, d)
		}
	}
}

// FuzzServices holds that nothing a service may say makes the renderer panic,
// and that every file it gives is named after its cluster and service.
func FuzzServices(f *testing.F) {
	fuzz.Target(f)
	for _, s := range []string{"- { name: a, port: 1, selector: '[]' }", "- { name: b, port: x, selector: '[? pg_seq > `0`]', backup: '[]', dest: 1.5, ip: [a], options: { a: b } }",
		"x", "- [ { name: '{{ pg_seq }}', port: '{{ 1/0 }}', selector: '@' } ]", "{ name: a }", "- name: ../../etc/passwd", "- { name: a, port: 1, selector: '[0]', pg_rto_plan: 5 }"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, services string) {
		text := "pg: { vars: { pg_cluster: pg }, hosts: { a: { pg_seq: 1, pg_role: primary }, b: { pg_seq: 2, pg_role: replica } } }\nall:\n  vars:\n    pg_services:\n" +
			"      " + strings.ReplaceAll(services, "\n", "\n      ") + "\n"
		inv, err := pigsty.Parse("pigsty.yml", []byte(text), pigsty.Options{Dialect: model.DialectV45})
		if err != nil {
			return
		}
		for i := range inv.Clusters {
			for _, file := range render.Files(inv, &inv.Clusters[i], "now") {
				if strings.ContainsAny(file.Name, "/\x00\n") || !strings.HasSuffix(file.Name, ".cfg") || !strings.HasPrefix(file.Name, string(inv.Clusters[i].Name)+"-") {
					t.Errorf("file name %q", file.Name)
				}
			}
		}
	})
}
