package haproxy

import "strings"

// Section is one listen section of an HAProxy file, as far as a summary of a
// change needs it.
type Section struct {
	Name     string
	Binds    []string // addresses, "*:5433"
	Check    string   // path of the HTTP check; "" when there is none
	Settings []string // every other line, words joined by one blank
	Servers  []SectionServer
}

// SectionServer is one server line of a section.
type SectionServer struct {
	Name      string
	Addr      string // where the traffic goes, "10.10.10.11:6432"
	CheckPort string // "" when the line does not say
	Weight    string // "" when the line does not say
	Backup    bool
	Rest      []string // its other words, in order
}

// Sections parses the listen sections of an HAProxy file. It accepts any
// bytes: what it does not know it keeps as a setting, and what stands outside
// a listen section is left out.
func Sections(data []byte) []Section {
	var out []Section
	open := false
	for line := range strings.Lines(string(data)) {
		w := Words(line)
		if len(w) == 0 {
			continue
		}
		switch w[0] {
		case "listen":
			out, open = append(out, Section{Name: at(w, 1)}), true
			continue
		case "global", "defaults", "frontend", "backend", "userlist", "peers", "resolvers", "cache", "program", "ring", "mailers":
			open = false
		}
		if open {
			out[len(out)-1].add(w)
		}
	}
	return out
}

func (s *Section) add(w []string) {
	switch {
	case w[0] == "bind" && len(w) == 2:
		s.Binds = append(s.Binds, w[1])
	case w[0] == "server" && len(w) > 2:
		s.Servers = append(s.Servers, serverOf(w))
	case w[0] == "http-check" && at(w, 1) == "send" && len(w) > 3 && w[len(w)-2] == "uri" && s.Check == "":
		s.Check = w[len(w)-1]
		s.Settings = append(s.Settings, strings.Join(w[:len(w)-2], " "))
	default:
		s.Settings = append(s.Settings, strings.Join(w, " "))
	}
}

func serverOf(w []string) SectionServer {
	v := SectionServer{Name: w[1], Addr: w[2]}
	for i := 3; i < len(w); i++ {
		switch {
		case w[i] == "backup":
			v.Backup = true
		case w[i] == "weight" && i+1 < len(w) && v.Weight == "":
			i++
			v.Weight = w[i]
		case w[i] == "port" && i+1 < len(w) && v.CheckPort == "":
			i++
			v.CheckPort = w[i]
		default:
			v.Rest = append(v.Rest, w[i])
		}
	}
	return v
}

// Words splits a line at blanks, up to a comment. Quotes keep blanks and "#"
// together and stay where they are.
func Words(line string) []string {
	var out []string
	var quote byte
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, line[start:end])
			start = -1
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\\' && i+1 < len(line) && line[i+1] != '\n':
			if start < 0 {
				start = i
			}
			i++
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			flush(i)
		case c == '#':
			flush(i)
			return out
		default:
			if c == '"' || c == '\'' {
				quote = c
			}
			if start < 0 {
				start = i
			}
		}
	}
	flush(len(line))
	return out
}

func at(w []string, i int) string {
	if i < len(w) {
		return w[i]
	}
	return ""
}
