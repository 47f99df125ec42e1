package haproxy

import (
	"strings"

	"pgtui/internal/text"
)

// Conf lists the listen and frontend sections of one HAProxy file with every
// address they bind, whatever else stands on the line. It accepts any bytes.
func Conf(file string, data []byte) []ConfSection {
	var out []ConfSection
	open := false
	for line := range strings.Lines(string(data)) {
		w := Words(line)
		if len(w) == 0 {
			continue
		}
		switch w[0] {
		case "listen", "frontend":
			out, open = append(out, ConfSection{File: text.Printable(file), Name: text.Printable(at(w, 1))}), true
			continue
		case "global", "defaults", "backend", "userlist", "peers", "resolvers", "cache", "program", "ring", "mailers":
			open = false
		}
		if !open {
			continue
		}
		s := &out[len(out)-1]
		switch {
		case w[0] == "bind" && len(w) > 1:
			s.Binds = append(s.Binds, text.Printable(w[1]))
		case w[0] == "server" && len(w) > 2:
			v := serverOf(w)
			weight := v.Weight
			if weight == "" {
				weight = "1" // HAProxy's own
			}
			s.Servers = append(s.Servers, ExpectedServer{Name: text.Printable(v.Name), Weight: text.Printable(weight), Backup: v.Backup})
		}
	}
	return out
}
