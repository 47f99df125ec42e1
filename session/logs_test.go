package session

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgtui/model"
)

// TestLogsAreMerged: lines of several logs are in the order of their times. Those of
// logs that are not followed are one batch with the newest lines.
func TestLogsAreMerged(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1767585600+int64(s), 0) }
	line := func(u model.LogUnit, s int, text string) model.LogLine {
		return model.LogLine{At: at(s), Unit: u, Text: text}
	}
	news := make(chan any)
	var batches []model.LogBatch
	got := make(chan struct{}, 9)
	m := merger{waits: map[model.LogUnit]bool{model.LogPatroni: true, model.LogHAProxy: true}, keep: 3, follow: true, emit: func(b model.LogBatch) {
		batches = append(batches, b)
		got <- struct{}{}
	}}
	ended := make(chan struct{})
	go func() { m.run(news); close(ended) }()
	for _, x := range []any{
		model.LogSource{Unit: model.LogPatroni}, line(model.LogPatroni, 1, "p1"), line(model.LogPatroni, 4, "p4"),
		model.LogSource{Unit: model.LogHAProxy}, line(model.LogHAProxy, 2, "h2"), line(model.LogHAProxy, 3, "h3"),
	} {
		news <- x
	}
	<-got
	news <- line(model.LogHAProxy, 9, "h9")
	news <- line(model.LogPatroni, 8, "p8")
	<-got
	close(news)
	<-ended
	var texts []string
	for _, b := range batches {
		for _, l := range b.Lines {
			texts = append(texts, l.Text)
		}
		texts = append(texts, "|")
	}
	if want := []string{"p1", "h2", "h3", "p4", "|", "p8", "h9", "|"}; !slices.Equal(texts, want) {
		t.Errorf("got %q, expected %q", texts, want)
	}
	once := make(chan any, 9)
	for i, text := range []string{"a", "b", "c", "d"} {
		once <- line(model.LogPatroni, 9-i, text)
	}
	close(once)
	m = merger{waits: map[model.LogUnit]bool{}, keep: 3, emit: func(b model.LogBatch) {
		if len(b.Lines) != 3 || b.Lines[0].Text != "c" || b.Lines[2].Text != "a" {
			t.Errorf("not followed: %+v", b.Lines)
		}
	}}
	m.run(once)
	if len(batches[0].Sources) != 2 || len(batches[1].Sources) != 0 {
		t.Errorf("the sources are %+v", batches)
	}
}

// TestALogThatIsLate does not hold up the others for longer than the first wait, even
// when none had begun by then.
func TestALogThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		news := make(chan any)
		var got []model.LogBatch
		m := merger{waits: map[model.LogUnit]bool{model.LogPatroni: true, model.LogHAProxy: true}, follow: true, emit: func(b model.LogBatch) { got = append(got, b) }}
		go m.run(news)
		time.Sleep(firstBatch + time.Second)
		news <- model.LogSource{Unit: model.LogPatroni}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(got) != 1 {
			t.Errorf("%d batches", len(got))
		}
		close(news)
	})
}
