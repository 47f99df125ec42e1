package pigsty

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
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
// file's text. An error that is no *fault means that the template cannot be
// rendered here, though Ansible may well do it.
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

// byTemplate gives s the file that the checkout's own template makes of it,
// and reads the servers back from there. native is how the dialect's rules
// fared: where the template can be rendered, its word counts.
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
	// Each server has a line, each of the few words of a line a header.
	if err := r.h.w.b.Spend(1+len(text)>>3, budget.Times(len(text), 8)); err != nil {
		return s, err
	}
	readBack(&s)
	return s, nil
}

// readBack takes from the text what the console shows of a service: servers,
// the check, the bind port.
func readBack(s *model.Service) {
	s.Members, s.Backups = nil, nil
	for line := range strings.Lines(s.Text) {
		f := strings.Fields(line)
		switch {
		case len(f) >= 3 && f[0] == "server":
			srv, backup := serverOf(f)
			if backup {
				s.Backups = append(s.Backups, srv)
			} else {
				s.Members = append(s.Members, srv)
			}
		case len(f) >= 2 && f[0] == "bind":
			if i := strings.LastIndexByte(f[1], ':'); i >= 0 {
				s.IP, s.Port = f[1][:i], f[1][i+1:]
			}
		case len(f) >= 2 && f[0] == "maxconn":
			s.MaxConn = f[1]
		case len(f) >= 2 && f[0] == "balance":
			s.Balance = strings.Join(f[1:], " ")
		case len(f) >= 2 && f[0] == "default-server":
			s.Options = strings.Join(f[1:], " ")
		case len(f) >= 3 && (f[0] == "http-check" && f[1] == "send" || f[0] == "option" && f[1] == "httpchk"):
			for i, w := range f {
				if strings.HasPrefix(w, "/") && (f[i-1] == "uri" || f[0] == "option") {
					s.Check = w
				}
			}
		}
	}
}

// serverOf reads the words of a server line.
func serverOf(f []string) (srv model.Server, backup bool) {
	srv = model.Server{Name: model.InstanceName(f[1]), Host: model.Host(f[2]), CheckPort: "8008", Weight: "100"}
	if i := strings.LastIndexByte(f[2], ':'); i >= 0 {
		srv.Host, srv.Port = model.Host(f[2][:i]), f[2][i+1:]
	}
	for i := 3; i < len(f); i++ {
		next := ""
		if i+1 < len(f) {
			next = f[i+1]
		}
		switch f[i] {
		case "port":
			srv.CheckPort = next
		case "weight":
			srv.Weight = next
		case "check-ssl":
			srv.CheckTLS = true
		case "backup":
			backup = true
		}
	}
	return srv, backup
}

// templateProblems tell what became of a template that Pigsty never shipped.
func (w *world) templateProblems() []source.Problem {
	c := w.checkout
	if c.Custom == "" {
		return nil
	}
	at := source.Pos{File: path.Join(c.Dir, c.Template), Line: 1, Column: 1}
	p := source.Problem{At: at, Subject: "service template"}
	if w.unrenderable != nil {
		p.What = fmt.Sprintf("Pigsty never shipped it and pgtui cannot render it: %v; files are shown as Pigsty %s would write them, which may differ", w.unrenderable, w.dialect)
		p.Try = "compare with: ./pgsql.yml -t pg_service --check --diff"
	} else {
		p.What = fmt.Sprintf("Pigsty never shipped it: files are rendered from it; everything else follows Pigsty %s, the nearest", w.dialect)
	}
	return []source.Problem{p}
}
