package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pgtui/internal/sandbox/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/render"
)

// declared is one host of the sandbox's inventory.
type declared struct {
	cluster string
	seq     int
	role    model.Role
	addr    string
	offline bool
	weight  string // pg_weight; "" leaves Pigsty's default
}

func (d declared) name() string { return fmt.Sprintf("%s-%d", d.cluster, d.seq) }

// layout is the declared hosts of a sandbox under the addresses 127.<net>.
func layout(net, clusters int) []declared {
	addr := func(y, z int) string { return fmt.Sprintf("127.%d.%d.%d", net, y, z) }
	out := []declared{
		{cluster: "pg-meta", seq: 1, role: model.RolePrimary, addr: addr(10, 10)},
		{cluster: "pg-test", seq: 1, role: model.RolePrimary, addr: addr(10, 11)},
		{cluster: "pg-test", seq: 2, role: model.RoleReplica, addr: addr(10, 12)},
		{cluster: "pg-test", seq: 3, role: model.RoleReplica, addr: addr(10, 13), offline: true},
	}
	for k := range clusters - 1 {
		for seq := 1; seq <= 3; seq++ {
			d := declared{
				cluster: fmt.Sprintf("pg-%03d", k+2), seq: seq, role: model.RoleReplica,
				addr: addr(11+k/80, 1+k%80*3+seq-1), offline: seq == 3,
			}
			if seq == 1 {
				d.role = model.RolePrimary
			}
			out = append(out, d)
		}
	}
	return out
}

// nodeDir is the directory that stands for the "/" of a node.
func nodeDir(dir, name string) string { return filepath.Join(dir, "nodes", name) }

// inventoryText is the sandbox's pigsty.yml, in the form Pigsty's own have.
func (s *Sandbox) inventoryText() string {
	dir, hosts := s.dir, s.hosts
	var b strings.Builder
	infra := hosts[0].addr
	fmt.Fprintf(&b, "---\n# A simulated Pigsty on loopback. Change it and run `pgtui diff`.\nall:\n  children:\n")
	fmt.Fprintf(&b, "    infra: { hosts: { %s: { infra_seq: 1 } } }\n", infra)
	fmt.Fprintf(&b, "    etcd: { hosts: { %s: { etcd_seq: 1 } }, vars: { etcd_cluster: etcd } }\n", infra)
	for i, d := range hosts {
		if i == 0 || hosts[i-1].cluster != d.cluster {
			fmt.Fprintf(&b, "    %s:\n      hosts:\n", d.cluster)
		}
		fmt.Fprintf(&b, "        %s: { %s }\n", d.addr, strings.Join(hostVars(dir, d), ", "))
		if i+1 == len(hosts) || hosts[i+1].cluster != d.cluster {
			fmt.Fprintf(&b, "      vars:\n        pg_cluster: %s\n", d.cluster)
			if hasVIP(i) {
				fmt.Fprintf(&b, "        pg_vip_enabled: true\n        pg_vip_address: %s/24\n        pg_vip_interface: lo\n", vip(d))
			}
		}
	}
	fmt.Fprintf(&b, "  vars:\n    version: v4.5.0\n    admin_ip: %s\n    ansible_connection: local\n", infra)
	fmt.Fprintf(&b, "    haproxy_admin_username: admin\n    haproxy_admin_password: pigsty\n    pg_rto: norm\n")
	for _, v := range []struct {
		name    string
		is, own int
	}{{"haproxy_exporter_port", s.statsPort, statsPort}, {"patroni_port", s.patroniPort, patroniPort}, {"pg_port", s.pgPort, pgPort}, {"pgbouncer_port", s.bouncerPort, bouncerPort}} {
		if v.is != v.own {
			fmt.Fprintf(&b, "    %s: %d\n", v.name, v.is)
		}
	}
	fmt.Fprintf(&b, "    # components that the sandbox does not simulate\n")
	for _, v := range []string{
		"pg_exporter", "pgbouncer_exporter", "pgbackrest_exporter", "node_exporter", "vector", "node_ntp", "nginx", "nginx_exporter",
		"grafana", "blackbox", "dns", "alertmanager", "vmetrics", "vlogs", "vtraces", "vmalert",
	} {
		fmt.Fprintf(&b, "    %s_enabled: false\n", v)
	}
	return b.String()
}

// hasVIP reports whether the i-th host is of a cluster with a VIP: the demo's
// own two have one, those of a fleet have none.
func hasVIP(i int) bool { return i < 4 }

func vip(d declared) string {
	last := "2"
	if d.cluster == "pg-test" {
		last = "3"
	}
	return d.addr[:strings.LastIndex(d.addr, ".")+1] + last
}

func hostVars(dir string, d declared) []string {
	v := []string{"pg_seq: " + strconv.Itoa(d.seq), "pg_role: " + string(d.role)}
	if d.offline {
		v = append(v, "pg_offline_query: true")
	}
	if d.weight != "" {
		v = append(v, "pg_weight: "+d.weight)
	}
	return append(v, "pgtui_root: "+strconv.Quote(nodeDir(dir, d.name())))
}

// writeTree writes every node's directory without the service files, which are
// rendered from the inventory afterwards.
func (s *Sandbox) writeTree() error {
	if err := writeFile(markerPath(s.dir), "made by pgtui demo: the nodes of this inventory are the directories beside it\n", 0o644); err != nil {
		return err
	}
	for _, d := range s.hosts {
		root := nodeDir(s.dir, d.name())
		for _, dir := range []string{"etc/haproxy/conf.d", "bin", "run/systemd/system", "pg/data/pg_wal"} { // run/systemd/system is the mark of systemd
			if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
				return fmt.Errorf("sandbox: node %s: %w", d.name(), err)
			}
		}
		if err := writeFile(filepath.Join(root, "etc/haproxy/haproxy.cfg"), haproxy.MainFile(d.name(), d.addr, s.statsPort), 0o644); err != nil {
			return err
		}
		for _, tool := range []string{"haproxy", "systemctl", "pgbackrest"} {
			raw := fmt.Sprintf("#!/bin/sh\nexec %s sandbox-node %s %s \"$@\"\n", text.Word(s.opt.Exe), text.Word(root), tool)
			if err := writeFile(filepath.Join(root, "bin", tool), raw, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

func inventoryFile(dir string) string { return filepath.Join(dir, "pigsty.yml") }

func writeFile(path, text string, mode os.FileMode) error {
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// managedLayout is how Pigsty prints the date in a file's first line.
const managedLayout = "2006-01-02 15:04:05"

// writeServices renders the service files of every node from the inventory
// file, as a first run of pgsql.yml would.
func (s *Sandbox) writeServices() error {
	inv, err := pigsty.Parse(s.InventoryPath(), []byte(s.inventoryText()), pigsty.Options{})
	if err != nil {
		return fmt.Errorf("sandbox: own inventory: %w", err)
	}
	root := map[model.Host]string{}
	for _, d := range s.hosts {
		root[model.Host(d.addr)] = nodeDir(s.dir, d.name())
	}
	managed := s.opt.Now().Format(managedLayout)
	for i := range inv.Clusters {
		for _, f := range render.Files(inv, &inv.Clusters[i], managed) {
			path := filepath.Join(root[f.Host], inv.Dialect.ConfDir(), f.Name)
			if err := writeFile(path, string(f.Data), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
