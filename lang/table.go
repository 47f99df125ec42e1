package lang

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Table is lines of cells with tabs between, as text/tabwriter has them, in the language of
// the process. Its columns are aligned by what a terminal shows: colours take no room, and
// wide characters take two cells. Two blanks stand between columns.
type Table struct {
	to   io.Writer
	rows bytes.Buffer
}

// NewTable is a table that is written to w.
func NewTable(w io.Writer) *Table { return &Table{to: w} }

// Write never fails.
func (t *Table) Write(p []byte) (int, error) { return t.rows.Write(p) }

// Flush writes the lines. An error of the writer under it is its own.
func (t *Table) Flush() {
	var width []int
	var rows [][]string
	for line := range strings.Lines(t.rows.String()) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		rows = append(rows, cells)
		for i := range cells {
			cells[i] = Text(cells[i])
			if i == len(cells)-1 {
				break // it ends the line
			}
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], ansi.StringWidth(cells[i]))
		}
	}
	t.rows.Reset()
	for _, cells := range rows {
		last := len(cells) - 1
		for i, c := range cells[:last] {
			cells[i] = c + strings.Repeat(" ", width[i]-ansi.StringWidth(c)+2)
		}
		fmt.Fprintln(t.to, strings.TrimRight(strings.Join(cells, ""), " "))
	}
}

// Lines writes text to w in the language of the process: each call line by line.
type Lines struct{ to io.Writer }

// NewLines is such a writer.
func NewLines(w io.Writer) Lines { return Lines{to: w} }

// Write writes the text of p.
func (l Lines) Write(p []byte) (int, error) {
	lines := strings.Split(string(p), "\n")
	for i := range lines {
		lines[i] = Text(lines[i])
	}
	if _, err := io.WriteString(l.to, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}
