package cmd

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
)

// topic is a page of help that is about no single command.
type topic struct {
	name, short string
	print       func(root *cobra.Command, w io.Writer)
}

// topics are the pages of `pgtui help`, in their order.
func topics() []topic {
	return []topic{
		{"flags", "the flags that every command takes", func(root *cobra.Command, w io.Writer) {
			fmt.Fprint(w, lang.Text("Every command takes these flags, before or after its name. A flag overrides its variable and the\nconfiguration."), "\n\n")
			fmt.Fprint(w, root.PersistentFlags().FlagUsagesWrapped(helpWidth))
		}},
		{"environment", "the environment variables that pgtui reads", func(_ *cobra.Command, w io.Writer) {
			fmt.Fprint(w, lang.Text("A flag overrides its variable, a variable overrides the configuration. An empty variable counts as unset."), "\n\n")
			tw := lang.NewTable(w)
			for _, v := range environment() {
				fmt.Fprintf(tw, "  %s\t%s\n", v.Name, v.What)
			}
			tw.Flush()
		}},
		{"names", "how clusters, services, instances and nodes are named", func(_ *cobra.Command, w io.Writer) { fmt.Fprint(w, lang.Text(namesHelp)) }},
		{"output", "the formats of -o, and colours", func(_ *cobra.Command, w io.Writer) { fmt.Fprint(w, lang.Text(outputHelp)) }},
	}
}

// helpWidth is the width of a page of help, in cells.
const helpWidth = 80

// Variable is an environment variable that pgtui reads.
type Variable struct{ Name, What string }

// environment are the variables, pgtui's own first.
func environment() []Variable {
	return []Variable{
		{"PGTUI_INVENTORY", "inventory to read, as -i"},
		{"PGTUI_CONFIG", "configuration file (default: pgtui/config.yml in $XDG_CONFIG_HOME or ~/.config)"},
		{"PGTUI_CONTEXT", "context of the configuration to open, as --context"},
		{"PGTUI_READ_ONLY", "change nothing, as --read-only; 0, false, no and off count as unset"},
		{"PGTUI_SSH_CONFIG", "OpenSSH client configuration, as --ssh-config"},
		{"PGTUI_AUDIT", "audit file (default: pgtui/audit.jsonl in $XDG_STATE_HOME or ~/.local/state)"},
		{"PGTUI_LANG", "language of screens, messages and help, en or zh, as --lang"},
		{"PGTUI_SYSLOG", "1 writes the audit records to the system log as well"},
		{"PIGSTY_HOME", "Pigsty checkout, as --pigsty-home; its ansible.cfg may name the inventory"},
		{"ANSIBLE_VAULT_PASSWORD_FILE", "file with the password of !vault values, as --vault-password-file"},
		{"VISUAL", "editor of the inventory, with its arguments (E in the console); if empty, EDITOR"},
		{"EDITOR", "editor of the inventory if VISUAL is empty (default: vi)"},
		{"SHELL", "shell of the console's ! on this machine"},
		{"PGCONNECT_TIMEOUT", "how long psql waits for a connection, in seconds (default in the console: 10)"},
		{"PGREQUIREAUTH", "how PostgreSQL may request the password, as --require-auth"},
		{"LC_ALL", "the locale; it sets the language if --lang, PGTUI_LANG and the inventory do not"},
		{"LC_MESSAGES", "as LC_ALL, where that is unset"},
		{"LANG", "as LC_MESSAGES, where that is unset"},
		{"NO_COLOR", "no colours, unless --color is given"},
		{"CLICOLOR_FORCE", "colours without a terminal too, unless it is 0; NO_COLOR and --color override it"},
		{"TERM", "dumb: no colours and no console"},
		{"HOME", "where ~/pigsty, ~/.config, ~/.local/state and ~/.ssh are"},
		{"XDG_CONFIG_HOME", "directory of pgtui/config.yml, in place of ~/.config"},
		{"XDG_STATE_HOME", "directory of pgtui/audit.jsonl and pgtui/rec, in place of ~/.local/state"},
		{"XDG_RUNTIME_DIR", "directory of shared SSH connections"},
		{"SUDO_USER", "who runs pgtui through sudo, for the audit file"},
		{"SSH_CONNECTION", "where the operator logged in from, for the audit file"},
	}
}

