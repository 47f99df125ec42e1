package tui

import (
	"testing"

	"pgtui/model"
)

// esc leads back to the page that one came from, whichever key left it.
func TestEscLeadsBackToThePageOneCameFrom(t *testing.T) {
	for _, tt := range []struct {
		keys []string
		want string
	}{
		{[]string{"f", "L"}, "fleet › findings"},
		{[]string{"enter", "f", "L"}, "fleet › pg-test › findings"},
		{[]string{"enter", "t", "L"}, "fleet › pg-test › topology"},
		{[]string{"enter", "3", "p"}, "fleet › pg-test › topology"},
		{[]string{"enter", "3", "p", "L"}, "fleet › pg-test › postgres pg-test-1"},
		{[]string{"enter", "3", "p", "esc", "esc"}, "fleet"},
		{[]string{"enter", "6", "7", "1", "enter", "f"}, "fleet › pg-test"},
	} {
		r := newRig(t, newWorld(), 100, 30)
		r.press("1", "/")
		r.typing("pg-test")
		r.press("enter")
		r.press(tt.keys...)
		r.press("esc")
		if got := r.path(); got != tt.want {
			t.Errorf("%v, esc: %q, want %q", tt.keys, got, tt.want)
		}
	}
}

// A message about a page goes with it.
func TestAMessageDoesNotFollowToTheNextPage(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	for _, key := range []string{"y", "Z"} {
		r.press(key)
		if r.m.toast.text == "" {
			t.Fatalf("%s says nothing", key)
		}
		if r.press("6"); r.m.toast.text != "" {
			t.Errorf("%s, 6: %q", key, r.m.toast.text)
		}
		r.press("esc")
	}
}

// The logs that are wanted of a broken cluster are those of the broken instance.
func TestLogsAreOfTheInstanceThatAFindingNames(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("L")
	r.want("logs of pg-test-1")
	r.press("esc")
	b := r.m.boards
	for i := range b {
		if b[i].Cluster.Name == "pg-test" {
			b[i].Causes = []model.Cause{{Finding: model.Finding{Code: "x"}}, {Finding: model.Finding{Code: "y", Instance: "pg-test-3"}}}
		}
	}
	r.press("f", "esc", "L")
	r.want("logs of pg-test-3")
}

// The settings open on every page that has a key for them.
func TestSettingsOpenOnTheDiff(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(d *fake) { d.Start = "pg-test" })
	r.press("d", ",")
	r.want("SETTINGS")
}
