package text

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"status", "diff", "doctor", "pg-test", "pg-meta", "--watch", "ä-clüster"}
	for _, c := range []struct{ name, word, want string }{
		{"a letter is missing", "statu", "status"},
		{"a letter too many", "statuss", "status"},
		{"another letter", "stetus", "status"},
		{"two letters changed places", "sttaus", "status"},
		{"upper case", "STATUS", "status"},
		{"a cluster", "pg-tets", "pg-test"},
		{"a flag", "--wacth", "--watch"},
		{"the name itself", "diff", "diff"},
		{"a short word may differ in one letter", "dif", "diff"},
		{"a short word that differs in more", "dxx", ""},
		{"letters beside ASCII count once", "a-cluster", "ä-clüster"},
		{"nothing is near", "reload", ""},
		{"no word", "", ""},
		{"a word that is too long to compare", strings.Repeat("status", 20), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Nearest(c.word, names); got != c.want {
				t.Errorf("Nearest(%q) = %q, expected %q", c.word, got, c.want)
			}
		})
	}
	if got := Nearest("ab", []string{"ac", "ad"}); got != "ac" {
		t.Errorf("of two as near: %q, expected the first", got)
	}
	if got := Nearest("a", []string{strings.Repeat("a", 1<<20)}); got != "" {
		t.Errorf("a name that is too long is near")
	}
}
