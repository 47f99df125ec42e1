package tui

import (
	"errors"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/model/board"
)

func TestWhatIsJudgedIsRecorded(t *testing.T) {
	moments := 0
	var marked []string
	r := newRig(t, newWorld(), 100, 30, func(f *fake) {
		f.Recorded = func(at time.Time, snap *model.Snapshot, _ []board.Event) {
			if at.IsZero() || snap == nil {
				t.Error("a moment without an observation")
			}
			moments++
		}
		f.Mark = func(c model.ClusterName, what string) error {
			marked = append(marked, string(c)+" "+what)
			return nil
		}
	})
	if moments != 1 {
		t.Errorf("%d moments of one snapshot", moments)
	}
	r.press("j", "enter", "M")
	r.want("mark 1 is set in the recording")
	r.press("M")
	if len(marked) != 2 || marked[1] != "pg-test mark 2" {
		t.Errorf("%q", marked)
	}
}

func TestNothingIsRecorded(t *testing.T) {
	r := newRig(t, newWorld(), 100, 30, func(f *fake) {
		f.Unrecorded = "no recording is written: read-only by --read-only"
		f.Mark = func(model.ClusterName, string) error { return errors.New(f.Unrecorded) }
	})
	r.want("no recording is written: read-only by --read-only")
	r.press("M")
	r.want("no mark was set: no recording is written")
}
