package probe

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"

	"time"

	"github.com/miekg/dns"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/node"
	"pgtui/probe/postgres"
	"pgtui/source"
)

// Components queries everything that Pigsty runs on the given nodes whether it is
// healthy, at the same time and within the bounds of Probe: at most four
// questions at once to one node. facts, which may be nil, is what the nodes
// reported over SSH; without it a component that listens on no port is unknown.
// A component that does not answer is data. Version comes along where one more
// small question gives it.
func (p *Prober) Components(ctx context.Context, inv *model.Inventory, nodes []*model.Node, facts map[model.Host]source.Observed[model.NodeFacts]) map[model.ComponentKey]source.Observed[model.ComponentState] {
	a := p.asker(inv)
	type job struct {
		c     *model.Component
		slots chan struct{} // of the node
	}
	var jobs []job
	for _, n := range nodes {
		slots := make(chan struct{}, 2*perNode)
		for i := range n.Components {
			jobs = append(jobs, job{&n.Components[i], slots})
		}
	}
	observed := func(c *model.Component, st model.ComponentState, start time.Time) (model.ComponentKey, source.Observed[model.ComponentState]) {
		at := p.o.Now()
		return c.Key(), source.Observed[model.ComponentState]{Value: st, At: at, Tried: at, Took: at.Sub(start)}
	}
	return guard.Collect(jobs, func(j job) string { return "asking " + j.c.Name + " on " + string(j.c.Host) },
		func(j job) (model.ComponentKey, source.Observed[model.ComponentState]) {
			start := p.o.Now()
			st := model.ComponentState{Health: model.ComponentUnknown, Why: "not checked: its turn did not come"}
			if leave, err := p.enter(ctx, j.slots); err == nil {
				defer leave()
				start = p.o.Now()
				st = p.component(ctx, a, j.c, loginOf(inv, j.c))
			}
			withUnit(&st, j.c, facts[j.c.Host])
			return observed(j.c, st, start)
		}, func(j job, err error) (model.ComponentKey, source.Observed[model.ComponentState]) {
			return observed(j.c, model.ComponentState{Health: model.ComponentUnknown, Why: err.Error()}, p.o.Now())
		})
}

// loginOf is the monitoring user of the component's cluster.
func loginOf(inv *model.Inventory, c *model.Component) model.Login {
	for i := range inv.Clusters {
		if inv.Clusters[i].Instance(c.Instance) != nil && c.Instance != "" {
			return inv.Clusters[i].Monitor
		}
	}
	return model.Login{}
}

// withUnit adds systemd's word, which decides where there is no port to ask.
func withUnit(st *model.ComponentState, c *model.Component, o source.Observed[model.NodeFacts]) {
	if o.Known() {
		for _, u := range node.UnitNames(c.Unit) {
			if s := o.Value.Units[u]; st.Unit == "" || s == "active" {
				st.Unit = s
			}
		}
	}
	if c.Ask != model.AskUnit {
		return
	}
	switch {
	case o.Err != nil:
		st.Health, st.Why = model.ComponentUnknown, text.Line(o.Err.Error(), text.MaxNote)
	case !o.Known():
		st.Health, st.Why = model.ComponentUnknown, "it has no port, and the node was not read over SSH"
	case st.Unit == "":
		st.Health, st.Why = model.ComponentUnknown, "it has no port, and systemctl on the node does not list it"
	case st.Unit == "active":
		st.Health, st.Why, st.Reachable = model.ComponentUp, "", true
	default:
		st.Health, st.Why = model.ComponentDown, "systemd reports it as "+st.Unit
	}
}

