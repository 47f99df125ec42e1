package text

import "testing"

func TestLists(t *testing.T) {
	for _, c := range []struct {
		words   []string
		and, or string
	}{
		{nil, "", ""},
		{[]string{"5433"}, "5433", "5433"},
		{[]string{"5433", "5436"}, "5433 and 5436", "5433 or 5436"},
		{[]string{"5433", "5434", "5436"}, "5433, 5434 and 5436", "5433, 5434 or 5436"},
	} {
		if and, or := And(c.words), Or(c.words); and != c.and || or != c.or {
			t.Errorf("%q, %q", and, or)
		}
	}
}
