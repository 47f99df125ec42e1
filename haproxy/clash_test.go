package haproxy

import (
	"fmt"
	"strings"
	"testing"
)

func TestClashes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		binds []string // one section each
		want  string
	}{
		{"four services", []string{"*:5433", "*:5434", "*:5436", "*:5438"}, ""},
		{"a copied file", []string{"*:5433", "*:5433"}, "5433 a b"},
		{"every address and one of them", []string{":5433", "10.0.0.1:5433"}, "5433 a b"},
		{"two addresses", []string{"10.0.0.2:5433", "10.0.0.1:5433"}, ""},
		{"a range", []string{"*:5430-5440", "*:5434"}, "5434 a b"},
		{"several on one line", []string{"10.0.0.1:80,10.0.0.1:81", "10.0.0.1:81"}, "81 a b"},
		{"IPv6 and IPv4", []string{"[::1]:5433", "ipv4@127.0.0.1:5433"}, ""},
		{"all of IPv6", []string{"[::]:5433", "*:5433"}, "5433 a b"},
		{"a socket", []string{"/run/a.sock", "/run/a.sock"}, ""},
		{"a descriptor", []string{"fd@4", "fd@4"}, ""},
		{"nonsense", []string{"*:http", "*:http"}, ""},
		{"three of them", []string{"*:1", "*:2", "*:1", "*:1"}, "1 a c d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var sections []Section
			for i, b := range tt.binds {
				sections = append(sections, Section{Name: string(rune('a' + i)), Binds: []string{b}})
			}
			var got []string
			for _, c := range Clashes(sections) {
				s := fmt.Sprint(c.Port)
				for _, sec := range c.Sections {
					s += " " + sec.Name
				}
				got = append(got, s)
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("clashes %q, want %q", s, tt.want)
			}
		})
	}
}
