package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pgtui/haproxy"
	"pgtui/internal/text"
)

// Summary is what changes between two versions of a service file, in words, most
// important first; nil when they are the same by SameFile. nil is a file that
// does not exist. Its lines are safe to print.
func Summary(before, after []byte) []string {
	if SameFile(before, after) {
		return nil
	}
	var out []string
	switch {
	case before == nil:
		out = added(haproxy.Sections("", after))
	case after == nil:
		out = removed(haproxy.Sections("", before))
	default:
		out = changed(haproxy.Sections("", before), haproxy.Sections("", after))
	}
	for i := range out {
		out[i] = text.Printable(MaskSecrets(out[i]))
	}
	return out
}

func added(sections []haproxy.Section) []string {
	out := []string{"new file"}
	for _, s := range sections {
		out = append(out, fmt.Sprintf("+ section %s on %s, %s", s.Name, bindsText(s.Binds), count(len(s.Servers), "server")))
	}
	return out
}

func removed(sections []haproxy.Section) []string {
	out := []string{"file removed"}
	for _, s := range sections {
		out = append(out, fmt.Sprintf("- section %s on %s, %s", s.Name, bindsText(s.Binds), count(len(s.Servers), "server")))
	}
	return out
}

func changed(before, after []haproxy.Section) []string {
	var out []string
	multi := len(before) > 1 || len(after) > 1
	for _, a := range after {
		i := slices.IndexFunc(before, func(b haproxy.Section) bool { return b.Name == a.Name })
		if i < 0 {
			out = append(out, fmt.Sprintf("+ section %s on %s, %s", a.Name, bindsText(a.Binds), count(len(a.Servers), "server")))
			continue
		}
		for _, l := range sectionChange(before[i], a) {
			if multi {
				l = a.Name + ": " + l
			}
			out = append(out, l)
		}
	}
	for _, b := range before {
		if !slices.ContainsFunc(after, func(a haproxy.Section) bool { return b.Name == a.Name }) {
			out = append(out, fmt.Sprintf("- section %s on %s, %s", b.Name, bindsText(b.Binds), count(len(b.Servers), "server")))
		}
	}
	if len(out) == 0 {
		return []string{"cosmetic only"}
	}
	return out
}

func sectionChange(b, a haproxy.Section) []string {
	var out []string
	out = append(out, bindChange(b.Binds, a.Binds)...)
	if b.Check != a.Check {
		out = append(out, fmt.Sprintf("check %s → %s", cmp.Or(b.Check, "none"), cmp.Or(a.Check, "none")))
	}
	out = append(out, serversChange(b.Servers, a.Servers)...)
	return append(out, settingsChange(b.Settings, a.Settings)...)
}

func bindChange(b, a []string) []string {
	if slices.Equal(b, a) {
		return nil
	}
	if len(b) == 1 && len(a) == 1 {
		bi, ai := strings.LastIndexByte(b[0], ':'), strings.LastIndexByte(a[0], ':')
		if bi >= 0 && ai >= 0 && b[0][:bi] == a[0][:ai] {
			return []string{fmt.Sprintf("port %s → %s", b[0][bi+1:], a[0][ai+1:])}
		}
	}
	return []string{fmt.Sprintf("bind %s → %s", bindsText(b), bindsText(a))}
}

func serversChange(b, a []haproxy.ServerLine) []string {
	var out, was, is []string
	for _, n := range a {
		i := slices.IndexFunc(b, func(o haproxy.ServerLine) bool { return o.Name == n.Name })
		if i < 0 {
			out = append(out, "+ server "+n.Name+role(n))
			continue
		}
		is = append(is, n.Name)
		out = append(out, serverChange(b[i], n)...)
	}
	for _, o := range b {
		if slices.ContainsFunc(a, func(n haproxy.ServerLine) bool { return o.Name == n.Name }) {
			was = append(was, o.Name)
		} else {
			out = append(out, "- server "+o.Name+role(o))
		}
	}
	if !slices.Equal(was, is) {
		out = append(out, "order of servers: "+strings.Join(is, ", "))
	}
	return out
}

func serverChange(o, n haproxy.ServerLine) []string {
	var out []string
	if o.Weight != n.Weight {
		out = append(out, fmt.Sprintf("weight of %s: %s → %s", n.Name, cmp.Or(o.Weight, "default"), cmp.Or(n.Weight, "default")))
	}
	if o.Backup != n.Backup {
		out = append(out, fmt.Sprintf("%s: %s → %s", n.Name, kind(o), kind(n)))
	}
	if o.Addr != n.Addr {
		out = append(out, fmt.Sprintf("address of %s: %s → %s", n.Name, o.Addr, n.Addr))
	}
	if o.CheckPort != n.CheckPort {
		out = append(out, fmt.Sprintf("check port of %s: %s → %s", n.Name, cmp.Or(o.CheckPort, "none"), cmp.Or(n.CheckPort, "none")))
	}
	if !slices.Equal(o.Rest, n.Rest) {
		out = append(out, fmt.Sprintf("options of %s: %s → %s", n.Name,
			cmp.Or(strings.Join(o.Rest, " "), "none"), cmp.Or(strings.Join(n.Rest, " "), "none")))
	}
	return out
}

// settingsChange pairs the settings that start with the same word, and lists the
// others.
func settingsChange(b, a []string) []string {
	gone, come := without(b, a), without(a, b)
	var out []string
	for _, g := range gone {
		key, old, _ := strings.Cut(g, " ")
		i := slices.IndexFunc(come, func(c string) bool { return strings.HasPrefix(c, key+" ") })
		if i < 0 {
			out = append(out, "- "+g)
			continue
		}
		out = append(out, fmt.Sprintf("%s %s → %s", key, old, strings.TrimPrefix(come[i], key+" ")))
		come = slices.Delete(come, i, i+1)
	}
	for _, c := range come {
		out = append(out, "+ "+c)
	}
	if len(out) == 0 && !slices.Equal(b, a) {
		return []string{"order of settings"}
	}
	return out
}

// without is a without the elements of b, counting repeats.
func without(a, b []string) []string {
	left := map[string]int{}
	for _, s := range b {
		left[s]++
	}
	var out []string
	for _, s := range a {
		if left[s] > 0 {
			left[s]--
			continue
		}
		out = append(out, s)
	}
	return out
}

func bindsText(b []string) string { return cmp.Or(strings.Join(b, ", "), "no port") }

func kind(s haproxy.ServerLine) string {
	if s.Backup {
		return "backup"
	}
	return "regular"
}

func role(s haproxy.ServerLine) string {
	if s.Backup {
		return " (backup)"
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
