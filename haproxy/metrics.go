package haproxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"pgtui/internal/text"
)

// ParseMetrics reads what HAProxy's own Prometheus exporter reports of the
// servers: enough to know which of them get connections. It does not report
// which servers are backups, how many checks a change still needs, or what is
// configured, and it reports a paused frontend as UP.
func ParseMetrics(page []byte) (Stats, error) {
	st := Stats{Source: FromMetrics}
	found := false
	sc := bufio.NewScanner(bytes.NewReader(page))
	sc.Buffer(nil, 64<<10)
	for sc.Scan() {
		name, labels, value, ok := sample(sc.Text())
		if !ok || labels["proxy"] == "" {
			continue
		}
		found = true
		px := proxyOf(&st, labels["proxy"])
		switch {
		case name == "haproxy_frontend_status" && value == 1:
			px.Front.Status = map[string]string{"UP": "OPEN", "DOWN": "STOP"}[labels["state"]]
		case name == "haproxy_frontend_current_sessions":
			px.Front.Sessions = int64(value)
		case name == "haproxy_frontend_limit_sessions":
			px.Front.Limit = int64(value)
		case name == "haproxy_backend_current_queue":
			px.Back.Queue = int64(value)
		case name == "haproxy_backend_status" && value == 1:
			px.Back.Status = labels["state"]
		case strings.HasPrefix(name, "haproxy_server_") && labels["server"] != "":
			setServer(rowOf(px, labels["server"]), strings.TrimPrefix(name, "haproxy_server_"), labels["state"], value)
		}
	}
	if err := sc.Err(); err != nil {
		return Stats{}, fmt.Errorf("metrics: %w", err)
	}
	if !found {
		return Stats{}, errors.New("metrics: HAProxy's exporter lists no proxy")
	}
	for i := range st.Proxies {
		for j := range st.Proxies[i].Servers {
			// The exporter has no value for a server that was never checked.
			if s := &st.Proxies[i].Servers[j]; s.CheckStatus == "" && s.Status == "UP" {
				s.CheckStatus = "INI"
			}
		}
	}
	return st, nil
}

// setServer puts one sample into a server's row.
func setServer(s *ServerRow, metric, state string, value float64) {
	switch metric {
	case "status":
		if value == 1 {
			s.Status = state
		}
	case "check_status":
		if value == 1 {
			s.CheckStatus = state
		}
	case "check_code":
		s.CheckCode = int(value)
	case "weight":
		s.Weight = int(value)
	case "uweight":
		s.UserWeight = int(value)
	case "current_sessions":
		s.Sessions = int64(value)
	case "limit_sessions":
		s.Limit = int64(value)
	case "current_queue":
		s.Queue = int64(value)
	case "queue_limit":
		s.QueueLimit = int64(value)
	case "sessions_total":
		s.Total = int64(value)
	case "check_last_change_seconds":
		s.LastChange = int64(value)
	}
}

func proxyOf(st *Stats, name string) *Proxy {
	if px := st.Proxy(name); px != nil {
		return px
	}
	st.Proxies = append(st.Proxies, Proxy{Name: name})
	return &st.Proxies[len(st.Proxies)-1]
}

func rowOf(px *Proxy, name string) *ServerRow {
	if s := px.Server(name); s != nil {
		return s
	}
	px.Servers = append(px.Servers, ServerRow{Name: name, UserWeight: -1, CheckMs: -1})
	return &px.Servers[len(px.Servers)-1]
}

// sample is one line of the text format, without exemplars and time stamps:
// name{label="value",…} number. HAProxy escapes nothing in these labels.
func sample(line string) (name string, labels map[string]string, value float64, ok bool) {
	if !strings.HasPrefix(line, "haproxy_") {
		return "", nil, 0, false
	}
	name, rest, ok := strings.Cut(line, "{")
	if !ok {
		return "", nil, 0, false
	}
	body, num, ok := strings.Cut(rest, "} ")
	if !ok {
		return "", nil, 0, false
	}
	num, _, _ = strings.Cut(num, " ")
	value, err := strconv.ParseFloat(num, 64)
	if err != nil {
		return "", nil, 0, false
	}
	labels = map[string]string{}
	for _, kv := range strings.Split(body, ",") {
		k, v, _ := strings.Cut(kv, "=")
		labels[k] = text.Line(strings.Trim(v, `"`), 200)
	}
	return name, labels, value, true
}
