package show

import (
	"fmt"
	"time"

	"pgtui/model"
)

// LogLines prints lines of logs, a line each: time, unit, level, text.
func LogLines(w Out, lines []model.LogLine) {
	for _, l := range lines {
		at := "-"
		if !l.At.IsZero() {
			at = l.At.Local().Format(time.DateTime + ".000")
		}
		level := fmt.Sprintf("%-7s", l.Level)
		switch l.Level {
		case model.LogError:
			level = w.tint(red, level)
		case model.LogWarning:
			level = w.tint(yellow, level)
		}
		fmt.Fprintf(w, "%-23s  %-11s  %s  %s\n", at, l.Unit, level, l.Text)
	}
}
