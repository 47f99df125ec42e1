// Package journal holds the pages of what was found and what happened: findings,
// events, the log.
package journal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan/action"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Findings is everything that is wrong, the worst first, with the evidence
// and the next step for the one under the cursor.
type Findings struct {
	cluster model.ClusterName // "" for all
	cursor  string            // key of the finding under the cursor
	top     int
	filter  string
	full    bool // the finding under the cursor alone, to its end
	scroll  int  // first line of it that is seen
}

// Title of the page.
func (p *Findings) Title() widget.Line { return widget.P("findings") }

// Filter is the text the list is narrowed to.
func (p *Findings) Filter() string { return p.filter }

// SetFilter narrows the list.
func (p *Findings) SetFilter(text string) page.Page {
	return page.With(p, func(q *Findings) { q.filter = text })
}

// FindingsScreen is the list in the registry.
func FindingsScreen() page.Screen {
	return page.Screen{Name: "findings", Key: "6", Letter: "f", As: keys.Findings, Help: "findings, the most severe first",
		Open: func(at page.Place, _ page.Env) page.Page { return &Findings{cluster: at.Cluster} },
		Keys: append([]keys.Row{
			{Keys: "enter", Action: keys.Open, Label: "next step", Help: "open the page of the next step, or its command to complete and confirm; nothing is sent yet"},
			{Keys: "l right", Action: keys.Right, Label: "go there", Help: "open the service, instance, node or cluster of the finding"},
			{Keys: "tab", Action: keys.Next, Label: "in full", Help: "show the finding under the cursor in full; again: the list"},
			{Keys: "p", Action: keys.Plan, Label: "plan it", Help: "plan the action that the finding's next step names; nothing is sent yet", When: hasAction},
			{Keys: "x", Action: keys.Act, Label: "actions", Help: "what can be done with what the finding is about", Opens: "actions"},
			{Keys: "C", Action: keys.Candidates, Label: "candidates", Help: "who can take over, with every gate", Opens: "candidates"},
			{Keys: "/", Action: keys.Filter, Label: "filter", Help: "narrow the list as you type"},
		}, keys.Moves()...)}
}

// hasAction says that the next step of the finding under the cursor is an action.
const hasAction keys.When = "finding-action"

// Scope of the list's keys.
func (p *Findings) Scope() string { return "findings" }

// Holds reports whether the next step is an action.
func (p *Findings) Holds(_ keys.When, e page.Env) bool {
	_, ok := p.action(e)
	return ok
}

// action is the action that the next step of the finding under the cursor names.
func (p *Findings) action(e page.Env) (action.Request, bool) {
	rows, _ := p.rows(e)
	if !e.Acts || e.Inv == nil || len(rows) == 0 {
		return action.Request{}, false
	}
	return action.Find(rows[p.at(rows)].Hint, e.Inv, e.Now)
}

// Place of the finding under the cursor.
func (p *Findings) Place(e page.Env) page.Place {
	if rows, _ := p.rows(e); len(rows) > 0 {
		return placeOf(&rows[p.at(rows)].Finding)
	}
	return page.Place{Cluster: p.cluster}
}

// Command prints the findings.
func (p *Findings) Command(page.Env) (string, string) {
	return page.CommandOf("pgtui doctor", p.cluster), ""
}

// findingKey identifies a finding from one refresh to the next.
func findingKey(f *model.Finding) string {
	return fmt.Sprint(f.Code, "\x00", f.Cluster, "\x00", f.Service, "\x00", f.Instance, "\x00", f.Host)
}

// row is one thing that is wrong, with what follows from it.
type row struct {
	model.Cause
	effects []model.Finding
}

func (p *Findings) rows(e page.Env) (rows []row, hidden int) {
	for i := range e.Boards {
		b := &e.Boards[i]
		if p.cluster != "" && b.Cluster.Name != p.cluster {
			continue
		}
		for i := range b.Causes {
			r := row{Cause: b.Causes[i]}
			found := []string{r.Summary, r.Code, string(r.Cluster), string(r.Instance), string(r.Service), page.FindingMark(&r.Finding).Word}
			for _, k := range r.Effects {
				r.effects = append(r.effects, b.Findings[k])
				found = append(found, b.Findings[k].Summary, b.Findings[k].Code)
			}
			if !page.Matches(p.filter, found...) {
				hidden++
				continue
			}
			r.Cluster = cmp.Or(r.Cluster, b.Cluster.Name)
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.Severity, b.Severity) })
	return rows, hidden
}

