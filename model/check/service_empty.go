package check

import (
	"fmt"

	"pgtui/model"
	"pgtui/model/board"
)

// serviceEmpty: a service that lacks a server, although it is meant to have one, on every
// HAProxy node that answers. A port that is closed is a finding of its own.
func serviceEmpty(in Input, report func(model.Finding)) {
	unserved(in, model.Empty, report, func(r *board.Route, svc *model.Service, f *model.Finding) {
		f.Summary = r.Name() + " has no server"
		if model.LockOnly(svc.Check, in.Board.Cluster.Standby) {
			f.Severity = model.Critical
		}
		switch n := len(r.Views) - len(r.Silent); {
		case len(r.Silent) == 0:
		case n == 1:
			f.Summary += " on the only HAProxy node that answers"
		default:
			f.Summary += fmt.Sprintf(" on any of the %d HAProxy nodes that answer", n)
		}
	})
}

// serviceOnBackup: a service served by its backup because its regular servers cannot.
func serviceOnBackup(in Input, report func(model.Finding)) {
	unserved(in, model.BackupServing, report, func(r *board.Route, _ *model.Service, f *model.Finding) {
		f.Summary = r.Name() + " is served by its backup"
	})
}

// unserved reports the services with that verdict that are not so by design and whose
// port is open, each with what keeps its regular servers out. word sets the
// beginning of the summary.
func unserved(in Input, v model.Verdict, report func(model.Finding), word func(*board.Route, *model.Service, *model.Finding)) {
	for i := range in.Board.Routes {
		r := &in.Board.Routes[i]
		svc := in.Board.Cluster.Service(r.Service)
		if r.Verdict != v || in.Board.ByDesign(r) || svc == nil || r.ClosedWord() != "" {
			continue
		}
		f := model.Finding{Severity: model.Warning, Service: r.Service, Evidence: []string{r.Why}}
		word(r, svc, &f)
		why := whyEmpty(in, r)
		if why.text != "" {
			f.Summary += ": " + why.text
		}
		if f.Hint = why.hint; f.Hint == "" {
			f.Hint = askFirst(svc)
		}
		report(f)
	}
}

// askFirst is the command that runs the check of a service's first server.
func askFirst(svc *model.Service) string {
	servers, _ := svc.Servers()
	if len(servers) == 0 {
		return "its selector in the inventory matches no instance: pgtui render " + string(svc.Cluster)
	}
	return askPatroni(svc, servers[0].Name) + " shows what its Patroni answers"
}
