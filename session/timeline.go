package session

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/history"
	"pgtui/plan"
	"pgtui/probe/logs"
	"pgtui/probe/store"
	"pgtui/source"
)

// Store is a store of the configuration.
type Store struct {
	Site         store.Site
	PasswordFile string // its first line is the password; "" is none
}

// Stores are the stores of a kind: those of the configuration, else those on the infra nodes of the
// inventory, which each have all.
func (s *Session) StoresOf(inv *model.Inventory, k store.Kind) []store.Site {
	var out []store.Site
	for _, x := range s.Stores {
		if x.Site.Kind == k {
			site := x.Site
			site.CAFile, site.Password = cmp.Or(site.CAFile, inv.CAFile), firstLine(x.PasswordFile)
			out = append(out, site)
		}
	}
	if len(s.Stores) > 0 {
		return out
	}
	for i := range inv.Nodes {
		for _, c := range inv.Nodes[i].Components {
			if c.Module != "infra" || (k == store.Metrics) != (c.Name == "vmetrics" || c.Name == "prometheus") || k == store.Logs && c.Name != "vlogs" {
				continue
			}
			out = append(out, store.Site{Name: c.Name + " on " + inv.Label(c.Host), Kind: k, URL: fmt.Sprintf("http://%s:%d", c.Host, c.Port), CAFile: inv.CAFile, Victoria: c.Name == "vmetrics"})
		}
	}
	return out
}

// firstLine is the first line of a file, "" when it cannot be read: the store refuses the login
// then.
func firstLine(path string) model.Secret {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Scan()
	return model.Secret(strings.TrimSpace(sc.Text()))
}

// gathered is what the sources have, as it arrives.
type gathered struct {
	mu      sync.Mutex
	seen    history.Seen
	events  []history.Event
	logged  []model.Host
	sources []history.Source
}

func (g *gathered) add(src history.Source, events []history.Event, logged ...model.Host) {
	g.mu.Lock()
	defer g.mu.Unlock()
	src.Events = len(events)
	g.sources = append(g.sources, src)
	g.events = append(g.events, events...)
	g.logged = append(g.logged, logged...)
}

