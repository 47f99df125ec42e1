package render

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// field is one key of a mapping that is written as YAML in the order given.
type field struct {
	key string
	// value is a string, an int, a bool, a tagged, fields, or a list of those.
	value any
	why   string // the comment above it; "" for none
}

// fields are a mapping, list is a sequence, tagged is a text behind a tag of
// CloudFormation: "!Ref".
type (
	fields []field
	list   []any
	tagged struct{ tag, text string }
)

// ref is a reference to a parameter or a resource of the template.
func ref(name string) tagged { return tagged{"!Ref", name} }

// writeFields writes a mapping at a depth of spaces.
func writeFields(b *strings.Builder, depth int, fs fields) {
	for _, f := range fs {
		note(b, depth, f.why)
		pad(b, depth)
		b.WriteString(scalar(f.key) + ":")
		writeValue(b, depth, f.value)
	}
}

// writeValue writes the value of a key or a dash.
func writeValue(b *strings.Builder, depth int, v any) {
	switch x := v.(type) {
	case fields:
		if len(x) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n")
		writeFields(b, depth+2, x)
	case list:
		if len(x) == 0 {
			b.WriteString(" []\n")
			return
		}
		b.WriteString("\n")
		for _, it := range x {
			writeItem(b, depth+2, it)
		}
	default:
		b.WriteString(" " + leaf(x) + "\n")
	}
}

// writeItem is one item of a list; a mapping of leaves is written in one line.
func writeItem(b *strings.Builder, depth int, it any) {
	fs, ok := it.(fields)
	if !ok {
		pad(b, depth)
		b.WriteString("-")
		writeValue(b, depth, it)
		return
	}
	if len(fs) > 0 && fs[0].why != "" { // above the dash
		note(b, depth, fs[0].why)
		fs = slices.Clone(fs)
		fs[0].why = ""
	}
	flow := make([]string, 0, len(fs))
	for _, f := range fs {
		switch f.value.(type) {
		case fields, list:
			flow = nil
		default:
			flow = append(flow, scalar(f.key)+": "+leaf(f.value))
			continue
		}
		break
	}
	if len(flow) == len(fs) {
		pad(b, depth)
		fmt.Fprintf(b, "- { %s }\n", strings.Join(flow, ", "))
		return
	}
	var in strings.Builder
	writeFields(&in, depth+2, fs)
	text := in.String()
	pad(b, depth)
	b.WriteString("- " + strings.TrimLeft(text, " "))
}

func leaf(v any) string {
	switch x := v.(type) {
	case string:
		return scalar(x)
	case int:
		return strconv.Itoa(x)
	case bool:
		return strconv.FormatBool(x)
	case tagged:
		return x.tag + " " + scalar(x.text)
	}
	return quoted(fmt.Sprint(v))
}

// pad writes spaces.
func pad(b *strings.Builder, n int) { b.WriteString(strings.Repeat(" ", n)) }

// noteWidth is the longest line of a comment, in letters.
const noteWidth = 132

// note writes a comment, in as many lines as it takes; "" writes nothing.
func note(b *strings.Builder, depth int, text string) {
	row, width := "", 0
	flush := func() {
		if width > 0 {
			pad(b, depth)
			b.WriteString("#" + row + "\n")
		}
		row, width = "", 0
	}
	for w := range strings.FieldsSeq(line(text)) {
		n := len([]rune(w)) + 1
		if width > 0 && depth+1+width+n > noteWidth {
			flush()
		}
		row, width = row+" "+w, width+n
	}
	flush()
}

// plain is a text that YAML takes for a text without quotes.
func plain(s string) bool {
	ok := regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*(::[A-Za-z0-9_./-]+)*$`).MatchString(s)
	return ok && !slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}, strings.ToLower(s))
}

// scalar is a text as YAML has it, quoted where it must be.
func scalar(s string) string {
	if plain(s) {
		return s
	}
	return quoted(s)
}

// quoted is a text in double quotes. What JSON escapes, YAML does alike.
func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line(s)); err != nil {
		return `""` // a string is always encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// line keeps a value from becoming two lines of a file.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}