func (p *Findings) at(rows []row) int {
	return max(0, slices.IndexFunc(rows, func(r row) bool { return findingKey(&r.Finding) == p.cursor }))
}

// List is the findings that are shown.
func (p *Findings) List(e page.Env) (n, at int) {
	rows, _ := p.rows(e)
	return len(rows), p.at(rows)
}

// Choose puts the cursor on a finding.
func (p *Findings) Choose(i int, e page.Env) page.Page {
	q := *p
	rows, _ := p.rows(e)
	q.cursor, q.top = findingKey(&rows[i].Finding), widget.Window(p.top, i, len(rows), p.space(e))
	return &q
}

// Do carries out one action.
func (p *Findings) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	if r, ok := p.action(e); a == keys.Plan && ok {
		return p, page.PlanAction{Request: r}
	}
	if rows, _ := p.rows(e); len(rows) > 0 {
		switch f := &rows[p.at(rows)].Finding; a {
		case keys.Open:
			return p, nextStep(f, p.cluster != "", e)
		case keys.Right:
			return p, subjectPage(f, p.cluster != "")
		case keys.Next:
			return page.With(p, func(q *Findings) { q.full, q.scroll = !p.full, 0 }), nil
		}
		if p.full {
			n := len(findingText(&rows[p.at(rows)], mostLines, e))
			return page.With(p, func(q *Findings) { q.scroll = page.Scroll(a, p.scroll, n, e.H-1) }), nil
		}
	}
	return page.Move(p, a, p.space(e), e), nil
}

// nextStep is where the next step of a finding leads: an action is prepared in the
// palette, a command that has a page opens it, and one that has none is copied. Without
// a command it is the page of what the finding is about. Nothing is carried out.
func nextStep(f *model.Finding, own bool, e page.Env) page.Intent {
	for _, words := range action.Named(f.Hint) {
		at := placeOf(f)
		if line, _, ok := action.Begins(words, e.Inv, e.Now); ok && e.Acts {
			return page.Type{Text: line}
		} else if ok {
			return page.Yank{Text: "pgtui " + line}
		}
		switch screen := page.ScreenOf(words[0]); screen {
		case "board", "findings": // the pages behind this one
		case "":
			return page.Yank{Text: command(words, e)}
		default:
			return page.Open{Screen: screen, At: at}
		}
	}
	return subjectPage(f, own)
}

// command is a command that a hint names: its words up to a word of the sentence.
func command(words []string, e page.Env) string {
	n := 1
	for n < len(words) && !strings.HasSuffix(words[n-1], ";") && !strings.HasSuffix(words[n-1], ",") && (strings.HasPrefix(words[n], "-") || e.Named(action.Bare(words[n:n+1]))) {
		n++
	}
	return "pgtui " + action.Bare(words[:n])
}

// placeOf is what a finding is about.
func placeOf(f *model.Finding) page.Place {
	return page.Place{Cluster: f.Cluster, Service: f.Service, Instance: f.Instance, Host: f.Host}
}

// subjectPage opens what a finding is about; the cluster's board is behind its
// own findings already.
func subjectPage(f *model.Finding, own bool) page.Intent {
	screen := "board"
	switch {
	case f.Service != "":
		screen = "service"
	case f.Instance != "":
		screen = "instance"
	case f.Host != "":
		screen = "haproxy"
	case own:
		return page.Back{}
	}
	return page.Open{Screen: screen, At: placeOf(f)}
}

func (p *Findings) space(e page.Env) int { return max(e.H*2/5, 2) }

// View draws the list above and the finding under the cursor below.
func (p *Findings) View(e page.Env) []widget.Line {
	rows, hidden := p.rows(e)
	out, empty := listHead("FINDINGS", "finding", len(rows), hidden, p.filter, p.calm(e), e)
	if empty {
		return out
	}
	cur, h := p.at(rows), p.space(e)
	if p.full {
		e.H--
		return append(out, page.Scrolled(findingText(&rows[cur], mostLines, e), p.scroll, e)...)
	}
	top := widget.Window(p.top, cur, len(rows), h)
	for i, lines := range listLines(rows[top:min(top+h, len(rows))], p.cluster == "", h, e) {
		out = append(out, page.CursorRows(lines, top+i, cur, e.W)...)
	}
	out = append(out, page.Below(len(rows)-top-h)...)
	text := findingText(&rows[cur], 3, e)
	if room := e.H - len(out); room > 1 && (len(text) > room || cut(&rows[cur], e)) {
		text = append(text[:min(len(text), room-1)], widget.T(theme.Key, "   tab").Add(theme.Dim, " shows it in full"))
	}
	return append(out, text...)
}

