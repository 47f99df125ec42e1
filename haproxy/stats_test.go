package haproxy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"pgtui/internal/fuzz"
)

const page = "# pxname,svname,type,status,weight,bck,\nc0-primary,FRONTEND,0,OPEN,,,\nc0-primary,c0-1,2,UP,100,0,\nc0-primary,BACKEND,1,UP,100,0,\n"

// captured lists the recorded files of both generations; there must be at least
// least.
func captured(tb testing.TB, pattern string, least int) []string {
	tb.Helper()
	got, err := filepath.Glob(filepath.Join("../testdata/captures/*/*", pattern))
	if err != nil || len(got) < least {
		tb.Fatalf("%d recorded files match %s, want at least %d (%v)", len(got), pattern, least, err)
	}
	return got
}

func read(tb testing.TB, file string) []byte {
	tb.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// harmless fails when any string in v could move a cursor.
func harmless(t *testing.T, v any) {
	t.Helper()
	if s := fmt.Sprintf("%+v", v); strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Fatalf("not printable: %q", s)
	}
}

func TestParseEveryCapturedStatsPage(t *testing.T) {
	statuses, checks, parsed := map[string]bool{}, map[string]bool{}, 0
	for _, pattern := range []string{"haproxy-*-stats.csv", "stats-sample-*.csv", "DOWN_?of?.csv", "UP*.csv"} {
		for _, f := range captured(t, pattern, 4) {
			b := read(t, f)
			if bytes.HasPrefix(b, []byte("ERR:")) {
				continue
			}
			st, err := ParseStats(b)
			if err != nil {
				t.Errorf("%s: %v", f, err)
				continue
			}
			parsed++
			for _, px := range st.Proxies {
				if px.Front.Status == "" || px.Back.Status == "" {
					t.Errorf("%s: section %s lacks a row: %+v", f, px.Name, px)
				}
				for _, s := range px.Servers {
					statuses[s.Status], checks[s.CheckStatus] = true, true
					if s.UserWeight < 0 || strings.HasPrefix(s.CheckStatus, "*") {
						t.Errorf("%s: %s/%s: %+v", f, px.Name, s.Name, s)
					}
				}
			}
		}
	}
	if parsed < 150 {
		t.Errorf("only %d pages parsed", parsed)
	}
	for _, want := range []string{
		"UP", "UP 1/3", "UP 2/3", "DOWN", "DOWN 1/3", "DOWN 2/3", "MAINT", "MAINT (via pg-test-primary/pg-test-1)",
		"MAINT (resolution)", "DRAIN", "DRAIN (agent)", "NOLB", "no check",
	} {
		if !statuses[want] {
			t.Errorf("status %q was captured and is not found", want)
		}
	}
	for _, want := range []string{"", "L7OK", "L7STS", "L4CON", "INI", "L7OKC", "L6RSP"} {
		if !checks[want] {
			t.Errorf("check status %q was captured and is not found", want)
		}
	}
}

func FuzzParseStats(f *testing.F) {
	fuzz.Target(f)
	for i, file := range captured(f, "haproxy-*-stats.csv", 100) {
		if i%20 == 0 {
			f.Add(read(f, file))
		}
	}
	f.Add([]byte(page))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStats(b)
		if err != nil {
			harmless(t, err)
			return
		}
		harmless(t, s)
		rows := 0
		for _, px := range s.Proxies {
			rows += len(px.Servers)
			for _, sv := range px.Servers {
				if sv.Status == "" || sv.Weight < 0 || sv.UserWeight < -1 || sv.CheckMs < -1 {
					t.Fatalf("%+v", sv)
				}
			}
		}
		if rows > bytes.Count(b, []byte("\n"))+1 {
			t.Fatalf("%d servers from %d lines", rows, bytes.Count(b, []byte("\n")))
		}
	})
}

// FuzzRows: rows are what encoding/csv makes of the same bytes.
func FuzzRows(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte(page))
	f.Add([]byte("a,b\r\n\n1,\"x,\"\"y\nz\"\n,\n3\n"))
	f.Add([]byte("a,b\n1,x\"y\n\r"))
	f.Fuzz(func(t *testing.T, b []byte) {
		want, got := csv.NewReader(bytes.NewReader(b)), rows{rest: b}
		for {
			w, werr := want.Read()
			g, gerr := got.next()
			if (werr == nil) != (gerr == nil) || errors.Is(werr, io.EOF) != errors.Is(gerr, io.EOF) {
				t.Fatalf("encoding/csv: %v, rows: %v", werr, gerr)
			}
			if werr != nil {
				return
			}
			if len(w) != len(g) {
				t.Fatalf("encoding/csv: %q, rows: %q", w, g)
			}
			for i := range w {
				if w[i] != string(g[i]) {
					t.Fatalf("encoding/csv: %q, rows: %q", w, g)
				}
			}
		}
	})
}

