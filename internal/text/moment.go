package text

import "time"

// Moment is a time in full, with the zone that t has: "2006-01-02 15:04:05 CET".
func Moment(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") }
