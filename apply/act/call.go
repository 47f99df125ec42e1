package act

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/source"
)

// maxReply is the longest reply that is read, in bytes.
const maxReply = 1 << 20

// call is one request to the Patroni of an instance.
type call struct {
	method, path string
	body         any           // as JSON; nil sends none
	wait         time.Duration // for the whole reply
	ssh          bool          // from the node itself
}

// reply is what Patroni answered.
type reply struct {
	code int
	body []byte
}

// words are Patroni's own, as one line.
func (r *reply) words() string {
	var doc string
	if json.Unmarshal(r.body, &doc) == nil {
		return text.Line(doc, 300)
	}
	if _, rest, page := strings.Cut(string(r.body), "<p>Message: "); page { // Python's own error page
		message, _, _ := strings.Cut(rest, "</p>")
		return text.Line(message, 300)
	}
	if w := text.Line(string(r.body), 300); w != "" {
		return w
	}
	return "no reason"
}

// What the error of a call means. Each is in the chain of one that call returns.
var (
	// errRefused means that Patroni answered, and does not do it.
	errRefused = errors.New("Patroni refused")
	// errForbidden means that Patroni takes no writes from here, or with this login.
	errForbidden = errors.New("no right to write")
)

// call sends one request, once. An error is errRefused with Patroni's words,
// ErrNotSent when not one byte of the request left, else ErrUnknown: Patroni may
// have it.
func (a *Actor) call(ctx context.Context, inv *model.Inventory, in *model.Instance, login model.REST, c call) (reply, error) {
	r, sent, err := a.exchange(ctx, inv, in, login, c)
	where := fmt.Sprintf("%s: %s %s", in.Name, c.method, c.path)
	switch {
	case err == nil && r.code < 300:
		return r, nil
	case err == nil:
		return r, refusal(where, in, &r)
	case !sent || errors.Is(err, transport.ErrNotStarted):
		return r, &source.Hint{Err: fmt.Errorf("%s: %w: %w", where, why(err), ErrNotSent), Try: source.TryOf(err)}
	}
	return r, fmt.Errorf("%s: no reply: %w: %w", where, why(err), ErrUnknown)
}

// why is a network error in plain words.
func why(err error) error {
	var timeout net.Error
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the port refuses connections")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return errors.New("the connection was cut")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no answer before the deadline")
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	}
	return errors.New(text.Line(err.Error(), 200))
}

// refusal is the error of a reply that does not do it. Patroni itself does not
// know how a request ended whose status is unknown.
func refusal(where string, in *model.Instance, r *reply) error {
	words := r.words()
	switch {
	case strings.Contains(strings.ToLower(words), "status unknown"):
		return fmt.Errorf("%s: HTTP %d: %s: %w", where, r.code, words, ErrUnknown)
	case r.code == http.StatusUnauthorized:
		return &source.Hint{Err: fmt.Errorf("%s: HTTP 401: %w: the login of the inventory is wrong: %w", where, errForbidden, errRefused),
			Try: "compare patroni_username and patroni_password with restapi.authentication in /etc/patroni/patroni.yml on the node"}
	case r.code == http.StatusForbidden:
		return &source.Hint{Err: fmt.Errorf("%s: HTTP 403: %w: restapi.allowlist of %s does not have this machine's address, and Patroni takes writes from that list alone: %w", where, errForbidden, in.Name, errRefused),
			Try: "--ssh sends the call from the node itself, whose address is on the list; or add this machine to the list and reload Patroni"}
	case r.code == http.StatusConflict:
		return &source.Hint{Err: fmt.Errorf("%w: HTTP 409: the configuration was changed by another writer meanwhile: %s", errRefused, words), Try: "plan again and review the difference"}
	}
	return fmt.Errorf("%w: HTTP %d: %s", errRefused, r.code, words)
}

// exchange is one request and its reply, over a connection of its own, by
// HTTP/1.1. sent reports whether any of the request may have left.
func (a *Actor) exchange(ctx context.Context, inv *model.Inventory, in *model.Instance, login model.REST, c call) (r reply, sent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	var left atomic.Bool
	once := &http.Transport{
		DisableKeepAlives: true, Proxy: nil, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return a.open(ctx, inv, in, network, addr, c.ssh, &left)
		},
	}
	once.DialTLSContext = once.DialContext
	client := http.Client{Transport: once, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := request(ctx, in, login, c)
	if err != nil {
		return r, false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return r, left.Load(), err
	}
	defer resp.Body.Close()
	r.code = resp.StatusCode
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if r.code < 300 && err != nil {
		return r, true, err
	}
	return r, true, nil
}

// request is the call as HTTP has it. It cannot be replayed: net/http gets no way
// to read its body again.
func request(ctx context.Context, in *model.Instance, login model.REST, c call) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		b, err := json.Marshal(c.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	scheme := "http"
	if in.PatroniTLS {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, c.method, scheme+"://"+patroniAddr(in)+c.path, body)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil
	req.Header.Set("User-Agent", "pgtui")
	if c.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.method != http.MethodGet {
		req.SetBasicAuth(login.User, string(login.Password))
	}
	return req, nil
}

func patroniAddr(in *model.Instance) string {
	return net.JoinHostPort(string(in.Host), strconv.Itoa(int(in.PatroniPort)))
}

// open connects to Patroni. With ssh the connection leaves from the node. left is
// set before the first byte of a request goes out.
func (a *Actor) open(ctx context.Context, inv *model.Inventory, in *model.Instance, network, addr string, ssh bool, left *atomic.Bool) (net.Conn, error) {
	conn, err := a.way(ctx, inv, in, network, addr, ssh)
	if err != nil {
		return nil, err
	}
	if in.PatroniTLS {
		if conn, err = a.secure(ctx, inv, in, conn); err != nil {
			return nil, err
		}
	}
	return &watched{Conn: conn, left: left}, nil
}

func (a *Actor) way(ctx context.Context, inv *model.Inventory, in *model.Instance, network, addr string, ssh bool) (net.Conn, error) {
	if ssh {
		d, ok := a.Runner.(transport.Dialer)
		node := inv.Node(in.Host)
		if !ok || node == nil {
			return nil, fmt.Errorf("%s: there is no way by SSH: %w", in.Host, ErrNotSent)
		}
		return d.Dial(ctx, node.SSH, addr)
	}
	return a.dialer()(ctx, network, addr)
}

// secure does the TLS handshake; the certificate must be for the node's address.
func (a *Actor) secure(ctx context.Context, inv *model.Inventory, in *model.Instance, conn net.Conn) (net.Conn, error) {
	conf := &tls.Config{ServerName: string(in.Host), MinVersion: tls.VersionTLS12}
	var err error
	if a.Roots != nil {
		conf.RootCAs, err = a.Roots(inv)
	}
	t := tls.Client(conn, conf)
	if err == nil {
		err = t.HandshakeContext(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("TLS: %w", err), conn.Close())
	}
	return t, nil
}

// watched is a connection that marks that something left.
type watched struct {
	net.Conn
	left *atomic.Bool
}

func (w *watched) Write(p []byte) (int, error) {
	w.left.Store(true)
	return w.Conn.Write(p)
}
