// Package store reads what a Prometheus or a VictoriaMetrics has of a time, and
// what a VictoriaLogs has. It only reads, one bounded answer a request.
package store

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/history"
	"pgtui/source"
)

// Limits of one request.
const (
	// MaxBody is the longest answer that is read, in bytes: a day of one cluster has some 30 MB.
	MaxBody = 64 << 20
	// timeout is how long one request may take, from its begin to the end of the answer.
	timeout = 15 * time.Second
	// window is the most that one request spans; a longer time takes several.
	window = 6 * time.Hour
	// maxLines is how many log lines one request returns.
	maxLines = 50_000
	// tolerable is how far the clock of a store may differ before its times are corrected.
	tolerable = 2 * time.Second
)

// Kind is which program answers.
type Kind string

// The kinds.
const (
	Metrics Kind = "metrics" // Prometheus or VictoriaMetrics
	Logs    Kind = "logs"    // VictoriaLogs
)

// Site is one store.
type Site struct {
	Name     string // as the configuration names it, or "infra node 10.10.10.10"
	Kind     Kind
	URL      string // "http://10.10.10.10:8428", without /api; a path before it, as of a portal, is kept
	User     string // "" is no login
	Password model.Secret
	CAFile   string // "" trusts the system's and the inventory's
	// Victoria reports that the program is VictoriaMetrics, which takes two arguments
	// that Prometheus does not know.
	Victoria bool
	From     string // where it was found: "infra", "the configuration"
}

// Client queries one store. Now is the clock; it is required.
type Client struct {
	Site
	Now  func() time.Time
	http *http.Client
	err  error // why it cannot be used
	skew time.Duration
	// timeout and max are the limits; tests set others.
	timeout time.Duration
	max     int64
}

// New is a client of a store. A CA file that cannot be read fails every request.
func New(s Site, now func() time.Time) *Client {
	c := &Client{Site: s, Now: now, timeout: timeout, max: MaxBody}
	tr := &http.Transport{
		Proxy: nil, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, TLSHandshakeTimeout: 5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: 10 * time.Second, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if s.CAFile != "" && strings.HasPrefix(s.URL, "https:") {
		pem, err := os.ReadFile(s.CAFile)
		pool := x509.NewCertPool()
		switch {
		case err != nil:
			c.err = &source.Hint{Err: fmt.Errorf("%s: the CA file: %w", s.URL, err), Try: "set ca of this store in the configuration"}
		case !pool.AppendCertsFromPEM(pem):
			c.err = fmt.Errorf("%s: the CA file %s has no certificate", s.URL, text.Line(s.CAFile, 200))
		}
		tr.TLSClientConfig.RootCAs = pool
	}
	// a redirect may lead to a login page or to another host, which would get the password
	c.http = &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Skew is how far the clock of the store is ahead of this machine's; 0 within two seconds, or before an
// answer.
func (c *Client) Skew() time.Duration { return c.skew }

// Label names the store in evidence and errors.
func (c *Client) Label() string { return text.Line(c.URL, 100) }

// Samples are the raw samples of the selectors between two times, both included, in series. The
// times are this machine's: those of a store whose clock differs are corrected by what
// it differs now.
func (c *Client) Samples(ctx context.Context, selectors []string, from, to time.Time) ([]history.Series, error) {
	if c.err != nil {
		return nil, c.err
	}
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	at := map[string]int{}
	var out []history.Series
	for _, sel := range selectors {
		for a := from; a.Before(to); a = a.Add(window) {
			b := a.Add(window)
			if b.After(to) {
				b = to
			}
			series, err := c.query(ctx, fmt.Sprintf("%s[%dms]", sel, b.Sub(a).Milliseconds()+1), b.Add(c.skew))
			if err != nil {
				return nil, err
			}
			for i := range series {
				s := &series[i]
				for k := range s.Samples {
					s.Samples[k].At = s.Samples[k].At.Add(-c.skew)
				}
				key := s.Name + "\x00" + fmt.Sprint(s.Labels)
				if j, ok := at[key]; ok {
					out[j].Samples = appendNew(out[j].Samples, s.Samples)
					continue
				}
				at[key] = len(out)
				out = append(out, *s)
			}
		}
	}
	return out, nil
}

// appendNew appends the samples that are later than the last.
func appendNew(to, more []history.Sample) []history.Sample {
	for _, x := range more {
		if len(to) == 0 || x.At.After(to[len(to)-1].At) {
			to = append(to, x)
		}
	}
	return to
}

// begin compares the clocks, once.
func (c *Client) begin(ctx context.Context) error {
	_, err := c.query(ctx, "vector(1)", c.Now())
	return err
}

// answer is the form that Prometheus and VictoriaMetrics share.
type answer struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		Type   string `json:"resultType"`
		Result []struct {
			Metric map[string]string    `json:"metric"`
			Values [][2]json.RawMessage `json:"values"`
			Value  [2]json.RawMessage   `json:"value"`
		} `json:"result"`
	} `json:"data"`
}

