package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgtui/internal/config"
	"pgtui/internal/sandbox"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/probe/transport"
	"pgtui/source"
	"pgtui/tui/page"
)

// atHome is a run whose configuration has that text; "" is none.
func atHome(t *testing.T, text string) (*app, string) {
	t.Helper()
	home := t.TempDir()
	a := newApp(IO{Getenv: func(k string) string { return map[string]string{"HOME": home}[k] }})
	file := a.configFile()
	if text != "" {
		if err := createFile(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return a, file
}

func setting(name, value string) page.Setting {
	return page.Setting{Name: name, Path: strings.Split(name, "."), Value: value}
}

func TestSaveSettings(t *testing.T) {
	prod := "# ours\ncontexts:\n  prod:\n    inventory: /x   # of the team\n    theme: light\nnew-key: 1\n"
	for _, c := range []struct {
		name, before, context string
		changed               []page.Setting
		after                 string
	}{
		{"no file yet", "", "", []page.Setting{setting("theme", "dark"), setting("refresh", "5s")}, "theme: dark\nrefresh: 5s\n"},
		{"comments stay", "# ours\ntheme: light   # in the sun\n\nmouse: true\n", "", []page.Setting{setting("theme", "dark"), setting("columns.fleet", `["cluster", "state"]`)},
			"# ours\ntheme: dark   # in the sun\n\nmouse: true\ncolumns:\n  fleet: [\"cluster\", \"state\"]\n"},
		{"a context has its own theme", strings.Replace(prod, "new-key: 1\n", "", 1), "prod", []page.Setting{setting("theme", "dark"), setting("mouse", "false")},
			"# ours\ncontexts:\n  prod:\n    inventory: /x   # of the team\n    theme: dark\nmouse: false\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, file := atHome(t, c.before)
			a.context = config.Context{Name: c.context}
			got, err := a.saveSettings(c.changed)
			text, rerr := os.ReadFile(file)
			if err != nil || rerr != nil || got != file || string(text) != c.after {
				t.Errorf("%s, %v %v:\n%s\nexpected\n%s", got, err, rerr, text, c.after)
			}
			if _, problems := config.Parse(file, text, known()); len(problems) > 0 {
				t.Error(problems)
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".pgtui-*")); err != nil || len(left) > 0 {
				t.Error(left, err)
			}
		})
	}
}

// TestSettingsAreNotSaved where the file is wrong, is written in a way that cannot be
// edited in place, or pgtui is read-only: the file stays as it is.
func TestSettingsAreNotSaved(t *testing.T) {
	for _, c := range []struct {
		name, before, want, try string
		lock                    bool
	}{
		{"a mistake", "themm: dark\n", `unknown key "themm"`, "pgtui config check", false},
		{"an anchor", "theme: &x light\n", "it has to be edited by hand", "write theme: dark into it", false},
		{"read-only", "theme: light\n", "read-only: nothing was changed (:read-only)", "pgtui config show", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, file := atHome(t, c.before)
			if c.lock {
				a.Lock(":read-only")
			}
			_, err := a.saveSettings([]page.Setting{setting("theme", "dark")})
			text, rerr := os.ReadFile(file)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(source.TryOf(err), c.try) || rerr != nil || string(text) != c.before {
				t.Errorf("%v (%s), %v:\n%s", err, source.TryOf(err), rerr, text)
			}
		})
	}
}

