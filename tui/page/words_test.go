package page

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgtui/model"
	"pgtui/tui/widget"
)

// TestOneWordPerState: the console, the help and docs/verdicts.md write every
// verdict as model writes it, and in its order; none is left out.
func TestOneWordPerState(t *testing.T) {
	doc, err := os.ReadFile("../../docs/verdicts.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(doc), "\nScreens and commands")
	var documented, legends []model.Verdict
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(table, -1) {
		documented = append(documented, model.Verdict(m[1]))
	}
	help := widgetText(NewHelp(nil).lines(Env{W: 80, H: 200}))
	for _, l := range legend() {
		legends = append(legends, l.verdict)
		m := VerdictMark(l.verdict)
		if m.Word != string(l.verdict) || m.Shape == "" {
			t.Errorf("%s is drawn as %q", l.verdict, m)
		}
		if !strings.Contains(help, "   "+m.Shape+" "+m.Word) || l.text == "" {
			t.Errorf("the help does not explain %s", l.verdict)
		}
	}
	for what, got := range map[string][]model.Verdict{"the legend": legends, "docs/verdicts.md": documented} {
		if !slices.Equal(got, model.Verdicts()) {
			t.Errorf("%s has %q, want %q", what, got, model.Verdicts())
		}
	}
	if VerdictMark("no such verdict") != Unknown() {
		t.Error("a verdict without a legend is not drawn as unknown")
	}
}

func widgetText(lines []widget.Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}
