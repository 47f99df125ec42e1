package cmd

import (
	"reflect"
	"testing"

	"pgtui/plan"
	"pgtui/tui"
)

// The console is given all that render knows of a line: its numbers, its pair,
// the words that changed, and a missing line end.
func TestTheConsoleIsGivenTheWholeDiff(t *testing.T) {
	got := diffLines(plan.FileChange{Before: []byte("listen a\nbind *:1\n"), After: []byte("listen a\nbind *:22")})
	want := []tui.DiffLine{
		{Kind: '@', Text: "@@ -1,2 +1,2 @@"},
		{Kind: ' ', Text: "listen a", Old: 1, New: 1},
		{Kind: '-', Text: "bind *:1", Old: 2, Pair: 1, Words: [][2]int{{7, 8}}},
		{Kind: '+', Text: "bind *:22", New: 2, NoEOL: true, Pair: 1, Words: [][2]int{{7, 9}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
