package emit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/awslabs/goformation/v7"
	"github.com/awslabs/goformation/v7/cloudformation"
	"gopkg.in/yaml.v3"

	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/check"
	"pgtui/pigsty"
	"pgtui/render"
	"pgtui/render/emit"
	"pgtui/source"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// waysFleet has a cluster with all that may be asked for, one on a tier, one with
// addresses of the Internet and over TLS, and one that has nothing. Every
// password in it is one that stands nowhere else.
const waysFleet = `
all:
  vars:
    version: v4.5.0
    haproxy_admin_password: Hush-haproxy
    pg_admin_password: Hush-admin
    pg_monitor_password: Hush-monitor
    pg_replication_password: Hush-replication
    patroni_password: Hush-patroni
    grafana_admin_password: Hush-grafana
    etcd_root_password: Hush-etcd-root
    minio_secret_key_password: Hush-minio
  children:
    infra: { hosts: { 10.10.10.10: { infra_seq: 1 } } }
    etcd: { hosts: { 10.10.10.10: { etcd_seq: 1 }, 10.10.10.9: { etcd_seq: 2 } } }
    proxy:
      hosts: { 10.10.10.21: { nodename: proxy-1 }, 10.10.10.22: { nodename: proxy-2 } }
      vars: { vip_enabled: true, vip_address: 10.10.10.8, vip_vrid: 8, vip_interface: ens3, vip_auth_pass: Hush-vrrp }
    pg-test:
      hosts:
        10.10.10.11: { pg_seq: 1, pg_role: primary }
        10.10.10.12: { pg_seq: 2, pg_role: replica, pg_weight: 50 }
        10.10.10.13: { pg_seq: 3, pg_role: offline }
      vars:
        pg_cluster: pg-test
        pg_vip_enabled: true
        pg_vip_address: 10.10.10.3/24
        pg_vip_interface: eth1
        pg_etcd_password: Hush-etcd
        pg_users: [ { name: app, password: Hush-app, pgbouncer: true, roles: [ dbrole_readwrite ] } ]
        pg_databases: [ { name: shop } ]
    pg-tier:
      hosts: { 10.10.10.31: { pg_seq: 1, pg_role: primary }, 10.10.10.32: { pg_seq: 2, pg_role: replica, patroni_port: 8009 } }
      vars: { pg_cluster: pg-tier, pg_service_provider: proxy }
    pg-open:
      hosts: { 203.0.113.5: { pg_seq: 1, pg_role: primary }, "2001:db8::6": { pg_seq: 2, pg_role: replica }, db.example.com: { pg_seq: 3, pg_role: replica } }
      vars: { pg_cluster: pg-open, patroni_ssl_enabled: true, pg_vip_enabled: true, pg_vip_address: 203.0.113.9, pg_mode: citus, pg_shard: sh, pg_group: 2 }
    pg-bare:
      hosts: { 10.10.10.41: { pg_seq: 1, pg_role: primary } }
      vars: { pg_cluster: pg-bare, pg_default_services: [] }
`

// declared is the inventory above, and the ways into one of its clusters.
func declared(t *testing.T, text, cluster string) (*model.Inventory, *access.Access) {
	t.Helper()
	inv, err := pigsty.Load(fstest.MapFS{"pigsty.yml": {Data: []byte(text)}}, "pigsty.yml", pigsty.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := inv.Cluster(model.ClusterName(cluster))
	if c == nil {
		t.Fatalf("no cluster %s", cluster)
	}
	snap := &model.Snapshot{Inventory: inv, TakenAt: time.Unix(1, 0)}
	b := check.Board(snap, c, snap.TakenAt)
	a := access.Of(snap, &b, access.Live{})
	return inv, &a
}

// written is what a kind says of a cluster of the fleet.
func written(t *testing.T, k emit.Kind, cluster string) string {
	t.Helper()
	inv, a := declared(t, waysFleet, cluster)
	text, err := emit.Text(k, inv, a)
	if err != nil {
		t.Fatalf("%s of %s: %v", k, cluster, err)
	}
	return text
}

// golden are the kinds and clusters whose text is kept in testdata.
func golden() map[emit.Kind][]string {
	return map[emit.Kind][]string{
		emit.Consul: {"pg-test", "pg-open"}, emit.Provider: {"pg-test", "pg-tier", "pg-open"}, emit.VIPManager: {"pg-test", "pg-open"},
		emit.Keepalived: {"pg-test", "pg-tier"}, emit.Route53: {"pg-test", "pg-open"}, emit.NLB: {"pg-test", "pg-tier", "pg-open"},
	}
}

func TestEmitGolden(t *testing.T) {
	for k, clusters := range golden() {
		for _, cls := range clusters {
			t.Run(string(k)+"/"+cls, func(t *testing.T) {
				got := written(t, k, cls)
				file := filepath.Join("testdata", string(k)+"."+cls)
				if *update {
					if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(got), 0o600)); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatalf("%v: go test ./render -update", err)
				}
				if got != string(want) {
					t.Errorf("%s", render.Unified(file, want, []byte(got)))
				}
			})
		}
	}
}

