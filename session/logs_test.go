package session

import (
	"slices"
	"testing"
	"time"

	"pgtui/model"
)

// TestLogsAreMerged: lines of several logs are in the order of their times, the first
// batch has the newest, and a line without a time stays behind the one before it.
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
	if want := []string{"h2", "h3", "p4", "|", "p8", "h9", "|"}; !slices.Equal(texts, want) {
		t.Errorf("got %q, expected %q", texts, want)
	}
	if len(batches[0].Sources) != 2 || len(batches[1].Sources) != 0 {
		t.Errorf("the sources are %+v", batches)
	}
}
