package tui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/plan/action"
	"pgtui/source"
	"pgtui/tui/page"
)

// saving makes a console with a configuration, and keeps what is saved.
func saving(into *[]page.Setting) func(*fake) {
	return func(d *fake) {
		d.Themes = []string{"terminal", "dark", "light", "none"}
		d.ConfigFile = "/home/dba/.config/pgtui/config.yml"
		d.SaveSettings = func(changed []page.Setting) (string, error) {
			*into = append(*into, changed...)
			return d.ConfigFile, nil
		}
	}
}

func TestSettingsFrames(t *testing.T) {
	var saved []page.Setting
	open := func(r *rig) { r.press(",") }
	golden(t, "settings/as-they-are", frames(t, newWorld(), open, saving(&saved)))
	golden(t, "settings/changed", frames(t, newWorld(), func(r *rig) { open(r); r.press("enter", "j", "j", "enter") }, saving(&saved)))
}

// TestSettingsAreTriedAtOnce, each, and what has changed is saved: those alone, the
// columns of a page as one list.
func TestSettingsAreTriedAtOnce(t *testing.T) {
	var saved []page.Setting
	r := newRig(t, newWorld(), 100, 50, saving(&saved))
	plain := r.m.View().Content
	r.press(",", "s")
	r.want("no changes to save")
	before := r.m.View().Content
	r.press("enter") // theme: dark
	if r.m.look.Name != "dark" || r.m.View().Content == before {
		t.Errorf("the theme is %q", r.m.look.Name)
	}
	r.press("j", "j", "enter") // past read-only
	if got := r.m.every().String(); got != "500ms" {
		t.Errorf("probed every %s", got)
	}
	r.press("j", "enter", "j", "enter")
	if !r.m.noMouse || !r.m.ago {
		t.Errorf("mouse off: %v, ago: %v", r.m.noMouse, r.m.ago)
	}
	for range 20 { // to the column
		r.press("j")
		if strings.Contains(rowUnder(r), "fleet · leader") {
			r.press("enter")
			break
		}
	}
	r.want("* has changed: s saves to /home/dba/.config/pgtui/config.yml")
	r.press("s")
	r.want("saved to /home/dba/.config/pgtui/config.yml: theme, refresh, mouse, times, columns of fleet")
	var got []string
	for _, s := range saved {
		got = append(got, strings.Join(s.Path, ".")+"="+s.Value)
	}
	text := strings.Join(got, " ")
	if !strings.HasPrefix(text, "theme=dark refresh=") || !strings.Contains(text, " mouse=false times=ago columns.fleet=[\"cluster\", ") || strings.Contains(text, `"leader"`) {
		t.Error(text)
	}
	r.press("s")
	r.want("no changes to save")
	r.press("1")
	r.wantNot("LEADER")
	if r.m.View().Content == plain {
		t.Error("the fleet looks as before")
	}
}

// TestRefreshRates: the configured rate, which + and - do not have, stays a choice, and
// so does automatic.
func TestRefreshRates(t *testing.T) {
	var saved []page.Setting
	r := newRig(t, newWorld(), 120, 30, saving(&saved), func(d *fake) { d.Every = 1500 * time.Millisecond })
	r.press(",", "j", "j")
	for _, c := range []struct{ key, want string }{{"left", "1s"}, {"right", "1.5s"}, {"right", "2s"}, {"left", "1.5s"}, {"left", "1s"}, {"left", "500ms"}, {"left", "automatic"}} {
		r.press(c.key)
		if row := rowUnder(r); !strings.Contains(row, "refresh            "+c.want+" ") {
			t.Errorf("expected %s in %q", c.want, row)
		}
	}
	if got := r.m.every(); got != quickest {
		t.Errorf("automatic is %s", got)
	}
	r.press("s")
	if len(saved) != 1 || saved[0].Value != "automatic" {
		t.Errorf("saved %v", saved)
	}
}

// TestWhatIsNotSaved has no mark: what is read-only now cannot be saved, and what has
// changed since the save began was not.
func TestWhatIsNotSaved(t *testing.T) {
	var kept []page.Setting
	r := newRig(t, newWorld(), 120, 30, saving(&kept))
	r.press(",", "enter")
	save := r.m.save()
	r.press("j", "j", "j", "enter")
	r.drain(save)
	r.want("true       true, false", "* has changed: s saves to")
	if got := r.m.changed(); len(got) != 1 || got[0].Name != "mouse" {
		t.Errorf("changed %v", got)
	}
	r.press("s", "k", "k", "enter")
	r.want("settings are not saved: the console is read-only by :read-only")
	r.wantNot(" *", "s saves to")
}

