package emit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// field is one key of a mapping that is written as YAML in the order given.
type field struct {
	key string
	// value is a string, a block, an int, a bool, a tagged, fields, or a list of those.
	value any
	why   string // the comment above it; "" for none
}

// fields are a mapping, list is a sequence, tagged is a text behind a tag of
// CloudFormation: "!Ref". block is a text that keeps its lines.
type (
	fields []field
	list   []any
	tagged struct{ tag, text string }
	block  string
)

// ref is a reference to a parameter or a resource of the template.
func ref(name string) tagged { return tagged{"!Ref", name} }

// writeYAML writes a mapping with its comments.
func writeYAML(b *strings.Builder, fs fields) error {
	enc := yaml.NewEncoder(b)
	enc.SetIndent(2)
	if err := enc.Encode(fs.node(0)); err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	return enc.Close()
}

// node is the mapping at a depth of spaces.
func (fs fields) node(depth int) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fs {
		key := scalar("!!str", f.key)
		key.HeadComment = comment(f.why, noteWidth-depth)
		n.Content = append(n.Content, key, nodeOf(f.value, depth))
	}
	return n
}

// nodeOf is the value of a key at a depth of spaces.
func nodeOf(v any, depth int) *yaml.Node {
	switch x := v.(type) {
	case fields:
		return x.node(depth + 2)
	case list:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, it := range x {
			n.Content = append(n.Content, itemOf(it, depth+2))
		}
		return n
	case tagged:
		return scalar(x.tag, x.text)
	case string:
		return scalar("!!str", x)
	case block:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: string(x)}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v)}
}

// itemOf is one item of a list: the comment of its first key is above the dash,
// and a mapping of scalars is written in one line.
func itemOf(it any, depth int) *yaml.Node {
	n := nodeOf(it, depth)
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
		n.HeadComment, n.Content[0].HeadComment = n.Content[0].HeadComment, ""
		if !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode }) {
			n.Style = yaml.FlowStyle
		}
	}
	return n
}

// scalar is a text with a tag, in quotes unless every YAML parser reads it as a
// text without them.
func scalar(tag, text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: line(text)}
	plain := regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*(::[A-Za-z0-9_./-]+)*$`)
	if !plain.MatchString(text) || slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}, strings.ToLower(text)) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// noteWidth is the longest line of a comment, in letters.
const noteWidth = 132

// comment is a text as comment lines of at most that width, "" for "".
func comment(text string, width int) string {
	var b strings.Builder
	n := 0
	for w := range strings.FieldsSeq(line(text)) {
		if more := len([]rune(w)) + 1; n == 0 || n+more > width {
			b.WriteString("\n#")
			n = 1 + more
		} else {
			n += more
		}
		b.WriteString(" " + w)
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// note writes a comment above everything.
func note(b *strings.Builder, text string) { b.WriteString(comment(text, noteWidth) + "\n") }

// line keeps a value from becoming two lines of a file.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}
