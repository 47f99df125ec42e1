package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// maxBody is the longest answer that is read, in bytes. Real ones are below
// 10 kB (Patroni) and some 400 bytes for each server (HAProxy).
const maxBody = 1 << 20

// maxStats is the same for a stats page: a provider of hundreds of clusters
// has thousands of rows.
const maxStats = 8 << 20

// maxHeader is the most that may come before a body, in bytes.
const maxHeader = 64 << 10

// request is one question to one port.
type request struct {
	method   string
	tls      bool
	addr     string // host:port
	path     string // as it goes over the wire, byte for byte
	user     string // "" is a request without a login
	password model.Secret
	limit    int64 // longest body in bytes; 0 reads none
}

// response is the answer to a request.
type response struct {
	code int
	body []byte        // see done
	buf  *bytes.Buffer // in which body lies
	date time.Time     // the server's clock, to the second; zero when there is none
}

// asker sends requests and reports in plain words why one failed. It speaks HTTP
// on a connection of its own for each request, as Patroni does: there is no
// pool, no proxy, no redirect, and nothing runs on after ask has returned.
type asker struct {
	dial    postgres.DialFunc
	timeout time.Duration // of one request, all of it
	now     func() time.Time
	holds   time.Duration  // how long an answer counts: until the next one must be there
	roots   *x509.CertPool // nil trusts the system's
	rootErr error          // why the CA file could not be read; fails every TLS request

	// What reading an answer needs and no one keeps: a sweep of a large fleet
	// would leave 5 kB of garbage for each of its thousands of requests.
	readers, bodies sync.Pool // *bufio.Reader, *bytes.Buffer
}

// ask sends r and reads the answer. It ends within the asker's timeout.
func (a *asker) ask(ctx context.Context, r request) (response, error) {
	limited, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	f := &failure{}
	resp, err := a.do(limited, r, f)
	if err == nil {
		return resp, nil
	}
	f.cause = err
	if limited.Err() != nil {
		f.cause = source.Ended(limited) // what is read from a connection that was ended by it shows less
	}
	if f.text = a.explain(ctx, f, r); ctx.Err() != nil {
		f.cause, f.text = source.Ended(ctx), "the probe ended before the answer came"
	}
	return response{}, f
}

// do leaves in f how far it came.
func (a *asker) do(ctx context.Context, r request, f *failure) (response, error) {
	head, err := r.head()
	if err != nil {
		return response{}, err
	}
	if r.tls && a.rootErr != nil {
		return response{}, a.rootErr
	}
	conn, err := a.dial(ctx, "tcp", r.addr)
	if err != nil {
		return response{}, err
	}
	defer conn.Close()
	f.connected = true
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if r.tls {
		host, _, _ := net.SplitHostPort(r.addr)
		tc := tls.Client(conn, &tls.Config{RootCAs: a.roots, ServerName: host, MinVersion: tls.VersionTLS12})
		if err := tc.HandshakeContext(ctx); err != nil {
			return response{}, err
		}
		f.secured = true
		conn = tc
	}
	if _, err := io.WriteString(conn, head); err != nil {
		return response{}, err
	}
	in := &io.LimitedReader{R: conn, N: r.limit + maxHeader}
	buf, ok := a.readers.Get().(*bufio.Reader)
	if !ok {
		buf = bufio.NewReader(nil)
	}
	buf.Reset(in)
	defer func() { buf.Reset(nil); a.readers.Put(buf) }()
	resp, err := http.ReadResponse(buf, &http.Request{Method: r.method})
	if err != nil {
		if in.N <= 0 {
			err = fmt.Errorf("%w: endless headers", errTooLong)
		}
		return response{}, err
	}
	f.answered = true
	defer resp.Body.Close()
	if r.limit == 0 {
		return response{code: resp.StatusCode}, nil
	}
	out := response{code: resp.StatusCode}
	if out.buf, ok = a.bodies.Get().(*bytes.Buffer); !ok {
		out.buf = new(bytes.Buffer)
	}
	out.buf.Reset()
	n, err := out.buf.ReadFrom(io.LimitReader(resp.Body, r.limit+1))
	if n > r.limit {
		err = fmt.Errorf("%w: more than %d MB", errTooLong, r.limit>>20)
	}
	if err != nil {
		a.done(out)
		return response{}, err
	}
	out.body = out.buf.Bytes()
	out.date, _ = http.ParseTime(resp.Header.Get("Date")) // zero when it is no date
	return out, nil
}

// maxPooled is the largest buffer that is kept for the next answer, in bytes.
const maxPooled = 64 << 10

