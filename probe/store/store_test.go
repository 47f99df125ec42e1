package store

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"encoding/pem"

	"pgtui/internal/storetest"
	"pgtui/model"
	"pgtui/source"
)

// began is the time that the series are about.
var began = time.Now().Add(-2 * time.Hour).Truncate(time.Second)

// stored are an UP that ends after 60 s, by one HAProxy that is scraped at the seconds 1, 11, 21 ….
func stored() []storetest.Series {
	s := func(state string, up bool) storetest.Series {
		x := storetest.Series{Labels: map[string]string{"__name__": "haproxy_server_status", "job": "node", "instance": "10.0.0.1:9101", "proxy": "pg-test-primary", "server": "pg-test-1", "state": state}}
		for sec := 1; sec < 120; sec += 10 {
			v := 0.0
			if (sec < 60) == up {
				v = 1
			}
			x.At, x.Values = append(x.At, began.UnixMilli()+int64(sec)*1000), append(x.Values, v)
		}
		return x
	}
	return []storetest.Series{s("UP", true), s("DOWN", false)}
}

// TestRealStores: both engines return each sample at its own second, and none twice where a time
// takes several requests.
func TestRealStores(t *testing.T) {
	for name, start := range map[string]func(testing.TB, []storetest.Series) string{"VictoriaMetrics": storetest.VictoriaMetrics, "Prometheus": storetest.Prometheus} {
		t.Run(name, func(t *testing.T) {
			c := New(Site{URL: start(t, stored()), Victoria: name == "VictoriaMetrics"}, time.Now)
			defer c.Close()
			for _, tt := range []struct {
				from, to time.Duration
				want     int
			}{{0, 120 * time.Second, 12}, {-24 * time.Hour, time.Hour, 12}, {time.Second, 11 * time.Second, 2}, {-2 * time.Hour, -time.Hour, 0}} {
				series, err := c.Samples(t.Context(), []string{`haproxy_server_status{proxy=~"(pg-test-primary|x)",state="UP"}`}, began.Add(tt.from), began.Add(tt.to))
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for _, s := range series {
					for i, x := range s.Samples {
						if n++; x.At.Sub(began)%(10*time.Second) != time.Second || i > 0 && !x.At.After(s.Samples[i-1].At) {
							t.Errorf("a sample at %s", x.At.Sub(began))
						}
					}
					if s.Name != "haproxy_server_status" || s.Labels["server"] != "pg-test-1" {
						t.Errorf("labels %v", s.Labels)
					}
				}
				if n != tt.want {
					t.Errorf("%s to %s: %d samples, want %d", tt.from, tt.to, n, tt.want)
				}
			}
			if c.Skew() != 0 {
				t.Errorf("the clock of this machine differs from itself by %s", c.Skew())
			}
		})
	}
}

// answering is a store that answers as the handler does.
func answering(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // a server notices that its client has left only once it has read the body
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return New(Site{URL: s.URL, User: "dba", Password: "hush"}, time.Now)
}

const empty = `{"status":"success","data":{"resultType":"matrix","result":[]}}`

// TestWhatIsWrongWithAStore: each is one sentence, within its time and its memory, without the password.
func TestWhatIsWrongWithAStore(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	for name, tt := range map[string]struct {
		c         *Client
		want, try string
	}{
		"down": {New(Site{URL: "http://" + gone.Addr().String()}, time.Now), "it does not answer: connect: connection refused", "pgtui components"},
		"slow": {answering(t, func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-forever:
			case <-r.Context().Done():
			}
		}), "no complete answer within 300ms", ""},
		"slow in the middle": {answering(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"status":"succ`)
			w.(http.Flusher).Flush()
			select {
			case <-forever:
			case <-r.Context().Done():
			}
		}), "no complete answer within 300ms", ""},
		"the wrong login": {answering(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }), "it refuses the login of dba (HTTP 401)", "password-file"},
		"another vendor":  {answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Grafana</html>") }), `not in the form of Prometheus and VictoriaMetrics: HTTP 200, "<html>Grafana</html>"`, ""},
		"other JSON":      {answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"results":[]}`) }), "not in the form of Prometheus", ""},
		"a login page":    {answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", 302) }), "HTTP 302", ""},
		"a refusal": {answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			fmt.Fprint(w, `{"status":"error","error":"too many\u001b[31m samples"}`)
		}), "it refuses the query: too many[31m samples", ""},
		"a broken sample": {answering(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"status":"success","data":{"result":[{"metric":{"__name__":"x"},"values":[["a",1]]}]}}`)
		}), "a sample of x is not in the form", ""},
		"200 MB of result": {answering(t, func(w http.ResponseWriter, _ *http.Request) { large(w, 200<<20) }), "the answer is larger than 64 MB: it is not read", "--since"},
		"no certificate":   {New(Site{URL: "https://127.0.0.1:1", CAFile: "/none/ca.crt"}, time.Now), "the CA file", "ca of this store"},
	} {
		if strings.HasPrefix(name, "slow") {
			tt.c.timeout = 300 * time.Millisecond
		}
		before := time.Now()
		_, err := tt.c.Samples(t.Context(), []string{"up"}, began, began.Add(time.Minute))
		switch {
		case err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(source.TryOf(err), tt.try):
			t.Errorf("%s: %v (try %q), want %q (%q)", name, err, source.TryOf(err), tt.want, tt.try)
		case strings.Contains(err.Error(), "hush"):
			t.Errorf("%s: the password is in %v", name, err)
		case time.Since(before) > 60*time.Second:
			t.Errorf("%s took %s", name, time.Since(before))
		}
	}
}

