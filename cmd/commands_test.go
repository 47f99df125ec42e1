package cmd

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pgtui/plan/action"
)

// TestThePaletteTakesTheCommandsFlags: a line that the console's palette takes is a
// line of the command line, and the other way round.
func TestThePaletteTakesTheCommandsFlags(t *testing.T) {
	var o bytes.Buffer
	a := newApp(IO{In: strings.NewReader(""), Out: &o, Err: &o, Getenv: func(string) string { return "" }})
	real := map[string][]string{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if flags, ok := actionFlags(c); ok {
			real[strings.TrimPrefix(c.CommandPath(), "pgtui ")] = flags
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(a.root())
	delete(real, "reload") // of files, not on a running cluster: it has a page of its own
	for _, k := range action.Commands() {
		flags, ok := real[k.Name]
		delete(real, k.Name)
		want := slices.Sorted(slices.Values(k.Flags))
		if !ok || !slices.Equal(flags, want) {
			t.Errorf("%s: the command line has %v, action.Commands %v", k.Name, flags, want)
		}
	}
	if len(real) > 0 {
		t.Errorf("action.Commands lacks %v", real)
	}
}

// actionFlags are the flags of a command of an action, but those that every action
// has; false of other commands.
func actionFlags(c *cobra.Command) ([]string, bool) {
	var every actFlags
	common := every.add(&cobra.Command{}).Flags()
	var own []string
	missing := 0
	common.VisitAll(func(f *pflag.Flag) {
		if c.LocalNonPersistentFlags().Lookup(f.Name) == nil {
			missing++
		}
	})
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if common.Lookup(f.Name) == nil && f.Name != "help" {
			own = append(own, f.Name)
		}
	})
	slices.Sort(own)
	return own, missing == 0
}
