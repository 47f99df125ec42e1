package haproxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pgtui/internal/text"
)

// Section is one listen, frontend or backend section of an HAProxy file. Its
// texts are safe to print.
type Section struct {
	File     string // the file's name
	Kind     string // the keyword that opens it
	Name     string
	Binds    []string // addresses: "*:5433"
	Check    string   // path of the HTTP check; "" when there is none
	Settings []string // every other line, words joined by one blank
	Servers  []ServerLine
}

// ServerLine is one server line of a section.
type ServerLine struct {
	Name      string
	Addr      string   // where the traffic goes: "10.10.10.11:6432"
	CheckPort string   // "" when the line does not set it
	Weight    string   // "" when the line does not set it: see Section.WeightOf
	Backup    bool     // gets connections only when no other server does
	Rest      []string // its other words, in order
}

// Sections parses the listen, frontend and backend sections of an HAProxy file.
// It accepts any bytes: a line that it does not know becomes a setting, and
// lines outside such a section are left out.
func Sections(file string, data []byte) []Section {
	var out []Section
	open := false
	for line := range strings.Lines(string(data)) {
		w := Words(line)
		for i := range w {
			w[i] = text.Printable(w[i])
		}
		switch {
		case len(w) == 0:
		case OpensSection(w[0]):
			if open = w[0] == "listen" || w[0] == "frontend" || w[0] == "backend"; open {
				out = append(out, Section{File: text.Printable(file), Kind: w[0], Name: at(w, 1)})
			}
		case open:
			out[len(out)-1].add(w)
		}
	}
	return out
}

func (s *Section) add(w []string) {
	switch {
	case w[0] == "bind" && len(w) > 1:
		s.Binds = append(s.Binds, w[1])
		if w = slices.Delete(w, 1, 2); len(w) == 1 {
			return
		}
	case w[0] == "server" && len(w) > 2:
		s.Servers = append(s.Servers, serverLine(w))
		return
	case w[0] == "http-check" && at(w, 1) == "send" && s.Check == "":
		if i := slices.Index(w, "uri"); i > 0 && i+1 < len(w) {
			s.Check = w[i+1]
			w = slices.Delete(w, i, i+2)
		}
	case w[0] == "option" && at(w, 1) == "httpchk" && s.Check == "":
		if i := slices.IndexFunc(w, func(v string) bool { return strings.HasPrefix(v, "/") }); i > 0 {
			s.Check = w[i]
			w = slices.Delete(w, i, i+1)
		}
	}
	s.Settings = append(s.Settings, strings.Join(w, " "))
}

// serverLine reads the words of a server line. Of a keyword that is there twice
// the last one counts, as in HAProxy.
func serverLine(w []string) ServerLine {
	v := ServerLine{Name: w[1], Addr: w[2]}
	for i := 3; i < len(w); i++ {
		var to *string
		switch w[i] {
		case "backup":
			v.Backup = true
			continue
		case "weight":
			to = &v.Weight
		case "port":
			to = &v.CheckPort
		}
		if to == nil || i+1 == len(w) {
			v.Rest = append(v.Rest, w[i])
			continue
		}
		if *to != "" {
			v.Rest = append(v.Rest, w[i], *to)
		}
		i++
		*to = w[i]
	}
	return v
}

// Setting is what follows a keyword in the last setting that begins with it,
// "" when there is none.
func (s *Section) Setting(keyword string) string {
	for _, line := range slices.Backward(s.Settings) {
		if rest, ok := strings.CutPrefix(line, keyword+" "); ok {
			return rest
		}
	}
	return ""
}

// WeightOf is the configured weight of a server of the section: its own, or
// that of default-server. "" when neither sets one: it is 1 then, unless the
// defaults section of haproxy.cfg sets another.
func (s *Section) WeightOf(v *ServerLine) string {
	if v.Weight != "" {
		return v.Weight
	}
	w := Words(s.Setting("default-server"))
	if i := slices.Index(w, "weight"); i >= 0 {
		return at(w, i+1)
	}
	return ""
}

// Differences compares the section with what runs, nil when HAProxy has no such
// section: sentences that begin with the file's name, nil when they agree.
func (s *Section) Differences(px *Proxy) []string {
	if px == nil {
		return []string{fmt.Sprintf("%s: section %s does not run", s.File, s.Name)}
	}
	var out []string
	add := func(name, what string) { out = append(out, fmt.Sprintf("%s: server %s %s", s.File, name, what)) }
	listed := make(map[string]bool, len(s.Servers))
	for i := range s.Servers {
		v := &s.Servers[i]
		listed[v.Name] = true
		switch row := px.Server(v.Name); {
		case row == nil:
			add(v.Name, "does not run")
		case row.Backup && !v.Backup:
			add(v.Name, "runs as a backup, the file has a regular server")
		case v.Backup && !row.Backup:
			add(v.Name, "runs as a regular server, the file has a backup")
		case WeightDiffers(s.WeightOf(v), row.UserWeight):
			add(v.Name, fmt.Sprintf("runs with weight %d, the file has %s", row.UserWeight, s.WeightOf(v)))
		}
	}
	if s.Kind == "frontend" || s.Setting("server-template") != "" {
		return out // servers that run are those of a backend, or have no line of their own
	}
	for i := range px.Servers {
		if name := px.Servers[i].Name; !listed[name] {
			add(name, "runs, the file does not have it")
		}
	}
	return out
}

// at is the word at a place, "" when there is none.
func at(w []string, i int) string {
	if i < len(w) {
		return w[i]
	}
	return ""
}

// WeightDiffers compares a declared weight with HAProxy's configured one,
// where both are numbers.
func WeightDiffers(declared string, running int) bool {
	n, err := strconv.Atoi(declared)
	return err == nil && running >= 0 && n != running
}