// component queries one component.
func (p *Prober) component(ctx context.Context, a *asker, c *model.Component, login model.Login) model.ComponentState {
	addr := net.JoinHostPort(string(c.Host), strconv.Itoa(int(c.Port)))
	if c.Ask == model.AskHTTP {
		return askWeb(ctx, a, c, addr)
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	switch c.Ask {
	case model.AskPostgres:
		return p.askPostgres(ctx, c, addr, login)
	case model.AskUnit:
		return model.ComponentState{Health: model.ComponentUnknown}
	case model.AskDNS:
		version, err := p.askDNS(ctx, addr)
		return stateOf(version, err, addr, p.o.Timeout)
	}
	network := "tcp"
	if c.Ask == model.AskNTP {
		network = "udp"
	}
	conn, err := p.o.Dial(ctx, network, addr)
	if err != nil {
		return stateOf("", err, addr, p.o.Timeout)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	version := ""
	switch c.Ask {
	case model.AskSSH:
		version, err = readBanner(conn)
	case model.AskNTP:
		version, err = askNTP(conn)
	}
	st := stateOf(version, err, addr, p.o.Timeout)
	st.Reachable = st.Reachable || network == "tcp"
	return st
}

// stateOf makes the state of an answer, or of the lack of one.
func stateOf(version string, err error, addr string, timeout time.Duration) model.ComponentState {
	if err == nil {
		return model.ComponentState{Reachable: true, Health: model.ComponentUp, Version: text.Line(version, 60)}
	}
	try := postgres.FaultOf(err, addr, timeout)
	switch try.Fault {
	case model.FaultRefused:
		return model.ComponentState{Health: model.ComponentDown, Why: try.Text}
	case model.FaultTimeout:
		return model.ComponentState{Health: model.ComponentSilent, Why: try.Text}
	}
	return model.ComponentState{Reachable: true, Health: model.ComponentSick, Why: text.Line(postgres.LastCause(err), text.MaxNote)}
}

// readBanner reads the first line of an SSH server: "SSH-2.0-OpenSSH_9.2p1 …".
func readBanner(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 256)).ReadString('\n')
	if err != nil {
		return "", err
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(line), "SSH-")
	if !ok {
		return "", fmt.Errorf("it greets with %q, which is not SSH's", text.Line(line, 40))
	}
	_, version, _ = strings.Cut(version, "-")
	version, _, _ = strings.Cut(version, " ")
	return strings.Replace(version, "_", " ", 1), nil
}

// askNTP sends a client's packet and reads the server's.
func askNTP(conn io.ReadWriter) (string, error) {
	packet := make([]byte, 48)
	packet[0] = 4<<3 | 3 // version 4, client
	if _, err := conn.Write(packet); err != nil {
		return "", err
	}
	answer := make([]byte, 128)
	n, err := conn.Read(answer)
	if err != nil {
		return "", err
	}
	if n < 48 || answer[0]&7 != 4 {
		return "", fmt.Errorf("%d bytes that are not a time server's", n)
	}
	if answer[1] == 0 || answer[1] >= 16 {
		return "", fmt.Errorf("it serves time and is not synchronised itself (stratum %d)", answer[1])
	}
	return fmt.Sprintf("stratum %d", answer[1]), nil
}

// askDNS queries a name server for its version, which any of them answers
// somehow: a refusal proves that it is there.
func (p *Prober) askDNS(ctx context.Context, addr string) (version string, err error) {
	m := new(dns.Msg)
	m.SetQuestion("version.bind.", dns.TypeTXT)
	m.Question[0].Qclass = dns.ClassCHAOS
	in, err := p.exchange(ctx, m, addr)
	if err != nil {
		return "", err
	}
	for _, rr := range in.Answer {
		if txt, ok := rr.(*dns.TXT); ok && len(txt.Txt) > 0 {
			return strings.TrimPrefix(txt.Txt[0], "dnsmasq-"), nil
		}
	}
	return "", nil
}