// A page that a routing verdict must not be built on.
func TestParseStatsRefuses(t *testing.T) {
	const head = "# pxname,svname,type,status,weight,bck,\n"
	for name, text := range map[string]string{
		"nothing":            "",
		"a web page":         "<html>",
		"no weight column":   "# pxname,svname,type,status,bck,\n",
		"a cut row":          head + "a,b,2,UP,1\n",
		"a quote not closed": head + "a,b,2,\"UP,1,0,\n",
	} {
		if s, err := ParseStats([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	for name, tc := range map[string]struct {
		row  string
		want [2]int // damaged rows of the section, and of none
	}{
		"weight is missing":   {"a,b,2,UP,,0,", [2]int{1, 0}},
		"weight is no number": {"a,b,2,UP,x,0,", [2]int{1, 0}},
		"backup unknown":      {"a,b,2,UP,1,,", [2]int{1, 0}},
		"no status":           {"a,b,2,,1,0,", [2]int{1, 0}},
		"no name":             {"a,,2,UP,1,0,", [2]int{1, 0}},
		"no type":             {"a,b,,UP,1,0,", [2]int{1, 0}},
		"no section":          {",b,2,UP,1,0,", [2]int{0, 1}},
		"a frontend's status": {"a,FRONTEND,0,,,,", [2]int{1, 0}},
		"a listener":          {"a,L,3,OPEN,,,", [2]int{0, 0}},
	} {
		s, err := ParseStats([]byte(head + "a,z,2,UP,1,0,\n" + tc.row + "\n"))
		if err != nil || len(s.Proxies) != 1 || len(s.Proxies[0].Servers) != 1 || [2]int{s.Proxies[0].Damaged, s.Damaged} != tc.want {
			t.Errorf("%s: %+v, %v; want damaged %v", name, s, err, tc.want)
		}
	}
	s, err := ParseStats([]byte(head + "a,L,3,OPEN,,,\na,b,2,UP,1,1,\n"))
	if err != nil || len(s.Proxies) != 1 || len(s.Proxies[0].Servers) != 1 || !s.Proxies[0].Servers[0].Backup || s.Proxies[0].Servers[0].UserWeight != -1 {
		t.Errorf("listener and oldest columns: %+v, %v", s, err)
	}
}

func TestLimits(t *testing.T) {
	for release, want := range map[string]ProcessLimits{"bookworm": {Current: 1, Max: 9500}, "trixie": {Current: 1, Max: 9500}} {
		page := read(t, "../testdata/captures/"+release+"/healthy/haproxy-pg-test-1-metrics.prom")
		if got, err := ParseLimits(page); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", release, got, err, want)
		}
	}
	for _, bad := range []string{"", "<html>", "haproxy_process_current_connections 1\n", "haproxy_process_current_connections x\nhaproxy_process_max_connections 1\n",
		"haproxy_process_current_connections 1\nhaproxy_process_max_connections NaN\n", "haproxy_process_current_connections -1\nhaproxy_process_max_connections 1\n"} {
		if got, err := ParseLimits([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestCapturedStatsPage(t *testing.T) {
	st, err := ParseStats(read(t, "../testdata/captures/bookworm/healthy/haproxy-pg-test-1-stats.csv"))
	if err != nil {
		t.Fatal(err)
	}
	px := st.Proxy("pg-test-replica")
	if px == nil || px.Front.Status != "OPEN" || px.Back.Status != "UP" || px.Back.Total != 3 || len(px.Servers) != 3 {
		t.Fatalf("%+v", px)
	}
	want := ServerRow{
		Name: "pg-test-1", Status: "UP", Weight: 44, UserWeight: px.Servers[0].UserWeight, Backup: true,
		CheckStatus: "L7OK", CheckCode: 200, CheckMs: 1, LastChange: 12, Throttle: 43, Limit: 3000, QueueLimit: 128,
	}
	if px.Servers[0] != want {
		t.Errorf("got %+v, want %+v", px.Servers[0], want)
	}
	if s := st.Proxy("pg-test-primary").Server("pg-test-2"); s.Status != "DOWN" || s.CheckCode != 503 || s.CheckDesc != "Service Unavailable" {
		t.Errorf("%+v", s)
	}
}
