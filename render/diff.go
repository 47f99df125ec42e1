package render

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/aymanbagabas/go-udiff"

	"pgtui/haproxy"
	"pgtui/internal/text"
)

// LineKind is what a line of a diff does.
type LineKind int

// The kinds of diff lines.
const (
	LineSame    LineKind = iota // in both files
	LineRemoved                 // only in the old file
	LineAdded                   // only in the new file
)

// Mark is the character the line starts with in a unified diff.
func (k LineKind) Mark() string { return [...]string{" ", "-", "+"}[k] }

// DiffLine is one line of a diff, safe to print: secrets are masked, and control
// characters are written as escapes.
type DiffLine struct {
	Kind  LineKind
	Text  string // without its line end
	Old   int    // line number in the old file, from 1; 0 when it is not there
	New   int    // line number in the new file, from 1; 0 when it is not there
	NoEOL bool   // the file ends here without a line end; HAProxy refuses such a file
	// Pair is the number, from 1 and within the hunk, that a removed line shares
	// with the added line that took its place; 0 when there is none.
	Pair int
	// Words are the bytes from..to of Text that the other line of the pair lacks,
	// in order and apart from one another; nil when it lacks none.
	Words [][2]int
}

// Hunk is one piece of a diff with up to three lines around each change.
type Hunk struct {
	OldStart, OldCount int // OldStart is from 1; 0 when the old file is empty
	NewStart, NewCount int // NewStart is from 1; 0 when the new file is empty
	Lines              []DiffLine
}

// Header is the hunk's "@@ -1,4 +1,5 @@".
func (h Hunk) Header() string {
	return fmt.Sprintf("@@ -%s +%s @@", span(h.OldStart, h.OldCount), span(h.NewStart, h.NewCount))
}

func span(start, count int) string {
	if count == 1 {
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, count)
}

// managed starts the first line of every file that Pigsty renders. The date after
// it is that of the template, not of the service.
const managed = "# ansible managed:"

// SameFile reports whether two files are equal, or differ only in the date of
// their first lines "# ansible managed:". A file that does not exist (nil) differs
// from every file that does.
func SameFile(a, b []byte) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	return bytes.Equal(KeepDate(a, b), b)
}

// KeepDate returns want with the "# ansible managed:" line of have, when both
// begin with one, otherwise want. Neither argument is changed.
func KeepDate(want, have []byte) []byte {
	if !bytes.HasPrefix(want, []byte(managed)) || !bytes.HasPrefix(have, []byte(managed)) {
		return want
	}
	w, h := bytes.IndexByte(want, '\n'), bytes.IndexByte(have, '\n')
	if w < 0 || h < 0 {
		return want
	}
	out := make([]byte, 0, h+len(want)-w)
	return append(append(out, have[:h]...), want[w:]...)
}

// Diff compares two files and returns what differs; nil when they are the
// same by SameFile. nil stands for a file that does not exist.
func Diff(old, new []byte) []Hunk {
	if SameFile(old, new) {
		return nil
	}
	old = KeepDate(old, new)
	before, after := string(old), string(new)
	// The edits are consistent with before by construction: no error can come.
	u, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), udiff.DefaultContextLines)
	if err != nil {
		return nil
	}
	hunks := make([]Hunk, 0, len(u.Hunks))
	for _, h := range u.Hunks {
		hunks = append(hunks, hunkOf(h))
	}
	return hunks
}

func hunkOf(h *udiff.Hunk) Hunk {
	out := Hunk{OldStart: h.FromLine, NewStart: h.ToLine}
	from, to := h.FromLine, h.ToLine
	for _, l := range h.Lines {
		d := DiffLine{Old: from, New: to}
		switch l.Kind {
		case udiff.Delete:
			d.Kind, d.New = LineRemoved, 0
			from++
			out.OldCount++
		case udiff.Insert:
			d.Kind, d.Old = LineAdded, 0
			to++
			out.NewCount++
		default:
			from++
			to++
			out.OldCount++
			out.NewCount++
		}
		raw, ended := strings.CutSuffix(l.Content, "\n")
		d.Text, d.NoEOL = text.Printable(MaskSecrets(raw)), !ended
		out.Lines = append(out.Lines, d)
	}
	pairLines(out.Lines)
	if out.OldCount == 0 {
		out.OldStart--
	}
	if out.NewCount == 0 {
		out.NewStart--
	}
	return out
}

