package model

import (
	"testing"
	"time"
)

// TestSortLog: a line without a time stays behind the line of its unit before it, and
// has no time afterwards either.
func TestSortLog(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1767585600+int64(s), 0) }
	lines := []LogLine{
		{Unit: LogPostgres, Text: "before the first time"},
		{At: at(5), Unit: LogPostgres, Text: "p5"},
		{At: at(1), Unit: LogHAProxy, Text: "h1"},
		{Unit: LogPostgres, Text: "p5, second line"},
		{At: at(3), Unit: LogPatroni, Text: "x3"},
	}
	want := []string{"before the first time", "h1", "x3", "p5", "p5, second line"}
	for range 2 { // a batch is sorted more than once
		SortLog(lines)
		for i, l := range lines {
			if l.Text != want[i] || l.At.IsZero() != (i == 0 || i == 4) {
				t.Errorf("%d: %s at %v, expected %s", i, l.Text, l.At, want[i])
			}
		}
	}
}
