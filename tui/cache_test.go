package tui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// TestABurstIsDrawnOnce: what comes between two frames is drawn with the next
// one, a key at once.
func TestABurstIsDrawnOnce(t *testing.T) {
	r := newRig(t, newWorld(), 80, 24)
	c := &cache{Model: r.m}
	send := func(msg tea.Msg) string {
		_, _ = c.Update(msg)
		return c.View().Content
	}
	first := send(tea.WindowSizeMsg{Width: 80, Height: 24})
	if first == "" {
		t.Fatal("the first frame is empty")
	}
	r.now = t0.Add(frameEvery / 2)
	if got := send(tea.WindowSizeMsg{Width: 40, Height: 10}); got != first {
		t.Error("a frame was drawn within a frame's time of the previous log")
	}
	if !c.due {
		t.Fatal("nothing draws what was put off")
	}
	small := send(frameMsg{})
	if small == first {
		t.Error("what was put off is not drawn")
	}
	if got := send(frameMsg{}); got != small {
		t.Error("the frame changed although nothing has come")
	}
	if got := send(keyOf("?")); got == small {
		t.Error("a key is not drawn at once")
	}
	r.now = t0.Add(time.Second)
	if got := send(tea.WindowSizeMsg{Width: 80, Height: 24}); got == small || c.wait {
		t.Error("after a frame's time a message is put off")
	}
}
