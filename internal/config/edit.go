package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ErrByHand is the refusal to edit a file: what is there is written in a way that
// cannot be replaced in place.
var ErrByHand = errors.New("it has to be edited by hand")

// Set is the file with one key set to a value that YAML has in one line, such as
// dark, 2s or [cluster, state]. path is the key below its parents, such as theme, or
// columns and fleet; parents that are missing are added. Every other byte stays, with
// comments, order and keys that pgtui does not know. The result is read again: an edit
// that changes anything else is ErrByHand.
func Set(data []byte, path []string, value string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("not valid YAML: %w", err)
	}
	text := string(data)
	if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\r") || strings.ContainsAny(text, "\u0085\u2028\u2029") {
		return nil, fmt.Errorf("it mixes line endings: %w", ErrByHand) // YAML counts them as lines
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	lines := strings.SplitAfter(text, "\n")
	lines = lines[:len(lines)-1] // what is after the last line end
	if len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
		lines = append(lines, added(path, value, 0)...)
	} else {
		var err error
		if lines, err = set(lines, doc.Content[0], path, value); err != nil {
			return nil, err
		}
	}
	out := []byte(strings.Join(lines, ""))
	return out, only(data, out, path, value)
}

// set is Set below the mapping n.
func set(lines []string, n *yaml.Node, path []string, value string) ([]string, error) {
	if n.Kind != yaml.MappingNode || n.Anchor != "" {
		return nil, fmt.Errorf("line %d: %w", n.Line, ErrByHand)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, v := n.Content[i], n.Content[i+1]; key.Value == path[0] {
			empty := v.Kind == yaml.ScalarNode && v.Tag == "!!null" && v.Value == ""
			switch {
			case len(path) == 1:
				return replace(lines, key, v, value)
			case empty:
				return slices.Insert(lines, key.Line, added(path[1:], value, key.Column+1)...), nil
			}
			return set(lines, v, path[1:], value)
		}
	}
	if n.Style&yaml.FlowStyle != 0 || len(n.Content) == 0 {
		return nil, fmt.Errorf("line %d: %w", n.Line, ErrByHand)
	}
	first := n.Content[0]
	at := first.Line - 1 // in front of the first key of a mapping within
	if first.Column == 1 {
		at = len(lines) // below all others
	}
	return slices.Insert(lines, at, added(path, value, first.Column-1)...), nil
}

// added are the lines of a key below its parents, with that many blanks in front.
func added(path []string, value string, blanks int) (out []string) {
	for i, key := range path {
		line := strings.Repeat(" ", blanks+2*i) + key + ":"
		if i == len(path)-1 {
			line += " " + value
		}
		out = append(out, line+"\n")
	}
	return out
}

// replace puts value in the place of v.
func replace(lines []string, key, v *yaml.Node, value string) ([]string, error) {
	byHand := fmt.Errorf("line %d: %w", key.Line, ErrByHand)
	if v.Kind == yaml.AliasNode || v.Anchor != "" {
		return nil, byHand
	}
	if v.Line > key.Line { // a block below its key
		if v.Kind != yaml.SequenceNode || slices.ContainsFunc(v.Content, func(c *yaml.Node) bool { return c.Kind != yaml.ScalarNode }) {
			return nil, byHand
		}
		end := v.Content[len(v.Content)-1].Line
		lines = slices.Delete(lines, v.Line-1, end)
		return putBehind(lines, key, value), nil
	}
	line := lines[key.Line-1]
	if v.Kind == yaml.ScalarNode && v.Value == "" && v.Style == 0 {
		return putBehind(lines, key, value), nil
	}
	from := len(string([]rune(line)[:v.Column-1])) // a column counts characters
	n := extent(line[from:], v)
	if n == 0 {
		return nil, byHand
	}
	lines[key.Line-1] = line[:from] + value + line[from+n:]
	return lines, nil
}

// putBehind puts a value behind a key that has none.
func putBehind(lines []string, key *yaml.Node, value string) []string {
	line := lines[key.Line-1]
	if at := strings.Index(line[key.Column-1:], ":"); at >= 0 {
		at += key.Column
		lines[key.Line-1] = line[:at] + " " + value + line[at:]
	}
	return lines
}

// extent is how many bytes v takes at the begin of s; 0 when it does not end there.
func extent(s string, v *yaml.Node) int {
	switch {
	case v.Kind == yaml.SequenceNode && v.Style&yaml.FlowStyle != 0:
		return strings.Index(s, "]") + 1
	case v.Kind != yaml.ScalarNode:
	case v.Style == yaml.DoubleQuotedStyle || v.Style == yaml.SingleQuotedStyle:
		return strings.Index(s[1:], s[:1]) + 2
	case strings.HasPrefix(s, v.Value):
		return len(v.Value)
	}
	return 0
}

// only checks that after differs from before in that key alone.
func only(before, after []byte, path []string, value string) error {
	var was, is, want any
	if yaml.Unmarshal(before, &was) != nil || yaml.Unmarshal(after, &is) != nil || yaml.Unmarshal([]byte(value), &want) != nil || !reflect.DeepEqual(with(was, path, want), is) {
		return fmt.Errorf("%s: %w", strings.Join(path, "."), ErrByHand)
	}
	return nil
}

// with is a document with a key set.
func with(doc any, path []string, value any) any {
	m, ok := doc.(map[string]any)
	if !ok && doc != nil {
		return doc
	}
	out := map[string]any{}
	maps.Copy(out, m)
	if len(path) == 1 {
		out[path[0]] = value
	} else {
		out[path[0]] = with(m[path[0]], path[1:], value)
	}
	return out
}
