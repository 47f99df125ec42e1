package text

import (
	"fmt"
	"time"
)

// Span is how long something has lasted, to the second below two minutes, then in
// the largest unit that has two or more: "0 s", "119 s", "2 min", "3 h", "2 days".
func Span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", max(d, 0)/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