// query is one instant query at a time of the store's clock.
func (c *Client) query(ctx context.Context, q string, at time.Time) ([]history.Series, error) {
	form := url.Values{"query": {q}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}, "timeout": {strconv.Itoa(int(c.timeout/time.Second)) + "s"}}
	if c.Victoria { // it shifts what is newer than 30 s, and caches
		form.Set("latency_offset", "1s")
		form.Set("nocache", "1")
	}
	body, code, err := c.post(ctx, "/api/v1/query", form)
	if err != nil {
		return nil, err
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil || a.Status == "" {
		return nil, c.foreign(code, body, "Prometheus and VictoriaMetrics")
	}
	if a.Status != "success" {
		return nil, fmt.Errorf("%s: it refuses the query: %s", c.Label(), text.Line(a.Error, 300))
	}
	out := make([]history.Series, 0, len(a.Data.Result))
	for _, r := range a.Data.Result {
		s := history.Series{Name: r.Metric["__name__"], Labels: r.Metric}
		if len(r.Values) == 0 && len(r.Value[0]) > 0 {
			r.Values = append(r.Values, r.Value)
		}
		for _, v := range r.Values {
			x, ok := sample(v)
			if !ok {
				return nil, fmt.Errorf("%s: a sample of %s is not in the form [seconds, \"value\"]", c.Label(), text.Line(s.Name, 100))
			}
			s.Samples = append(s.Samples, x)
		}
		out = append(out, s)
	}
	return out, nil
}

// sample reads [1764472327.001, "1"].
func sample(v [2]json.RawMessage) (history.Sample, bool) {
	sec, err := strconv.ParseFloat(string(v[0]), 64)
	var word string
	if err != nil || sec < 0 || sec > 1<<36 || json.Unmarshal(v[1], &word) != nil {
		return history.Sample{}, false
	}
	value, err := strconv.ParseFloat(word, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return history.Sample{}, false
	}
	return history.Sample{At: time.UnixMilli(int64(math.Round(sec * 1000))), Value: value}, true
}

