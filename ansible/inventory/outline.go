package inventory

import (
	"regexp"
	"strings"

	"pgtui/ansible/py"
)

// What is printed in place of a secret value.
const (
	vaulted = "(vaulted)"
	hidden  = "********"
)

// mostOutlined is how many lines of a value are written out.
const mostOutlined = 500

// mostText is how many bytes of a value are written out, and mostLine of a line.
const (
	mostText = 1 << 20
	mostLine = 16 << 10
)

// full reports that nothing more is written.
func (o *outliner) full() bool { return len(o.lines) > mostOutlined || o.size >= mostText }

// shortened is a line without the end of a very long one.
func shortened(s string) string {
	if len(s) <= mostLine {
		return s
	}
	return strings.ToValidUTF8(s[:mostLine], "") + "…"
}

// outline is a value as lines of YAML, with what may be a secret masked. It is
// for people: what it cannot write as YAML it writes as Python would print it.
func outline(v py.Value) []string {
	o := outliner{}
	o.value("", "", v, 0)
	return o.lines
}

// outliner writes values, up to a bound.
type outliner struct {
	lines []string
	size  int // of the lines, in bytes
}

// add adds a line, the last of them "…"; false says that there is no room.
func (o *outliner) add(line string) bool {
	switch {
	case len(o.lines) < mostOutlined && o.size < mostText:
		line = shortened(line)
		o.lines, o.size = append(o.lines, line), o.size+len(line)
		return true
	case len(o.lines) <= mostOutlined && (len(o.lines) == 0 || o.lines[len(o.lines)-1] != "…"):
		o.lines = append(o.lines, "…")
		o.size = mostText
	}
	return false
}

// value writes v behind head, "key:" or "-" or nothing; a value of several
// lines goes below it, behind indent.
func (o *outliner) value(indent, head string, v py.Value, depth int) {
	if depth > 20 {
		o.add(indent + join(head, "…"))
		return
	}
	switch x := v.(type) {
	case *py.Dict:
		if x.Len() == 0 {
			o.add(indent + join(head, "{}"))
			return
		}
		o.mapping(indent, head, x, depth)
	case []py.Value:
		if len(x) == 0 {
			o.add(indent + join(head, "[]"))
			return
		}
		if head != "" && !o.add(indent+head) {
			return
		}
		hides := false // the item before names a secret: "--password"
		for _, it := range x {
			if o.full() {
				return
			}
			word, text := it.(string)
			if hides && text {
				it = hidden
			}
			hides = text && strings.HasPrefix(word, "-") && secretKey(word)
			o.value(below(indent, head), "-", it, depth+1)
		}
	default:
		o.text(indent, head, scalar(v))
	}
}

// below is the indent of the lines below a head.
func below(indent, head string) string {
	if head == "" {
		return indent
	}
	return indent + "  "
}

// mapping writes the entries of a mapping; the first is on the line of a "-".
func (o *outliner) mapping(indent, head string, d *py.Dict, depth int) {
	if head != "" && head != "-" && !o.add(indent+head) {
		return
	}
	inner, named := below(indent, head), false // "name: password" and the like: its value is one
	for _, e := range d.Entries() {
		k, _ := e.Value.(string)
		named = named || (py.Str(e.Key) == "name" || py.Str(e.Key) == "key") && secretKey(k)
	}
	for i, e := range d.Entries() {
		if o.full() {
			return
		}
		key := py.Str(e.Key) + ":"
		v := e.Value
		if v != nil && (secretKey(key) && key != "key:" || named && key == "value:") {
			v = hidden
		}
		if head == "-" && i == 0 {
			o.first(indent, key, v, depth)
			continue
		}
		o.value(inner, key, v, depth+1)
	}
}

// first is the first entry of a mapping in a list: behind the "-".
func (o *outliner) first(indent, key string, v py.Value, depth int) {
	n := len(o.lines)
	o.value(indent+"  ", key, v, depth+1)
	if n < len(o.lines) {
		if rest, ok := strings.CutPrefix(o.lines[n], indent+"  "); ok {
			o.lines[n] = indent + "- " + rest
		}
	}
}

// text writes a string, with each of its lines on one.
func (o *outliner) text(indent, head, s string) {
	s = strings.TrimRight(s, "\n")
	if !strings.Contains(s, "\n") {
		o.add(indent + join(head, s))
		return
	}
	if !o.add(indent + join(head, "|")) {
		return
	}
	for line := range strings.SplitSeq(s, "\n") {
		if !o.add(below(indent, "|") + line) {
			return
		}
	}
}

func join(head, s string) string {
	if head == "" {
		return s
	}
	return head + " " + s
}

// scalar is a value that is no list and no mapping.
func scalar(v py.Value) string {
	switch x := v.(type) {
	case py.Vault:
		return vaulted
	case nil:
		return "null"
	case bool:
		if x {
			return "true"
		}
		return "false"
	case string:
		if x == "" {
			return "''"
		}
	}
	return masked(py.Str(v))
}

// secretKey reports a key whose value may be a secret.
func secretKey(key string) bool {
	key = strings.ToLower(key)
	for _, w := range []string{"pass", "secret", "token", "credential", "private", "auth", "pwd", "key", "cipher", "cert"} {
		if strings.Contains(key, w) {
			return true
		}
	}
	return false
}

// The places in a text where a secret may stand: a login in a URL, and a
// setting of a connection string or of a file of settings.
var (
	urlLogin = regexp.MustCompile(`(://[^\s/@:]*):\S*@`)
	setting  = regexp.MustCompile(`(?i)((?:--?)?[\w.-]*(?:pass|pwd|secret|token|key|cipher|credential)[\w.-]*['"]?(?:\s*[=:]\s*|\s+))\S.*`)
	header   = regexp.MustCompile(`(?i)(\bhdr\s+\S+\s+|\btcp-check\s+send(?:-binary)?\s+|\s-u\s+\S+?:)\S.*`)
	block    = regexp.MustCompile(`(?s)-----BEGIN .*`)
)

// masked is a text without the secrets that can be recognised in it.
func masked(s string) string {
	if strings.HasPrefix(s, "$ANSIBLE_VAULT") {
		return vaulted
	}
	s = urlLogin.ReplaceAllString(s, "${1}:"+hidden+"@")
	for _, secret := range []*regexp.Regexp{setting, header} {
		s = secret.ReplaceAllString(s, "${1}"+hidden)
	}
	return block.ReplaceAllString(s, hidden)
}