// listLines are the lines of each row of the list: its sentence in full where h lines have
// room for all of them. cluster says that they name their cluster.
func listLines(rows []row, cluster bool, h int, e page.Env) [][]widget.Line {
	one, full, n := make([][]widget.Line, len(rows)), make([][]widget.Line, len(rows)), 0
	for i := range rows {
		l := page.FindingLine(&rows[i].Finding, cluster)[1:]
		one[i], full[i] = []widget.Line{l}, []widget.Line{l}
		if l.Width() > e.W-1 {
			full[i] = page.LabelledRaw(l[:len(l)-1], theme.Plain, l[len(l)-1].Text, l[:len(l)-1].Width(), e.W-1, 3)
		}
		n += len(full[i])
	}
	if n > h {
		return one
	}
	return full
}

// cut reports whether a sentence of a finding has more lines than the page gives it.
func cut(r *row, e page.Env) bool {
	return len(findingText(r, 3, e)) != len(findingText(r, mostLines, e))
}

// listHead is the title of a list of n rows and, where there is no row, why: calm
// when nothing is hidden.
func listHead(title, noun string, n, hidden int, filter string, calm widget.Line, e page.Env) (out []widget.Line, empty bool) {
	out = []widget.Line{page.ListTitle(title, n, hidden, filter).Trunc(e.W)}
	switch {
	case e.NoAnswer():
		return append(out, nil, widget.T(theme.Info, " probing every node …")), true
	case n == 0 && hidden > 0:
		return append(out, nil, widget.T(theme.Warn, widget.Words(" No "+noun+" matches. Esc clears the filter."))), true
	case n == 0:
		return append(out, nil, calm), true
	}
	return out, false
}

// calm says that there is nothing, and how sure that is.
func (p *Findings) calm(e page.Env) widget.Line {
	for i := range e.Boards {
		b := &e.Boards[i]
		if (p.cluster == "" || b.Cluster.Name == p.cluster) && b.Health != model.HealthOK {
			m := page.HealthMark(b.Health, false)
			return widget.T(m.Tone, widget.F(" %s %s is %s: %s", m.Shape, widget.Data(b.Cluster.Name), m.Word, b.Summary))
		}
	}
	return widget.T(theme.Good, " ● no findings")
}

// findingText is one finding with what follows from it, each sentence in at most most
// lines, its own and the next step in one more.
func findingText(r *row, most int, e page.Env) []widget.Line {
	f, m := &r.Finding, page.FindingMark(&r.Finding)
	head := widget.P(" ").Add(m.Tone, widget.Words(m.Word)).AddRaw(theme.Dim, "  "+f.Code)
	out := append([]widget.Line{nil}, page.Beside(head, widget.Raw(theme.Dim, "  "+subject(f)), e.W)...)
	if at := since(f, e); !at.IsZero() {
		seen := page.Beside(out[len(out)-1], widget.T(theme.Dim, widget.Words("  first seen "+e.When(at))), e.W)
		out = append(out[:len(out)-1], seen...)
	}
	out = append(out, page.Wrapped(theme.Strong, widget.Words(f.Summary), " ", e.W, most+1)...)
	for _, ev := range f.Evidence {
		out = append(out, page.Labelled(widget.T(theme.Dim, "   ·"), theme.Plain, widget.Words(ev), 5, e.W, most)...)
	}
	for i := range r.effects {
		out = append(out, page.Labelled(widget.T(theme.Dim, "   └"), theme.Plain, widget.Words(r.effects[i].Summary), 5, e.W, most)...)
	}
	if f.Hint != "" {
		out = append(out, nil)
		out = append(out, page.Labelled(widget.T(theme.Head, " next"), theme.Plain, widget.Words(f.Hint), 6, e.W, most+1)...)
	}
	return out
}

// since is when a finding was first seen; zero when that was before the console was
// opened.
func since(f *model.Finding, e page.Env) time.Time {
	i := slices.IndexFunc(e.Events, func(ev board.Event) bool {
		return ev.Kind == "finding" && ev.Cluster == f.Cluster && ev.About == board.KeyOf(f)
	})
	if i < 0 || e.Events[i].After == "" {
		return time.Time{}
	}
	return e.Events[i].At
}

// subject names what a finding is about.
func subject(f *model.Finding) string {
	return strings.Join(page.NonEmpty(string(f.Cluster), string(f.Service), string(f.Instance), string(f.Host)), " › ")
}
