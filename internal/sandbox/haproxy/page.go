package haproxy

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Reply is one answer of HAProxy's stats port.
type Reply struct {
	code     int
	ctype    string
	location string
	auth     bool // a password is required
	body     []byte
}

// Write sends the answer.
func (a Reply) Write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", a.ctype)
	h.Set("Cache-Control", "no-cache")
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.auth {
		h.Set("WWW-Authenticate", `Basic realm="HAProxy Statistics"`)
	}
	w.WriteHeader(a.code)
	_, _ = w.Write(a.body)
}

func haError(code int, text string) Reply {
	return Reply{code: code, ctype: "text/html", auth: code == http.StatusUnauthorized, body: fmt.Appendf(nil,
		"<html><body><h1>%d %s</h1>\n%s\n</body></html>\n", code, http.StatusText(code), text)}
}

// Reply is the answer to one request. form is true when r.PostForm could be read.
func (h *HAProxy) Reply(r *http.Request, form bool, now time.Time) Reply {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	path, option, _ := strings.Cut(path, ";")
	if _, after, ok := strings.Cut(query, ";"); ok {
		option = after
	}
	page := h.statsProxy()
	switch {
	case page != nil && page.promex && path == "/metrics":
		return Reply{code: http.StatusOK, ctype: "text/plain; version=0.0.4", body: []byte(h.metrics())}
	case page == nil, page.statsURI == "", !strings.HasPrefix(path, page.statsURI):
		return haError(http.StatusServiceUnavailable, "No server is available to handle this request.")
	}
	user, password, _ := r.BasicAuth()
	want, exists := h.conf.users[user]
	switch {
	case page.statsAuth && (!exists || want != password):
		return haError(http.StatusUnauthorized, "You need a valid user and password to access this content.")
	case r.Method == http.MethodPost:
		st := "DENY"
		switch {
		case !page.statsAdmin || !h.conf.admins[user]:
		case !form:
			st = "EXCD"
		default:
			st = h.post(r.PostForm, now)
		}
		return Reply{code: http.StatusSeeOther, ctype: "text/plain", location: page.statsURI + ";st=" + st}
	case strings.HasPrefix(option, "csv"):
		scope, _, _ := strings.Cut(query, ";")
		v, _ := url.ParseQuery(scope)
		return Reply{code: http.StatusOK, ctype: "text/plain", body: h.CSV(v.Get("scope"))}
	}
	return Reply{code: http.StatusOK, ctype: "text/html", body: fmt.Appendf(nil,
		"<html><body><h1>Statistics Report on %s</h1>The simulated HAProxy has its CSV: %s;csv</body></html>\n", h.node, page.statsURI)}
}

// statsProxy is the section with the stats page; nil when there is none.
func (h *HAProxy) statsProxy() *section {
	for _, p := range h.proxies {
		if p.conf.stats {
			return p.conf
		}
	}
	return nil
}
