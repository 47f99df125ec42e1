package page

import (
	"regexp"
	"strings"
)

// FilterHelp says how a filter is written.
const FilterHelp = "!not  ~regex  =fuzzy"

// Matches reports whether any of the texts meets the filter: as a part of it,
// by a regular expression behind ~, by its letters in order behind =; ! in front
// turns it round. An empty filter meets everything, and so does an expression
// that is not finished yet.
func Matches(filter string, text ...string) bool {
	return NewFilter(filter)(text...)
}

// NewFilter is a filter that is made once for many texts.
func NewFilter(filter string) func(text ...string) bool {
	all := func(...string) bool { return true }
	rest, not := strings.CutPrefix(strings.TrimSpace(filter), "!")
	if rest == "" || rest == "~" || rest == "=" {
		return all
	}
	var one func(string) bool
	switch rest[0] {
	case '~':
		re, err := regexp.Compile("(?i)" + rest[1:])
		if err != nil {
			return all
		}
		one = re.MatchString
	case '=':
		want := strings.ToLower(rest[1:])
		one = func(s string) bool { return Fuzzy(want, strings.ToLower(s)) > 0 }
	default:
		want := strings.ToLower(rest)
		one = func(s string) bool { return strings.Contains(strings.ToLower(s), want) }
	}
	return func(text ...string) bool {
		for _, t := range text {
			if one(t) {
				return !not
			}
		}
		return not
	}
}

// Fuzzy is how well s contains the letters of want in their order: 0 is not at
// all, higher is better. Both are in lower case.
func Fuzzy(want, s string) int {
	if want == "" {
		return 1
	}
	if i := strings.Index(s, want); i >= 0 {
		score := 1000 - len(s)
		if i == 0 {
			score += 500
		}
		return max(score, 200)
	}
	at, score := 0, 100
	for _, c := range want {
		i := strings.IndexRune(s[at:], c)
		if i < 0 {
			return 0
		}
		score -= min(i, 5)
		at += i + len(string(c))
	}
	return max(score, 1)
}
