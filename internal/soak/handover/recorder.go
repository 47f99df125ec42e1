package handover

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// recorder stands between pgtui and Patroni. It counts the calls that change the
// leader, keeps Patroni's answer, and cuts the connection where it must.
type recorder struct {
	mu    sync.Mutex
	cut   time.Duration // after this time from the call, the connection is cut; 0 never
	posts int
	code  int    // of Patroni's answer; 0 when none came
	words string // of Patroni's answer
}

// reset forgets what was recorded. cut is when the next call loses its connection.
func (r *recorder) reset(cut time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut, r.posts, r.code, r.words = cut, 0, 0, ""
}

func (r *recorder) seen() (posts, code int, words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.posts, r.code, r.words
}

// Dial opens a connection through the recorder.
func (r *recorder) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	up, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	go r.relay(far, up)
	return near, nil
}

// relay passes one request and its answer. The answer is read to its end even
// where the client does not get it.
func (r *recorder) relay(client, server net.Conn) {
	defer server.Close()
	defer client.Close()
	req, err := http.ReadRequest(bufio.NewReader(client))
	if err != nil {
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	changes := req.Method == http.MethodPost && (req.URL.Path == "/switchover" || req.URL.Path == "/failover")
	if changes {
		r.mu.Lock()
		r.posts++
		cut := r.cut
		r.mu.Unlock()
		if cut > 0 {
			defer time.AfterFunc(cut, func() { _ = client.Close() }).Stop()
		}
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	if err := req.Write(server); err != nil {
		return
	}
	var answer bytes.Buffer
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(server, &answer)), req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	words, _ := io.ReadAll(resp.Body)
	if changes {
		r.mu.Lock()
		r.code, r.words = resp.StatusCode, strings.TrimSpace(string(words))
		r.mu.Unlock()
	}
	resp.Body = io.NopCloser(bytes.NewReader(words))
	_, _ = fmt.Fprint(client, answer.String())
}