// TestALinkedConfigurationStaysALink: dotfiles are often kept elsewhere.
func TestALinkedConfigurationStaysALink(t *testing.T) {
	a, file := atHome(t, "")
	real := filepath.Join(t.TempDir(), "dotfiles.yml")
	if err := errors.Join(os.WriteFile(real, []byte("mouse: true\n"), 0o640), os.MkdirAll(filepath.Dir(file), 0o700), os.Symlink(real, file)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.saveSettings([]page.Setting{setting("mouse", "false")}); err != nil {
		t.Fatal(err)
	}
	to, err := os.Readlink(file)
	text, rerr := os.ReadFile(real)
	st, serr := os.Stat(real)
	if err != nil || rerr != nil || serr != nil || to != real || string(text) != "mouse: false\n" || st.Mode().Perm() != 0o640 {
		t.Errorf("%s, %s, %v, %v", to, text, st.Mode(), errors.Join(err, rerr, serr))
	}
}

// TestLockedIsReadOnly: a run that was made read-only refuses what one with --read-only
// refuses, and so does a context that is opened from it.
func TestLockedIsReadOnly(t *testing.T) {
	a, _ := atHome(t, "")
	b := a.Another(a.Options)
	if a.ReadOnlyBy() != "" || b.ReadOnlyBy() != "" {
		t.Fatal("read-only from the start")
	}
	a.Lock(":read-only")
	a.Lock("something else")
	for _, by := range []string{a.ReadOnlyBy(), b.ReadOnlyBy(), a.Another(a.Options).ReadOnlyBy()} {
		if by != ":read-only" {
			t.Errorf("by %q", by)
		}
	}
	_, err := a.Runner().Run(t.Context(), transport.Cmd{Script: "# anything\ntouch /tmp/x"})
	if !errors.Is(err, transport.ErrReadOnly) {
		t.Errorf("a node's gate: %v", err)
	}
}

// TestALockedSessionChangesNothing: a session that is made read-only after plans were
// made refuses every way to carry one out, and opens no editor.
func TestALockedSessionChangesNothing(t *testing.T) {
	sb, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sb.Close() }()
	if err := sb.Do(t.Context(), "declare pg-test-2 pg_weight 50"); err != nil {
		t.Fatal(err)
	}
	a, _ := atHome(t, "")
	a.Inventory = sb.InventoryPath()
	inv, err := a.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Plan(t.Context(), inv, "pg-test", nil)
	if err != nil || !p.Changed() {
		t.Fatalf("%v, something changes: %v", err, p.Changed())
	}
	do, err := a.PlanAction(t.Context(), inv, action.Request{Kind: action.Pause, Cluster: "pg-test"})
	if err != nil || do.Refused != nil {
		t.Fatal(err, do.Refused)
	}
	a.Lock(":read-only")
	if a.Can(model.CanReload) || a.Can(model.CanAct) {
		t.Error("a locked session offers a reload or an action")
	}
	if rep, err := a.Execute(t.Context(), inv, p, func(plan.StepResult) { t.Error("a step began") }); !errors.Is(err, transport.ErrReadOnly) || len(rep.Nodes) > 0 {
		t.Errorf("reload: %+v, %v", rep, err)
	}
	if rep, err := a.Act(t.Context(), inv, do, nil); rep.Outcome != action.EndRefused || err == nil || !strings.Contains(err.Error(), ":read-only makes this run read-only") {
		t.Errorf("action: %+v, %v", rep, err)
	}
	if _, err := a.Editor(t.Context(), inv, model.Place{}, source.Pos{}); !errors.Is(err, transport.ErrReadOnly) {
		t.Errorf("editor: %v", err)
	}
	again, err := a.Plan(t.Context(), inv, "pg-test", nil)
	if err != nil || !again.Changed() {
		t.Errorf("%v, the files were changed: %v", err, !again.Changed())
	}
	if h, err := a.History(t.Context(), inv); err != nil || len(h.Runs) > 0 {
		t.Errorf("%d runs are recorded, %v", len(h.Runs), err)
	}
}

// TestRefreshOfAContext: automatic overrides the rate of the whole file too.
func TestRefreshOfAContext(t *testing.T) {
	a, _ := atHome(t, "")
	for _, c := range []struct {
		name            string
		file, own, want time.Duration
	}{
		{"neither", 0, 0, 0},
		{"of the file", time.Second, 0, time.Second},
		{"its own", time.Second, 5 * time.Second, 5 * time.Second},
		{"automatic", time.Second, config.Automatic, 0},
	} {
		a.config.Refresh, a.context.Refresh = c.file, c.own
		if got := a.refresh(); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
