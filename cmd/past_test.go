package cmd

import (
	"testing"
	"time"
)

func TestParseAt(t *testing.T) {
	zone := time.FixedZone("CST", 8*3600)
	now := time.Date(2026, 3, 1, 12, 30, 0, 0, zone)
	for _, tt := range []struct{ at, want string }{
		{"03:12", "2026-03-01T03:12:00+08:00"},
		{"03:12:07", "2026-03-01T03:12:07+08:00"},
		{"12:30", "2026-03-01T12:30:00+08:00"},
		{"12:31", "2026-02-28T12:31:00+08:00"}, // yesterday
		{"-2h", "2026-03-01T10:30:00+08:00"},
		{"-90s", "2026-03-01T12:28:30+08:00"},
		{"2026-02-28T19:12:07Z", "2026-02-28T19:12:07Z"},
		{"2026-02-28 19:12:07", "2026-02-28T19:12:07+08:00"},
		{"2026-03-02T00:00:00Z", "--at 2026-03-02T00:00:00Z: this time is in the future"},
		{"2h", "--at 2h: expected 15:04, 15:04:05, -2h, RFC 3339 or an event's ID"},
		{"25:00", "--at 25:00: expected 15:04, 15:04:05, -2h, RFC 3339 or an event's ID"},
		{"-x", "--at -x: expected 15:04, 15:04:05, -2h, RFC 3339 or an event's ID"},
	} {
		got, err := parseAt(tt.at, now)
		text := got.Format(time.RFC3339)
		if err != nil {
			text = err.Error()
		}
		if text != tt.want {
			t.Errorf("%s: %s, not %s", tt.at, text, tt.want)
		}
	}
}
