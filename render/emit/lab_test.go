//go:build lab

package emit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgtui/internal/labtest"
	"pgtui/render/emit"
)

// lone is a node of its own: an interface with the instance's address, a
// HAProxy with the service, keepalived. It says who has the VIP before and
// after HAProxy dies.
const lone = `
set -e
ip link set lo up
ip link add ve0 type veth peer name ve1
ip addr add 10.10.10.11/24 dev ve0
ip link set ve0 up
ip link set ve1 up
haproxy -f haproxy.cfg -db 2>haproxy.log & haproxy=$!
keepalived -n -l -D -f keepalived.conf -i pg-test-1 -p k.pid -r v.pid -c c.pid >keepalived.log 2>&1 &
has() { ip -o -4 addr show dev ve0 | grep -q '10.10.10.3/32'; }
for i in $(seq 300); do has && grep -q 'priority from 100 to 120' keepalived.log && break; sleep 0.1; done
has && echo "with HAProxy: here"
kill $haproxy
for i in $(seq 300); do has || break; sleep 0.1; done
has || echo "without HAProxy: gone"
`

// TestLabEmitKeepalived runs what is written: keepalived keeps the address
// while HAProxy has a server for the primary, and gives it away when HAProxy
// dies. It needs root and a network of its own, and not the lab's nodes.
func TestLabEmitKeepalived(t *testing.T) {
	dir := t.TempDir()
	conf := regexp.MustCompile(`(?m)^\$INTERFACE=.*`).ReplaceAllString(written(t, emit.Keepalived, "pg-test"), "$$INTERFACE=ve0")
	for name, text := range map[string]string{"keepalived.conf": conf, "haproxy.cfg": `global
    maxconn 100
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
listen stats
    bind *:9101
    mode http
    http-request use-service prometheus-exporter if { path /metrics }
listen pg-test-primary
    bind *:5433
    server pg-test-1 127.0.0.1:9101 check inter 500
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	labtest.Step(t, "keepalived keeps the address, and gives it away")
	c := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", lone)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if got, want := string(out), "with HAProxy: here\nwithout HAProxy: gone\n"; err != nil || got != want {
		log, _ := os.ReadFile(filepath.Join(dir, "keepalived.log"))
		t.Errorf("%v: %s\n%s", err, got, strings.TrimSpace(string(log)))
	}
}
