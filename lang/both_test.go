package lang_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/charmbracelet/x/ansi"

	"pgtui/lang"
)

// escape writes a text as a line of the catalogue.
var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`)

// own are entries that no single text of the sources is: how parts of a sentence are
// joined, and words that a program outside prints.
const own = "own.tsv"

// TestEveryTextIsInBoth: what a person reads is in the catalogue, with the same arguments, and
// the catalogue has nothing else.
func TestEveryTextIsInBoth(t *testing.T) {
	entries, err := lang.Entries(os.DirFS("."), "zh")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]lang.Entry{}
	for _, e := range entries {
		if old, twice := have[e.ID]; twice && old.Text != e.Text {
			t.Errorf("%s:%d: %q is in %s:%d too, with another text", e.File, e.Line, e.ID, old.File, old.Line)
		}
		have[e.ID] = e
	}
	texts := ids(t, "..")
	if len(texts) < 2000 {
		t.Fatalf("only %d texts found: the search is broken", len(texts))
	}
	var missing []string
	for _, x := range texts {
		e, ok := have[x.text]
		if !ok {
			missing = append(missing, x.where+"\t"+escape.Replace(x.text))
			continue
		}
		delete(have, x.text)
		if e.Text == "=" {
			continue
		}
		if !slices.Equal(lang.Args(e.ID), lang.Args(e.Text)) {
			t.Errorf("%s:%d: %q has other arguments than %q", e.File, e.Line, e.Text, e.ID)
		}
		if room := max(ansi.StringWidth(e.ID), 6); x.label && ansi.StringWidth(e.Text) > room {
			t.Errorf("%s:%d: %q takes %d cells, more than the %d of %q", e.File, e.Line, e.Text, ansi.StringWidth(e.Text), room, e.ID)
		}
	}
	if len(missing) > 0 {
		t.Errorf("not in lang/zh: add each text, a tab, and the Chinese, or = for what stays English\n%s", strings.Join(missing, "\n"))
	}
	for _, e := range have {
		if !strings.HasSuffix(e.File, own) {
			t.Errorf("%s:%d: no source has %q", e.File, e.Line, e.ID)
		}
	}
}

// TestNoEntryIsAName: a service or a role of PostgreSQL is never translated.
func TestNoEntryIsAName(t *testing.T) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	for _, name := range []string{"primary", "replica", "default", "offline", "standby", "delayed", "running", "streaming", "UP", "DOWN", "pg-test", "pg-meta-1", "10.10.10.11:5433", "test"} {
		if got := lang.Text(name); got != name {
			t.Errorf("%s becomes %s", name, got)
		}
	}
}

// TestSentences: names and numbers stay, parts are translated, what is unknown is left.
func TestSentences(t *testing.T) {
	if got := lang.Text("unknown"); got != "unknown" {
		t.Fatalf("English: %s", got)
	}
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	for _, tt := range []struct{ en, zh string }{
		{"", ""},
		{"5433", "5433"},
		{"no such sentence anywhere", "no such sentence anywhere"},
		{" ● degraded ", " ● 降级 "},
		{"pg-test-1 is lost: 5433 has no server until Patroni elects by itself, in about 25 s; candidates pg-test-2, pg-test-3, lag 0 bytes",
			"pg-test-1 失联：5433 无服务器，约 25 秒后 Patroni 自行选主；候选者 pg-test-2，pg-test-3，延迟 0 字节"},
	} {
		if got := lang.Text(tt.en); got != tt.zh {
			t.Errorf("%q: got %q, want %q", tt.en, got, tt.zh)
		}
	}
}

// TestLoad: a text without arguments is taken as a whole, and one that stays as it is is no
// part of a form.
func TestLoad(t *testing.T) {
	c, err := lang.Load(fstest.MapFS{"xx/a.tsv": {Data: []byte("" +
		"full to 100%%\t满 100%%\n" +
		"idle in transaction\t=\n" +
		"%s in transaction\t事务中的%s\n" +
		"%d%% of the transactions are slow\t%d%% 的事务慢\n" +
		"pgbouncer\t=\n" +
		"lost\t丢失\n")}}, "xx")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ en, zh string }{
		{"full to 100%", "满 100%"},
		{"full to 10%", "full to 10%"},
		{"idle in transaction", "idle in transaction"},
		{"active in transaction", "事务中的active"},
		{"pgbouncer, pgbouncer", "pgbouncer, pgbouncer"},
		{"lost, pgbouncer", "丢失，pgbouncer"},
		{"7% of the transactions are slow", "7% 的事务慢"},
	} {
		if got := c.Text(tt.en); got != tt.zh {
			t.Errorf("%q: got %q, want %q", tt.en, got, tt.zh)
		}
	}
}

// TestChoose: the first that is set decides, whatever the others are.
func TestChoose(t *testing.T) {
	for _, tt := range []struct{ flag, env, inventory, all, messages, plain, want string }{
		{want: "en"},
		{plain: "zh_CN.UTF-8", want: "zh"},
		{messages: "en_US.UTF-8", plain: "zh_CN.UTF-8", want: "en"},
		{all: "zh_CN.UTF-8", messages: "en_US.UTF-8", want: "zh"},
		{all: "C.UTF-8", plain: "zh_CN.UTF-8", want: "en"},
		{inventory: "en", all: "zh_CN.UTF-8", want: "en"},
		{inventory: "zh", all: "C", want: "zh"},
		{env: "en", inventory: "zh", want: "en"},
		{env: "zh", inventory: "en", want: "zh"},
		{flag: "zh", env: "en", inventory: "en", want: "zh"},
		{env: "fr", inventory: "zh", want: "en"},
		{env: "zh-Hans", want: "zh"},
	} {
		vars := map[string]string{"PGTUI_LANG": tt.env, "LC_ALL": tt.all, "LC_MESSAGES": tt.messages, "LANG": tt.plain}
		got := lang.Choose(lang.Source{Flag: tt.flag, Inventory: tt.inventory, Getenv: func(k string) string { return vars[k] }})
		if got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// TestTable: columns line up by the cells of a terminal.
func TestTable(t *testing.T) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	var b strings.Builder
	w := lang.NewTable(&b)
	_, _ = w.Write([]byte("  PORT\tSTATE\n  5433\tdegraded\n"))
	_, _ = w.Write([]byte("  54331\tunknown\tx\n"))
	w.Flush()
	if want := "  端口   状态\n  5433   降级\n  54331  未知  x\n"; b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// BenchmarkText is one text that was translated before, as an idle frame has them.
func BenchmarkText(b *testing.B) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	for b.Loop() {
		lang.Text("pg-test-1 is lost: 5433 has no server")
	}
}

// BenchmarkFirst is a sentence that was never seen.
func BenchmarkFirst(b *testing.B) {
	c, err := lang.Load(os.DirFS("."), "zh")
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		c.Text("pg-test-" + string(rune('a'+i%26)) + strings.Repeat("x", i%977) + " is lost: 5433 has no server")
	}
}

// BenchmarkLoad reads the catalogue.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := lang.Load(os.DirFS("."), "zh"); err != nil {
			b.Fatal(err)
		}
	}
}