// documents are all YAML documents of a text; it must have some.
func documents(t *testing.T, text string) []map[string]any {
	t.Helper()
	var out []map[string]any
	dec := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc map[string]any
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		out = append(out, doc)
	}
	if len(out) == 0 {
		t.Fatal("no document")
	}
	return out
}

// TestEmitYAML reads what is written for YAML's readers, and holds that every
// trap stands in the header.
func TestEmitYAML(t *testing.T) {
	for k, want := range map[emit.Kind]map[string][]string{
		emit.Provider: {"pg-test": {"ports: pg-tier has", "pg-hba", "vip"}, "pg-tier": {"ports: pg-test has"}, "pg-open": {"patroni-tls"}},
		emit.VIPManager: {
			"pg-test": {"layer-2", "password"}, "pg-open": {"interface"},
		},
		emit.Route53: {
			"pg-test": {"private-address: 10.10.10.11, 10.10.10.12, 10.10.10.13: ", "all-unhealthy", "dns-ttl"},
			"pg-open": {"public-address", "no-address: db.example.com: left out"},
		},
		emit.NLB: {
			"pg-test": {"fail-open", "idle-timeout: a connection that is idle for 350 s", "cross-zone: cross-zone balancing is off by default", "hairpin", "dns-ttl", "no-backup"},
			"pg-tier": {"mixed-checks", "provider"}, "pg-open": {"public-target", "patroni-tls"},
		},
	} {
		for cls, codes := range want {
			text := written(t, k, cls)
			documents(t, text)
			flat := strings.ReplaceAll(text, "\n# ", " ")
			for _, c := range codes {
				if !strings.Contains(flat, " lint "+c) {
					t.Errorf("%s of %s has no lint %s", k, cls, c)
				}
			}
		}
	}
}

// TestEmitProviderMoves lets Pigsty's own rules read the stanza: the services
// are on the tier then.
func TestEmitProviderMoves(t *testing.T) {
	stanza := strings.NewReplacer("ADDRESS_1", "10.10.10.51", "ADDRESS_2", "10.10.10.52").Replace(written(t, emit.Provider, "pg-test"))
	var base, more map[string]any
	if err := errors.Join(yaml.Unmarshal([]byte(waysFleet), &base), yaml.Unmarshal([]byte(stanza), &more)); err != nil {
		t.Fatal(err)
	}
	merge(base, more)
	text, err := yaml.Marshal(base)
	if err != nil {
		t.Fatal(err)
	}
	inv, _ := declared(t, string(text), "pg-test")
	c := inv.Cluster("pg-test")
	if c.Provider != "proxy-pg-test" || len(c.LoadBalancers) != 2 || c.LoadBalancers[0].Host != "10.10.10.51" || len(c.LoadBalancers[1].Services) != 4 {
		t.Errorf("provider %q, %+v", c.Provider, c.LoadBalancers)
	}
}

func merge(to, from map[string]any) {
	for k, v := range from {
		sub, ok := v.(map[string]any)
		have, ok2 := to[k].(map[string]any)
		if ok && ok2 {
			merge(have, sub)
			continue
		}
		to[k] = v
	}
}

