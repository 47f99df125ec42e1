package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/probe/patroni"
	"pgtui/source"
)

// serve answers every connection to a loopback port with f, until the test ends.
func serve(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				defer context.AfterFunc(ctx, func() { c.Close() })()
				f(c)
			}()
		}
	}()
	return l.Addr().String()
}

// request reads one request to its empty line.
func readRequest(c net.Conn) string {
	var all strings.Builder
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		if err != nil || line == "\r\n" {
			return all.String()
		}
	}
}

// says answers with this text.
func says(text string) func(net.Conn) {
	return func(c net.Conn) { readRequest(c); io.WriteString(c, text) }
}

const okHead = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n"

func quick() *asker {
	return &asker{dial: (&net.Dialer{}).DialContext, timeout: 300 * time.Millisecond, now: time.Now}
}

// closedPort is one that nothing listens on.
const closedPort = "127.0.0.1:1"

func tlsServer(t *testing.T) (addr string, roots *x509.CertPool, pemFile string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"state":"running","role":"primary","patroni":{"version":"4.0.7"}}`)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	pemFile = filepath.Join(t.TempDir(), "ca.crt")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(pemFile, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Listener.Addr().String(), roots, pemFile
}

// Whatever answers on Patroni's port, the error is short, says what is wrong,
// and holds nothing that a terminal would obey.
func TestBadPatroni(t *testing.T) {
	tlsAddr, _, _ := tlsServer(t)
	tenMB := strings.Repeat("x", 10<<20)
	for _, tc := range []struct {
		name string
		addr string
		tls  bool
		want string
		dead bool
	}{
		{"hangs", serve(t, func(c net.Conn) { io.Copy(io.Discard, c) }), false, "connected, but no answer within 300ms", true},
		{"hangs in the body", serve(t, func(c net.Conn) { readRequest(c); io.WriteString(c, okHead+`{"state"`); io.Copy(io.Discard, c) }), false, "the answer did not end within 300ms", true},
		{"drips", serve(t, func(c net.Conn) {
			readRequest(c)
			for {
				if _, err := io.WriteString(c, "H"); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}), false, "no answer within 300ms", true},
		{"refuses", closedPort, false, "connection refused: nothing listens on 127.0.0.1:", true},
		{"closes", serve(t, func(c net.Conn) { readRequest(c) }), false, "the connection was closed without an answer", true},
		{"is not HTTP", serve(t, says("-ERR wrong command\x1b[2J\r\n")), false, "the answer is not HTTP", true},
		{"is PostgreSQL", serve(t, func(c net.Conn) { readRequest(c); c.Write([]byte("E\x00\x00\x00\x0cSFATAL\x00\x00")) }), false, "not HTTP", true},
		{"answers garbage", serve(t, says(okHead+"\x00\x01\xff\xfe garbage")), false, `the answer is not JSON: it begins with "garbage"`, false},
		{"answers a web page", serve(t, says(okHead+"<html><body>nginx</body></html>")), false, `not JSON: it begins with "<html>`, false},
		{"answers nothing", serve(t, says(okHead)), false, "the answer is empty", false},
		{"answers another JSON", serve(t, says(okHead+`{"a":1}`)), false, "no state: this is not Patroni's", false},
		{"answers a list", serve(t, says(okHead+`[1]`)), false, "the answer is a JSON array where another type belongs", false},
		{"answers half", serve(t, says(okHead+`{"state":"runn`)), false, "not JSON", false},
		{"answers less than it promised", serve(t, says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")), false, "the answer was cut off", false},
		{"answers 10 MB", serve(t, says(okHead+tenMB)), false, "the answer is too long: more than 1 MB", false},
		{"endless headers", serve(t, says("HTTP/1.0 200 OK\r\nX: "+tenMB)), false, "the answer is too long: endless headers", true},
		{"escapes", serve(t, says(okHead+"\x1b]0;evil\x07\x1b[2J\u202e{")), false, `not JSON: it begins with "]0;evil[2J{"`, false},
		{"escapes in the status line", serve(t, says("HTTP/1.0 \x1b[2J\r\n\r\n")), false, "not HTTP", true},
		{"redirects", serve(t, says("HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n")), false, "HTTP 302", false},
		{"does not know it", serve(t, says("HTTP/1.0 404 Not Found\r\n\r\n")), false, "HTTP 404", false},
		{"speaks TLS and says 400, asked without", tlsAddr, false, "plain HTTP was sent, but the port speaks TLS", false},
		{"hangs up on plain text, as Patroni with TLS does", hangsUpOnPlain(t), false, "plain HTTP was sent, but the port speaks TLS", true},
		{"speaks no TLS, asked with", serve(t, func(c net.Conn) {
			c.Read(make([]byte, 512))
			io.WriteString(c, "<!DOCTYPE HTML>400 Bad request syntax")
		}), true, "TLS was sent, but the port does not speak TLS", true},
		{"never shakes hands", serve(t, func(c net.Conn) { io.Copy(io.Discard, c) }), true, "no TLS handshake within 300ms", true},
		{"unknown CA", tlsAddr, true, "its certificate is not signed by a known CA", true},
		{"a name that does not exist", "no-such-host.invalid:8008", false, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := quick()
			if !strings.Contains(tc.want, "300ms") {
				a.timeout = 20 * time.Second // the machine may be busy
			}
			_, err := patroniAPI{a, tc.addr, tc.tls}.status(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			got := err.Error()
			if !strings.HasPrefix(got, "patroni: GET /patroni: ") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if utf8.RuneCountInString(got) > 200 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("not a short harmless line: %q", got)
			}
			if dead(err) != tc.dead {
				t.Errorf("dead is %v", dead(err))
			}
		})
	}
}