// Timeline is what happened to a cluster between two times, by every source that there is: the
// stores, logs, Patroni's history and the audit file. With ssh, the logs of the nodes are read
// where no store has them. A source that cannot be read is in the result; an error is returned when
// ctx ends only.
func (s *Session) Timeline(ctx context.Context, inv *model.Inventory, c *model.Cluster, since, until time.Time, ssh bool) (history.Timeline, error) {
	defer s.doing(fmt.Sprintf("reading what happened to %s", c.Name))()
	var g gathered
	failed := together(
		work{"reading the stored metrics", func() error { s.fromStores(ctx, &g, inv, c, since, until); return nil }},
		work{"reading logs", func() error {
			if !s.fromStoredLogs(ctx, &g, inv, c, since, until) && ssh {
				s.fromNodes(ctx, &g, inv, c, since, until)
			}
			return nil
		}},
		work{"reading Patroni's history", func() error { s.fromPatroni(ctx, &g, inv, c, since, until); return nil }},
		work{"reading the audit file", func() error { s.fromAudit(&g, inv, c, since, until); return nil }},
	)
	slices.SortFunc(g.sources, func(a, b history.Source) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	tl := history.Of(c, since, until, g.seen, g.events, g.logged)
	tl.Sources = g.sources
	return tl, cmp.Or(source.Ended(ctx), failed)
}

// fromStores reads the first store that has samples of the cluster; each that fails is a source
// with its error.
func (s *Session) fromStores(ctx context.Context, g *gathered, inv *model.Inventory, c *model.Cluster, since, until time.Time) {
	for _, site := range s.StoresOf(inv, store.Metrics) {
		cl := store.New(site, s.Now)
		series, err := cl.Samples(ctx, history.Selectors(c), since, until)
		cl.Close()
		src := history.Source{Name: cl.Label(), Kind: "metrics", Err: err}
		if err != nil {
			g.add(src, nil)
			continue
		}
		seen := history.FromSeries(c, cl.Label(), series, since, until)
		switch skew := cl.Skew(); {
		case skew > 0:
			src.Notes = append(src.Notes, fmt.Sprintf("its clock is %s ahead of this machine's: its times are corrected by that", skew))
		case skew < 0:
			src.Notes = append(src.Notes, fmt.Sprintf("its clock is %s behind this machine's: its times are corrected by that", -skew))
		}
		if n := len(seen.Missing); n > 0 {
			src.Notes = append(src.Notes, fmt.Sprintf("%d of %d targets have no sample of that time: %s", n, seen.Targets, text.Line(strings.Join(seen.Missing, ", "), 300)))
		}
		none := len(seen.Missing) == seen.Targets
		g.mu.Lock()
		if !none || g.seen.Targets == 0 {
			g.seen = seen
		}
		g.mu.Unlock()
		src.Events = len(seen.Events)
		g.mu.Lock()
		g.sources = append(g.sources, src)
		g.mu.Unlock()
		if !none {
			return
		}
	}
}

// hostsOf are the nodes of a cluster: its HAProxy nodes and its instances.
func hostsOf(c *model.Cluster) []model.Host {
	out := c.HAProxies()
	for i := range c.Instances {
		if h := c.Instances[i].Host; !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}

// fromStoredLogs reads the log lines that VictoriaLogs has; false when there are none.
func (s *Session) fromStoredLogs(ctx context.Context, g *gathered, inv *model.Inventory, c *model.Cluster, since, until time.Time) bool {
	for _, site := range s.StoresOf(inv, store.Logs) {
		cl := store.New(site, s.Now)
		lines, err := cl.Lines(ctx, hostsOf(c), since, until)
		cl.Close()
		var events []history.Event
		var logged []model.Host
		for _, l := range lines {
			host := model.Host(l.Host)
			from := fmt.Sprintf("%s: %s", cl.Label(), cmp.Or(text.Line(l.Unit, 40), text.Line(l.Job, 40)))
			e, ok := history.Event{}, false
			switch in := c.OnHost(host); {
			case !slices.Contains(hostsOf(c), host):
			case strings.HasPrefix(l.Unit, "haproxy"):
				if e, ok = history.ParseHAProxy(l.Text, l.At, host, from); !slices.Contains(logged, host) {
					logged = append(logged, host)
				}
			case strings.HasPrefix(l.Unit, "vip-manager"):
				e, ok = history.ParseVIPManager(l.Text, l.At, host, from)
			case l.Job == "patroni" && in != nil:
				e, ok = history.ParsePatroni(l.Text, l.At, in, from)
			}
			if ok && ours(c, &e) {
				events = append(events, e)
			}
		}
		g.add(history.Source{Name: cl.Label(), Kind: "logs", Err: err}, events, logged...)
		if err == nil && len(lines) > 0 {
			return true
		}
	}
	return false
}

// ours reports whether an event is about this cluster: a HAProxy serves several.
func ours(c *model.Cluster, e *history.Event) bool {
	return e.Proxy == "" || slices.ContainsFunc(c.Services(), func(s *model.Service) bool { return s.Proxy() == e.Proxy })
}

// fromNodes reads the logs of the nodes over SSH.
func (s *Session) fromNodes(ctx context.Context, g *gathered, inv *model.Inventory, c *model.Cluster, since, until time.Time) {
	var all []work
	for _, h := range hostsOf(c) {
		all = append(all, work{"reading the logs of " + string(h), func() error { s.fromNode(ctx, g, inv, c, h, since, until); return nil }})
	}
	_ = together(all...) // each error is in the sources
}

func (s *Session) fromNode(ctx context.Context, g *gathered, inv *model.Inventory, c *model.Cluster, h model.Host, since, until time.Time) {
	units := slices.DeleteFunc(inv.LogUnitsOn(h), func(u model.LogUnit) bool {
		return u != model.LogHAProxy && u != model.LogPatroni && u != model.LogVIPManager
	})
	if len(units) == 0 {
		return
	}
	req := model.LogRequest{Units: units, Lines: logs.MostLines, Since: s.Now().Sub(since) + time.Minute}
	if in := c.OnHost(h); in != nil {
		req.Instance = in.Name
	}
	from, count, first := map[model.LogUnit]history.Source{}, map[model.LogUnit]int{}, map[model.LogUnit]time.Time{}
	events := map[model.LogUnit][]history.Event{}
	err := s.Logs(ctx, inv, h, req, func(b model.LogBatch) {
		for _, src := range b.Sources {
			x := from[src.Unit]
			x.Name, x.Kind = fmt.Sprintf("%s on %s", cmp.Or(src.From, x.Name, "the log of "+string(src.Unit)), inv.Label(h)), "logs"
			if x.Err = src.Err; errors.Is(src.Err, context.Canceled) {
				x.Err = source.Ended(ctx)
			}
			from[src.Unit] = x
		}
		for _, l := range b.Lines {
			if count[l.Unit]++; first[l.Unit].IsZero() || l.At.Before(first[l.Unit]) {
				first[l.Unit] = l.At
			}
			if l.At.Before(since) || l.At.After(until) {
				continue
			}
			name := from[l.Unit].Name
			e, ok := history.Event{}, false
			switch in := c.OnHost(h); l.Unit {
			case model.LogHAProxy:
				e, ok = history.ParseHAProxy(l.Text, l.At, h, name)
			case model.LogVIPManager:
				e, ok = history.ParseVIPManager(l.Text, l.At, h, name)
			case model.LogPatroni:
				if in != nil {
					e, ok = history.ParsePatroni(l.Text, l.At, in, name)
				}
			case model.LogPostgres, model.LogPgBouncer: // not requested
			}
			if ok && ours(c, &e) {
				events[l.Unit] = append(events[l.Unit], e)
			}
		}
	})
	for _, u := range units {
		src, ok := from[u]
		if !ok {
			src = history.Source{Name: fmt.Sprintf("the log of %s on %s", u, inv.Label(h)), Kind: "logs", Err: cmp.Or(err, errors.New("it was not read"))}
		}
		var logged []model.Host
		cut := count[u] >= logs.MostLines && first[u].After(since)
		if cut {
			src.Notes = append(src.Notes, fmt.Sprintf("only its newest %d lines were read, from %s on", logs.MostLines, first[u].Format(time.DateTime)))
		}
		if u == model.LogHAProxy && src.Err == nil && !cut && count[u] > 0 {
			logged = append(logged, h)
		}
		g.add(src, events[u], logged...)
	}
}

// fromPatroni reads the ends of timelines from Patroni's history, which no retention cuts.
func (s *Session) fromPatroni(ctx context.Context, g *gathered, inv *model.Inventory, c *model.Cluster, since, until time.Time) {
	src := history.Source{Name: "Patroni's history of " + string(c.Name), Kind: "history"}
	rows, err := s.PatroniHistory(ctx, inv, c, false)
	src.Err = err
	var events []history.Event
	for _, r := range rows {
		at, err := time.Parse(time.RFC3339Nano, strings.Replace(r.At, " ", "T", 1))
		if err != nil || at.Before(since) || at.After(until) {
			continue
		}
		e := history.Event{At: at, Within: time.Second, Kind: history.KindTimeline, After: fmt.Sprint(r.Timeline + 1), Before: fmt.Sprint(r.Timeline), Cut: -1, Left: -1,
			Evidence: []history.Evidence{{Source: src.Name, At: at, Text: fmt.Sprintf("timeline %d ended: %s", r.Timeline, text.Line(r.Reason, 200))}}}
		if in := c.Instance(model.InstanceName(r.Leader)); in != nil {
			e.Kind, e.Instance, e.Host, e.Before, e.After = history.KindRole, in.Name, in.Host, "", "primary"
			if c.Standby {
				e.After = "standby_leader"
			}
		}
		events = append(events, e)
	}
	g.add(src, events)
}

// fromAudit reads what pgtui itself did to the cluster.
func (s *Session) fromAudit(g *gathered, inv *model.Inventory, c *model.Cluster, since, until time.Time) {
	h, err := s.HistoryOf(inv.Source, Resolved(inv.Source))
	src := history.Source{Name: "pgtui's audit file " + h.File, Kind: "audit", Err: err}
	for _, b := range h.Breaks {
		src.Notes = append(src.Notes, fmt.Sprintf("line %d: %s", b.Line, text.Line(b.What, 200)))
	}
	var events []history.Event
	for i := range h.Runs {
		if e, ok := actionEvent(&h.Runs[i], c, src.Name); ok && !e.At.Before(since) && !e.At.After(until) {
			events = append(events, e)
		}
	}
	g.add(src, events)
}

// actionEvent is a run of pgtui as an event; false for one of another cluster.
func actionEvent(r *plan.Run, c *model.Cluster, from string) (history.Event, bool) {
	if r.Cluster != c.Name {
		return history.Event{}, false
	}
	what := r.What()
	if r.Instance != "" {
		what += " " + string(r.Instance)
	}
	e := history.Event{At: r.Began, Kind: history.KindAction, Instance: r.Instance, After: fmt.Sprintf("%s: %s", text.Line(what, 100), r.Ended()), Why: text.Line(r.Why, 200), Cut: -1, Left: -1,
		Evidence: []history.Evidence{{Source: from, At: r.Began, Text: fmt.Sprintf("by %s", text.Line(r.Who.String(), 200))}}}
	if r.TookMs > 0 {
		e.Evidence[0].Text += fmt.Sprintf(", took %s", (time.Duration(r.TookMs) * time.Millisecond).Round(100*time.Millisecond))
	}
	return e, true
}
