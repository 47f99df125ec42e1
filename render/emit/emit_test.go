package emit_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgpassfile"
	"github.com/jackc/pgservicefile"

	"pgtui/model"
	"pgtui/model/access"
	"pgtui/render/emit"
	"pgtui/source"
)

// waysIn is a cluster of two with one service; vip is its address, "" for none.
func waysIn(vip string) *access.Access {
	c := &model.Cluster{Name: "pg-a", VIP: vip}
	port := model.EntryPort{Port: 5433, Name: "primary", Service: "primary", Target: model.TargetPrimary, Use: "read and write"}
	own := model.EntryPort{Port: 5432, Name: "postgres", Target: model.TargetInstance}
	a := &access.Access{Cluster: c, Ports: []model.EntryPort{own, port}}
	add := func(h access.EntryHost) {
		a.Hosts = append(a.Hosts, h)
		for _, p := range a.Ports {
			if h.Kind == access.HostVIP && p.Service == "" {
				continue
			}
			a.Entries = append(a.Entries, access.Entry{Endpoint: model.Endpoint{Host: h.Name, Port: p.Port}, On: h, At: p,
				DSN: access.DSN{Hosts: []string{h.Name}, Ports: []uint16{p.Port}, User: "us:er", Database: `d\b`}})
		}
	}
	if vip != "" {
		add(access.EntryHost{Name: vip, Kind: access.HostVIP})
	}
	add(access.EntryHost{Name: "pg-a-1", Kind: access.HostInstance, Instance: "pg-a-1", Leads: []string{"10.0.0.1"}})
	add(access.EntryHost{Name: "10.0.0.1", Kind: access.HostAddress, Instance: "pg-a-1"})
	add(access.EntryHost{Name: "10.0.0.2", Kind: access.HostAddress, Instance: "pg-a-2"})
	return a
}

func text(t *testing.T, k emit.Kind, a *access.Access) string {
	t.Helper()
	text, err := emit.Text(k, &model.Inventory{}, a)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestEmitService reads what was written as pgx does.
func TestEmitService(t *testing.T) {
	for _, tt := range []struct{ vip, host, port, attrs string }{
		{"10.0.0.9", "10.0.0.9", "5433", ""},
		{"", "10.0.0.1,10.0.0.2", "5433,5433", "read-write"},
	} {
		f, err := pgservicefile.ParseServicefile(strings.NewReader(text(t, emit.Service, waysIn(tt.vip))))
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.GetService("pg-a-primary")
		if err != nil {
			t.Fatal(err)
		}
		if s.Settings["host"] != tt.host || s.Settings["port"] != tt.port || s.Settings["target_session_attrs"] != tt.attrs || s.Settings["user"] != "us:er" || s.Settings["dbname"] != `d\b` {
			t.Errorf("%q: %v", tt.vip, s.Settings)
		}
		if own, err := f.GetService("pg-a-2"); err != nil || own.Settings["host"] != "10.0.0.2" || own.Settings["port"] != "5432" {
			t.Errorf("%q: %v, %v", tt.vip, own, err)
		}
	}
}

func TestEmitPass(t *testing.T) {
	f, err := pgpassfile.ParsePassfile(strings.NewReader(text(t, emit.Pass, waysIn(""))))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.FindPassword("10.0.0.2", "5433", `d\b`, "us:er"); got != "PASSWORD" {
		t.Errorf("got %q", got)
	}
}

// TestEmitOneLine holds that no value of the inventory adds a line of its own.
func TestEmitOneLine(t *testing.T) {
	a := waysIn("10.0.0.9\nhost=evil")
	for i := range a.Entries {
		a.Entries[i].DSN.User = "u\r\npassword=x"
	}
	for _, k := range []emit.Kind{emit.Service, emit.Pass, emit.Hosts} {
		for l := range strings.Lines(text(t, k, a)) {
			if strings.HasPrefix(l, "host=evil") || strings.HasPrefix(l, "password=") {
				t.Errorf("%s: %q", k, l)
			}
		}
	}
}

func TestEmitNames(t *testing.T) {
	a := waysIn("10.0.0.9")
	a.Hosts = append(a.Hosts, access.EntryHost{Name: "pg-a", Kind: access.HostCluster, Leads: []string{"10.0.0.9"}})
	if got, want := text(t, emit.Hosts, a), "# the names of pg-a\n10.0.0.1 pg-a-1\n10.0.0.9 pg-a\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	a.Cluster.VIP = ""
	if got := text(t, emit.Hosts, a); !strings.Contains(got, "# pg-a does not follow a failover: it stays on 10.0.0.9\n") {
		t.Errorf("a name on a fixed address: %q", got)
	}
}

// TestEmitDnsmasq lets dnsmasq itself read its lines.
func TestEmitDnsmasq(t *testing.T) {
	program, err := exec.LookPath("dnsmasq")
	if err != nil {
		program = "/usr/sbin/dnsmasq"
		if _, err := os.Stat(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("dnsmasq is missing")
			}
			t.Skip("dnsmasq is missing")
		}
	}
	file := filepath.Join(t.TempDir(), "dnsmasq.conf")
	if err := os.WriteFile(file, []byte(text(t, emit.Dnsmasq, waysIn("10.0.0.9"))), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program, "--test", "-C", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestEmitBlackbox(t *testing.T) {
	var got []struct {
		Targets []string
		Labels  map[string]string
	}
	if err := json.Unmarshal([]byte(text(t, emit.Blackbox, waysIn("10.0.0.9"))), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Targets[0] != "10.0.0.9:5433" || got[0].Labels["service"] != "primary" || got[0].Labels["entry"] != "vip" {
		t.Errorf("%+v", got)
	}
}

func TestEmitUnknownKind(t *testing.T) {
	if _, err := emit.Text("junk", &model.Inventory{}, waysIn("")); err == nil || !strings.Contains(err.Error(), emit.Names()) || source.TryOf(err) == "" {
		t.Errorf("got %v", err)
	}
}
