package action

import (
	"fmt"
	"time"

	"pgtui/internal/text"
	"pgtui/source"
)

// ParseUntil is a time to come: "2h" or "90m" from now, "18:30" as the next one of
// that name, "2026-01-02 18:30" in now's zone, or RFC 3339.
func ParseUntil(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d).Truncate(time.Second), nil
	}
	if t, err := time.ParseInLocation("15:04", s, now.Location()); err == nil {
		at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
		if !at.After(now) {
			at = at.AddDate(0, 0, 1)
		}
		return at, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		t, err := time.ParseInLocation(layout, s, now.Location())
		switch {
		case err != nil:
		case !t.After(now):
			return time.Time{}, fmt.Errorf("%s is in the past", t.Format(layout))
		default:
			return t, nil
		}
	}
	return time.Time{}, &source.Hint{Err: fmt.Errorf("%q is not a time", text.Line(s, 40)), Try: "2h, 18:30 or 2026-01-02T18:30:00+01:00"}
}
