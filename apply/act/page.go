package act

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan/action"
	"pgtui/source"
)

// postForms gives the servers of a step a state through HAProxy's stats page, one
// request for each backend, each once. why is why HAProxy's socket was not used.
// What it did is read back on the page.
func (r *run) postForms(ctx context.Context, s *action.Step, word string, why error) (*serversSeen, error) {
	n := r.inv.Node(s.HAProxy)
	switch {
	case n == nil:
		return nil, why
	case word == "" || strings.HasPrefix(word, "weight "):
		return nil, &source.Hint{Err: fmt.Errorf("the stats page takes no such command, and HAProxy's socket was not reached: %w", why), Try: source.TryOf(why)}
	}
	st, err := r.statsPage(ctx, s.HAProxy)
	if err != nil || st.URI == "" {
		return nil, fmt.Errorf("%w; its stats page does not answer either%s", why, source.Because(err))
	}
	sent := false
	for backend, names := range byBackend(s.Servers) {
		err := r.postForm(ctx, s, n, st.URI, url.Values{"s": names, "b": {backend}, "action": {word}})
		if err != nil && sent && errors.Is(err, ErrNotSent) {
			return nil, fmt.Errorf("%s: %s, after others were set", backend, err) //nolint:errorlint // something was sent before
		}
		if err != nil {
			return nil, err
		}
		sent = true
	}
	if st, err = r.statsPage(ctx, s.HAProxy); err != nil {
		return nil, fmt.Errorf("it was sent through the stats page, and could not be read back: %w: %w", err, ErrUnknown)
	}
	return &serversSeen{stats: st}, nil
}

// byBackend yields the servers of each backend, in order.
func byBackend(servers []string) func(func(string, []string) bool) {
	return func(yield func(string, []string) bool) {
		var order []string
		of := map[string][]string{}
		for _, x := range servers {
			backend, name, _ := strings.Cut(x, "/")
			if of[backend] == nil {
				order = append(order, backend)
			}
			of[backend] = append(of[backend], name)
		}
		for _, backend := range order {
			if !yield(backend, of[backend]) {
				return
			}
		}
	}
}

// postForm sends one form to the stats page. It has neither Origin nor Referer: HAProxy
// refuses a foreign one.
func (r *run) postForm(ctx context.Context, s *action.Step, n *model.Node, uri string, form url.Values) error {
	addr := net.JoinHostPort(string(n.Host), strconv.Itoa(int(n.HAProxy.Port)))
	ctx, cancel := context.WithTimeout(ctx, 2*pageTime)
	defer cancel()
	conn, err := r.dialer()(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("the stats page: %w: %w", err, ErrNotSent)
	}
	defer func() { _ = conn.Close() }()
	if at, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(at)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+uri, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("the stats page: %w: %w", err, ErrNotSent)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(n.HAProxy.User, string(n.HAProxy.Password))
	req.Close = true
	r.tell(action.Event{State: action.Sent, Host: s.HAProxy, What: fmt.Sprintf("through its stats page: %s of %s/%s", form.Get("action"), form.Get("b"), strings.Join(form["s"], ", "))})
	if err := req.Write(conn); err != nil {
		return fmt.Errorf("the stats page: %w: %w", err, ErrUnknown)
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 64<<10)), req)
	if err != nil {
		return fmt.Errorf("the stats page: the reply was lost: %w: %w", err, ErrUnknown)
	}
	_ = resp.Body.Close()
	return posted(resp)
}

// posted is what HAProxy's redirect reports of a form.
func posted(resp *http.Response) error {
	_, st, _ := strings.Cut(resp.Header.Get("Location"), ";st=")
	st, _, _ = strings.Cut(st, ";")
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return &source.Hint{Err: errors.New("the stats page: wrong user name or password (HTTP 401)"), Try: "check haproxy_admin_username and haproxy_admin_password in the inventory"}
	case resp.StatusCode != http.StatusSeeOther:
		return fmt.Errorf("the stats page: HTTP %d", resp.StatusCode)
	case st == "DONE":
		return nil
	}
	why := map[string]string{
		"PART": "it has only some of the servers", "NONE": "it changed nothing", "ERRP": "it has none of the servers, or does not know the action",
		"DENY": "it denies changes from here, or to this user", "EXCD": "the request is too long for it", "IVAL": "it cannot read the request",
	}[st]
	if why == "" {
		return fmt.Errorf("the stats page answers %q: %w", text.Line(st, 40), ErrUnknown)
	}
	return fmt.Errorf("the stats page answers %s: %s", st, why)
}

// dialer opens connections to Patroni and HAProxy.
func (a *Actor) dialer() func(context.Context, string, string) (net.Conn, error) {
	if a.Dial != nil {
		return a.Dial
	}
	return new(net.Dialer).DialContext
}