// hangsUpOnPlain closes what does not begin with a TLS handshake, without a word.
func hangsUpOnPlain(t *testing.T) string {
	inner, _, _ := tlsServer(t)
	return serve(t, func(c net.Conn) {
		first := make([]byte, 1)
		if _, err := c.Read(first); err != nil || first[0] != 0x16 {
			return
		}
		s, err := net.Dial("tcp", inner)
		if err != nil {
			return
		}
		defer s.Close()
		s.Write(first)
		go io.Copy(s, c)
		io.Copy(c, s)
	})
}

func TestPatroniOverTLS(t *testing.T) {
	addr, roots, file := tlsServer(t)
	a := quick()
	a.timeout, a.roots = 20*time.Second, roots
	st, err := patroniAPI{a, addr, true}.status(t.Context())
	if err != nil || st.Role != "primary" || st.Version != "4.0.7" {
		t.Errorf("%+v, %v", st, err)
	}
	inv := &model.Inventory{CAFile: file, Clusters: []model.Cluster{{Instances: []model.Instance{{PatroniTLS: true}}}}}
	if st, err = (patroniAPI{New(Options{Timeout: 20 * time.Second}).asker(inv), addr, true}).status(t.Context()); err != nil || st.Role != "primary" {
		t.Errorf("with the inventory's CA file: %+v, %v", st, err)
	}
	for name, path := range map[string]string{"no such file": file + "x", "no certificate": "ask_test.go"} {
		_, err := patroniAPI{New(Options{CAFile: path}).asker(inv), addr, true}.status(t.Context())
		if err == nil || !strings.Contains(err.Error(), "CA certificate") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRequestOnTheWire(t *testing.T) {
	got := make(chan string, 1)
	addr := serve(t, func(c net.Conn) { got <- readRequest(c); io.WriteString(c, "HTTP/1.0 503 Service Unavailable\r\n\r\n") })
	slow := quick()
	slow.timeout = 20 * time.Second
	code, err := patroniAPI{slow, addr, false}.check(t.Context(), "/replica?lag=1MB&tag_x=%20;y")
	if err != nil || code != 503 {
		t.Fatalf("%d, %v", code, err)
	}
	want := "OPTIONS /replica?lag=1MB&tag_x=%20;y HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: pgtui\r\nConnection: close\r\n\r\n"
	if g := <-got; g != want {
		t.Errorf("got %q, want %q", g, want)
	}
	for _, path := range []string{"/a b", "/a\r\nX: y", "/é", "", "x"} {
		if _, err := (patroniAPI{quick(), addr, false}).check(t.Context(), path); !errors.Is(err, errBadPath) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestSkew(t *testing.T) {
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name string
		date time.Time
		took time.Duration
		want time.Duration
	}{
		{"not told", time.Time{}, 0, 0},
		{"the same", t0, 0, 0},
		{"an HTTP date cannot tell", t0.Add(3 * time.Second), 0, 0},
		{"ahead", t0.Add(4 * time.Second), 0, 4 * time.Second},
		{"behind", t0.Add(-90 * time.Second), 0, -90 * time.Second},
		{"the answer was under way", t0.Add(-4 * time.Second), 2 * time.Second, -6 * time.Second},
		{"so it may have been dated early", t0.Add(-2 * time.Second), 2 * time.Second, 0},
	} {
		if got := skew(tt.date, t0, t0.Add(tt.took)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestDatedAnswer: the date comes from the answer's header.
func TestDatedAnswer(t *testing.T) {
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for head, want := range map[string]time.Duration{
		"HTTP/1.0 200 OK\r\nDate: " + date + "\r\n\r\n": time.Hour,
		"HTTP/1.0 200 OK\r\nDate: yesterday\r\n\r\n":    0,
		"HTTP/1.0 200 OK\r\n\r\n":                       0,
	} {
		addr := serve(t, says(head+`{"state":"running"}`))
		st, err := patroniAPI{quick(), addr, false}.status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := (st.Skew - want).Abs(); d > 5*time.Second {
			t.Errorf("%q: %v, want %v", head, st.Skew, want)
		}
	}
}

func TestCanceledAsk(t *testing.T) {
	addr := serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	ctx, cancel := context.WithCancel(t.Context())
	a := quick()
	a.timeout = time.Hour
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := (patroniAPI{a, addr, false}).status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// statsServer answers the stats page at one path, with a login.
func statsServer(t testing.TB, path, login string, asked *[]string) *model.Node {
	page, err := os.ReadFile(captures + "/bookworm/healthy/haproxy-pg-test-1-stats.csv")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked != nil {
			*asked = append(*asked, r.URL.Path)
		}
		user, password, _ := r.BasicAuth()
		switch {
		case user+":"+password != login:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path != path+";csv":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.Write(page)
		}
	}))
	t.Cleanup(s.Close)
	return nodeAt(t, s.Listener.Addr().String())
}

func nodeAt(t testing.TB, addr string) *model.Node {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n := &model.Node{Host: model.Host(host), HAProxy: model.HAProxyAccess{User: "admin", Password: "pig", URIs: []string{"/haproxy/n1/", "/n1/"}}}
	fmt.Sscan(port, &n.HAProxy.Port)
	return n
}

func TestStatsPage(t *testing.T) {
	var asked []string
	n := statsServer(t, "/n1/", "admin:pig", &asked)
	p := New(Options{Timeout: 20 * time.Second})
	for range 2 {
		st, err := p.Stats(t.Context(), *n)
		if err != nil || st.URI != "/n1/" || st.Proxy("pg-test-primary") == nil {
			t.Fatalf("%q, %v", st.URI, err)
		}
	}
	inv := &model.Inventory{Nodes: []model.Node{*n}, Clusters: []model.Cluster{{LoadBalancers: []model.LoadBalancer{{Host: n.Host}}}}}
	for range 2 {
		if _, err := p.Probe(t.Context(), inv); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(asked, " "); got != "/haproxy/n1/;csv /n1/;csv /haproxy/n1/;csv /n1/;csv /haproxy/n1/;csv /n1/;csv /metrics /n1/;csv" {
		t.Errorf("the page that answered is not remembered: %s", got)
	}
}

func TestBadStatsPage(t *testing.T) {
	for _, tc := range []struct {
		name string
		node *model.Node
		want string
		hint bool
	}{
		{"wrong password", statsServer(t, "/n1/", "admin:other", nil), "wrong user name or password for user \"admin\" (HTTP 401)", true},
		{"wrong page", statsServer(t, "/n2/", "admin:pig", nil), "no stats page at /haproxy/n1/ or /n1/", true},
		{"garbage", nodeAt(t, serve(t, says(okHead+"\x1b[2Jhello"))), `not a stats page: it begins with "[2Jhello"`, false},
		{"a server error", nodeAt(t, serve(t, says("HTTP/1.0 500 Oops\r\n\r\n"))), "HTTP 500", false},
		{"cut in a row", nodeAt(t, serve(t, says(okHead+"# pxname,svname,type,status,weight,bck,\na,b,2"))), "cut or damaged", false},
		{"hangs", nodeAt(t, serve(t, func(c net.Conn) { io.Copy(io.Discard, c) })), "connected, but no answer", false},
		{"no names", &model.Node{}, "does not tell the name", false},
	} {
		timeout := 20 * time.Second // the machine may be busy
		if tc.name == "hangs" {
			timeout = 300 * time.Millisecond
		}
		_, err := New(Options{Timeout: timeout}).Stats(t.Context(), *tc.node)
		if err == nil || !strings.Contains(err.Error(), tc.want) || (source.TryOf(err) != "") != tc.hint {
			t.Errorf("%s: %v (hint %q)", tc.name, err, source.TryOf(err))
		}
		if err != nil && strings.Contains(err.Error(), "pig") {
			t.Errorf("%s: the password is in the error", tc.name)
		}
	}
}

// TestWhatIsParsedIsCopied: an answer's buffer is given to the next answer, so
// that nothing of what was parsed may lie in it.
func TestWhatIsParsedIsCopied(t *testing.T) {
	recorded := func(file string) []byte {
		b, err := os.ReadFile(captures + "/bookworm/healthy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if _, body, ok := bytes.Cut(b, []byte("\n\n")); ok { // after its headers
			return body
		}
		return b
	}
	for _, tt := range []struct {
		name  string
		body  []byte
		parse func([]byte) (any, error)
	}{
		{"stats page", recorded("haproxy-pg-test-1-stats.csv"), func(b []byte) (any, error) { return haproxy.ParseStats(b) }},
		{"stats page with a quote", []byte("# pxname,svname,type,status,weight,bck,last_chk\na,b,2,UP,1,0,\"x, \"\"y\"\"\"\n"),
			func(b []byte) (any, error) { return haproxy.ParseStats(b) }},
		{"/patroni", recorded("patroni-pg-test-1-patroni.http"), func(b []byte) (any, error) { return patroni.ParseStatus(b) }},
		{"/cluster", recorded("patroni-pg-test-1-cluster.http"), func(b []byte) (any, error) { return patroni.ParseCluster(b) }},
	} {
		body := tt.body
		want, err := tt.parse(bytes.Clone(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tt.parse(body)
		if err != nil {
			t.Fatal(err)
		}
		for i := range body {
			body[i] = '#'
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: what was parsed changes with its page: %+v", tt.name, got)
		}
	}
}