// large writes an answer of that many bytes.
func large(w http.ResponseWriter, n int) {
	fmt.Fprint(w, `{"status":"success","data":{"result":[{"metric":{},"values":[`)
	part := []byte(strings.Repeat(`[1764472327,"1"],`, 1<<12))
	for ; n > 0; n -= len(part) {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
}

// TestALargeAnswerTakesBoundedMemory: what is refused is not kept.
func TestALargeAnswerTakesBoundedMemory(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, _ *http.Request) { large(w, 200<<20) })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := c.Samples(t.Context(), []string{"up"}, began, began.Add(time.Minute)); err == nil {
		t.Fatal("it was read")
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 400<<20 {
		t.Errorf("%d MB were taken", took>>20)
	}
}

// TestAClockThatDiffers: the times of a store whose clock is 90 s ahead are this machine's.
func TestAClockThatDiffers(t *testing.T) {
	const ahead = 90 * time.Second
	var asked []string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		if err := r.ParseForm(); err == nil {
			asked = append(asked, r.Form.Get("time"))
		}
		fmt.Fprintf(w, `{"status":"success","data":{"result":[{"metric":{"__name__":"up"},"values":[[%d,"1"]]}]}}`, began.Add(30*time.Second+ahead).Unix())
	})
	series, err := c.Samples(t.Context(), []string{"up"}, began, began.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if off := (c.Skew() - ahead).Abs(); off > 2*time.Second {
		t.Errorf("skew %s", c.Skew())
	}
	if off := series[0].Samples[0].At.Sub(began.Add(30 * time.Second)).Abs(); off > 2*time.Second {
		t.Errorf("the sample is %s off", off)
	}
	if want := float64(began.Add(time.Minute + ahead).Unix()); asked[1] < fmt.Sprintf("%.3f", want-2) || asked[1] > fmt.Sprintf("%.3f", want+2) {
		t.Errorf("the time of the query is %s, want %f", asked[1], want)
	}
}

// TestLoginAndCertificate: a store behind TLS and a login.
func TestLoginAndCertificate(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "dba" || password != "hush" || r.URL.Path != "/vmetrics/api/v1/query" {
			w.WriteHeader(401)
			return
		}
		fmt.Fprint(w, empty)
	}))
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		site Site
		want string
	}{
		"all is right":  {Site{URL: s.URL + "/vmetrics/", User: "dba", Password: "hush", CAFile: ca}, ""},
		"no login":      {Site{URL: s.URL + "/vmetrics/", CAFile: ca}, "it refuses the login of no user"},
		"an unknown CA": {Site{URL: s.URL + "/vmetrics/", User: "dba", Password: "hush"}, "unknown authority"},
	} {
		_, err := New(tt.site, time.Now).Samples(t.Context(), []string{"up"}, began, began.Add(time.Minute))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLogLines: the lines of a stand-in for VictoriaLogs; no registry of ours has the real one.
func TestLogLines(t *testing.T) {
	var asked string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/select/logsql/query" {
			w.WriteHeader(404)
			return
		}
		asked = r.Form.Get("query") + " " + r.Form.Get("start") + " " + r.Form.Get("end")
		for _, l := range []map[string]string{
			{"_time": began.Add(time.Second).UTC().Format(time.RFC3339Nano), "_msg": "proxy 'pg-test-primary' has no server available!", "ip": "10.0.0.1", "unit": "haproxy.service", "job": "syslog"},
			{"_time": began.UTC().Format(time.RFC3339Nano), "_msg": "promoted self to leader", "ip": "10.0.0.2", "ins": "pg-test-2", "job": "patroni"},
		} {
			_ = json.NewEncoder(w).Encode(l)
		}
	})
	lines, err := c.Lines(t.Context(), []model.Host{"10.0.0.1", "10.0.0.2"}, began, began.Add(time.Minute))
	if err != nil || len(lines) != 2 || lines[0].Job != "patroni" || lines[0].Instance != "pg-test-2" || lines[1].Host != "10.0.0.1" || lines[1].Unit != "haproxy.service" {
		t.Errorf("%v %+v", err, lines)
	}
	if !strings.HasPrefix(asked, `ip:in("10.0.0.1","10.0.0.2") (job:patroni OR`) || !strings.Contains(asked, began.UTC().Format(time.RFC3339Nano)) {
		t.Errorf("query %s", asked)
	}
	other := answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "no JSON\n") })
	if _, err := other.Lines(t.Context(), []model.Host{"h"}, began, began); err == nil || !strings.Contains(err.Error(), "not in the form of VictoriaLogs") {
		t.Errorf("%v", err)
	}
	many := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		for range maxLines + 1 {
			fmt.Fprintf(w, "{\"_time\":%q,\"_msg\":\"x\"}\n", began.UTC().Format(time.RFC3339Nano))
		}
	})
	if _, err := many.Lines(t.Context(), []model.Host{"h"}, began, began); err == nil || !strings.Contains(err.Error(), "more than 50000 lines") {
		t.Errorf("%v", err)
	}
}

// TestAnEndedRequest: the context ends it at once.
func TestAnEndedRequest(t *testing.T) {
	c := answering(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Samples(ctx, []string{"up"}, began, began.Add(time.Minute)); err == nil {
		t.Error("no error")
	}
}
