package tui

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
	"pgtui/tui/widget"
)

// inChinese runs what do does in Chinese.
func inChinese(do func()) {
	lang.Use(lang.Chinese)
	defer lang.Use(lang.English)
	do()
}

// chinesePages are the pages whose Chinese frames are held, by the keys that lead there from
// the board.
func chinesePages() map[string][]string {
	return map[string][]string{"fleet": {"esc"}, "board": {}, "service": {"j", "enter"}, "findings": {"f"}, "whatif": {"w"}, "topology": {"t", "j"},
		"instance": {"i"}, "node": {"n", "j"}, "events": {"e"}, "confirm": {"r", "r"}, "actions": {"x"}, "access": {"a"}, "components": {"c"}, "help": {"?"}}
}

// TestChineseFrames holds every page in Chinese: nothing but names and the programs' own words
// is in English, and no line is wider than the screen.
func TestChineseFrames(t *testing.T) {
	for _, s := range situations() {
		if s.name != "healthy" && s.name != "failing" && s.name != "drift" {
			continue
		}
		for name, steps := range chinesePages() {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				inChinese(func() {
					got := frames(t, s.w, func(r *rig) { r.press(steps...) }, func(d *fake) { d.Start = "pg-test" })
					golden(t, "zh/"+name+"/"+s.name, got)
					left(t, got)
				})
			})
		}
	}
}

// left reports the English that is left on a Chinese screen.
func left(t *testing.T, screen string) {
	t.Helper()
	for _, l := range strings.Split(screen, "\n") {
		for _, run := range english.FindAllString(text.Clean(l), -1) {
			if len(strings.Fields(run)) > 2 && !kept.MatchString(run) {
				t.Errorf("English is left: %q in %q", run, strings.TrimSpace(l))
			}
		}
		if w := widget.Width(l); w > 200 {
			t.Errorf("%d cells: %q", w, l)
		}
	}
}

var (
	// english is a run of words; names of instances, addresses and times are none.
	english = regexp.MustCompile(`(?:\b[A-Za-z]{2,}\b[,:;]? ){2,}[A-Za-z]{2,}\b`)
	// kept is what stays: commands, and the words of Patroni, HAProxy and PostgreSQL.
	kept = regexp.MustCompile(`pgtui|patroni reload|patronictl|systemctl|pg_|curl|ssh|sudo|show servers state|option httpchk`)
)

