package text

import "strings"

// mostLetters is the longest word that is compared, in runes: a longer one is near
// no name.
const mostLetters = 64

// Nearest is the name that was probably meant by word, "" when none is near: at
// most a third of the word's letters differ, and at least one may. Upper and lower
// case are equal. Of several as near, the first counts.
func Nearest(word string, names []string) string {
	w := []rune(strings.ToLower(word))
	if len(w) == 0 || len(w) > mostLetters {
		return ""
	}
	best, least := "", max(len(w)/3, 1)+1
	for _, name := range names {
		n := []rune(strings.ToLower(name))
		if len(n) > mostLetters || max(len(n)-len(w), len(w)-len(n)) >= least {
			continue
		}
		if d := distance(w, n); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters differ between two words: a letter more, a letter
// less, another letter, and two neighbours that changed places count as one each.
func distance(a, b []rune) int {
	var older, old []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row = old, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
