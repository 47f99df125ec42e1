package plan

import (
	"strings"
	"testing"

	"pgtui/internal/fuzz"
	"pgtui/model"
)

// fleet has clusters whose names begin with one another's, on their own nodes
// and on one shared provider group.
func fleet() *model.Inventory {
	in := func(c string, hosts ...model.Host) model.Cluster {
		out := model.Cluster{Name: model.ClusterName(c)}
		for i, h := range hosts {
			out.Instances = append(out.Instances, model.Instance{Name: model.InstanceName(c + "-" + string(rune('1'+i))), Host: h})
		}
		return out
	}
	return &model.Inventory{Clusters: []model.Cluster{
		in("pg-test", "10.10.10.11", "10.10.10.12", "10.10.10.13"),
		in("pg-test-2", "10.10.10.21"),
		in("pg-meta", "10.10.10.10"),
		in("pg-v6", "fd00::1"),
	}}
}

func headed(proxy, host, port string) []byte {
	return []byte("# ansible managed: 2026-01-01 00:00:00\n#-----\n# service: " + proxy + " @ " + host + ":" + port + "\n#-----\nlisten " + proxy + "\n")
}

func TestOwnerOf(t *testing.T) {
	tests := []struct {
		name   string
		of     model.ClusterName // the cluster that is planned; pg-test when empty
		file   string
		data   []byte
		wanted bool
		want   model.ClusterName
	}{
		{name: "its own service", file: "pg-test-primary.cfg", data: headed("pg-test-primary", "10.10.10.11", "5433"), wanted: true, want: "pg-test"},
		{name: "its own service, retired", file: "pg-test-old.cfg", data: headed("pg-test-old", "10.10.10.12", "5499"), want: "pg-test"},
		{name: "the cluster with the longer name", file: "pg-test-2-primary.cfg", data: headed("pg-test-2-primary", "10.10.10.21", "5433"), want: "pg-test-2"},
		{name: "the longer name, header gone", file: "pg-test-2-primary.cfg", data: []byte("listen pg-test-2-primary\n"), want: "pg-test-2"},
		{name: "the longer name, header gone, both want it", file: "pg-test-2-primary.cfg", data: []byte("listen x\n"), wanted: true, want: "pg-test-2"},
		{name: "pg-test has a service named 2-primary", file: "pg-test-2-primary.cfg", data: headed("pg-test-2-primary", "10.10.10.11", "5440"), wanted: true, want: "pg-test"},
		{name: "seen from pg-test-2, pg-test's files are not its own", of: "pg-test-2", file: "pg-test-primary.cfg", data: headed("pg-test-primary", "10.10.10.11", "5433"), want: "pg-test"},
		{name: "a prefix-named cluster the inventory does not know", file: "pg-test-dr-primary.cfg", data: headed("pg-test-dr-primary", "10.9.9.9", "5433"), want: ""},
		{name: "a member that has left the inventory", file: "pg-test-old.cfg", data: headed("pg-test-old", "10.10.10.99", "5433"), want: ""},
		{name: "rendered by a member that has left, still wanted", file: "pg-test-primary.cfg", data: headed("pg-test-primary", "10.10.10.99", "5433"), wanted: true, want: "pg-test"},
		{name: "haproxy_services file named like the cluster, no header", file: "pg-test-web.cfg", data: []byte("listen pg-test-web\n"), want: ""},
		{name: "wanted, header cut off by hand", file: "pg-test-primary.cfg", data: []byte("listen pg-test-primary\n"), wanted: true, want: "pg-test"},
		{name: "a stranger", file: "grafana.cfg", data: []byte("listen grafana\n"), want: ""},
		{name: "the host went to another cluster, the file did not", file: "pg-test-primary.cfg", data: headed("pg-test-primary", "10.10.10.10", "5433"), wanted: true, want: "pg-test"},
		{name: "a host of pg-test rendered a file of another name", file: "web.cfg", data: headed("web", "10.10.10.11", "80"), want: ""},
		{name: "a copy kept by hand", file: "pg-test-primary.cfg.bak", data: headed("pg-test-primary", "10.10.10.11", "5433"), want: ""},
		{name: "a hidden file", file: ".pg-test-primary.cfg", data: headed("pg-test-primary", "10.10.10.11", "5433"), want: ""},
		{name: "IPv6 host in the header", of: "pg-v6", file: "pg-v6-primary.cfg", data: headed("pg-v6-primary", "fd00::1", "5433"), want: "pg-v6"},
		{name: "the header stands too deep to be one", file: "pg-test-x.cfg", data: []byte(strings.Repeat("#\n", 20) + "# service: pg-test-x @ 10.10.10.11:1\n"), want: ""},
		{name: "a header inside the section is none", file: "pg-test-x.cfg", data: []byte("listen a\n# service: pg-test-x @ 10.10.10.11:1\n"), want: ""},
		{name: "empty file", file: "pg-test-x.cfg", data: nil, want: ""},
	}
	inv := fleet()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			of := tt.of
			if of == "" {
				of = "pg-test"
			}
			if got := OwnerOf(inv, inv.Cluster(of), tt.file, tt.data, tt.wanted); got != tt.want {
				t.Errorf("owner %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzParseHeader(f *testing.F) {
	fuzz.Target(f)
	f.Add(headed("pg-test-primary", "10.10.10.11", "5433"))
	f.Add([]byte("# service:  @ :"))
	f.Add([]byte("# service: a @ b @ [::1]:\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, ok := parseHeader(data)
		if ok && (h.proxy == "" || h.host == "") {
			t.Fatalf("a header without content: %+v", h)
		}
		if again, ok2 := parseHeader(headed(h.proxy, string(h.host), "1")); ok && (!ok2 || again != h) {
			t.Fatalf("%+v reads back as %+v", h, again)
		}
	})
}
