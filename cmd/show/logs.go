package show

import (
	"fmt"
	"time"

	"pgtui/model"
)

// LogLines prints lines of logs, a line each: time, unit, level, text. None of it is translated.
func LogLines(w Out, lines []model.LogLine) {
	for _, l := range lines {
		at := "-"
		if !l.At.IsZero() {
			at = l.At.Local().Format(time.DateTime + ".000")
		}
		level := fmt.Sprintf("%-7s", l.Level)
		switch l.Level {
		case model.LogError:
			level = w.tintRaw(red, level)
		case model.LogWarning:
			level = w.tintRaw(yellow, level)
		}
		fmt.Fprintf(w.file(), "%-23s  %-11s  %s  %s\n", at, l.Unit, level, l.Text)
	}
}
