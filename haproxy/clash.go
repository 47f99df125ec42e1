package haproxy

import (
	"slices"
	"strconv"
	"strings"
)

// Clash is a port that more than one section binds: the kernel splits the
// connections between them.
type Clash struct {
	Port     int
	Sections []Section // in the order HAProxy reads them
}

// Clashes are the ports that several sections bind, by port. Two sections that
// bind one port on different addresses do not clash; "*" is every address.
func Clashes(sections []Section) []Clash {
	type bound struct {
		addr string
		sec  int
	}
	byPort := map[int][]bound{}
	for i, s := range sections {
		for _, b := range s.Binds {
			for _, one := range strings.Split(b, ",") {
				addr, lo, hi, ok := bindPorts(one)
				for p := lo; ok && p <= hi; p++ {
					byPort[p] = append(byPort[p], bound{addr, i})
				}
			}
		}
	}
	var out []Clash
	for port, all := range byPort {
		in := map[int]bool{}
		for i, a := range all {
			for _, b := range all[i+1:] {
				if a.sec != b.sec && (a.addr == b.addr || a.addr == "" || b.addr == "") {
					in[a.sec], in[b.sec] = true, true
				}
			}
		}
		if len(in) == 0 {
			continue
		}
		c := Clash{Port: port}
		for i := range sections {
			if in[i] {
				c.Sections = append(c.Sections, sections[i])
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Clash) int { return a.Port - b.Port })
	return out
}

// maxPortRange is the longest port range of one bind that counts.
const maxPortRange = 1000

// bindPorts reads an address of a bind line: "*:5433", ":5433",
// "10.0.0.1:5433-5440", "ipv4@*:5433". addr is "" for every address; a path of
// a unix socket or an inherited descriptor is not ok.
func bindPorts(s string) (addr string, lo, hi int, ok bool) {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		if kind := s[:i]; kind != "ipv4" && kind != "ipv6" && kind != "tcp" && kind != "tcp4" && kind != "tcp6" {
			return "", 0, 0, false
		}
		s = s[i+1:]
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasPrefix(s, "/") {
		return "", 0, 0, false
	}
	addr = strings.Trim(s[:i], "[]")
	if addr == "*" || addr == "0.0.0.0" || addr == "::" {
		addr = ""
	}
	first, last, ranged := strings.Cut(s[i+1:], "-")
	lo, err := strconv.Atoi(first)
	if err != nil || lo < 1 || lo > 65535 {
		return "", 0, 0, false
	}
	hi = lo
	if ranged {
		if hi, err = strconv.Atoi(last); err != nil || hi < lo || hi > 65535 {
			return "", 0, 0, false
		}
		hi = min(hi, lo+maxPortRange)
	}
	return addr, lo, hi, true
}
