package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// framesASecond is how often Bubble Tea looks for changes to write. A key waits
// 13 ms at most for its frame; each look costs a console at rest some 0.1 ms of
// a core.
const framesASecond = 75

// frameEvery is the least time between two frames without a key.
const frameEvery = time.Second / framesASecond

// frameMsg says that the frame that was put off may be drawn.
type frameMsg struct{}

// cache is the root model with the last frame that it drew. Bubble Tea calls
// View after every message: what a burst of them changes is drawn once, and a
// key is drawn at once.
type cache struct {
	Model
	view  tea.View
	drawn time.Time // when the view was drawn
	stale bool      // the model has changed since
	wait  bool      // the next frame waits for a frameMsg
	due   bool      // a frameMsg is on its way
}

// Update passes the message on and decides when the screen is drawn again.
func (c *cache) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(frameMsg); ok {
		c.due, c.wait = false, false
		return c, nil
	}
	next, cmd := c.Model.Update(msg)
	c.Model, c.stale = next.(Model), true
	_, key := msg.(tea.KeyPressMsg)
	c.wait = !key && c.now.Sub(c.drawn) < frameEvery
	if !c.wait || c.due {
		return c, cmd
	}
	c.due = true
	return c, tea.Batch(cmd, c.feed.after(frameEvery, frameMsg{}))
}

// View is the last frame, drawn again when it is out of date and not put off.
func (c *cache) View() tea.View {
	if c.stale && !c.wait {
		c.view, c.drawn, c.stale = c.Model.View(), c.now, false
	}
	return c.view
}
