package pigsty

import (
	"errors"
	"fmt"
	"strings"

	"pgtui/ansible/jmespath"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

// compiled is a selector that was parsed once.
type compiled struct {
	expr *jmespath.Expr
	err  error
}

// fault is why one service cannot be rendered.
type fault struct {
	at   source.Pos
	what string
	try  string
}

func (f *fault) Error() string { return f.what }

// renderer prints the services of one host.
type renderer struct {
	h    *host
	cls  string
	pool []py.Value
}

// services are the services the host's own run renders, by name, in the
// order they are first written, and what failed.
func (h *host) services() (out []model.Service, problems []source.Problem) {
	problem := func(at source.Pos, subject, what, try string) {
		if at.Line == 0 {
			at = h.inv.At
		}
		problems = append(problems, source.Problem{At: at, Subject: subject, What: what, Try: try, Fatal: true})
	}
	items, f := h.serviceList()
	if f != nil {
		problem(f.at, h.name, f.what, f.try)
		return nil, problems
	}
	w := h.w
	if n := len(w.poolOf(h.name)) + 32*len(items); w.b.Spend(n, budget.Times(len(w.poolOf(h.name)), budget.Item)+budget.Times(len(items), serviceSize)) != nil {
		return nil, nil
	}
	out = make([]model.Service, 0, len(items))
	r := &renderer{h: h, cls: h.name}
	for _, m := range h.w.poolOf(h.name) {
		r.pool = append(r.pool, m)
	}
	place := map[model.ServiceName]int{}
	for i, it := range items {
		d, _ := it.(*py.Dict)
		name, ok := d.Get("name")
		if !ok {
			f := nameless(d, h, i)
			problem(f.at, h.name, f.what, f.try)
			break // the loop itself fails: nothing after it is written
		}
		at := d.At
		if at.Line == 0 {
			at = h.inv.At
		}
		w.in(frame{pos: at, name: "service " + py.Cut(py.PrintIn(w.b, name)) + " of host " + py.Cut(h.inv.Name)})
		s, err := r.service(d, py.PrintIn(w.b, name))
		s, err = r.byTemplate(s, d, err)
		w.out()
		if w.b.Err() != nil {
			return nil, nil
		}
		if err != nil {
			f := &fault{at: d.At, what: err.Error()}
			_ = errors.As(err, &f)
			problem(f.at, h.name+"-"+py.Cut(py.Print(name)), f.what, f.try)
			continue
		}
		if j, ok := place[s.Name]; ok {
			out[j] = s
			continue
		}
		place[s.Name] = len(out)
		out = append(out, s)
	}
	return out, problems
}

// serviceSize is what a service takes, in bytes, and serverSize what one of its
// servers does.
const (
	serviceSize = 512
	serverSize  = 144
)

func nameless(d *py.Dict, h *host, i int) *fault {
	f := &fault{at: h.at("pg_services"), what: fmt.Sprintf("service number %d of host %s has no name: Pigsty stops there and writes nothing after it", i+1, h.inv.Name),
		try: "give the service a name"}
	if d != nil && d.At.Line != 0 {
		f.at = d.At
	}
	return f
}

// serviceList is pg_default_services + pg_services, flattened one level.
func (h *host) serviceList() ([]py.Value, *fault) {
	var all []py.Value
	for _, name := range []string{"pg_default_services", "pg_services"} {
		v, _, err := h.play.get(name)
		if err != nil {
			return nil, &fault{at: h.at(name), what: fmt.Sprintf("%s of host %s cannot be resolved: %v", name, h.inv.Name, err)}
		}
		l, ok := v.([]py.Value)
		if !ok {
			return nil, &fault{at: h.at(name), what: fmt.Sprintf("%s of host %s is %s: expected a list of services; Pigsty writes no files for it", name, h.inv.Name, article(v)),
				try: "write it as a list, [] for none"}
		}
		for _, it := range l {
			sub, _ := it.([]py.Value)
			if h.w.b.Spend(1+len(sub), budget.Times(1+len(sub), 2*budget.Item)) != nil {
				return nil, nil
			}
			if sub, ok := it.([]py.Value); ok {
				all = append(all, sub...)
			} else {
				all = append(all, it)
			}
		}
	}
	return all, nil
}

// article words the type of v in YAML's terms.
func article(v py.Value) string {
	switch v.(type) {
	case nil:
		return "null"
	case []py.Value:
		return "a list"
	case *py.Dict:
		return "a mapping"
	case py.Object:
		return "one member"
	}
	if _, ok := py.Text(v); ok {
		return "a string"
	}
	if py.IsNumber(v) {
		return py.Brief(v)
	}
	return "no list"
}

// service resolves one service as the template of the host's run sees it.
func (r *renderer) service(d *py.Dict, name string) (model.Service, error) {
	s := model.Service{
		Cluster: model.ClusterName(r.cls), Name: model.ServiceName(name), Rendered: model.Host(r.h.inv.Name), Line: d.At,
		IP: "*", MaxConn: "5000", Balance: "roundrobin", Check: "/", Dest: "default",
	}
	if !fileName(r.cls + name) {
		return s, &fault{at: place(d, "name"), what: fmt.Sprintf("service name %q cannot be part of a file name", name), try: "use letters, digits and dashes"}
	}
	port, ok := d.Get("port")
	if !ok {
		return s, &fault{at: d.At, what: fmt.Sprintf("service %s has no port", name), try: "give it a port of its own, such as 5439"}
	}
	s.Port = py.PrintIn(r.h.w.b, port)
	for key, field := range map[string]*string{"ip": &s.IP, "maxconn": &s.MaxConn, "balance": &s.Balance, "check": &s.Check} {
		if v, ok := d.Get(key); ok {
			*field = py.PrintIn(r.h.w.b, v)
		}
	}
	_, checked := d.Get("check")
	s.NoCheck = !checked
	if err := r.options(&s, d); err != nil {
		return s, err
	}
	dest, err := r.dest(&s, d)
	if err != nil {
		return s, err
	}
	return s, r.members(&s, d, dest)
}

// fileName reports whether the text can be part of a file's name.
func fileName(s string) bool { return !strings.ContainsAny(s, "/\x00\n\r") }

// place is where a key of a service is written, the service itself when it
// is not.
func place(d *py.Dict, key string) source.Pos {
	if e := d.Lookup(key); e != nil && e.At.Line != 0 {
		return e.At
	}
	return d.At
}

const fixedOptions = "inter 3s fastinter 1s downinter 5s rise 3 fall 3"

const commonOptions = " on-marked-down shutdown-sessions slowstart 30s maxconn 3000 maxqueue 128 weight 100"

func (r *renderer) options(s *model.Service, d *py.Dict) error {
	switch r.h.w.dialect {
	case model.DialectV20, model.DialectV27, model.DialectV37:
		s.Options = fixedOptions + commonOptions
	default:
		rto, err := r.rto()
		if err != nil {
			return err
		}
		s.Options = rto + commonOptions
	}
	if v, ok := d.Get("options"); ok {
		s.Options = py.PrintIn(r.h.w.b, v)
	}
	if v, ok := d.Get("check_port"); ok && py.IsNumber(v) && old(r.h.w.dialect) {
		s.CheckPort = py.PrintIn(r.h.w.b, v)
	}
	return nil
}

// old reports whether the template still knows check_port.
func old(d model.Dialect) bool { return d == model.DialectV20 || d == model.DialectV27 }

// rto is the timing part of default-server, from pg_rto_plan. It is computed
// for services with options of their own too, and fails for them as well.
func (r *renderer) rto() (string, error) {
	fail := func(format string, args ...any) error {
		return &fault{at: r.h.at("pg_rto_plan"), what: fmt.Sprintf(format, args...), try: "correct pg_rto or pg_rto_plan"}
	}
	mode, _, err := r.h.play.get("pg_rto")
	if err != nil {
		return "", fail("pg_rto of host %s cannot be resolved: %v", r.h.inv.Name, err)
	}
	v, _, err := r.h.play.get("pg_rto_plan")
	if err != nil {
		return "", fail("pg_rto_plan of host %s cannot be resolved: %v", r.h.inv.Name, err)
	}
	plan, ok := v.(*py.Dict)
	if !ok {
		return "", fail("pg_rto_plan of host %s is %s: expected a mapping of modes", r.h.inv.Name, article(v))
	}
	if _, ok := py.KeyOf(mode); !ok {
		return "", fail("pg_rto of host %s is %s: expected the name of a mode", r.h.inv.Name, article(mode))
	}
	e := plan.Lookup(mode)
	if e == nil {
		if e = plan.Lookup("norm"); e == nil {
			return "", fail("pg_rto of host %s is %s, which pg_rto_plan does not have, and neither has it norm", r.h.inv.Name, py.Brief(mode))
		}
	}
	words := []string{"inter ", " fastinter ", " downinter ", " rise ", " fall "}
	var b strings.Builder
	for i, w := range words {
		n, ok := element(e.Value, i+5, r.h.w.b)
		if !ok {
			return "", fail("pg_rto_plan of host %s: mode %s needs 10 values, the health check's are 6 to 10", r.h.inv.Name, py.Cut(py.Str(e.Key)))
		}
		b.WriteString(w + py.StrIn(r.h.w.b, n))
	}
	return b.String(), nil
}

// element is v[i] as Jinja reads it.
func element(v py.Value, i int, b *budget.Budget) (py.Value, bool) {
	switch x := v.(type) {
	case []py.Value:
		if i < len(x) {
			return x[i], true
		}
	case *py.Dict:
		if e := x.Lookup(int64(i)); e != nil {
			return e.Value, true
		}
	}
	if s, ok := py.Text(v); ok && b.Spend(1, 4*len(s)) == nil {
		if r := []rune(s); i < len(r) {
			return py.Computed(r[i : i+1]), true
		}
	}
	return nil, false
}

// dest is what decides the port of the server lines.
func (r *renderer) dest(s *model.Service, d *py.Dict) (py.Value, error) {
	v, ok := d.Get("dest")
	if ok {
		s.Dest = py.StrIn(r.h.w.b, v)
	}
	if ok && !py.Equal(v, "default") {
		return v, nil
	}
	v, ok, err := r.h.play.get("pg_default_service_dest")
	if err != nil {
		return nil, &fault{at: r.h.at("pg_default_service_dest"), what: fmt.Sprintf("pg_default_service_dest of host %s cannot be resolved: %v", r.h.inv.Name, err)}
	}
	if !ok {
		return "postgres", nil
	}
	return v, nil
}

// search runs the selector in field key of the service over the pool.
func (r *renderer) search(d *py.Dict, key string, v py.Value) (py.Value, error) {
	text, ok := py.Text(v)
	if _, locked := v.(py.Vault); !ok || locked {
		return nil, &fault{at: place(d, key), what: fmt.Sprintf("the %s is %s: expected JMESPath in quotes", key, article(v)), try: `"[]" selects every member`}
	}
	c, ok := r.h.w.queries[text]
	if !ok {
		if err := r.h.w.b.Spend(1+len(text), budget.Times(len(text), 100)); err != nil {
			return nil, err
		}
		c.expr, c.err = jmespath.Compile(text)
		r.h.w.queries[text] = c
	}
	if c.err != nil {
		return nil, &fault{at: place(d, key), what: c.err.Error(), try: `"[]" selects every member`}
	}
	out, err := c.expr.SearchIn(r.h.w.b, r.pool)
	if err != nil {
		return nil, &fault{at: place(d, key), what: err.Error(), try: "compare numbers with `1`, strings with 'x'"}
	}
	return out, nil
}

func (r *renderer) members(s *model.Service, d *py.Dict, dest py.Value) error {
	v, ok := d.Get("selector")
	if !ok {
		return &fault{at: d.At, what: fmt.Sprintf("service %s has no selector", s.Name), try: `"[]" selects every member`}
	}
	s.Selector = py.StrIn(r.h.w.b, v)
	got, err := r.search(d, "selector", v)
	if err != nil {
		return err
	}
	members, ok := got.([]py.Value)
	if !ok {
		return &fault{at: place(d, "selector"), what: fmt.Sprintf("the selector %s gives %s: expected a list of members", py.Cut(s.Selector), article(got)), try: `put it in brackets, or filter with "[? … ]"`}
	}
	var backups []py.Value
	if b, ok := d.Get("backup"); ok {
		s.Backup = py.PrintIn(r.h.w.b, b)
		if got, err = r.search(d, "backup", b); err != nil {
			return err
		}
		if backups, ok = got.([]py.Value); !ok && py.Truthy(got) {
			return &fault{at: place(d, "backup"), what: fmt.Sprintf("the backup selector %s gives %s: expected a list of members", py.Cut(s.Backup), article(got)), try: `put it in brackets, or filter with "[? … ]"`}
		}
	}
	if n := budget.Plus(len(members), len(backups)); r.h.w.b.Spend(n, budget.Times(n, serverSize)) != nil {
		return r.h.w.b.Err()
	}
	chosen := map[model.Host]bool{}
	s.Members = make([]model.Server, 0, len(members))
	for _, m := range members {
		srv, err := r.server(m, dest, true)
		if err != nil {
			return &fault{at: place(d, "selector"), what: fmt.Sprintf("the selector %s: %v", py.Cut(s.Selector), err)}
		}
		chosen[srv.Host] = true
		s.Members = append(s.Members, srv)
	}
	for _, m := range backups {
		name, _, err := attr(m, "inventory_hostname")
		printed := err != nil || !chosen[model.Host(py.PrintIn(r.h.w.b, name))]
		srv, err := r.server(m, dest, printed)
		if err != nil {
			return &fault{at: place(d, "backup"), what: fmt.Sprintf("the backup selector %s: %v", py.Cut(s.Backup), err)}
		}
		s.Backups = append(s.Backups, srv)
	}
	return nil
}

// attr is v.name as Jinja reads it of a member.
func attr(v py.Value, name string) (py.Value, bool, error) {
	switch x := v.(type) {
	case py.Object:
		return x.Attr(name)
	case *py.Dict:
		f, ok := x.Get(name)
		return f, ok, nil
	}
	return nil, false, nil
}

// server is one server line. When full is false only its host matters.
func (r *renderer) server(m py.Value, dest py.Value, full bool) (model.Server, error) {
	var failed error
	need := func(name string) string {
		v, ok, err := attr(m, name)
		if err != nil && failed == nil {
			failed = err
		}
		if !ok && failed == nil {
			failed = fmt.Errorf("what it selects has no %s: expected members", name)
		}
		return py.PrintIn(r.h.w.b, v)
	}
	or := func(name, def string) string {
		v, ok, err := attr(m, name)
		if err != nil && failed == nil {
			failed = err
		}
		if !ok {
			return def
		}
		return py.PrintIn(r.h.w.b, v)
	}
	s := model.Server{Host: model.Host(need("inventory_hostname"))}
	if !full {
		return s, failed
	}
	s.Name = model.InstanceName(need("pg_cluster") + "-" + need("pg_seq"))
	switch {
	case py.IsNumber(dest):
		s.Port = py.PrintIn(r.h.w.b, dest)
	case py.Equal(dest, "postgres"):
		s.Port = or("pg_port", "5432")
	case py.Equal(dest, "pgbouncer"):
		s.Port = or("pgbouncer_port", "6432")
	default:
		s.Port = "5432"
	}
	if v, ok, err := attr(m, "patroni_ssl_enabled"); ok && err == nil {
		s.CheckTLS = py.Bool(v)
	}
	s.CheckPort, s.Weight = or("patroni_port", "8008"), or("pg_weight", "100")
	return s, failed
}
