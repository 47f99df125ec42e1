package text

import "strconv"

// Plural is "1 node" or "2 nodes": a number with a noun that takes an s.
func Plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
