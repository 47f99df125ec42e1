package values

import (
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
	"pgtui/tui/keys"
	"pgtui/tui/page"
	"pgtui/tui/theme"
	"pgtui/tui/widget"
)

// Value is one value of the inventory as a whole: what won, what it hides, and
// what other hosts of the cluster have. It is as the inventory was read for the
// page below.
type Value struct {
	of   *source.Origin
	rest []*source.Origin // of the other hosts of the cluster
	none int              // hosts of the cluster on which it is not defined
	top  int
}

// NewValue is the value o among all that were read with it.
func NewValue(all *source.Origins, o *source.Origin) *Value {
	p := &Value{of: o, none: o.Of - len(o.Hosts)}
	for _, x := range ofVariable(all, o) {
		if x != o {
			p.rest = append(p.rest, x)
			p.none -= len(x.Hosts)
		}
	}
	return p
}

// Title of the page.
func (p *Value) Title() widget.Line { return widget.Raw(theme.Plain, p.of.Variable) }

// ValueScreen is the page in the registry: only the list of values opens it.
func ValueScreen() page.Screen { return page.Screen{Name: "value", Keys: keys.Moves()} }

// Scope of the page's keys.
func (p *Value) Scope() string { return "value" }

// Do scrolls.
func (p *Value) Do(a keys.Action, e page.Env) (page.Page, page.Intent) {
	q := *p
	q.top = page.Scroll(a, p.top, len(p.lines(e)), e.H)
	return &q, nil
}

// View draws the part that fits.
func (p *Value) View(e page.Env) []widget.Line { return page.Scrolled(p.lines(e), p.top, e) }

// lines is the whole page.
func (p *Value) lines(e page.Env) []widget.Line {
	o := p.of
	title := widget.P(" ").AddRaw(theme.Strong, o.Variable)
	if o.Cluster != "" {
		title = title.Add(theme.Dim, widget.F(" of %s", widget.Data(o.Cluster)))
	}
	if o.Differs {
		title = title.Add(theme.Warn, "  "+page.Differs+" differs between hosts")
	}
	on := widget.F("%s", widget.Data(strings.Join(o.Hosts, ", ")))
	if o.All() {
		on = widget.F("%s hosts: %s", o.Where(), widget.Data(strings.Join(o.Hosts, ", ")))
	}
	out := []widget.Line{title.Trunc(e.W)}
	out = append(out, page.Labelled(widget.T(theme.Dim, " hosts"), theme.Plain, on, 11, e.W, 4)...)
	out = append(out, page.Labelled(widget.T(theme.Dim, " from"), theme.Plain, widget.Words(o.From()+", "+o.By), 11, e.W, 4)...)
	out = append(out, nil)
	out = append(out, valueLines(&o.Definition, theme.Strong, e)...)
	out = append(out, nil)
	out = append(out, p.hidden(e)...)
	return append(out, p.others(e)...)
}

// hidden is what lost, the strongest first.
func (p *Value) hidden(e page.Env) []widget.Line {
	if len(p.of.Hid) == 0 {
		return []widget.Line{widget.T(theme.Dim, " It overrides no other definition."), nil}
	}
	out := []widget.Line{widget.T(theme.Head, widget.F(" OVERRIDES %d", len(p.of.Hid))).Add(theme.Dim, "  highest precedence first")}
	for i := range p.of.Hid {
		d := &p.of.Hid[i]
		out = append(out, placeLines(widget.Words(d.From()), widget.Words(d.By), e)...)
		out = append(out, valueLines(d, theme.Dim, e)...)
	}
	return append(out, nil)
}

// others is what the other hosts of the cluster have.
func (p *Value) others(e page.Env) []widget.Line {
	if len(p.rest) == 0 && p.none == 0 {
		return nil
	}
	out := []widget.Line{widget.T(theme.Head, " ON OTHER HOSTS")}
	for _, x := range p.rest {
		out = append(out, placeLines(where(x), widget.Words(x.From()+", "+x.By), e)...)
		out = append(out, valueLines(&x.Definition, theme.Plain, e)...)
	}
	if p.none > 0 {
		out = append(out, widget.T(theme.Plain, widget.F("   %s: not defined, Pigsty's default applies", text.Plural(p.none, "host"))).Trunc(e.W))
	}
	return out
}

// where are the hosts of a value.
func where(o *source.Origin) widget.Words {
	if o.All() || len(o.Hosts) > 3 {
		return widget.Words(o.Where())
	}
	return widget.F("%s", widget.Data(o.Where()))
}

// placeLines name a place, and whose it is.
func placeLines(what, whose widget.Words, e page.Env) []widget.Line {
	return page.Flow(widget.P("   ").Add(theme.Strong, what+"  "), whose, e.W)
}

// valueLines are a whole value, wrapped where it is wider than the page.
func valueLines(d *source.Definition, tone theme.Tone, e page.Env) []widget.Line {
	var out []widget.Line
	for _, l := range d.Text {
		text := strings.TrimLeft(l, " ")
		indent := "     " + strings.Repeat(" ", min(len(l)-len(text), max(e.W/3, 0)))
		out = append(out, page.WrappedRaw(tone, text, indent, e.W, 8)...)
	}
	return out
}

// Line is that of the value.
func (p *Value) Line(page.Env) source.Pos { return p.of.At }

// Place is the cluster whose value it is.
func (p *Value) Place(page.Env) page.Place {
	return page.Place{Cluster: model.ClusterName(p.of.Cluster)}
}

// Command prints the values of the cluster, this one among them.
func (p *Value) Command(page.Env) (string, string) {
	return page.CommandOf("pgtui inventory", model.ClusterName(p.of.Cluster)), ""
}