// TestEmitConsul reads the definitions with the names that Consul knows, and
// nothing else.
func TestEmitConsul(t *testing.T) {
	var got struct {
		Services []struct {
			ID, Name, Address string
			Port              int
			Tags              []string
			Meta              map[string]string
			Weights           struct{ Passing, Warning int }
			Checks            []struct{ ID, Name, HTTP, Method, TCP, Interval, Timeout string }
		}
	}
	dec := json.NewDecoder(strings.NewReader(written(t, emit.Consul, "pg-test")))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range got.Services {
		if seen[s.ID] || len(s.Checks) != 2 {
			t.Errorf("%+v", s)
		}
		seen[s.ID] = true
		for _, c := range s.Checks {
			if _, err := time.ParseDuration(c.Interval); err != nil || (c.HTTP == "") == (c.TCP == "") {
				t.Errorf("%+v", c)
			}
		}
	}
	// primary 3, replica 1 (its backups are left out), default 3, offline 1
	if len(got.Services) != 8 {
		t.Errorf("%d services", len(got.Services))
	}
	if s := got.Services[1]; s.ID != "pg-test-primary-pg-test-2" || s.Name != "pg-test-primary" || s.Address != "10.10.10.12" || s.Port != 6432 || s.Weights.Passing != 50 ||
		s.Checks[0].HTTP != "http://10.10.10.12:8008/primary" || s.Checks[1].TCP != "10.10.10.12:6432" {
		t.Errorf("%+v", s)
	}
}

// TestEmitVIPManager compares with what Pigsty's template has for the keys.
func TestEmitVIPManager(t *testing.T) {
	docs := documents(t, written(t, emit.VIPManager, "pg-test"))
	if len(docs) != 3 {
		t.Fatalf("%d documents", len(docs))
	}
	if d := docs[1]; d["trigger-key"] != "/pg/pg-test/leader" || d["trigger-value"] != "pg-test-2" || d["ip"] != "10.10.10.3" || d["netmask"] != 24 || d["interface"] != "eth1" ||
		d["etcd-user"] != "pg-test" || len(d["dcs-endpoints"].([]any)) != 2 || d["dcs-endpoints"].([]any)[0] != "https://10.10.10.10:2379" {
		t.Errorf("%v", d)
	}
	if d := documents(t, written(t, emit.VIPManager, "pg-open"))[0]; d["trigger-key"] != "/pg/sh/2/leader" || d["etcd-user"] != "sh" || d["netmask"] != 24 || d["interface"] != "INTERFACE" {
		t.Errorf("citus: %v", d)
	}
}

// TestEmitVIPManagerReads lets vip-manager itself read a document. It says what
// it understood, and ends before it does anything: there is no CA file.
func TestEmitVIPManagerReads(t *testing.T) {
	program, err := exec.LookPath("vip-manager")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("vip-manager is missing")
		}
		t.Skip("vip-manager is missing")
	}
	dir := t.TempDir()
	_, doc, _ := strings.Cut(written(t, emit.VIPManager, "pg-test"), "---\n")
	doc, _, _ = strings.Cut(doc, "---\n")
	file := filepath.Join(dir, "vip-manager.yml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(doc, "/pg/cert", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "--config="+file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot load CA file") {
		t.Errorf("%v: %s", err, out)
	}
	for key, value := range documents(t, doc)[0] {
		switch value.(type) {
		case string, int:
		default:
			continue
		}
		want := strings.ReplaceAll(fmt.Sprintf("\t%s : %v\n", key, value), "/pg/cert", dir)
		if key == "etcd-password" {
			want = "\tetcd-password : *****\n"
		}
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}
	if want := "\tdcs-endpoints : [https://10.10.10.10:2379 https://10.10.10.9:2379]\n"; !strings.Contains(string(out), want) {
		t.Errorf("it does not say %q: %s", want, out)
	}
}