// Unified is the unified diff of one file as text: "" when the files are the
// same by SameFile. A file that is added is compared with /dev/null,
// and so is one that is deleted. Secrets are masked.
func Unified(name string, old, new []byte) string {
	if SameFile(old, new) {
		return ""
	}
	name = text.Printable(name)
	from, to := "a/"+name, "b/"+name
	if old == nil {
		from = "/dev/null"
	}
	if new == nil {
		to = "/dev/null"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", from, to)
	for _, h := range Diff(old, new) {
		b.WriteString(h.Header())
		b.WriteByte('\n')
		for _, l := range h.Lines {
			b.WriteString(l.Kind.Mark())
			b.WriteString(l.Text)
			b.WriteByte('\n')
			if l.NoEOL {
				b.WriteString("\\ No newline at end of file\n")
			}
		}
	}
	return b.String()
}

// mask replaces a secret.
const mask = "********"

// secretWords come right before a secret in an HAProxy configuration.
func secretWords() [3]string { return [...]string{"insecure-password", "password", "authorization"} }

// MaskSecrets masks what follows a password keyword, or "stats auth user:",
// on a line of an HAProxy configuration, up to the end of the line.
func MaskSecrets(line string) string {
	for i := 0; i < len(line); {
		start := i + strings.IndexFunc(line[i:], func(r rune) bool { return !unicode.IsSpace(r) })
		if start < i {
			return line
		}
		end := len(line)
		if n := strings.IndexFunc(line[start:], unicode.IsSpace); n >= 0 {
			end = start + n
		}
		word := strings.ToLower(strings.Trim(line[start:end], `"':#`))
		for _, s := range secretWords() {
			if word == s && strings.TrimSpace(line[end:]) != "" {
				return line[:end] + " " + mask
			}
		}
		if rest := strings.TrimSpace(line[end:]); word == "auth" && rest != "" {
			user, _, _ := strings.Cut(rest, ":")
			return line[:end] + " " + user + ":" + mask
		}
		i = end
	}
	return line
}

// Cosmetic reports whether two files differ only in what HAProxy ignores:
// comments, blanks, and the order of settings that have no order. The order of
// servers, default-server and rules counts. So does a missing final line end:
// HAProxy refuses such a file.
func Cosmetic(a, b []byte) bool {
	if a == nil || b == nil || bytes.HasSuffix(a, []byte("\n")) != bytes.HasSuffix(b, []byte("\n")) {
		return false
	}
	return slices.Equal(canonical(a), canonical(b))
}

// canonical are the lines of a file that HAProxy does not ignore, words joined by
// one blank; the settings of a section whose order does not count are sorted by
// keyword.
func canonical(data []byte) []string {
	var out, loose []string
	unordered := []string{"bind", "mode", "maxconn", "balance", "option", "timeout", "retries", "log"}
	flush := func() {
		slices.SortStableFunc(loose, func(a, b string) int { return strings.Compare(keyword(a), keyword(b)) })
		out = append(out, loose...)
		loose = nil
	}
	for line := range strings.Lines(string(data)) {
		w := haproxy.Words(line)
		if len(w) == 0 {
			continue
		}
		text := strings.Join(w, " ")
		if slices.Contains(unordered, w[0]) {
			loose = append(loose, text)
			continue
		}
		if haproxy.OpensSection(w[0]) {
			flush()
		}
		out = append(out, text)
	}
	flush()
	return out
}

// keyword is what a setting sets: two lines of one keyword keep their order,
// because the later one may win.
func keyword(line string) string {
	w := strings.SplitN(line, " ", 3)
	if len(w) > 1 && (w[0] == "option" || w[0] == "timeout") {
		return w[0] + " " + w[1]
	}
	return w[0]
}
