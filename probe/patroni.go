package probe

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/patroni"
)

// patroniAPI is the REST API of one instance.
type patroniAPI struct {
	*asker
	addr string
	tls  bool
}

// status requests GET /patroni.
func (p patroniAPI) status(ctx context.Context) (model.PatroniStatus, error) {
	asked := p.now()
	st, date, err := document(ctx, p, "/patroni", patroni.ParseStatus)
	st.Skew = skew(date, asked, p.now())
	return st, err
}

// maxSkew is how far a clock may be from this machine's before that is reported: an
// HTTP date has no fractions of a second.
const maxSkew = 3 * time.Second

// skew is how far a clock that reported date between request and answer is ahead,
// in whole seconds; 0 when it is not beyond doubt.
func skew(date, asked, answered time.Time) time.Duration {
	if date.IsZero() || !date.Before(asked.Add(-maxSkew)) && !date.After(answered.Add(maxSkew)) {
		return 0
	}
	return date.Sub(answered).Round(time.Second)
}

// cluster requests GET /cluster, which reads the DCS: with the DCS down it hangs
// while the rest of the API answers.
func (p patroniAPI) cluster(ctx context.Context) (model.PatroniCluster, error) {
	c, _, err := document(ctx, p, "/cluster", patroni.ParseCluster)
	return c, err
}

// check sends the request of HAProxy's check, and returns the HTTP status.
func (p patroniAPI) check(ctx context.Context, path string) (int, error) {
	resp, err := p.ask(ctx, request{method: "OPTIONS", tls: p.tls, addr: p.addr, path: path})
	if err != nil {
		return 0, fmt.Errorf("patroni: OPTIONS %s: %w", text.Line(path, 60), err)
	}
	return resp.code, nil
}

// document requests a JSON document; date is the node's clock when it answered.
func document[T any](ctx context.Context, p patroniAPI, path string, parse func([]byte) (T, error)) (v T, date time.Time, err error) {
	resp, err := p.ask(ctx, request{method: "GET", tls: p.tls, addr: p.addr, path: path, limit: maxBody})
	if err != nil {
		return v, date, fmt.Errorf("patroni: GET %s: %w", path, err)
	}
	defer p.done(resp) // what is parsed is copied
	if resp.code == http.StatusBadRequest && !p.tls && p.speaksTLS(ctx, p.addr) {
		return v, date, fmt.Errorf("patroni: GET %s: %w", path, errWantsTLS)
	}
	if resp.code == http.StatusNotFound {
		return v, date, fmt.Errorf("patroni: GET %s: HTTP 404: something other than Patroni answers at %s", path, p.addr)
	}
	if resp.code != http.StatusOK {
		return v, date, fmt.Errorf("patroni: GET %s: HTTP %d", path, resp.code)
	}
	parsed, err := parse(resp.body)
	if err != nil {
		return v, date, fmt.Errorf("patroni: GET %s: %w", path, err)
	}
	return parsed, resp.date, nil
}
