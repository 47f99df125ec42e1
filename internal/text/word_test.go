package text

import "testing"

func TestWord(t *testing.T) {
	for word, want := range map[string]string{
		"pg-test": "pg-test", "postgres://app@pg-test:5433/shop": "postgres://app@pg-test:5433/shop", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'",
		"h?x=1": "'h?x=1'",
	} {
		if got := Word(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