// done lets the next answer lie where this one does. It need not be called, and
// never while something still lies in the body.
func (a *asker) done(r response) {
	if r.buf != nil && r.buf.Cap() <= maxPooled {
		a.bodies.Put(r.buf)
	}
}

// head is the request as it goes over the wire.
func (r request) head() (string, error) {
	bad := func(c rune) bool { return c <= ' ' || c >= 0x7f }
	if !strings.HasPrefix(r.path, "/") || strings.ContainsFunc(r.path, bad) {
		return "", fmt.Errorf("%w: %q", errBadPath, text.Line(r.path, 60))
	}
	if strings.ContainsFunc(r.addr, bad) {
		return "", fmt.Errorf("%w: %q", errBadPath, text.Line(r.addr, 60))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: pgtui\r\nConnection: close\r\n", r.method, r.path, r.addr)
	if r.user != "" {
		login := base64.StdEncoding.EncodeToString([]byte(r.user + ":" + string(r.password)))
		fmt.Fprintf(&b, "Authorization: Basic %s\r\n", login)
	}
	b.WriteString("\r\n")
	return b.String(), nil
}

var (
	errTooLong  = errors.New("the answer is too long")
	errBadPath  = errors.New("not a valid request")
	errWantsTLS = errors.New("plain HTTP was sent, but the port speaks TLS")
)

// failure is a request that got no usable answer, in plain words.
type failure struct {
	text      string
	cause     error
	connected bool // the port was open
	secured   bool // a TLS handshake was done
	answered  bool // there was a status line
}

// Error is one harmless line.
func (f *failure) Error() string { return f.text }

// Reached reports whether the failure is the node's own: it refused the connection,
// or took it and gave no usable answer. Other nodes find the same.
func (f *failure) Reached() bool {
	return f.connected || errors.Is(f.cause, syscall.ECONNREFUSED)
}

// Unwrap gives what the network reported.
func (f *failure) Unwrap() error { return f.cause }

// dead reports whether err means that the port does not answer at all, so
// that asking it again in the same sweep only costs time.
func dead(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && (!f.answered || postgres.IsTimeout(f.cause))
}

// reached reports whether err came from the node itself: it let a connection in,
// or refused it. What else it runs can be probed then.
func reached(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.Reached()
}

// explain reports why a request failed: one case a cause.
//
//nolint:gocyclo // flat, and clearer so
func (a *asker) explain(ctx context.Context, f *failure, r request) string {
	err := f.cause
	var (
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		dns     *net.DNSError
	)
	switch {
	case errors.Is(err, errTooLong), errors.Is(err, errBadPath):
		return text.Line(err.Error(), text.MaxNote)
	case postgres.IsTimeout(err) && !f.connected:
		return fmt.Sprintf("no connection to %s within %v", r.addr, a.timeout)
	case postgres.IsTimeout(err) && f.answered:
		return fmt.Sprintf("the answer did not end within %v", a.timeout)
	case postgres.IsTimeout(err) && r.tls && !f.secured:
		return fmt.Sprintf("connected, but no TLS handshake within %v", a.timeout)
	case postgres.IsTimeout(err):
		return fmt.Sprintf("connected, but no answer within %v", a.timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens on " + r.addr
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to " + r.addr
	case errors.As(err, &dns):
		return "the name " + text.Line(dns.Name, 80) + " does not resolve"
	case errors.As(err, &record):
		return "TLS was sent, but the port does not speak TLS"
	case errors.As(err, &unknown):
		return "its certificate is not signed by a known CA"
	case errors.As(err, &host):
		return "its certificate is not for " + text.Line(r.addr, 80)
	case errors.As(err, &invalid):
		return "its certificate is not valid: " + text.Line(invalid.Error(), 100)
	case r.tls && f.connected && !f.secured:
		return "the TLS handshake failed: " + text.Line(err.Error(), 120)
	case postgres.IsClosed(err):
		if !r.tls && !f.answered && a.speaksTLS(ctx, r.addr) {
			return errWantsTLS.Error()
		}
		if f.answered {
			return "the answer was cut off"
		}
		return "the connection was closed without an answer"
	case f.connected && !f.answered:
		if !r.tls && a.speaksTLS(ctx, r.addr) {
			return errWantsTLS.Error()
		}
		return "the answer is not HTTP: " + text.Line(err.Error(), 100)
	default:
		return text.Line(err.Error(), 160)
	}
}

// speaksTLS tries a handshake. A Patroni with TLS just hangs up on plain HTTP,
// which looks like a crash until it is probed the other way.
func (a *asker) speaksTLS(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, min(a.timeout/4, 500*time.Millisecond))
	defer cancel()
	conn, err := a.dial(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	// Nothing is sent or believed on this connection.
	c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	return c.HandshakeContext(ctx) == nil
}