// TestEmitCloudFormation reads the templates with the types of AWS's own
// specification: a property that it does not know is an error there.
func TestEmitCloudFormation(t *testing.T) {
	for _, tt := range []struct {
		kind    emit.Kind
		cluster string
		want    map[string]int
	}{
		{emit.NLB, "pg-test", map[string]int{"AWS::EC2::SecurityGroup": 1, "AWS::ElasticLoadBalancingV2::LoadBalancer": 1,
			"AWS::ElasticLoadBalancingV2::Listener": 4, "AWS::ElasticLoadBalancingV2::TargetGroup": 4}},
		{emit.NLB, "pg-open", nil},
		{emit.Route53, "pg-test", map[string]int{"AWS::CloudWatch::Alarm": 12, "AWS::Route53::HealthCheck": 12, "AWS::Route53::RecordSet": 12}},
		{emit.Route53, "pg-open", map[string]int{"AWS::Route53::HealthCheck": 8, "AWS::Route53::RecordSet": 8}},
	} {
		tpl := cloudFormation(t, written(t, tt.kind, tt.cluster))
		got := map[string]int{}
		for name, r := range tpl.Resources {
			got[r.AWSCloudFormationType()]++
			if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(name) {
				t.Errorf("%s is no logical name", name)
			}
		}
		for kind, n := range tt.want {
			if got[kind] != n || len(got) != len(tt.want) {
				t.Errorf("%s of %s: %v, want %v", tt.kind, tt.cluster, got, tt.want)
			}
		}
	}
	tpl := cloudFormation(t, written(t, emit.NLB, "pg-test"))
	group, err := tpl.GetElasticLoadBalancingV2TargetGroupWithName("PrimaryTargets")
	if err != nil || *group.HealthCheckPath != "/primary" || *group.HealthCheckPort != "8008" || *group.HealthCheckProtocol != "HTTP" || *group.Port != 6432 || len(group.Targets) != 3 {
		t.Errorf("%+v, %v", group, err)
	}
	l, err := tpl.GetElasticLoadBalancingV2ListenerWithName("PrimaryListener")
	if err != nil || *l.Port != 5433 {
		t.Errorf("%+v, %v", l, err)
	}
	tpl = cloudFormation(t, written(t, emit.Route53, "pg-test"))
	hc, err := tpl.GetRoute53HealthCheckWithName("Primary10x10x10x11Check")
	if err != nil || hc.HealthCheckConfig.Type != "CLOUDWATCH_METRIC" || hc.HealthCheckConfig.IPAddress != nil {
		t.Errorf("%+v, %v", hc, err)
	}
}

func cloudFormation(t *testing.T, text string) *cloudformation.Template {
	t.Helper()
	tpl, err := goformation.ParseYAML([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return tpl
}

// TestCloudFormationCanFail keeps the reader above honest.
func TestCloudFormationCanFail(t *testing.T) {
	text := strings.Replace(written(t, emit.NLB, "pg-test"), "HealthCheckPath:", "HealthCheckPaht:", 1)
	if _, err := goformation.ParseYAML([]byte(text)); err == nil {
		t.Error("a property that there is not is read")
	}
}

// TestEmitKeepalived lets keepalived itself read what is written.
func TestEmitKeepalived(t *testing.T) {
	program, err := exec.LookPath("keepalived")
	if err != nil {
		program = "/usr/sbin/keepalived"
		if _, err := os.Stat(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("keepalived is missing")
			}
			t.Skip("keepalived is missing")
		}
	}
	// It wants an interface that is there.
	ifs, err := net.Interfaces()
	i := slices.IndexFunc(ifs, func(f net.Interface) bool { return f.Flags&net.FlagLoopback == 0 })
	if err != nil || i < 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a network interface is missing, beside the loopback")
		}
		t.Skip("a network interface is missing, beside the loopback")
	}
	// try is what keepalived complains of. Debian's ends a good test by a signal
	// to itself: only what it says counts.
	try := func(text, node string) string {
		file := filepath.Join(t.TempDir(), "keepalived.conf")
		if err := os.WriteFile(file, []byte(regexp.MustCompile(`(?m)^\$INTERFACE=.*`).ReplaceAllString(text, "$$INTERFACE="+ifs[i].Name)), 0o600); err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), program, "-t", "-f", file, "-i", node)
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		out, err := c.CombinedOutput()
		if c.ProcessState == nil || c.ProcessState.Exited() && c.ProcessState.ExitCode() != 0 {
			return fmt.Sprintf("%v: %s", err, out)
		}
		return string(out)
	}
	for cls, nodes := range map[string][]string{"pg-test": {"pg-test-1", "pg-test-3"}, "pg-tier": {"proxy-1"}} {
		for _, n := range nodes {
			text := written(t, emit.Keepalived, cls)
			if out := try(text, n); out != "" {
				t.Errorf("%s on %s: %s", cls, n, out)
			}
			if out := try(strings.Replace(text, "  virtual_router_id", "  virtual_rooter_id", 1), n); out == "" {
				t.Error("keepalived takes everything")
			}
		}
	}
}

