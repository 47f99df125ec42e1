package config

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"pgtui/internal/text"
)

// aName is what a command may be called, and a value in braces.
var (
	aName   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)
	inBrace = regexp.MustCompile(`\{([a-z]+)\}`)
)

// commands reads names with an argv each, and how it is offered.
func (r *reader) commands(n *yaml.Node, what string) []Command {
	var out []Command
	r.each(n, what, nil, func(name string, v *yaml.Node) {
		c := Command{Name: name}
		at := what + "." + name
		switch {
		case !aName.MatchString(name):
			r.bad(v, "", "%s: %q is not a valid name: expected small letters, digits and -", what, name)
		case slices.Contains(r.known.Actions, name):
			r.bad(v, "my-"+name, "%s: %s is already an action of pgtui", what, name)
		}
		var argv *yaml.Node
		r.fields(v, at,
			field{"key", func(v *yaml.Node, at string) { r.commandKey(v, at, &c) }},
			field{"help", into(r.text, &c.Help)},
			field{"argv", func(v *yaml.Node, _ string) { argv = v }},
			field{"shell", into(r.yes, &c.Shell)},
			field{"confirm", into(r.yes, &c.Confirm)},
			field{"read-only", into(r.yes, &c.ReadOnly)},
			field{"pages", func(v *yaml.Node, at string) { c.Pages = r.pages(v, at) }})
		if argv == nil {
			r.bad(v, "", "%s has no argv: the program and its arguments, as a list", at)
		} else {
			r.argv(argv, at+".argv", &c)
		}
		out = append(out, c)
	})
	return out
}

func (r *reader) commandKey(v *yaml.Node, what string, c *Command) {
	if r.text(v, what, &c.Key); c.Key != "" && !isKey(c.Key) {
		r.bad(v, "", "%s: unknown key %q", what, c.Key)
	}
	c.key = v
}

// pages reads the screens that a command is offered on.
func (r *reader) pages(n *yaml.Node, what string) []string {
	var names, out []string
	for _, s := range r.known.Screens {
		names = append(names, s.Name)
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		var s string
		if r.oneOf(item, what, names, &s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// argv reads the arguments of a command: a list, or with shell one line.
func (r *reader) argv(n *yaml.Node, what string, c *Command) {
	items := n.Content
	switch {
	case c.Shell && n.Kind != yaml.ScalarNode:
		r.bad(n, "", "%s: with shell: true, expected one line of text", what)
		return
	case c.Shell:
		items = []*yaml.Node{n}
	case n.Kind != yaml.SequenceNode || len(items) == 0:
		r.bad(n, "", "%s: expected a list, the program first: [ssh, \"{host}\", uptime]; with shell: true, one line", what)
		return
	}
	for _, item := range items {
		var s string
		if r.text(item, what, &s); s == "" && item.Kind == yaml.ScalarNode && item.Tag == "!!null" {
			continue
		}
		for _, m := range inBrace.FindAllStringSubmatch(s, -1) {
			switch {
			case c.Shell && slices.Contains(r.known.Values, m[1]):
				r.bad(item, `"$PGTUI_`+strings.ToUpper(m[1])+`"`, "%s: with shell: true, values are variables; found %s", what, m[0])
			case !c.Shell && !slices.Contains(r.known.Values, m[1]):
				near := text.Nearest(m[1], r.known.Values)
				if near != "" {
					near = "{" + near + "}"
				}
				r.bad(item, near, "%s: unknown value %s; expected one of %s", what, m[0], strings.Join(r.known.Values, ", "))
			}
		}
		c.Argv = append(c.Argv, s)
	}
}

// collide refuses a key that something else has on a screen where the command is
// offered.
func (r *reader) collide(c *Config) {
	type place struct{ screen, key string }
	taken := map[place]string{}
	for _, x := range c.Commands {
		for _, s := range r.known.Screens {
			if x.Key == "" || x.Pages != nil && !slices.Contains(x.Pages, s.Name) {
				continue
			}
			at := place{s.Name, x.Key}
			by := owners(s.Bindings, c.Keys)[x.Key]
			if by == "" && taken[at] != "" {
				by = "the command " + taken[at]
			}
			if by != "" {
				r.bad(x.key, "", "commands.%s.key: %s is the key of %s on %s; choose another key for one of them", x.Name, x.Key, by, s.Name)
				break
			}
			taken[at] = x.Name
		}
	}
}