// TestDataIsNotTranslated: what reads like a word or a sentence of pgtui, but was written by
// a person or a program, is on a Chinese screen as it is.
func TestDataIsNotTranslated(t *testing.T) {
	const word, sentence = "mismatch", "the selector does not select it"
	inChinese(func() {
		for _, s := range []string{word, sentence} {
			if lang.Text(s) == s {
				t.Fatalf("%q is no text of pgtui", s)
			}
		}
	})
	w := newWorld()
	w.add(word, "10.10.30.", 1, model.RolePrimary, model.RoleReplica, model.RoleReplica)
	w.observe()
	answers := func(d *fake) {
		d.Start = word
		d.Logs = func(_ context.Context, _ model.Host, emit func(model.LogBatch)) error {
			emit(model.LogBatch{Sources: []model.LogSource{{Unit: model.LogPatroni}}, Lines: []model.LogLine{{At: t0, Unit: model.LogPatroni, Level: model.LogInfo, Text: sentence},
				{At: t0, Unit: model.LogPatroni, Level: model.LogInfo, Text: sentence + strings.Repeat(", "+sentence, 9)}}})
			return nil
		}
		d.Pooler = func(context.Context, *model.Inventory, model.InstanceName) (model.PoolReport, error) {
			r := pools("pg-test-2")
			r.Databases[0].Name, r.Databases[1].Name = word, word
			for i := range r.Pools {
				r.Pools[i].Database, r.Pools[i].User = word, word
			}
			for i := range r.WaitingClients {
				r.WaitingClients[i].Database, r.WaitingClients[i].User, r.WaitingClients[i].Application = word, word, sentence
			}
			return r, nil
		}
		d.Activity = func(context.Context, *model.Inventory, model.InstanceName, bool) (model.ServerReport, error) {
			r := sessions()
			for i := range r.Backends {
				b := &r.Backends[i]
				b.User, b.Database, b.Application, b.Text, b.Verb = word, word, word, sentence, word
			}
			for i := range r.Slots {
				r.Slots[i].Name = word
			}
			return r, nil
		}
		d.Components = func(_ context.Context, inv *model.Inventory, _ model.ClusterName) ([]model.ComponentRow, error) {
			return []model.ComponentRow{{Component: model.Component{Name: word, Module: word, Host: "10.10.30.1"}}}, nil
		}
		origins := d.Origins
		d.Origins = func(ctx context.Context, inv *model.Inventory, c model.ClusterName) (source.Origins, error) {
			o, err := origins(ctx, inv, c)
			for i := range o.Rows {
				o.Rows[i].Variable, o.Rows[i].Value, o.Rows[i].Text = word, sentence, []string{sentence, "- " + sentence}
			}
			return o, err
		}
		d.Ran = func() []model.Ran {
			return []model.Ran{{At: t0, Node: word, Argv: []string{sentence}, Exit: 1, Script: sentence + "\n" + word}}
		}
		d.History = func() (plan.History, error) {
			return plan.History{File: word, Runs: []plan.Run{{Began: t0, Record: plan.Record{Run: "1", Action: word, Cluster: word, Plan: word, Who: plan.Operator{User: word}, Outcome: plan.RunApplied, Accepted: []string{word}, Instance: word}}}}, nil
		}
		d.Commands = []model.Command{{Name: word, Key: "ctrl+t", Help: sentence, Argv: []string{"echo", sentence}, Confirm: true, ReadOnly: true}}
		d.File = func(*model.Inventory, *model.Service) string { return sentence + "\n" + word }
		d.Summary = nil
	}
	// Names in sentences that other packages make as a whole are translated with them.
	told := map[string]int{"components": 1, "pgbouncer": 1, "postgres": 2, "value": 4}
	for name, steps := range map[string][]string{
		"fleet": {"esc"}, "board": {}, "filtered": {"/", "m", "i", "s", "enter"}, "service": {"enter"}, "instance": {"i"}, "node": {"n"}, "topology": {"t"}, "what if": {"w"}, "what if it is down": {"w", "enter"},
		"access": {"a"}, "components": {"c"}, "trace": {"T"}, "logs": {"L"}, "logs filtered": {"L", "/", sentence, "enter"}, "pgbouncer": {"b"}, "postgres": {"p"},
		"inventory": {"v"}, "value": {"v", "enter"}, "candidates": {"C"}, "actions": {"x"}, "changes": {"0", "enter"}, "commands": {"0", "tab", "enter"},
		"palette": {":", word}, "palette of a command": {":", "mism"}, "filter": {"/", sentence}, "question": {"ctrl+t"}, "reload": {"r"}, "reload's question": {"r", "r"},
	} {
		screen := func() string {
			r := newRig(t, w, 200, 70, answers)
			r.fire(false)
			for _, s := range steps {
				if len(s) > 6 || s == "mism" {
					r.typing(s)
				} else {
					r.press(s)
				}
			}
			return r.screen()
		}
		en, zh := screen(), ""
		inChinese(func() { zh = screen() })
		if a, b := strings.Count(en, word)-told[name], strings.Count(zh, word); a != b {
			t.Errorf("%s: %q is there %d times, in Chinese %d times\n%s", name, word, a, b, zh)
		}
		if a, b := strings.Count(en, sentence), strings.Count(zh, sentence); a != b {
			t.Errorf("%s: %q is there %d times, in Chinese %d times\n%s", name, sentence, a, b, zh)
		}
		if !strings.Contains(en, word) && !strings.Contains(en, sentence) {
			t.Errorf("%s shows neither\n%s", name, en)
		}
	}
}
