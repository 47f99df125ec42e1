package cmd

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pgtui/internal/config"
	"pgtui/internal/text"
)

// TestTheCallIsReadBackByAShell: how pgtui was called is what a copied command
// begins with, whatever the names are.
func TestTheCallIsReadBackByAShell(t *testing.T) {
	for _, word := range []string{"plain", "", "two  blanks", "it's", `"q"`, "$HOME", "`id`", `back\slash`, "a;b|c&d", "*", "~", "#x", "ü"} {
		file, context := newApp(IO{}), newApp(IO{})
		file.Inventory, file.given = "/i/"+word, []string{"--ssh-config", text.Word(word)}
		context.Inventory, context.context = "/i/"+word, config.Context{Name: "c " + word, Inventory: "/i/" + word}
		for _, tt := range []struct {
			a    *app
			want []string
		}{
			{file, []string{"-i", "/i/" + word, "--ssh-config", word}},
			{context, []string{"--context", "c " + word}},
		} {
			call := tt.a.command("/i/" + word)
			out, err := exec.Command("sh", "-c", `pgtui() { printf '%s\n' "$@"; }; `+call).CombinedOutput()
			if got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s is read as %q, want %q (%v)", call, got, tt.want, err)
			}
		}
	}
}
