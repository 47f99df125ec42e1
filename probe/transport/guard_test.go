package transport

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
)

type recorder struct{ ran []string }

func (r *recorder) Run(_ context.Context, c Cmd) (Output, error) {
	r.ran = append(r.ran, c.Script)
	return Output{Exit: 3}, nil
}

func TestGuardLetsOnlyReadsThrough(t *testing.T) {
	var log []model.Ran
	r := &recorder{}
	g := &Guard{Runner: r, ReadOnly: "--read-only", Now: func() time.Time { return time.Unix(1, 0) }, Ran: func(x model.Ran) { log = append(log, x) }}
	out, err := g.Run(context.Background(), Cmd{Script: "# look at the files\nls", Reads: true, Args: []string{"/etc"}})
	if err != nil || out.Exit != 3 {
		t.Fatalf("a read: %v, %v", out, err)
	}
	_, err = g.Run(context.Background(), Cmd{Script: "rm x"})
	if !errors.Is(err, ErrReadOnly) || !errors.Is(err, ErrNotStarted) || !strings.Contains(err.Error(), "--read-only") || source.TryOf(err) == "" {
		t.Errorf("a change: %v", err)
	}
	if len(r.ran) != 1 || !strings.Contains(r.ran[0], "ls") {
		t.Errorf("ran %q", r.ran)
	}
	if len(log) != 2 || strings.Join(log[0].Argv, " ") != "sh -c look at the files /etc" || !strings.Contains(log[0].Script, "# look at the files") || log[0].Exit != 3 || log[1].Err == nil {
		t.Errorf("log %+v", log)
	}
	g.ReadOnly = ""
	if _, err := g.Run(context.Background(), Cmd{Script: "rm x"}); err != nil || len(r.ran) != 2 {
		t.Errorf("a change that is allowed: %v", err)
	}
}
