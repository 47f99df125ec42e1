package logs

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"pgtui/internal/fuzz"
	"pgtui/model"
)

// head is what logs.sh prints first on a node in China, at 2026-01-05 04:00:00 UTC.
func head(kind, from string) string { return "pgtui-log 1 " + kind + " 1767585600 +0800 CST " + from }

// TestParse: lines as each program writes them, in files and in the journal.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, kind, from string
		unit             model.LogUnit
		lines            []string
		want             []string // time in UTC, level, text
	}{
		{"patroni as Pigsty sets it up", "file", "/pg/log/patroni/patroni.log", model.LogPatroni, []string{
			"2026-01-05 11:59:50 +0800 INFO: no action. I am (pg-test-1), the leader with the lock",
			"2026-01-05 11:59:51 +0800 WARNING: Retry got exception: connection problems",
			"Traceback (most recent call last):",
		}, []string{
			"03:59:50.000 info no action. I am (pg-test-1), the leader with the lock",
			"03:59:51.000 warning Retry got exception: connection problems",
			"03:59:51.000  Traceback (most recent call last):",
		}},
		{"csvlog, cut at the front, over several lines, a record that is torn", "file", "/pg/log/postgres/postgresql-Mon.csv", model.LogPostgres, []string{
			`  where id = 1;",,,"psql","client backend",,0`,
			`2026-01-05 11:59:50.123 CST,"app","shop",812,"10.10.10.1:4000",695b.1,3,"SELECT",2026-01-05 11:00:00 CST,5/2,0,ERROR,42P01,"relation ""x"" does not exist",,,,,,"select 1`,
			`from x;",8,,"psql","client backend",,0`,
			`2026-01-05 11:59:51.000 CST,,,700,,695b.2,1,,2026-01-05 11:00:00 CST,,0,LOG,00000,"checkpoint starting: time",,,,,,,,,"","checkpointer",,0`,
		}, []string{
			`03:59:50.123 error app@shop [812] relation "x" does not exist (42P01); statement: select 1 from x;`,
			"03:59:51.000 info [700] checkpoint starting: time",
		}},
		{"PostgreSQL to a text file", "file", "/pg/log/postgres/postgresql.log", model.LogPostgres, []string{
			"2026-01-05 03:59:50.123 UTC [812] FATAL:  the database system is starting up",
			"2026-01-05 03:59:50.124 UTC [812] STATEMENT:  select 1",
		}, []string{"03:59:50.123 error the database system is starting up", "03:59:50.124  STATEMENT: select 1"}},
		{"pgbouncer", "file", "/pg/log/pgbouncer/pgbouncer.log", model.LogPgBouncer, []string{
			"2026-01-05 11:59:50.123 CST [77] LOG C-0x55d0: test/test@10.10.10.1:4000 login attempt: db=test user=test tls=no",
			"2026-01-05 11:59:50.124 CST [77] WARNING C-0x55d0: (nodb)/(nouser)@10.10.10.1:4000 pooler error: no such user",
		}, []string{
			"03:59:50.123 info C-0x55d0: test/test@10.10.10.1:4000 login attempt: db=test user=test tls=no",
			"03:59:50.124 warning C-0x55d0: (nodb)/(nouser)@10.10.10.1:4000 pooler error: no such user",
		}},
		{"HAProxy in the journal, whose priority is always 6", "journal", "haproxy", model.LogHAProxy, []string{
			`{"__REALTIME_TIMESTAMP":"1767585590000000","PRIORITY":"6","MESSAGE":"[WARNING]  (812) : Server pg-test-primary/pg-test-1 is DOWN, reason: Layer7 wrong status, code: 503"}`,
			`{"__REALTIME_TIMESTAMP":"1767585591000000","PRIORITY":"6","MESSAGE":[104,105,27,91,50,74]}`,
			`{"__REALTIME_TIMESTAMP":"1767585592000000","PRIORITY":"3","MESSAGE":null}`,
			`{"__REALTIME_TIMESTAMP":"1767585593000000","PRIORITY":"6","MESSAGE":"2026-01-05 11:59:53,001 ERROR: failed"}`,
		}, []string{
			"03:59:50.000 warning Server pg-test-primary/pg-test-1 is DOWN, reason: Layer7 wrong status, code: 503",
			"03:59:51.000 info hi[2J", "03:59:52.000 error (a message that the journal does not print)", "03:59:53.000 error failed",
		}},
		{"HAProxy through syslog", "file", "/var/log/haproxy.log", model.LogHAProxy, []string{
			"Jan  5 11:59:50 pg-test-1 haproxy[812]: [ALERT]  (812) : proxy 'pg-test-primary' has no server available!",
			"Dec 31 23:59:59 pg-test-1 haproxy[812]: [NOTICE]  (812) : New worker (900) forked",
		}, []string{
			"03:59:50.000 error proxy 'pg-test-primary' has no server available!",
			"15:59:59.000 info New worker (900) forked",
		}},
		{"nothing that is known", "file", "/pg/log/patroni/patroni.log", model.LogPatroni, []string{"", "\x1b[31mred\x1b[0m"}, []string{"[31mred[0m"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, src, err := parseHead(head(tt.kind, tt.from), tt.unit, 0)
			if err != nil || src.Err != nil || !strings.Contains(src.From, tt.from) {
				t.Fatalf("%+v, %v", src, err)
			}
			var got []string
			add := func(lines []model.LogLine) {
				for _, l := range lines {
					at := ""
					if !l.At.IsZero() {
						at = l.At.UTC().Format("15:04:05.000") + " " + l.Level.String() + " "
					}
					got = append(got, strings.TrimRight(at+l.Text, "\n"))
				}
			}
			for _, l := range tt.lines {
				add(p.take(l))
			}
			add(p.rest())
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestParseSince: what is older than the limit, by the node's clock, is left out,
// with the lines that belong to it.
func TestParseSince(t *testing.T) {
	p, _, err := parseHead(head("file", "/x/patroni.log"), model.LogPatroni, 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range []string{"no time yet", "2026-01-05 11:49:59 +0800 INFO: too old", "its second line", "2026-01-05 11:50:01 +0800 INFO: young", "its second line"} {
		for _, x := range p.take(l) {
			got = append(got, x.Text)
		}
	}
	if strings.Join(got, "|") != "young|its second line" {
		t.Errorf("got %q", got)
	}
}

// TestParseHeadRefuses: an answer that is not the script's is not read as a log.
func TestParseHeadRefuses(t *testing.T) {
	for _, s := range []string{"", "bash: no", "pgtui-log 2 file 1 +0000 UTC x", "pgtui-log 1 file x +0000 UTC x", "pgtui-log 1 file 1 CST x y"} {
		if _, _, err := parseHead(s, model.LogPatroni, 0); err == nil {
			t.Errorf("%q is taken for a head", s)
		}
	}
	if _, src, err := parseHead(head("none", "haproxy"), model.LogHAProxy, 0); err != nil || src.Err == nil {
		t.Errorf("a unit without a log: %+v, %v", src, err)
	}
}

// FuzzParse: whatever a log holds, a line is short, has no control character, and
// memory does not grow.
func FuzzParse(f *testing.F) {
	fuzz.Target(f)
	f.Add("file", "/pg/log/postgres/a.csv", "2026-01-05 11:59:50.123 CST,\"app\",\"shop\",812,\"x\ny\"")
	f.Add("journal", "haproxy", `{"MESSAGE":[1,2,3],"PRIORITY":"3"}`)
	f.Add("file", "/pg/log/patroni/patroni.log", "2026-01-05 11:59:50 +0800 INFO: x\n\x1b]0;title\x07")
	f.Fuzz(func(t *testing.T, kind, from, log string) {
		p, _, err := parseHead(head(kind, from), model.LogPostgres, 0)
		if err != nil {
			return
		}
		check := func(lines []model.LogLine) {
			for _, l := range lines {
				if len([]rune(l.Text)) > mostText || strings.ContainsFunc(l.Text, unicode.IsControl) {
					t.Errorf("a line of %d runes: %q", len([]rune(l.Text)), l.Text)
				}
			}
		}
		for line := range strings.SplitSeq(log, "\n") {
			check(p.take(line))
			if len(p.record) > mostRecord {
				t.Errorf("%d bytes are kept", len(p.record))
			}
		}
		check(p.rest())
	})
}
