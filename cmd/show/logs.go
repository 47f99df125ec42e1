package show

import (
	"fmt"
	"io"
	"time"

	"pgtui/model"
)

// LogLines prints lines of logs, a line each: time, unit, level, text.
func LogLines(w io.Writer, lines []model.LogLine) {
	for _, l := range lines {
		at := "-"
		if !l.At.IsZero() {
			at = l.At.Local().Format(time.DateTime + ".000")
		}
		fmt.Fprintf(w, "%-23s  %-11s  %-7s  %s\n", at, l.Unit, l.Level, l.Text)
	}
}