// post sends one request and reads its answer. An error says what is wrong with the store.
func (c *Client) post(ctx context.Context, path string, form url.Values) ([]byte, int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", c.Label(), err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.User != "" {
		req.SetBasicAuth(c.User, string(c.Password))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, c.failed(ctx, err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	n, err := body.ReadFrom(io.LimitReader(resp.Body, c.max+1))
	switch {
	case err != nil:
		return nil, 0, c.failed(ctx, err)
	case n > c.max:
		return nil, 0, &source.Hint{Err: fmt.Errorf("%s: the answer is larger than %d MB: it is not read", c.Label(), c.max>>20), Try: "a shorter time: --since and --until"}
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return nil, 0, &source.Hint{Err: fmt.Errorf("%s: it refuses the login of %s (HTTP %d)", c.Label(), c.login(), resp.StatusCode), Try: "set user and password-file of this store in the configuration: pgtui config init"}
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		if c.skew = date.Add(500 * time.Millisecond).Sub(c.Now()); c.skew.Abs() < tolerable {
			c.skew = 0
		}
		c.skew = c.skew.Round(time.Second)
	}
	if resp.StatusCode >= 500 || resp.StatusCode >= 300 && resp.StatusCode < 400 || resp.StatusCode == http.StatusNotFound {
		return nil, 0, c.foreign(resp.StatusCode, body.Bytes(), "the store")
	}
	return body.Bytes(), resp.StatusCode, nil
}

func (c *Client) login() string {
	if c.User == "" {
		return "no user"
	}
	return text.Line(c.User, 60)
}

// failed is why no answer came, in words.
func (c *Client) failed(ctx context.Context, err error) error {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%s: no complete answer within %s", c.Label(), c.timeout)
	case ctx.Err() != nil:
		return source.Ended(ctx)
	case errors.As(err, &dns):
		return fmt.Errorf("%s: the name %s is unknown", c.Label(), text.Line(dns.Name, 100))
	case errors.As(err, &unknown):
		return &source.Hint{Err: fmt.Errorf("%s: its certificate is signed by an unknown authority", c.Label()), Try: "set ca of this store in the configuration"}
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return &source.Hint{Err: fmt.Errorf("%s: it does not answer: %s", c.Label(), text.Line(op.Err.Error(), 200)), Try: "pgtui components"}
	}
	var u *url.Error
	if errors.As(err, &u) { // its text has the address again
		err = u.Err
	}
	return fmt.Errorf("%s: the answer broke: %s", c.Label(), text.Line(err.Error(), 200))
}

// foreign is the error of an answer that is not the expected program's.
func (c *Client) foreign(code int, body []byte, expected string) error {
	return fmt.Errorf("%s: the answer is not in the form of %s: HTTP %d, %q", c.Label(), expected, code, text.Line(string(body[:min(len(body), 400)]), 80))
}

// Line is one line of a log that VictoriaLogs has.
type Line struct {
	At              time.Time
	Text            string
	Job, Host, Unit string // "patroni"; the address of the node; "haproxy.service"
	Instance        model.InstanceName
}

// Lines are the lines of HAProxy, Patroni and vip-manager of these nodes between two times, oldest
// first. More than maxLines is an error: part of them would look like all.
func (c *Client) Lines(ctx context.Context, hosts []model.Host, from, to time.Time) ([]Line, error) {
	if c.err != nil {
		return nil, c.err
	}
	quoted := make([]string, len(hosts))
	for i, h := range hosts {
		quoted[i] = strconv.Quote(string(h))
	}
	form := url.Values{
		"query": {fmt.Sprintf(`ip:in(%s) (job:patroni OR unit:haproxy* OR app:haproxy OR unit:vip-manager* OR app:vip-manager)`, strings.Join(quoted, ","))},
		"start": {from.UTC().Format(time.RFC3339Nano)}, "end": {to.UTC().Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(maxLines + 1)},
	}
	body, code, err := c.post(ctx, "/select/logsql/query", form)
	if err != nil {
		return nil, err
	}
	if code != http.StatusOK {
		return nil, c.foreign(code, body, "VictoriaLogs")
	}
	var out []Line
	for row := range bytes.Lines(body) {
		if row = bytes.TrimSpace(row); len(row) == 0 {
			continue
		}
		var e map[string]any
		if json.Unmarshal(row, &e) != nil {
			return nil, c.foreign(code, body, "VictoriaLogs")
		}
		word := func(names ...string) string {
			for _, n := range names {
				if s, ok := e[n].(string); ok && s != "" {
					return s
				}
			}
			return ""
		}
		at, err := time.Parse(time.RFC3339Nano, word("_time"))
		if err != nil {
			return nil, fmt.Errorf("%s: a line has no _time in RFC 3339: %q", c.Label(), text.Line(string(row), 80))
		}
		out = append(out, Line{At: at, Text: word("_msg", "message"), Job: word("job"), Host: word("ip"), Unit: word("unit", "app"), Instance: model.InstanceName(word("ins"))})
	}
	if len(out) > maxLines {
		return nil, &source.Hint{Err: fmt.Errorf("%s: more than %d lines of that time: they are not read", c.Label(), maxLines), Try: "a shorter time: --since and --until"}
	}
	slices.SortStableFunc(out, func(a, b Line) int { return a.At.Compare(b.At) })
	return out, nil
}
