package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Command is a command of the operator's configuration. It runs with the
// terminal, on what is under the cursor.
type Command struct {
	Name string
	Key  string // "" leaves it to the palette
	Help string
	// Argv is the program and its arguments, in which {cluster} and the like are
	// replaced, or, with Shell, one line for sh.
	Argv []string
	// Shell has `sh -c` run the line. It gets the values as variables, such as
	// $PGTUI_CLUSTER: none is ever part of the line.
	Shell    bool
	Confirm  bool     // type the name of the target first
	ReadOnly bool     // a read-only console runs it too
	Pages    []string // screens it is offered on; nil is all
}

// Values are the names of the values that a command can use.
func Values() []string { return []string{"cluster", "instance", "host", "port", "service"} }

// placeholder is a name in braces.
var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// Placeholders are the names in braces in an argument.
func Placeholders(arg string) []string {
	var out []string
	for _, p := range placeholder.FindAllString(arg, -1) {
		out = append(out, p[1:len(p)-1])
	}
	return out
}

// ValuesAt are the values at a place, without those that are unknown there. The
// port is the service's, else the instance's own.
func (inv *Inventory) ValuesAt(at Place) map[string]string {
	out := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	set("cluster", string(at.Cluster))
	set("host", string(inv.HostAt(at)))
	set("instance", string(at.Instance))
	set("service", string(at.Service))
	c := inv.Cluster(at.Cluster)
	if c == nil {
		return out
	}
	if in := c.OnHost(at.Host); in != nil && at.Instance == "" {
		set("instance", string(in.Name))
		at.Instance = in.Name
	}
	if in := c.Instance(at.Instance); in != nil && in.PgPort != 0 {
		set("port", fmt.Sprint(in.PgPort))
	}
	if svc := c.Service(at.Service); svc != nil {
		set("port", svc.Port)
	}
	return out
}

// Lacks is the first value that the command needs and does not get; "" when it
// has all.
func (c *Command) Lacks(values map[string]string) string {
	for _, arg := range c.Argv {
		for _, name := range Placeholders(arg) {
			if values[name] == "" && !c.Shell {
				return name
			}
		}
	}
	return ""
}

// Program is the command with its values. It is an error when one of them is
// missing, or when an argument that begins with a value would be taken for an option.
func (c *Command) Program(values map[string]string) (Program, error) {
	p := Program{Title: c.Name, Keep: KeepAlways}
	if c.Shell {
		p.Argv = append([]string{"sh", "-c"}, c.Argv...)
		for _, name := range Values() {
			p.Env = append(p.Env, "PGTUI_"+strings.ToUpper(name)+"="+values[name])
		}
		return p, nil
	}
	if name := c.Lacks(values); name != "" {
		return p, fmt.Errorf("%s needs {%s}: move the cursor to a row that has one", c.Name, name)
	}
	for _, arg := range c.Argv {
		full := placeholder.ReplaceAllStringFunc(arg, func(word string) string {
			if name := word[1 : len(word)-1]; slices.Contains(Values(), name) {
				return values[name]
			}
			return word
		})
		if strings.HasPrefix(full, "-") && !strings.HasPrefix(arg, "-") || strings.ContainsRune(full, 0) {
			return p, fmt.Errorf("%s: %q as the value of %s would be taken for an option", c.Name, full, arg)
		}
		p.Argv = append(p.Argv, full)
	}
	return p, nil
}
