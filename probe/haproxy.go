package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"pgtui/haproxy"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/source"
)

// stats queries the node's stats page. The name of the page depends on the
// Pigsty version and the nodename: a page that is not there answers 503, and
// the next one is tried. first is the page that answered last time, "" when
// none did.
func (a *asker) stats(ctx context.Context, n *model.Node, first string) (haproxy.Stats, error) {
	var none haproxy.Stats
	h, uris := n.HAProxy, n.HAProxy.URIs
	if i := slices.Index(uris, first); i > 0 {
		uris = slices.Concat([]string{first}, uris[:i], uris[i+1:])
	}
	if len(uris) == 0 {
		return a.metrics(ctx, n, errors.New("haproxy: the inventory does not tell the name of the stats page"))
	}
	for _, uri := range uris {
		resp, err := a.ask(ctx, request{
			method: "GET", addr: net.JoinHostPort(string(n.Host), strconv.Itoa(int(h.Port))),
			path: uri + ";csv", user: h.User, password: h.Password, limit: maxStats,
		})
		if err != nil {
			return none, fmt.Errorf("haproxy: stats page: %w", err)
		}
		switch resp.code {
		case http.StatusOK:
			st, err := haproxy.ParseStats(resp.body)
			a.done(resp) // what is parsed is copied
			if err != nil {
				return none, fmt.Errorf("haproxy: stats page %s: %w", text.Line(uri, 80), err)
			}
			st.URI = uri
			return st, nil
		case http.StatusServiceUnavailable, http.StatusNotFound:
			continue
		case http.StatusUnauthorized:
			return a.metrics(ctx, n, &source.Hint{
				Err: fmt.Errorf("haproxy: stats page: wrong user name or password for user %q (HTTP 401)", text.Line(h.User, 40)),
				Try: "check haproxy_admin_username and haproxy_admin_password in the inventory",
			})
		default:
			return none, fmt.Errorf("haproxy: stats page %s: HTTP %d", text.Line(uri, 80), resp.code)
		}
	}
	return a.metrics(ctx, n, &source.Hint{
		Err: fmt.Errorf("haproxy: no stats page at %s", text.Line(strings.Join(uris, " or "), 160)),
		Try: "set nodename in the inventory to what the node calls itself: the page is named after it",
	})
}

// metrics queries the exporter, which needs no password and is at the same place
// whatever the node calls itself. why is what kept the stats page from being
// used.
func (a *asker) metrics(ctx context.Context, n *model.Node, why error) (haproxy.Stats, error) {
	resp, err := a.ask(ctx, request{method: "GET", path: "/metrics", limit: maxStats,
		addr: net.JoinHostPort(string(n.Host), strconv.Itoa(int(n.HAProxy.Port)))})
	if err != nil || resp.code != http.StatusOK {
		return haproxy.Stats{}, why
	}
	st, err := haproxy.ParseMetrics(resp.body)
	if err != nil {
		return haproxy.Stats{}, why
	}
	st.URI, st.Why = "/metrics", why
	return st, nil
}
