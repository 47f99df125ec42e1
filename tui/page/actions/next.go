package actions

import (
	"strings"

	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/tui/page"
)

// follow is where a command leads: to the screen that shows what it prints, to the
// plan of an action, else it is copied.
func follow(command string, c model.ClusterName, e page.Env) page.Intent {
	if screen, on := screenOf(command, c, e); screen != "" {
		return page.Open{Screen: screen, At: page.Place{Cluster: c, Instance: on}}
	}
	if r, ok := actionOf(command, e); ok {
		return page.Goto{Page: NewPlan(r)}
	}
	return page.Yank{Text: command}
}

// whereTo says what Enter does with a command.
func whereTo(command string, c model.ClusterName, e page.Env) string {
	if screen, _ := screenOf(command, c, e); screen != "" {
		return "enter opens " + screen
	}
	if _, ok := actionOf(command, e); ok {
		return "enter plans it"
	}
	return "enter copies it"
}

// actionOf is a command as an action, where actions are offered.
func actionOf(command string, e page.Env) (action.Request, bool) {
	if !e.Acts || e.Inv == nil {
		return action.Request{}, false
	}
	r, err := action.Parse(command, e.Inv, e.Now)
	return r, err == nil
}

// screenOf is the screen that shows what a command of the cluster, or of an instance of
// it, prints, and that instance; "" for none. A command with flags prints something else.
func screenOf(command string, c model.ClusterName, e page.Env) (screen string, on model.InstanceName) {
	words := strings.Fields(command)
	if len(words) != 3 || words[0] != "pgtui" {
		return "", ""
	}
	screen = page.ScreenOf(words[1])
	if ofInstance := screen == "postgres" || screen == "pgbouncer"; ofInstance != (words[2] != string(c)) {
		return "", ""
	} else if ofInstance {
		on = model.InstanceName(words[2])
		if b := e.Board(c); b == nil || b.Cluster.Instance(on) == nil {
			return "", ""
		}
	}
	return screen, on
}
