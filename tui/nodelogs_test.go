package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
	"pgtui/tui/page"
)

// logged are logs of a node as they come: what is there, then two lines more.
func logged(_ context.Context, _ model.Host, emit func(model.LogBatch)) error {
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	emit(model.LogBatch{
		Sources: []model.LogSource{{Unit: model.LogPatroni, From: "/pg/log/patroni/patroni.log"}, {Unit: model.LogHAProxy, From: "the journal of haproxy"},
			{Unit: model.LogPostgres, From: "/pg/log/postgres/postgresql-Mon.csv"}, {Unit: model.LogVIPManager, Err: model.ErrNoLog}},
		Lines: []model.LogLine{
			{At: at(-20), Unit: model.LogPatroni, Level: model.LogInfo, Text: "no action. I am (pg-test-1), the leader with the lock"},
			{At: at(-12), Unit: model.LogPostgres, Level: model.LogError, Text: `app@shop [812] canceling statement due to statement timeout (57014); context: SQL statement "select * from orders where customer = $1"; statement: select report($1)`},
			{At: at(-11), Unit: model.LogHAProxy, Level: model.LogWarning, Text: "Server pg-test-primary/pg-test-1 is DOWN, reason: Layer7 wrong status, code: 503"},
		},
	})
	emit(model.LogBatch{Lines: []model.LogLine{
		{At: at(-2), Unit: model.LogHAProxy, Level: model.LogError, Text: "proxy 'pg-test-primary' has no server available!"},
		{At: at(-1), Unit: model.LogPatroni, Level: model.LogInfo, Text: "promoted self to leader by acquiring session lock"},
	}})
	return nil
}

// TestLogsPage: the lines of all logs and of one, the newest first in sight, a filter,
// and a long line that is shown in full.
func TestLogsPage(t *testing.T) {
	w := newWorld()
	onBoard := func(d *fake) { d.Start, d.Logs = "pg-test", logged }
	golden(t, "logs/all", frames(t, w, func(r *rig) { r.press("L") }, onBoard))
	golden(t, "logs/one", frames(t, w, func(r *rig) { r.press("L", "tab", "tab") }, onBoard))
	golden(t, "logs/long", frames(t, w, func(r *rig) { r.press("L", "up", "up", "up") }, onBoard))
	golden(t, "logs/filtered", frames(t, w, func(r *rig) { r.press("L", "/"); r.typing("!info"); r.press("enter") }, onBoard))
	golden(t, "logs/no-match", frames(t, w, func(r *rig) { r.press("L", "/"); r.typing("xyz"); r.press("enter") }, onBoard))
	golden(t, "logs/unreached", frames(t, w, func(r *rig) { r.press("L") }, onBoard, func(d *fake) {
		d.Logs = func(_ context.Context, _ model.Host, emit func(model.LogBatch)) error {
			err := &source.Hint{Err: errors.New("10.10.10.11: ssh: connection refused: nothing was run"), Try: "check the address, ansible_host and ansible_port, and that sshd runs"}
			emit(model.LogBatch{Sources: []model.LogSource{{Unit: model.LogPatroni, Err: err}, {Unit: model.LogHAProxy, Err: err}}})
			return nil
		}
	}))
	r := newRig(t, w, 120, 40, onBoard)
	r.press("t", "j", "L", "y")
	r.want("sent to the terminal's clipboard: pgtui logs pg-test-2 -f")
}

// TestLogsAreBounded: the oldest lines go, and the cursor stays on its line or
// follows the newest.
func TestLogsAreBounded(t *testing.T) {
	var ended error
	r := newRig(t, newWorld(), 120, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Logs = func(ctx context.Context, _ model.Host, emit func(model.LogBatch)) error {
			for n := range 3 {
				var b model.LogBatch
				for i := range 4000 {
					b.Lines = append(b.Lines, model.LogLine{At: t0, Unit: model.LogPatroni, Text: fmt.Sprintf("line %d", 4000*n+i)})
				}
				emit(b)
			}
			ended = ctx.Err()
			return nil
		}
	})
	r.press("L")
	r.want("line 11999", "5000 lines")
	r.press("up")
	r.want("line 11998", "line 11999")
	r.press("g")
	r.want("line 7000")
	r.wantNot("line 6999", "line 11999")
	r.press("G")
	r.want("line 11999")
	if ended != nil {
		t.Errorf("the logs were cancelled while their page was open: %v", ended)
	}
}

// TestLogsEndWithTheirPage: what runs on the node ends when the page is left.
func TestLogsEndWithTheirPage(t *testing.T) {
	r := newRig(t, newWorld(), 120, 40, func(d *fake) {
		d.Start = "pg-test"
		d.Logs = func(ctx context.Context, _ model.Host, _ func(model.LogBatch)) error {
			return nil
		}
	})
	r.lazy = true // nothing comes: it follows
	r.press("L")
	q := r.m.waited()
	if len(q) != 1 {
		t.Fatalf("the page waits for %d", len(q))
	}
	for _, c := range []string{"?", "esc"} {
		r.press(c)
		if len(r.m.feed.logs) != 1 {
			t.Fatalf("after %s no log is read", c)
		}
	}
	l := r.m.feed.logs[q[0]]
	r.press("esc")
	select {
	case <-l.over:
	default:
		t.Error("the page was left, and its logs are read on")
	}
	if len(r.m.feed.logs) != 0 || strings.Contains(r.screen(), "following") {
		t.Error("the page is still there")
	}
}

// TestFrozenLogs: a frozen screen takes no line, the node waits meanwhile, and all come
// when it goes on.
func TestFrozenLogs(t *testing.T) {
	r := newRig(t, newWorld(), 120, 40, func(d *fake) { d.Start = "pg-test" })
	r.lazy = true
	r.press("L")
	q := r.m.waited()[0]
	line := func(text string) page.LogsMsg {
		return page.LogsMsg{Inquiry: q, Batch: model.LogBatch{Lines: []model.LogLine{{At: t0, Unit: model.LogPatroni, Text: text}}}}
	}
	r.press("space")
	r.send(page.LogsMsg{Inquiry: q, Batch: model.LogBatch{Sources: []model.LogSource{{Unit: model.LogPatroni, From: "the journal of patroni"}}}})
	r.want("following")
	r.send(line("before"))
	r.wantNot("before")
	r.press("space")
	r.want("before", "1 line")
	r.send(line("after"))
	r.want("after", "2 lines")
}