// exchange sends one question over UDP.
func (p *Prober) exchange(ctx context.Context, m *dns.Msg, addr string) (*dns.Msg, error) {
	conn, err := p.o.Dial(ctx, "udp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	dc := &dns.Conn{Conn: conn, UDPSize: 4096}
	if err := dc.WriteMsg(m); err != nil {
		return nil, err
	}
	in, err := dc.ReadMsg()
	if err != nil {
		return nil, err
	}
	if in.Id != m.Id {
		return nil, fmt.Errorf("the answer of %s is to another question", text.Line(addr, 80))
	}
	return in, nil
}

// askPostgres requests TLS, as every client may: a server that answers S or N speaks
// PostgreSQL's protocol. A login as the monitoring user then reports the version.
func (p *Prober) askPostgres(ctx context.Context, c *model.Component, addr string, login model.Login) model.ComponentState {
	if _, err := postgres.SSLRequest(ctx, p.o.Dial, addr); err != nil {
		return stateOf("", err, addr, p.o.Timeout)
	}
	st := model.ComponentState{Reachable: true, Health: model.ComponentUp}
	if login.User == "" {
		return st
	}
	db := "postgres"
	if c.Name == "pgbouncer" {
		db = "pgbouncer" // its own: the version is the pooler's
	}
	line := p.line(addr)
	defer line.Close()
	conn, err := line.Login(ctx, login, db)
	if err != nil {
		return afterLogin(st, postgres.FaultOf(err, addr, postgres.ProveTimeout))
	}
	defer func() {
		_ = conn.Close(ctx) // the version is read or lost already
	}()
	st.Version = postgres.VersionOf(conn)
	return st
}

// afterLogin is the state of a server that speaks and lets the monitoring user
// not in: only what it reports of itself counts against it.
func afterLogin(st model.ComponentState, try model.Try) model.ComponentState {
	switch try.Fault {
	case model.FaultStarting, model.FaultClosed, model.FaultTimeout, model.FaultPooler:
		st.Health, st.Why = model.ComponentSick, try.Text
	default:
		st.Why = "its version is unknown: " + try.Text
	}
	return st
}

// askWeb queries a component that speaks HTTP.
func askWeb(ctx context.Context, a *asker, c *model.Component, addr string) model.ComponentState {
	resp, err := a.ask(ctx, request{method: "GET", tls: c.TLS, addr: addr, path: c.Path, limit: maxBody})
	if f, ok := err.(*failure); ok { //nolint:errorlint // ask returns no other
		st := stateOf("", err, addr, a.timeout)
		st.Why = f.text
		switch {
		case f.text == errWantsTLS.Error():
			return model.ComponentState{Reachable: true, Health: model.ComponentUp, Why: "it requires a TLS client certificate: its health was not checked"}
		case f.answered:
			return model.ComponentState{Reachable: true, Health: model.ComponentUp, Why: f.text}
		}
		st.Reachable = f.connected
		return st
	}
	st := model.ComponentState{Reachable: true, Health: model.ComponentUp}
	if (resp.code < 200 || resp.code >= 400) && resp.code != 401 && resp.code != 403 {
		st.Health, st.Why = model.ComponentSick, fmt.Sprintf("%s answers %d", c.Path, resp.code)
	}
	body := resp.body
	if path := versionPath(c); path != "" {
		if resp, err = a.ask(ctx, request{method: "GET", tls: c.TLS, addr: addr, path: path, limit: maxBody}); err == nil {
			body = resp.body
		}
	}
	st.Version = webVersion(body)
	if trouble := exporterTrouble(c, body); trouble != "" && st.Health == model.ComponentUp {
		st.Health, st.Why = model.ComponentSick, trouble
	}
	return st
}

// versionPath is where the version is when the health page does not tell it;
// "" is no other request.
func versionPath(c *model.Component) string {
	switch c.Name {
	case "patroni":
		return "/patroni"
	case "etcd":
		return "/version"
	case "nginx", "grafana":
		return ""
	}
	if strings.HasPrefix(c.Path, "/metrics") {
		return ""
	}
	return "/metrics"
}

// webVersion finds a version in a page of metrics or a JSON document.
func webVersion(body []byte) string {
	var doc struct {
		Version string `json:"version"`
		Etcd    string `json:"etcdserver"`
		Patroni struct {
			Version string `json:"version"`
		} `json:"patroni"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && json.Unmarshal(body, &doc) == nil {
		return text.Line(cmp.Or(doc.Patroni.Version, doc.Etcd, doc.Version), 40)
	}
	for _, re := range []string{`_build_info\{[^}\n]{0,400}version="v?([0-9][^"\n]{0,40})"`, `(?:vm|vl)_app_version\{[^}\n]{0,400}short_version="v?([^"\n]{0,40})"`} {
		if m := regexp.MustCompile(re).FindSubmatch(body); m != nil {
			return text.Line(string(m[1]), 40)
		}
	}
	return ""
}

// exporterTrouble is what an exporter reports of the program it watches; "" when
// it is healthy.
func exporterTrouble(c *model.Component, body []byte) string {
	of := map[string]string{"pg_exporter": "PostgreSQL", "pgbouncer_exporter": "pgbouncer"}[c.Name]
	if of == "" {
		return ""
	}
	for line := range bytes.Lines(body) {
		if w := bytes.Fields(line); len(w) == 2 && bytes.HasSuffix(bytes.SplitN(w[0], []byte("{"), 2)[0], []byte("_up")) && string(w[1]) == "0" {
			return "it does not reach " + of
		}
	}
	return ""
}
