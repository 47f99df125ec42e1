package plan

import (
	"encoding/json"
	"slices"
	"time"

	"pgtui/model"
)

// openFor is how long a run without an end is remembered.
const openFor = 7 * 24 * time.Hour

// Marks are the actions of these runs that still have an effect by the audit file,
// or that have begun and not ended, by cluster: the newest last. Whether the effect
// is still there, only the cluster shows. alive reports whether the process that
// began a run then still runs on this machine. The result is never nil.
func Marks(runs []Run, now time.Time, alive func(who Operator, began time.Time) bool) map[model.ClusterName][]model.Mark {
	out := map[model.ClusterName][]model.Mark{}
	for i := range runs {
		r := &runs[i]
		if !r.OnCluster() {
			continue
		}
		marks := out[r.Cluster]
		switch {
		case r.Interrupted && now.Sub(r.Began) > openFor:
			continue
		case r.Interrupted:
			m := markOf(r)
			m.Open, m.Alive = true, alive(r.Who, r.Began)
			marks = append(marks, m)
		case r.Outcome == RunRefused:
			continue
		default:
			marks = append(ended(marks, r), lasting(r)...)
		}
		out[r.Cluster] = marks
	}
	return out
}

// markOf is the mark of a run.
func markOf(r *Run) model.Mark {
	return model.Mark{Run: r.Run, Action: r.Action, Cluster: r.Cluster, Instance: r.Instance, Services: r.Services, HAProxy: r.HAProxy,
		Who: r.Who.String(), At: r.Began, Until: r.Until, Why: r.Why}
}

// lasting is the mark of a run whose effect lasts, none otherwise. A run that did
// not end as planned may have had it on some HAProxies.
func lasting(r *Run) []model.Mark {
	switch r.Action {
	case "drain", "maint", "weight", "maintenance":
		return []model.Mark{markOf(r)}
	case "pause":
		if r.Outcome != RunStopped {
			return []model.Mark{markOf(r)}
		}
	}
	return nil
}

// ended are the marks that a run that has ended leaves: those that it repeats are
// replaced, those that it undoes are gone, and so is a run of the same action that
// has no end.
func ended(marks []model.Mark, r *Run) []model.Mark {
	var out []model.Mark
	for _, m := range marks {
		switch {
		case m.Open && !m.Alive && m.Action == r.Action && m.Instance == r.Instance:
			continue
		case m.Open && !m.Alive && r.Outcome == RunApplied && undoes(r.Action, m.Action) && (m.Instance == r.Instance || m.Instance == ""):
			continue
		case m.Open || m.Instance != r.Instance || r.Outcome != RunApplied || m.Action != r.Action && !undoes(r.Action, m.Action):
		default:
			var gone bool
			if m, gone = lessened(m, r); gone {
				continue
			}
		}
		out = append(out, m)
	}
	return out
}

// lessened is a mark without what a later run ended of it; gone is whether nothing
// is left. A run that was narrowed to a service or a HAProxy ends only that.
func lessened(m model.Mark, r *Run) (_ model.Mark, gone bool) {
	var narrow struct {
		Service model.ServiceName `json:"service"`
		HAProxy model.Host        `json:"haproxy"`
	}
	_ = json.Unmarshal(r.Request, &narrow) // a record without a request was not narrowed
	switch {
	case narrow.Service != "" && (len(m.Services) != 1 || m.Services[0] != narrow.Service):
		if narrow.HAProxy == "" {
			m.Services = slices.DeleteFunc(slices.Clone(m.Services), func(s model.ServiceName) bool { return s == narrow.Service })
		}
		return m, false
	case narrow.HAProxy != "":
		m.HAProxy = slices.DeleteFunc(slices.Clone(m.HAProxy), func(h model.Host) bool { return h == narrow.HAProxy })
		return m, len(m.HAProxy) == 0
	}
	return m, true
}

// undoes reports whether the action ends what another one began.
func undoes(action, other string) bool {
	switch action {
	case "undrain":
		return other == "drain" || other == "maintenance"
	case "ready", "maintenance-end":
		return other == "drain" || other == "maint" || other == "maintenance"
	case "resume":
		return other == "pause"
	case "drain", "maint", "maintenance":
		return slices.Contains([]string{"drain", "maint", "maintenance"}, other)
	}
	return false
}
