package inventory

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pgtui/source"
)

// Match gives the hosts a pattern of Ansible's --limit stands for, in
// Ansible's order: names and groups with globs, ~regular expressions, [0] and
// [1:3] after them, "," or ":" between, ! to leave out and & to keep only. An
// error is a pattern that cannot be read; no match is an empty result.
func (inv *Inventory) Match(pattern string) ([]*Host, error) {
	var plain, keep, drop []string
	for _, p := range splitPattern(pattern) {
		switch p[0] {
		case '!':
			drop = append(drop, p)
		case '&':
			keep = append(keep, p)
		default:
			plain = append(plain, p)
		}
	}
	if plain == nil {
		plain = []string{"all"}
	}
	var out []*Host
	for _, p := range slices.Concat(plain, keep, drop) {
		if h := inv.Host(p); h != nil {
			out = append(out, h) // a second time is taken out below
			continue
		}
		that, err := inv.matchOne(strings.TrimLeft(p[:1], "!&") + p[1:])
		if err != nil {
			return nil, &source.Hint{Err: fmt.Errorf("host pattern %q: %w", pattern, err), Try: "a group, a host, or web*,!web3", Usage: true}
		}
		switch p[0] {
		case '!', '&':
			out = slices.DeleteFunc(out, func(h *Host) bool { return slices.Contains(that, h) == (p[0] == '!') })
		default:
			out = append(out, that...)
		}
	}
	return unique(out), nil
}

func unique(hosts []*Host) []*Host {
	seen := make(map[*Host]bool, len(hosts))
	return slices.DeleteFunc(hosts, func(h *Host) bool {
		twice := seen[h]
		seen[h] = true
		return twice
	})
}

// oldList is a pattern with colons between its parts.
var oldList = regexp.MustCompile(`(?:[^\s:\[\]]|\[[^\]]*\])+`)

func splitPattern(pattern string) []string {
	var parts []string
	switch {
	case strings.Contains(pattern, ","):
		parts = strings.Split(pattern, ",")
	case isAddress(pattern):
		parts = []string{pattern}
	default:
		parts = oldList.FindAllString(pattern, -1)
	}
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

var (
	ipv6     = regexp.MustCompile(`(?i)^(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{0,4}|[0-9.]+)$`)
	wordList = regexp.MustCompile(`^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]|\[[^\[\]]*\])*)(?::[0-9]+)?$`)
)

// isAddress reports whether the whole pattern may be one host, with its port
// or as an IPv6 address.
func isAddress(p string) bool { return ipv6.MatchString(p) || wordList.MatchString(p) }

// subscript is the [0], [-1] or [1:3] at the end of a pattern.
var subscript = regexp.MustCompile(`^(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]$`)

func (inv *Inventory) matchOne(p string) ([]*Host, error) {
	if p == "" {
		return nil, nil
	}
	var m []string
	if p[0] != '~' {
		if m = subscript.FindStringSubmatch(p); m != nil {
			p = m[1]
		}
	}
	hosts, err := inv.named(p)
	if err != nil || m == nil || len(hosts) == 0 {
		return hosts, err
	}
	if m[2] != "" {
		i, err := strconv.Atoi(m[2])
		if i < 0 {
			i += len(hosts)
		}
		if err != nil || i < 0 || i >= len(hosts) {
			return nil, fmt.Errorf("%s has no host number %s", p, m[2])
		}
		return hosts[i : i+1 : i+1], nil
	}
	from, err := strconv.Atoi(m[3])
	if err != nil {
		return nil, err
	}
	to := len(hosts) - 1
	if n, err := strconv.Atoi(m[4]); err == nil && n != 0 {
		to = min(n, to)
	} else if err == nil { // Ansible takes [1:0] for [1]
		to = from
		if from >= len(hosts) {
			return nil, fmt.Errorf("%s has no host number %d", p, from)
		}
	}
	if from > to {
		return nil, nil
	}
	return hosts[from : to+1 : to+1], nil
}

// named are the hosts of the groups that match, and the hosts that match.
func (inv *Inventory) named(p string) ([]*Host, error) {
	re, err := patternOf(p)
	if err != nil {
		return nil, err
	}
	var out []*Host
	groups := false
	for _, g := range inv.Groups {
		if re.MatchString(g.Name) {
			groups = true
			out = append(out, g.AllHosts()...)
		}
	}
	if !groups || p[0] == '~' || strings.ContainsAny(p, ".?*[") {
		for _, h := range inv.Hosts {
			if re.MatchString(h.Name) {
				out = append(out, h)
			}
		}
	}
	return unique(out), nil
}

// patternOf is a glob, or a regular expression after ~, which need not match
// to the end.
func patternOf(p string) (*regexp.Regexp, error) {
	if p[0] == '~' {
		return regexp.Compile(`^(?:` + p[1:] + `)`)
	}
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for i := 0; i < len(p); {
		switch c := p[i]; c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '[':
			if class, n := globClass(p[i:]); n > 0 {
				b.WriteString(class)
				i += n
				continue
			}
			b.WriteString(`\[`)
		default:
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
		i++
	}
	b.WriteString(`$`)
	return regexp.Compile(b.String())
}

// globClass is the regular expression of a class [a-c] or [!x] that s begins
// with, and its length; 0 when the bracket is not closed.
func globClass(s string) (string, int) {
	from := 1
	if strings.HasPrefix(s[from:], "!") {
		from++
	}
	end := from
	if strings.HasPrefix(s[end:], "]") {
		end++
	}
	n := strings.IndexByte(s[end:], ']')
	if n < 0 {
		return "", 0
	}
	end += n
	not := ""
	if from == 2 {
		not = "^"
	}
	body := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `^`, `\^`, `]`, `\]`).Replace(s[from:end])
	return "[" + not + body + "]", end + 1
}
