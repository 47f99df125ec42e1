package pigsty

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

// customScope is the play scope of a host with the variables of the task that
// renders one service.
type customScope struct {
	play *scope
	task map[string]py.Value
}

// Get implements jinja.Scope.
func (s customScope) Get(name string) (py.Value, bool, error) {
	if v, ok := s.task[name]; ok {
		return v, true, nil
	}
	return s.play.Get(name)
}

// Raw implements jinja.Scope.
func (s customScope) Raw(name string) (py.Value, bool) {
	if v, ok := s.task[name]; ok {
		return v, true
	}
	return s.play.Raw(name)
}

// custom renders the service with the checkout's own template and returns the
// file's text. An error that is not a *fault means that pgtui cannot render the
// template; Ansible may be able to.
func (r *renderer) custom(d *py.Dict, name string) (string, error) {
	w := r.h.w
	text, err := w.engine.File(w.checkout.Custom, customScope{play: r.h.play, task: map[string]py.Value{
		"service": d, "item": d, "service_name": py.Computed(r.cls + "-" + name),
		"pg_cluster_members_query": py.Computed("[@.*][0][?pg_cluster=='" + r.cls + "']"),
		"ansible_managed":          py.Computed("ansible managed: " + model.ManagedDate),
	}})
	if err == nil {
		return text, nil
	}
	_, unknowable := errors.AsType[*jinja.Unknowable](err)
	_, syntax := errors.AsType[*jinja.SyntaxError](err)
	if unknowable || syntax {
		return "", err
	}
	return "", &fault{at: d.At, what: fmt.Sprintf("the template %s fails: %v", path.Join(w.checkout.Dir, w.checkout.Template), err), try: "correct the service, or the template"}
}

// byTemplate gives s the file that the checkout's own template makes of it, and
// reads the servers back from that file. native is the error of the dialect's
// rules: it counts only where the template cannot be rendered.
func (r *renderer) byTemplate(s model.Service, d *py.Dict, native error) (model.Service, error) {
	if r.h.w.checkout.Custom == "" || r.h.w.unrenderable != nil || !fileName(r.cls+string(s.Name)) {
		return s, native
	}
	text, err := r.custom(d, string(s.Name))
	if _, ok := errors.AsType[*fault](err); ok {
		return s, err
	}
	if err != nil {
		r.h.w.unrenderable = err
		return s, native
	}
	s.Text = text
	if s.Port == "" {
		if p, ok := d.Get("port"); ok {
			s.Port = py.PrintIn(r.h.w.b, p)
		}
	}
	// The words of the text have a string header each, its settings are joined again.
	if err := r.h.w.b.Spend(1+len(text)>>3, budget.Times(len(text), 9)); err != nil {
		return s, err
	}
	readBack(&s)
	return s, nil
}

// readBack takes from the text what the console shows of a service: servers,
// the check, the bind port.
func readBack(s *model.Service) {
	s.Members, s.Backups = nil, nil
	sections := haproxy.Sections("", []byte(s.Text))
	for i := range sections {
		sec := &sections[i]
		for k := range sec.Servers {
			to := &s.Members
			if sec.Servers[k].Backup {
				to = &s.Backups
			}
			*to = append(*to, serverOf(sec, &sec.Servers[k]))
		}
		for _, bind := range sec.Binds {
			if i := strings.LastIndexByte(bind, ':'); i >= 0 {
				s.IP, s.Port = bind[:i], bind[i+1:]
			}
		}
		s.MaxConn = cmp.Or(sec.Setting("maxconn"), s.MaxConn)
		s.Balance = cmp.Or(sec.Setting("balance"), s.Balance)
		s.Options = cmp.Or(sec.Setting("default-server"), s.Options)
		s.Check = cmp.Or(sec.Check, s.Check)
	}
}

// serverOf is the server of a line. HAProxy's weight is 1 where none is set.
func serverOf(sec *haproxy.Section, line *haproxy.ServerLine) model.Server {
	srv := model.Server{Name: model.InstanceName(line.Name), Host: model.Host(line.Addr), CheckPort: cmp.Or(line.CheckPort, "8008"),
		Weight: cmp.Or(sec.WeightOf(line), "1"), CheckTLS: slices.Contains(line.Rest, "check-ssl")}
	if i := strings.LastIndexByte(line.Addr, ':'); i >= 0 {
		srv.Host, srv.Port = model.Host(line.Addr[:i]), line.Addr[i+1:]
	}
	return srv
}

// templateProblems report whether files are rendered from a template that Pigsty
// does not ship.
func (w *world) templateProblems() []source.Problem {
	c := w.checkout
	if c.Custom == "" {
		return nil
	}
	at := source.Pos{File: path.Join(c.Dir, c.Template), Line: 1, Column: 1}
	p := source.Problem{At: at, Subject: "service template"}
	if w.unrenderable != nil {
		p.What = fmt.Sprintf("Pigsty does not ship this template, and pgtui cannot render it: %v; files are shown as Pigsty %s would write them, which may differ", w.unrenderable, w.dialect)
		p.Try = "compare with: ./pgsql.yml -t pg_service --check --diff"
	} else {
		p.What = fmt.Sprintf("Pigsty does not ship this template: files are rendered from it; everything else follows Pigsty %s, the nearest version", w.dialect)
	}
	return []source.Problem{p}
}