const namesHelp = `A cluster is named by pg_cluster, an instance by pg_cluster and pg_seq: pg-test, pg-test-1.

A command that only reads takes several clusters, and patterns of them: * is any text, ? one
character, [ab] one of these. Quote a pattern, so that the shell leaves it to pgtui:

  pgtui status pg-test 'pg-o*'

A service is named by its name or by its port:

  pgtui trace pg-test primary
  pgtui trace pg-test 5433

A node is named by its address, its nodename, or an instance on it.
`

const outputHelp = `-o json prints one document; docs/json.md describes its fields, which do not change.
-o yaml prints the same document as YAML, with the keys in the same order.
-o wide prints the table with every column, and cuts no text.

--color always prints colours to a pipe or a file too, --color never prints none. auto prints
colours on a terminal, unless NO_COLOR is set. CLICOLOR_FORCE works like always. JSON, YAML and the
files of render have no colours.
`

// helpCmd prints the help of a command or a topic; an unknown one is wrong usage.
func (a *app) helpCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command|topic]",
		Short: "Help about any command or topic",
		ValidArgsFunction: func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			about, _, err := c.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return beginning(word, helpNames(about), nil), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			if len(args) == 1 {
				for _, t := range topics() {
					if t.name == args[0] {
						t.print(root, a.io.Out)
						return nil
					}
				}
			}
			about := root
			for _, word := range args {
				next, rest, err := about.Find([]string{word})
				if err != nil || len(rest) > 0 || next == about {
					return noTopic(about, args, word)
				}
				about = next
			}
			return about.Help()
		},
	}
}

// noTopic is the error of a word of `pgtui help` that is neither a command below
// about nor a topic.
func noTopic(about *cobra.Command, args []string, word string) error {
	return model.NotFound(fmt.Errorf("no help topic %q", text.Line(strings.Join(args, " "), 100)), word, helpNames(about), "pgtui help")
}

// helpNames are what may follow in `pgtui help`: the commands below about, and on
// top the topics.
func helpNames(about *cobra.Command) []string {
	have := commandNames(about)
	if !about.HasParent() {
		for _, t := range topics() {
			have = append(have, t.name)
		}
	}
	return have
}

// usageOf prints how a command is used: its own flags, and where those of every
// command are. What a person types is never translated.
func usageOf(c *cobra.Command) error {
	w := c.OutOrStderr()
	fmt.Fprintln(w, lang.Text("Usage:"))
	if c.Runnable() && (c.HasParent() || !c.HasAvailableSubCommands()) {
		fmt.Fprintf(w, "  %s\n", c.UseLine())
	}
	if !c.HasParent() {
		fmt.Fprintf(w, "  %s\n", strings.TrimSuffix(c.UseLine(), " [flags]"))
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s <command>\n\n%s\n", c.CommandPath(), lang.Text("Commands:"))
		for _, s := range c.Commands() {
			if s.IsAvailableCommand() || s.Name() == "help" {
				fmt.Fprintf(w, "  %-*s  %s\n", s.NamePadding(), s.Name(), s.Short)
			}
		}
	}
	if own := c.LocalNonPersistentFlags().FlagUsagesWrapped(helpWidth); own != "" {
		fmt.Fprintf(w, "\n%s\n%s", lang.Text("Flags:"), own)
	}
	if !c.HasParent() {
		fmt.Fprintf(w, "\n%s\n", lang.Text("Topics:"))
		for _, t := range topics() {
			fmt.Fprintf(w, "  %-*s  %s\n", c.NamePadding(), t.name, lang.Text(t.short))
		}
		fmt.Fprintf(w, "\n%s\n", lang.Text("`pgtui help <command>` or `pgtui help <topic>` has the details."))
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", lang.Text("Global flags: pgtui help flags"))
	return nil
}
