package show

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/lang"
	"pgtui/model"
)

// TestTablesAlign by what a terminal shows: colours take no room, and wide
// characters take two cells.
func TestTablesAlign(t *testing.T) {
	var b strings.Builder
	w := Out{Writer: &b, Colour: true}
	tw := lang.NewTable(w)
	fmt.Fprintln(tw, "A\tB\tC")
	fmt.Fprintf(tw, "%s\t%s\t%s\n", w.tint(red, "x"), "中文", "1")
	fmt.Fprintf(tw, "%s\t%s\t%s\n", "long", "y", w.tint(green, "2"))
	fmt.Fprintln(tw, "alone")
	tw.Flush()
	want := "A     B     C\n\x1b[31mx\x1b[0m     中文  1\nlong  y     \x1b[32m2\x1b[0m\nalone\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}

// TestWideCutsNothing and the table does.
func TestWideCutsNothing(t *testing.T) {
	long := strings.Repeat("x", 500)
	if got := (Out{}).line(long, 10); got != "xxxxxxxxx…" {
		t.Errorf("%q", got)
	}
	if got := (Out{Wide: true}).line(long, 10); got != long {
		t.Errorf("%d characters", len(got))
	}
	if got := (Out{Wide: true}).line("a\x1b[31mb", 10); got != "a[31mb" {
		t.Errorf("%q: a control character of another machine", got)
	}
}

// TestNoColourWithoutColour: the words alone carry the state.
func TestNoColourWithoutColour(t *testing.T) {
	for _, h := range []model.Health{model.HealthOK, model.HealthDegraded, model.HealthDown, model.HealthUnknown} {
		plain, tinted := Out{}.Health(h), Out{Colour: true}.Health(h)
		if strings.Contains(plain, "\x1b") || !strings.Contains(tinted, plain) || !strings.Contains(tinted, "\x1b") {
			t.Errorf("%q, %q", plain, tinted)
		}
	}
}

// TestFilesAndLogsAreNotTranslated: a line of a log or of a file that reads like a text of
// pgtui stays as it is.
func TestFilesAndLogsAreNotTranslated(t *testing.T) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	const line = "the selector does not select it"
	if lang.Text(line) == line {
		t.Fatal("it is no text of pgtui")
	}
	for _, colour := range []bool{false, true} {
		var b strings.Builder
		w := Out{Writer: lang.NewLines(&b), File: &b, Colour: colour}
		LogLines(w, []model.LogLine{{At: time.Unix(0, 0), Unit: model.LogPatroni, Level: model.LogWarning, Text: line}, {Text: line}})
		w.Unified("@@ -1 +1 @@\n-" + line + "\n+" + line + "\n " + line + "\n")
		if n := strings.Count(b.String(), line); n != 5 || !strings.Contains(b.String(), "warning") {
			t.Errorf("colour %t: %d of 5 lines are left\n%s", colour, n, b.String())
		}
	}
}
