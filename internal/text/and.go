package text

import "strings"

// And is a list for a sentence: "5433", "5433 and 5436", "5433, 5434 and 5436".
func And[S ~string](words []S) string {
	first, last := butLast(words)
	if first == "" {
		return last
	}
	return first + " and " + last
}

// Or is a list of choices for a sentence: "table or json".
func Or[S ~string](words []S) string {
	first, last := butLast(words)
	if first == "" {
		return last
	}
	return first + " or " + last
}

func butLast[S ~string](words []S) (first, last string) {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	if len(all) == 0 {
		return "", ""
	}
	n := len(all) - 1
	return strings.Join(all[:n], ", "), all[n]
}
