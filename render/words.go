package render

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff/lcs"
)

// alike is the share of their words, in thousandths, that two lines must have
// in common to be shown as one changed line.
const alike = 500

// mostAligned bounds the work of pairing: a block with more pairs of lines
// than that is paired line by line, in order.
const mostAligned = 2500

// pairLines gives each removed line of a hunk the added line that took its
// place, where one did, and marks the words in which the two differ.
func pairLines(lines []DiffLine) {
	n := 0
	for i := 0; i < len(lines); {
		mid := i + ofKind(lines[i:], LineRemoved)
		end := mid + ofKind(lines[mid:], LineAdded)
		if end == i {
			i++
			continue
		}
		for _, p := range align(lines[i:mid], lines[mid:end]) {
			n++
			a, b := &lines[i+p[0]], &lines[mid+p[1]]
			a.Pair, b.Pair = n, n
			a.Words, b.Words = changedWords(a.Text, b.Text)
			if hidden := strings.TrimSuffix(a.Text, mask); a.Text == b.Text && a.NoEOL == b.NoEOL && hidden != a.Text {
				a.Words = [][2]int{{len(hidden), len(a.Text)}}
				b.Words = a.Words
			}
		}
		i = end
	}
}

// ofKind is the number of lines of that kind that lines begin with.
func ofKind(lines []DiffLine, k LineKind) int {
	n := 0
	for n < len(lines) && lines[n].Kind == k {
		n++
	}
	return n
}

// align pairs removed with added lines, as indices into the two, in order: first
// as many as possible that begin alike, then with as many common words as
// possible.
func align(removed, added []DiffLine) [][2]int {
	before, after := bagsOf(removed), bagsOf(added)
	var out [][2]int
	if len(before)*len(after) > mostAligned {
		for i := range min(len(before), len(after)) {
			if before[i].likeness(after[i]) >= alike {
				out = append(out, [2]int{i, i})
			}
		}
		return out
	}
	// best[i][j] is the worth of the best pairs among lines i.. and j..
	best := make([][]int, len(before)+1)
	like := make([][]int, len(before))
	best[len(before)] = make([]int, len(after)+1)
	for i := len(before) - 1; i >= 0; i-- {
		best[i], like[i] = make([]int, len(after)+1), make([]int, len(after))
		for j := len(after) - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1])
			if n := before[i].likeness(after[j]); n >= alike {
				if before[i].head == after[j].head {
					n += 1000 // the same server, however much its line differs
				}
				like[i][j] = n
				best[i][j] = max(best[i][j], n+best[i+1][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(before) && j < len(after); {
		switch n := like[i][j]; {
		case n > 0 && best[i][j] == n+best[i+1][j+1]:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
	return out
}

// bag is the words of a line, and how often it has each.
type bag struct {
	words map[string]int
	n     int    // words in all
	blank bool   // nothing but space
	head  string // the text before the second blank: the keyword and, of a server, its name
}

func bagsOf(lines []DiffLine) []bag {
	out := make([]bag, len(lines))
	for i, l := range lines {
		fields := strings.Fields(l.Text)
		out[i] = bag{words: map[string]int{}, blank: len(fields) == 0, head: strings.Join(fields[:min(len(fields), 2)], " ")}
		for _, t := range tokens(l.Text) {
			if r, _ := utf8.DecodeRuneInString(t); inWord(r) {
				out[i].words[t]++
				out[i].n++
			}
		}
	}
	return out
}

// likeness is the share of their words that two lines have in common, in
// thousandths. Lines without words are alike when both or neither are blank.
func (b bag) likeness(c bag) int {
	if b.n+c.n == 0 {
		return map[bool]int{true: 1000}[b.blank == c.blank]
	}
	common := 0
	for w, n := range b.words {
		common += min(n, c.words[w])
	}
	return 2000 * common / (b.n + c.n)
}

// changedWords are the parts of two lines that the other one lacks, as bytes
// from..to of each, in order and without touching one another; nil when there
// is none. They begin and end at characters, and at words where there are any.
func changedWords(old, new string) (removed, added [][2]int) {
	a, b := tokens(old), tokens(new)
	var inA, inB [][2]int
	for _, d := range lcs.DiffLines(a, b) {
		inA, inB = joined(inA, a, d.Start, d.End), joined(inB, b, d.ReplStart, d.ReplEnd)
	}
	return inBytes(inA, a), inBytes(inB, b)
}

// joined adds tokens from..to to spans of tokens. When only one blank or one mark
// separates it from the last span, the two are merged.
func joined(spans [][2]int, in []string, from, to int) [][2]int {
	if from == to {
		return spans
	}
	if n := len(spans); n > 0 {
		gap := in[spans[n-1][1]:from]
		word := true
		if len(gap) == 1 {
			r, _ := utf8.DecodeRuneInString(gap[0])
			word = inWord(r)
		}
		if len(gap) == 0 || !word {
			spans[n-1][1] = to
			return spans
		}
	}
	return append(spans, [2]int{from, to})
}

// inBytes turns spans of tokens into spans of bytes of their text, without the
// space around what they hold, unless they hold nothing else.
func inBytes(spans [][2]int, in []string) [][2]int {
	at := make([]int, len(in)+1)
	for i, t := range in {
		at[i+1] = at[i] + len(t)
	}
	text := strings.Join(in, "")
	var out [][2]int
	for _, s := range spans {
		from, to := at[s[0]], at[s[1]]
		if part := text[from:to]; strings.TrimSpace(part) != "" {
			from += len(part) - len(strings.TrimLeftFunc(part, unicode.IsSpace))
			to -= len(part) - len(strings.TrimRightFunc(part, unicode.IsSpace))
		}
		out = append(out, [2]int{from, to})
	}
	return out
}

// inWord reports whether a character belongs to a word: a letter, a digit, an
// underscore, or anything else beyond US-ASCII that is no space.
func inWord(r rune) bool {
	return r == '_' || r >= utf8.RuneSelf && !unicode.IsSpace(r) || r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// tokens cuts a line into words, runs of space, and single marks. Joined they
// are the line again.
func tokens(line string) []string {
	var out []string
	for len(line) > 0 {
		r, n := utf8.DecodeRuneInString(line)
		same := inWord
		if unicode.IsSpace(r) {
			same = unicode.IsSpace
		}
		if same(r) {
			if n = strings.IndexFunc(line, func(r rune) bool { return !same(r) }); n < 0 {
				n = len(line)
			}
		}
		out, line = append(out, line[:n]), line[n:]
	}
	return out
}
