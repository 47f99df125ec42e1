package probe

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"pgtui/internal/safe"
	"pgtui/model"
)

// Types of a row on the stats page.
const (
	rowFrontend = "0"
	rowBackend  = "1"
	rowServer   = "2"
)

// ParseStats reads a stats page in CSV as HAProxy 2.4 to 3.x write it, by the
// names in its header: columns move between versions. A page that lacks a
// column the routing rests on, or a row that is cut, is an error, since a
// server that is not seen must not look like one that is not there.
func ParseStats(page []byte) (model.HAProxyStats, error) {
	if !bytes.HasPrefix(page, []byte("# pxname,")) {
		return model.HAProxyStats{}, fmt.Errorf("not a stats page: it begins with %q",
			safe.Text(string(page[:min(len(page), 400)]), 40))
	}
	r := csv.NewReader(bytes.NewReader(page[len("# "):]))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return model.HAProxyStats{}, fmt.Errorf("header of the stats page: %w", err)
	}
	t := table{col: make(map[string]int, len(header))}
	for i, name := range header {
		t.col[name] = i
	}
	for _, need := range []string{"svname", "type", "status", "weight", "bck"} {
		if _, ok := t.col[need]; !ok {
			return model.HAProxyStats{}, fmt.Errorf("the stats page has no column %q", need)
		}
	}
	var stats model.HAProxyStats
	index := map[string]int{}
	for {
		t.row, err = r.Read()
		if errors.Is(err, io.EOF) {
			return stats, nil
		}
		if err != nil {
			return model.HAProxyStats{}, fmt.Errorf("stats page is cut or damaged: %w", err)
		}
		if err := t.add(&stats, index); err != nil {
			return model.HAProxyStats{}, err
		}
	}
}

// stats asks the node's stats page. The name of the page depends on the
// Pigsty version and the nodename: a page that is not there answers 503, and
// the next one is tried. first is the page that answered last time, "" when
// none did.
func (a *asker) stats(ctx context.Context, n *model.Node, first string) (model.HAProxyStats, error) {
	var none model.HAProxyStats
	h := n.HAProxy
	uris := h.URIs
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
			st, err := ParseStats(resp.body)
			if err != nil {
				return none, fmt.Errorf("haproxy: stats page %s: %w", safe.Text(uri, 80), err)
			}
			st.URI = uri
			return st, nil
		case http.StatusServiceUnavailable, http.StatusNotFound:
			continue
		case http.StatusUnauthorized:
			return a.metrics(ctx, n, &model.Hint{
				Err: fmt.Errorf("haproxy: stats page: wrong user name or password for user %q (HTTP 401)", safe.Text(h.User, 40)),
				Try: "check haproxy_admin_username and haproxy_admin_password in the inventory",
			})
		default:
			return none, fmt.Errorf("haproxy: stats page %s: HTTP %d", safe.Text(uri, 80), resp.code)
		}
	}
	return a.metrics(ctx, n, &model.Hint{
		Err: fmt.Errorf("haproxy: no stats page at %s", safe.Text(strings.Join(uris, " or "), 160)),
		Try: "set nodename in the inventory to what the node calls itself: the page is named after it",
	})
}

// table is one row of the page and the places of its columns.
type table struct {
	col map[string]int
	row []string
}

// add puts the row where it belongs. index finds the section by its name.
func (t *table) add(stats *model.HAProxyStats, index map[string]int) error {
	kind := t.raw("type")
	if kind != rowFrontend && kind != rowBackend && kind != rowServer {
		return nil // a listener
	}
	name := t.text("pxname")
	i, ok := index[name]
	if !ok {
		i = len(stats.Proxies)
		index[name] = i
		stats.Proxies = append(stats.Proxies, model.Proxy{Name: name})
	}
	px := &stats.Proxies[i]
	switch kind {
	case rowFrontend:
		px.Front = t.proxyRow()
	case rowBackend:
		px.Back = t.proxyRow()
	default:
		s, err := t.server()
		if err != nil {
			return fmt.Errorf("server %s/%s: %w", name, s.Name, err)
		}
		px.Servers = append(px.Servers, s)
	}
	return nil
}

func (t *table) proxyRow() model.ProxyRow {
	return model.ProxyRow{
		Status:      t.text("status"),
		Sessions:    t.number("scur", 0),
		SessionRate: t.number("rate", 0),
		Queue:       t.number("qcur", 0),
		Total:       t.number("stot", 0),
		LastChange:  t.number("lastchg", 0),
	}
}

func (t *table) server() (model.ServerStat, error) {
	s := model.ServerStat{
		Name:        t.text("svname"),
		Status:      t.text("status"),
		UserWeight:  int(t.number("uweight", -1)),
		CheckStatus: strings.TrimPrefix(t.text("check_status"), "* "),
		CheckCode:   int(t.number("check_code", 0)),
		CheckDesc:   t.text("last_chk"),
		CheckMs:     t.number("check_duration", -1),
		LastChange:  t.number("lastchg", 0),
		Sessions:    t.number("scur", 0),
		SessionRate: t.number("rate", 0),
		Queue:       t.number("qcur", 0),
		Total:       t.number("stot", 0),
		Errors:      t.number("econ", 0),
		Throttle:    int(t.number("throttle", 0)),
		Addr:        t.text("addr"),
	}
	w, err := strconv.ParseUint(t.raw("weight"), 10, 31)
	if err != nil {
		return s, fmt.Errorf("weight %q is not a number", t.text("weight"))
	}
	s.Weight = int(w)
	switch t.raw("bck") {
	case "0":
	case "1":
		s.Backup = true
	default:
		return s, fmt.Errorf("bck %q is neither 0 nor 1", t.text("bck"))
	}
	if s.Status == "" {
		return s, errors.New("no status")
	}
	return s, nil
}

// raw is the column's text in this row, "" when the page has no such column.
func (t *table) raw(name string) string {
	if i, ok := t.col[name]; ok && i < len(t.row) {
		return t.row[i]
	}
	return ""
}

func (t *table) text(name string) string { return safe.Text(t.raw(name), maxNote) }

// number is the column as a number, missing when it is empty or none.
func (t *table) number(name string, missing int64) int64 {
	n, err := strconv.ParseInt(t.raw(name), 10, 64)
	if err != nil || n < 0 || n > 1<<53 {
		return missing
	}
	return n
}
