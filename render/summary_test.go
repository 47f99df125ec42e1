package render

import (
	"slices"
	"testing"
	"unicode"

	"pgtui/internal/fuzz"
)

func TestSummary(t *testing.T) {
	old := []byte(primaryCfg)
	two := []byte("listen a\n bind *:1\n server x 10.0.0.1:1 weight 5\nlisten b\n bind *:2\n")
	tests := []struct {
		name          string
		before, after []byte
		want          []string
	}{
		{name: "nothing", before: old, after: old},
		{name: "date only", before: old, after: edit(primaryCfg, "2026-11-20", "2026-12-01")},
		{name: "a weight", before: old, after: edit(primaryCfg, "12:6432 check port 8008 weight 100", "12:6432 check port 8008 weight 50"), want: []string{"weight of pg-test-2: 100 → 50"}},
		{
			name: "a member joined", before: old, after: append([]byte(primaryCfg), "    server pg-test-4 10.10.10.14:6432 check port 8008 weight 100 \n"...),
			want: []string{"+ server pg-test-4"},
		},
		{name: "a member left", before: edit(primaryCfg, "weight 100 \n", "weight 100 backup\n"), after: edit(primaryCfg, "    server pg-test-1 10.10.10.11:6432 check port 8008 weight 100 \n", ""), want: []string{"- server pg-test-1 (backup)"}},
		{name: "check path", before: old, after: edit(primaryCfg, "uri /primary", "uri /replica"), want: []string{"check /primary → /replica"}},
		{name: "port", before: old, after: edit(primaryCfg, "*:5433", "*:5533"), want: []string{"port 5433 → 5533"}},
		{name: "bind address", before: old, after: edit(primaryCfg, "*:5433", "10.10.10.11:5433"), want: []string{"bind *:5433 → 10.10.10.11:5433"}},
		{name: "destination", before: old, after: edit(primaryCfg, "11:6432", "11:5432"), want: []string{"address of pg-test-1: 10.10.10.11:6432 → 10.10.10.11:5432"}},
		{name: "Patroni port", before: old, after: edit(primaryCfg, "port 8008", "port 8009"), want: []string{"check port of pg-test-1: 8008 → 8009"}},
		{name: "turned into a backup", before: old, after: edit(primaryCfg, "weight 100 \n", "weight 100 backup\n"), want: []string{"pg-test-1: regular → backup"}},
		{name: "Patroni over TLS", before: old, after: edit(primaryCfg, "11:6432 check", "11:6432 check-ssl ca-file /pg/cert/ca.crt check"), want: []string{"options of pg-test-1: check → check-ssl ca-file /pg/cert/ca.crt check"}},
		{name: "maxconn and balance", before: old, after: edit(primaryCfg, "maxconn 5000", "maxconn 8000", "roundrobin", "leastconn"), want: []string{"maxconn 5000 → 8000", "balance roundrobin → leastconn"}},
		{name: "a setting less", before: old, after: edit(primaryCfg, "    mode tcp\n", ""), want: []string{"- mode tcp"}},
		{name: "comments and blanks only", before: old, after: edit(primaryCfg, "    # servers", "  # the servers", "    mode tcp", "  mode   tcp"), want: []string{"cosmetic only"}},
		{name: "retired", before: old, want: []string{"file removed", "- section pg-test-primary on *:5433, 2 servers"}},
		{name: "new", after: old, want: []string{"new file", "+ section pg-test-primary on *:5433, 2 servers"}},
		{name: "two sections in a file", before: two, after: edit(string(two), "weight 5", "weight 6"), want: []string{"a: weight of x: 5 → 6"}},
		{name: "order of servers", before: []byte("listen a\n server x 1:1\n server y 1:2\n"), after: []byte("listen a\n server y 1:2\n server x 1:1\n"), want: []string{"order of servers: y, x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Summary(tt.before, tt.after); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func FuzzSummary(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte(primaryCfg), []byte("listen \"a b\" # c\n server x\\ y 1:1 weight\n"))
	f.Add([]byte("listen\nbind\nserver\n"), []byte("global\nlisten a\nhttp-check send uri\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		lines := Summary(a, b)
		if SameFile(a, b) != (len(lines) == 0) {
			t.Fatalf("same is %v, summary is %q", SameFile(a, b), lines)
		}
		for _, l := range lines {
			for _, r := range l {
				if r != '\t' && !unicode.IsPrint(r) {
					t.Fatalf("%q is not printable in %q", r, l)
				}
			}
		}
	})
}
