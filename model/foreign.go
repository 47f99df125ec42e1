package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgtui/source"
)

// Foreign is whose Patroni answers at an instance's address when it is not, or
// may not be, the instance's own.
type Foreign struct {
	Address  string // host:port that was probed
	Name     string // as it calls itself; "" before Patroni 3.2
	Scope    string // the cluster it reports it belongs to
	SystemID string
	// Sure is false when its name and scope fit, and it is unknown whether its
	// data or that of the other members is the cluster's.
	Sure bool
	// Stray is set when it is of the same cluster, by scope and system identifier:
	// another member is at this address.
	Stray bool
	Why   string // one sentence
}

// Who is how it calls itself: "pg-crm-1 of pg-crm".
func (f *Foreign) Who() string {
	switch {
	case f.Name != "" && f.Scope != "":
		return f.Name + " of " + f.Scope
	case f.Scope != "":
		return "a member of " + f.Scope
	case f.Name != "":
		return f.Name
	}
	return "a Patroni with system identifier " + f.SystemID
}

// Scopes are the names that the Patronis of the cluster may have for it: Citus
// gives all groups the scope pg_shard.
func (c *Cluster) Scopes() []string {
	if c.Scope == "" || c.Scope == string(c.Name) {
		return []string{string(c.Name)}
	}
	return []string{string(c.Name), c.Scope}
}

// fitsScope reports whether a scope is the cluster's; one that is not reported is.
func (c *Cluster) fitsScope(scope string) bool {
	return scope == "" || scope == string(c.Name) || c.Scope != "" && scope == c.Scope
}

// Strangers are the instances at whose address another Patroni answers, or
// answered last: one with another name or scope than the inventory has, or with
// another system identifier than most members whose name and scope fit. Where
// no identifier has the majority, or only members that do not answer now have it,
// it is unknown which is the cluster's: Sure is false then. nil when all fit.
func Strangers(s *Snapshot, c *Cluster) map[InstanceName]*Foreign {
	var out map[InstanceName]*Foreign
	add := func(in *Instance, st *PatroniStatus, f Foreign) {
		if out == nil {
			out = map[InstanceName]*Foreign{}
		}
		f.Address = Endpoint{Host: string(in.Host), Port: in.PatroniPort}.String()
		f.Name, f.Scope, f.SystemID = st.Name, st.Scope, st.SystemID
		out[in.Name] = &f
	}
	var votes ballot
	for i := range c.Instances {
		in := &c.Instances[i]
		o := s.PatroniStatus(in.Name)
		switch {
		case !o.Ever():
		case o.Value.Name != "" && o.Value.Name != string(in.Name), !c.fitsScope(o.Value.Scope):
			add(in, &o.Value, Foreign{Sure: true, Stray: o.Value.Scope != "" && c.fitsScope(o.Value.Scope)})
		default:
			votes.cast(o.Value.SystemID, o.Err == nil)
		}
	}
	id, sure := votes.winner()
	for i := range c.Instances {
		in := &c.Instances[i]
		o := s.PatroniStatus(in.Name)
		f := out[in.Name]
		switch {
		case !o.Ever():
		case f != nil:
			f.Stray = f.Stray && (id == "" || f.SystemID == "" || f.SystemID == id)
			f.Why = fmt.Sprintf("%s answers at %s", f.Who(), f.Address)
			if !f.Stray {
				f.Why = fmt.Sprintf("another cluster's Patroni answers at %s: %s", f.Address, f.Who())
			}
		case len(votes) > 1 && o.Value.SystemID != "" && o.Value.SystemID != id:
			add(in, &o.Value, Foreign{Sure: sure})
			f = out[in.Name]
			if f.Why = fmt.Sprintf("another cluster's Patroni answers at %s: it has system identifier %s, most members have %s", f.Address, f.SystemID, id); !sure {
				f.Why = fmt.Sprintf("it has system identifier %s, others have %s: which one belongs to %s is unknown", f.SystemID, strings.Join(votes.but(f.SystemID), ", "), c.Name)
			}
		}
	}
	return out
}

// ballot counts who has which system identifier.
type ballot []vote

type vote struct {
	id       string
	all, now int // members that reported it; those of them that answer now
}

func (b *ballot) cast(id string, now bool) {
	if id == "" {
		return
	}
	i := slices.IndexFunc(*b, func(v vote) bool { return v.id == id })
	if i < 0 {
		i = len(*b)
		*b = append(*b, vote{id: id})
	}
	(*b)[i].all++
	if now {
		(*b)[i].now++
	}
}

// winner is the identifier that more than half of the members have, one of which
// at least answers now; "" and false when there is none. An identifier that only
// silent members have wins nothing, and leaves the others in doubt.
func (b ballot) winner() (id string, sure bool) {
	total := 0
	for _, v := range b {
		total += v.all
	}
	for _, v := range b {
		if 2*v.all > total && v.now > 0 {
			return v.id, true
		}
	}
	return "", false
}

// but are the other identifiers.
func (b ballot) but(id string) []string {
	var out []string
	for _, v := range b {
		if v.id != id {
			out = append(out, v.id)
		}
	}
	return out
}

// Screened is the snapshot without what strangers reported, and without the view of
// the DCS of another cluster: as if they had not answered. Whatever judges the
// cluster c judges that. It is s itself when there is nothing to leave out.
func (s *Snapshot) Screened(c *Cluster) *Snapshot {
	if s == nil {
		return nil
	}
	strangers := Strangers(s, c)
	var out *Snapshot
	set := func(name InstanceName, v PatroniView) {
		if out == nil {
			own := *s
			own.Patroni = maps.Clone(s.Patroni)
			out = &own
		}
		out.Patroni[name] = v
	}
	for i := range c.Instances {
		name := c.Instances[i].Name
		v := s.Patroni[name]
		if f := strangers[name]; f != nil {
			err := &foreignError{f}
			clean := PatroniView{Status: lost(v.Status, err), Cluster: lost(v.Cluster, err), Checks: make(map[string]source.Observed[int], len(v.Checks)), Ports: v.Ports}
			for path, o := range v.Checks {
				clean.Checks[path] = lost(o, err)
			}
			set(name, clean)
		} else if v.Cluster.Ever() && !c.fitsScope(v.Cluster.Value.Scope) {
			v.Cluster = lost(v.Cluster, fmt.Errorf("it reads the DCS of %s", v.Cluster.Value.Scope))
			set(name, v)
		}
	}
	if out == nil {
		return s
	}
	return out
}

// foreignError stands for the answer of a stranger in a screened snapshot.
type foreignError struct{ *Foreign }

func (e *foreignError) Error() string { return e.Why }

// Foreign is whose Patroni answered instead of the instance's, in a screened
// snapshot; nil when its own did, or none did.
func (v *PatroniView) Foreign() *Foreign {
	if e, ok := errors.AsType[*foreignError](v.Status.Err); ok {
		return e.Foreign
	}
	return nil
}

// lost is o as if it had not been answered.
func lost[T any](o source.Observed[T], why error) source.Observed[T] {
	if o.Err != nil {
		why = o.Err
	}
	return source.Observed[T]{Err: why, Tried: o.Tried, Took: o.Took, Holds: o.Holds}
}