// TestAThemeNeedsTheBackground: the one without colours does not, and the next one
// requests it once.
func TestAThemeNeedsTheBackground(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Themes, d.Theme = []string{"terminal", "none"}, "none" })
	r.lazy = true
	r.send(tea.ColorProfileMsg{Profile: colorprofile.TrueColor})
	if r.m.set("theme", "terminal") == nil {
		t.Error("the background is not requested")
	}
	if r.m.set("theme", "terminal") != nil {
		t.Error("the background is requested twice")
	}
}

// rowUnder is the line of the cursor.
func rowUnder(r *rig) string {
	for _, l := range strings.Split(r.screen(), "\n") {
		if strings.HasPrefix(l, "▸") {
			return l
		}
	}
	return ""
}

// TestAThemeByItsName: the palette lists the themes, and one that is chosen is drawn
// at once.
func TestAThemeByItsName(t *testing.T) {
	var saved []page.Setting
	r := newRig(t, newWorld(), 100, 30, saving(&saved))
	r.press(":")
	r.typing("theme li")
	r.want("theme light")
	r.press("enter")
	if r.m.look.Name != "light" || len(saved) > 0 {
		t.Errorf("theme %q, saved %v", r.m.look.Name, saved)
	}
}

// TestASaveThatFails says why, and what to do.
func TestASaveThatFails(t *testing.T) {
	var saved []page.Setting
	r := newRig(t, newWorld(), 160, 30, saving(&saved), func(d *fake) {
		d.SaveSettings = func([]page.Setting) (string, error) {
			return "", &source.Hint{Err: errors.New("config.yml: theme: it has to be edited by hand"), Try: "write theme: dark into it"}
		}
	})
	r.press(",", "enter", "s")
	r.want("not saved: config.yml: theme: it has to be edited by hand · try: write theme: dark into it", "* has changed")
}

// TestReadOnlyFromInside: `:read-only` closes every way to change something, from the
// page that is open on, and nothing opens them again.
func TestReadOnlyFromInside(t *testing.T) {
	var saved []page.Setting
	ran, acted := 0, 0
	w := newWorld()
	r := newRig(t, w, 120, 30, saving(&saved), func(d *fake) {
		d.Start = "pg-test"
		d.Commands = []model.Command{{Name: "vacuum", Key: "ctrl+t", Argv: []string{"vacuumdb"}}}
		d.Execute = func(context.Context, *model.Inventory, plan.Plan, func(plan.StepResult)) (plan.Report, error) {
			ran++
			return plan.Report{}, nil
		}
		d.Act = func(context.Context, *model.Inventory, action.Plan, func(action.Event)) (action.Report, error) {
			acted++
			return action.Report{}, nil
		}
	})
	r.press("r")
	r.want("Review the changes")
	r.press(":")
	r.typing("read-only")
	r.press("enter")
	r.want("the console is read-only until pgtui is restarted", "READ-ONLY by :read-only")
	r.press("r", "enter")
	if r.m.dialog != nil {
		t.Error("a reload can be confirmed")
	}
	r.drain(r.m.perform(page.Execute{Plan: page.PlanMsg{Cluster: "pg-test", Inv: w.inv, Plan: planOf(w, "pg-test")}}))
	r.drain(r.m.perform(page.Act{Plan: page.ActionPlan{Inv: w.inv, Plan: action.Plan{Request: action.Request{Kind: action.Pause, Cluster: "pg-test"}}}}))
	if ran+acted > 0 || r.m.run != nil {
		t.Errorf("%d reloads, %d actions", ran, acted)
	}
	r.press("ctrl+t")
	r.want("no vacuum: this console is read-only")
	r.press(":")
	r.typing("settings")
	r.press("enter", "enter", "s")
	r.want("settings are not saved: the console is read-only by :read-only")
	if len(saved) > 0 {
		t.Errorf("saved %v", saved)
	}
	r.press(":")
	r.typing("read-only")
	r.press("enter")
	r.want("the console is read-only already, by :read-only")
	r.drain(r.m.switched(contextMsg{name: "lab", deps: deps(newWorld()).deps()}))
	r.want("READ-ONLY by :read-only")
}

// TestReadOnlyByTheSettings: three keys from any page.
func TestReadOnlyByTheSettings(t *testing.T) {
	var saved []page.Setting
	r := newRig(t, newWorld(), 80, 24, saving(&saved), func(d *fake) { d.Start = "pg-test" })
	r.press("i", ",", "j", "enter")
	r.want("the console is read-only until pgtui is restarted", "READ-ONLY by :read-only")
	if r.m.deps.ReadOnly == "" {
		t.Error("the console is not read-only")
	}
}

// TestARunIsNotLockedOut: a reload that is under way keeps its gate open.
func TestARunIsNotLockedOut(t *testing.T) {
	r := newRig(t, newWorld(), 120, 30)
	r.m.run = &activeRun{running: reloadRunning}
	r.m.lock()
	if r.m.locked || r.m.deps.ReadOnly != "" {
		t.Error("it is locked")
	}
	r.want(reloadRunning)
}