// TestEmitKeepalivedScripts runs the check scripts by sh against what HAProxy
// says in its three states.
func TestEmitKeepalivedScripts(t *testing.T) {
	m := regexp.MustCompile(`script "/bin/sh -c '(.*)'"`).FindStringSubmatch(written(t, emit.Keepalived, "pg-test"))
	if m == nil {
		t.Fatal("no script")
	}
	_, grep, _ := strings.Cut(strings.ReplaceAll(m[1], `\"`, `"`), "| ")
	for said, ok := range map[string]bool{
		`haproxy_backend_status{proxy="pg-test-primary",state="UP"} 1`:  true,
		`haproxy_backend_status{proxy="pg-test-primary",state="UP"} 0`:  false,
		`haproxy_backend_status{proxy="pg-test-replica",state="UP"} 1`:  false,
		`haproxy_backend_status{proxy="xpg-test-primary",state="UP"} 1`: false,
	} {
		c := exec.CommandContext(t.Context(), "/bin/sh", "-c", grep)
		c.Stdin = strings.NewReader(said + "\n")
		if err := c.Run(); (err == nil) != ok {
			t.Errorf("%s: %v", said, err)
		}
	}
}

// TestEmitRefuses: what a cluster has nothing for is an error with a next step.
func TestEmitRefuses(t *testing.T) {
	for k, want := range map[emit.Kind]string{
		emit.Consul: "no service", emit.Route53: "no service", emit.NLB: "no service",
		emit.VIPManager: "pg_vip_enabled is false", emit.Keepalived: "neither vip_address",
	} {
		inv, a := declared(t, waysFleet, "pg-bare")
		text, err := emit.Text(k, inv, a)
		if err == nil || text != "" || !strings.Contains(err.Error(), want) || source.TryOf(err) == "" {
			t.Errorf("%s: %q, %v", k, text, err)
		}
	}
}

// TestEmitNoSecret looks for every password of the inventory in everything
// that is written.
func TestEmitNoSecret(t *testing.T) {
	secrets := regexp.MustCompile(`(?:password|auth_pass): (Hush-[a-z-]+)`).FindAllStringSubmatch(waysFleet, -1)
	if len(secrets) < 11 {
		t.Fatalf("%d passwords: nothing is looked for", len(secrets))
	}
	kinds := 0
	for _, k := range emit.Kinds() {
		for _, cls := range []string{"pg-test", "pg-tier", "pg-open", "pg-bare"} {
			inv, a := declared(t, waysFleet, cls)
			text, err := emit.Text(k, inv, a)
			if err != nil {
				text = err.Error() + source.TryOf(err)
			} else {
				kinds++
			}
			for _, s := range secrets {
				if strings.Contains(text, s[1]) {
					t.Errorf("%s of %s has %s", k, cls, s[1])
				}
			}
			if strings.Contains(text, "Hush") {
				t.Errorf("%s of %s has a password", k, cls)
			}
		}
	}
	if kinds < 30 {
		t.Errorf("only %d texts", kinds)
	}
}

// FuzzEmit: whatever the names are, YAML and JSON stay readable, and no line
// is added.
func FuzzEmit(f *testing.F) {
	fuzz.Target(f)
	f.Add("pg-test", "10.0.0.1", "/primary", "6432")
	f.Add("a: b\n#", "x\"y", "/p'\t", "0")
	f.Fuzz(func(t *testing.T, name, host, path, port string) {
		server := model.Server{Name: model.InstanceName(name + "-1"), Host: model.Host(host), Port: port, CheckPort: port}
		svc := model.Service{Cluster: model.ClusterName(name), Name: model.ServiceName(name), Port: "5433", Check: path, Members: []model.Server{server}}
		c := &model.Cluster{Name: model.ClusterName(name), VIP: host, VIPManager: model.VIPManager{Prefix: "24", Key: path, Endpoints: []string{host}, Interface: name},
			Instances: []model.Instance{{Name: server.Name, Host: server.Host}}, LoadBalancers: []model.LoadBalancer{{Host: server.Host, Services: []model.Service{svc}}}}
		snap := &model.Snapshot{Inventory: &model.Inventory{Clusters: []model.Cluster{*c}}}
		b := check.Board(snap, c, time.Unix(1, 0))
		a := access.Of(snap, &b, access.Live{})
		for _, k := range []emit.Kind{emit.Consul, emit.Provider, emit.VIPManager, emit.Route53, emit.NLB} {
			text, err := emit.Text(k, snap.Inventory, &a)
			if err != nil {
				continue
			}
			if k == emit.Consul {
				if !json.Valid([]byte(text)) {
					t.Errorf("%s", text)
				}
				continue
			}
			dec := yaml.NewDecoder(bytes.NewReader([]byte(text)))
			for {
				var doc map[string]any
				if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s: %v\n%s", k, err, text)
				}
			}
		}
	})
}
