package storetest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Series is what a store is filled with: labels, "__name__" among them, and samples by
// their time in milliseconds.
type Series struct {
	Labels map[string]string
	At     []int64
	Values []float64
}

// slow is how long a step may take, on a machine that is busy too.
const slow = 60 * time.Second

// VictoriaMetrics starts one on loopback with these series, and returns its URL. It ends with the
// test.
func VictoriaMetrics(t testing.TB, series []Series) string {
	t.Helper()
	addr := free(t)
	start(t, Program(t, "victoria-metrics"), "-httpListenAddr="+addr, "-storageDataPath="+t.TempDir(), "-retentionPeriod=100y", "-search.disableCache")
	url := "http://" + addr
	ready(t, url+"/health")
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, s := range series {
		if len(s.At) == 0 {
			continue
		}
		if err := enc.Encode(map[string]any{"metric": s.Labels, "values": s.Values, "timestamps": s.At}); err != nil {
			t.Fatal(err)
		}
	}
	send(t, url+"/api/v1/import", &lines)
	send(t, url+"/internal/force_flush", nil) // what was imported is found at once
	return url
}

// Prometheus starts one on loopback with these series, and returns its URL. It ends with the test.
func Prometheus(t testing.TB, series []Series) string {
	t.Helper()
	dir, addr := t.TempDir(), free(t)
	metrics := filepath.Join(dir, "series.om")
	if err := os.WriteFile(metrics, openMetrics(series), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if out, err := exec.CommandContext(t.Context(), Program(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics", metrics, data).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	conf := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(conf, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, Program(t, "prometheus"), "--config.file="+conf, "--storage.tsdb.path="+data, "--web.listen-address="+addr, "--storage.tsdb.retention.time=100y")
	url := "http://" + addr
	ready(t, url+"/-/ready")
	return url
}

// openMetrics are series as promtool reads them: by name, then by time.
func openMetrics(series []Series) []byte {
	type sample struct {
		name, labels, line string
		at                 int64
	}
	var all []sample
	for _, s := range series {
		var labels []string
		for k, v := range s.Labels {
			if k != "__name__" {
				labels = append(labels, fmt.Sprintf("%s=%q", k, v))
			}
		}
		slices.Sort(labels)
		for i, at := range s.At {
			name, of := s.Labels["__name__"], strings.Join(labels, ",")
			all = append(all, sample{name, of, fmt.Sprintf("%s{%s} %g %d.%03d\n", name, of, s.Values[i], at/1000, at%1000), at})
		}
	}
	slices.SortStableFunc(all, func(a, b sample) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.labels, b.labels), cmp.Compare(a.at, b.at))
	})
	var b bytes.Buffer
	name := ""
	for _, s := range all {
		if s.name != name {
			name = s.name
			fmt.Fprintf(&b, "# TYPE %s gauge\n", name)
		}
		b.WriteString(s.line)
	}
	b.WriteString("# EOF\n")
	return b.Bytes()
}

// free is an address of loopback that nothing listens on.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a program that ends with the test, by its own process id.
func start(t testing.TB, program string, args ...string) {
	t.Helper()
	c := exec.Command(program, args...)
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(program), log.Bytes()[max(0, log.Len()-2000):])
		}
	})
}

// ready waits until the address answers with 200.
func ready(t testing.TB, url string) {
	t.Helper()
	for t0 := time.Now(); time.Since(t0) < slow; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get(url)
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatalf("%s does not answer within %s", url, slow)
}

// send posts a body, and fails unless the answer is a success.
func send(t testing.TB, url string, body *bytes.Buffer) {
	t.Helper()
	if body == nil {
		body = new(bytes.Buffer)
	}
	c := &http.Client{Timeout: slow}
	resp, err := c.Post(url, "application/octet-stream", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("%s: %s", url, resp.Status)
	}
}
