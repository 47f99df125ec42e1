package pigsty

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"sort"
	"strings"

	"pgtui/ansible/jinja"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
	"pgtui/source/budget"
)

var (
	clusterPattern = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	seqPattern     = regexp.MustCompile(`^[0-9]+$`)
)

// identify plays the roles node_id and pg_id: it finds the clusters, sets
// the facts and notes the hosts that the playbook would refuse.
func (w *world) identify() {
	byName := map[model.ClusterName]*cluster{}
	for _, h := range w.hosts {
		v, ok, err := h.play.get("pg_cluster")
		if !ok {
			continue
		}
		h.inPlay = true
		h.name = py.PrintIn(w.b, v)
		if err != nil {
			h.fail("pg_cluster", fmt.Sprintf("pg_cluster cannot be resolved: %v", err), "")
			continue
		}
		name := model.ClusterName(h.name)
		c := byName[name]
		if c == nil {
			c = &cluster{name: name, at: h.at("pg_cluster")}
			byName[name] = c
			w.clusters = append(w.clusters, c)
		}
		c.members = append(c.members, h)
	}
	for _, c := range w.clusters {
		for _, h := range c.members {
			w.nodeFacts(h)
		}
	}
	w.instanceFacts()
	for _, c := range w.clusters {
		for _, h := range c.members {
			if h.failed == nil {
				w.clusterFacts(h)
			}
		}
	}
}

// fail takes the host out of the play.
func (h *host) fail(variable, what, try string) {
	if h.failed == nil {
		_ = h.w.b.Spend(1, 2*len(what)+len(try)) // later work finds it spent
		h.failed = &source.Problem{At: h.at(variable), Subject: h.name, What: what, Try: try, Fatal: true}
	}
}

// text is a text of several.
func (w *world) text(parts ...string) py.Value {
	for _, s := range parts {
		if w.b.Spend(1, len(s)) != nil {
			return py.Computed("")
		}
	}
	return py.Computed(strings.Join(parts, ""))
}

func (h *host) setFact(name string, v py.Value) {
	// set_fact turns a plain yes/no/true/false into a bool.
	if s, ok := py.Text(v); ok {
		switch strings.ToLower(s) {
		case "true", "yes":
			v = true
		case "false", "no":
			v = false
		}
	}
	h.facts.Set(name, v, source.Pos{})
	h.forget()
}

// nodeFacts is the part of role node_id that does not need the node.
func (w *world) nodeFacts(h *host) {
	fromPg, ok, _ := h.play.get("node_id_from_pg")
	if !ok {
		fromPg = true
	}
	if !py.Bool(fromPg) || h.name == "" {
		return
	}
	if seq, ok, err := h.play.get("pg_seq"); ok && err == nil && !py.Equal(seq, "") {
		h.setFact("nodename", w.text(h.name, "-", py.PrintIn(w.b, seq)))
	}
	cls, ok, err := h.play.get("node_cluster")
	if err == nil && (!ok || py.Equal(cls, "nodes") || py.Equal(cls, "")) {
		h.setFact("node_cluster", py.Computed(h.name))
	}
}

// instanceFacts is the first half of role pg_id: every host checks its own
// identity, then all hosts look at the pool, then all get their facts.
func (w *world) instanceFacts() {
	for _, c := range w.clusters {
		for _, h := range c.members {
			if w.dialect == model.DialectV45 {
				w.assertInput(h)
			}
			if h.failed == nil {
				w.readable(h)
			}
		}
	}
	for _, c := range w.clusters {
		for _, h := range c.members {
			if h.failed == nil {
				w.ownFacts(h)
			}
			if h.failed == nil {
				w.leftovers(h)
			}
		}
	}
}

// assertInput is v4.5's check of the host's own identity.
func (w *world) assertInput(h *host) {
	cls, _, _ := h.play.get("pg_cluster")
	if _, ok := py.Text(cls); !ok || !clusterPattern.MatchString(h.name) || h.name == "root" {
		h.fail("pg_cluster", fmt.Sprintf("pg_cluster %s of host %s is refused: expected letters, digits and dashes, and not root", py.Brief(cls), h.inv.Name),
			"rename the cluster")
		return
	}
	seq, ok, err := h.play.get("pg_seq")
	if !ok || err != nil || !seqPattern.MatchString(py.StrIn(w.b, seq)) {
		h.fail("pg_seq", fmt.Sprintf("pg_seq of host %s %s: expected a number, 0 or above", h.inv.Name, found(seq, ok, err)),
			"give the host a pg_seq of its own")
		return
	}
	role, ok, err := h.play.get("pg_role")
	if !ok || err != nil || !knownRole(role) {
		h.fail("pg_role", fmt.Sprintf("pg_role of host %s %s: expected primary, replica, standby, offline or delayed", h.inv.Name, found(role, ok, err)),
			"give the host a pg_role")
	}
}

// found words what stands where something else was expected.
func found(v py.Value, ok bool, err error) string {
	switch {
	case err != nil:
		return "cannot be resolved: " + err.Error()
	case !ok:
		return "is missing"
	}
	return "is " + py.Brief(v)
}

func knownRole(v py.Value) bool {
	s, ok := py.Text(v)
	switch model.Role(s) {
	case model.RolePrimary, model.RoleReplica, model.RoleStandby, model.RoleOffline, model.RoleDelayed:
		return ok
	}
	return false
}

// poolOf are the members Ansible finds for a pg_cluster: hosts whose own
// pg_cluster is that string.
func (w *world) poolOf(name string) []*host {
	if w.pools == nil {
		w.pools = map[string][]*host{}
		for _, h := range w.hosts {
			v, ok, err := h.Attr("pg_cluster")
			if s, isText := py.Text(v); ok && err == nil && isText {
				w.pools[s] = append(w.pools[s], h)
			}
		}
	}
	return w.pools[name]
}

// readable notes the hosts whose pool has variables that pg_id cannot write
// out and read back.
func (w *world) readable(h *host) {
	for _, m := range w.poolOf(h.name) {
		if w.b.Spend(1, 0) != nil {
			return
		}
		if x := m.metaOf(); x.err != nil {
			h.refuse(m, x.name, x.err, "the cluster")
			return
		}
	}
}

// leftovers resolves once more what members could not: in the host's own
// play scope, where failing is final.
func (w *world) leftovers(h *host) {
	for _, m := range w.poolOf(h.name) {
		if w.b.Spend(1, 0) != nil {
			return
		}
		for _, l := range m.metaOf().rest {
			w.in(frame{h: m, name: l.name})
			_, err := w.engine.Value(l.value, h.play, false)
			w.out()
			if err != nil {
				h.refuse(m, l.name, err, "host "+h.inv.Name)
				return
			}
		}
	}
}

// refuse takes h out of the play for a variable of member m; who is what
// goes without files.
func (h *host) refuse(m *host, name string, err error, who string) {
	try := "correct the value"
	var undef *jinja.UndefinedError
	var unread *unreadableError
	switch {
	case errors.As(err, &undef):
		try = "define it in the inventory, or write {{ … | default(…) }}"
	case errors.As(err, &unread):
		try = unread.try
	}
	h.fail(name, fmt.Sprintf("variable %s of host %s: %v; Pigsty passes every variable of a cluster on, and writes no files for %s", name, m.inv.Name, err, who), try)
	h.failed.At = m.at(name)
}

// unreadableError is a value whose Python form cannot be read back.
type unreadableError struct{ what, try string }

func (e *unreadableError) Error() string { return e.what }

func (w *world) unreadable(v py.Value, depth int) error {
	if depth > 100 {
		return &unreadableError{"it is nested too deep", "make it simpler"}
	}
	switch x := v.(type) {
	case py.Time:
		return &unreadableError{"it is a date", "put the value in quotes"}
	case py.Vault:
		if x.Err != nil {
			return &unreadableError{x.Err.Error(), "give the password with --vault-password-file"}
		}
	case float64:
		if x != x || x-x != 0 {
			return &unreadableError{"it is not a finite number", "put the value in quotes"}
		}
	case []py.Value:
		err, _ := once(w, "unreadable", v, func() (error, bool) {
			if err := w.b.Spend(len(x), 0); err != nil {
				return err, true
			}
			for _, it := range x {
				if err := w.unreadable(it, depth+1); err != nil {
					return err, true
				}
			}
			return nil, false
		})
		return err
	case *py.Dict:
		err, _ := once(w, "unreadable", v, func() (error, bool) {
			if err := w.b.Spend(x.Len(), 0); err != nil {
				return err, true
			}
			for _, e := range x.Entries() {
				if err := w.unreadable(e.Key, depth+1); err != nil {
					return err, true
				}
				if err := w.unreadable(e.Value, depth+1); err != nil {
					return err, true
				}
			}
			return nil, false
		})
		return err
	}
	return nil
}

// ownFacts are the facts pg_id derives from the host alone.
func (w *world) ownFacts(h *host) {
	seq, okSeq, err1 := h.play.get("pg_seq")
	role, okRole, err2 := h.play.get("pg_role")
	switch {
	case !okSeq || err1 != nil:
		h.fail("pg_seq", fmt.Sprintf("pg_seq of host %s %s", h.inv.Name, found(seq, okSeq, err1)), "give the host a pg_seq of its own")
		return
	case !okRole || err2 != nil:
		h.fail("pg_role", fmt.Sprintf("pg_role of host %s %s", h.inv.Name, found(role, okRole, err2)), "give the host a pg_role")
		return
	}
	shard := h.name
	if v, ok, err := h.play.get("pg_shard"); ok && err == nil {
		shard = py.PrintIn(w.b, v)
	}
	group := "0"
	if v, ok, err := h.play.get("pg_group"); ok && err == nil {
		group = py.StrIn(w.b, w.intFilter(v))
	}
	h.setFact("pg_shard", py.Computed(shard))
	h.setFact("pg_group", py.Computed(group))
	h.setFact("pg_instance", w.text(h.name, "-", py.PrintIn(w.b, seq)))
	h.setFact("pg_service", w.text(h.name, "-", py.PrintIn(w.b, role)))
}

// intFilter is Jinja's "int": 0 for what is not a number.
func (w *world) intFilter(v py.Value) py.Value {
	switch x := v.(type) {
	case bool:
		if x {
			return int64(1)
		}
		return int64(0)
	case int64, *big.Int:
		return x
	case float64:
		if x != x || x-x != 0 {
			return int64(0)
		}
		n, _ := new(big.Float).SetFloat64(x).Int(nil)
		return py.Int(n)
	}
	if s, ok := py.Text(v); ok {
		t := strings.ReplaceAll(strings.TrimSpace(s), "_", "")
		if len(t) > 4300 || w.b.Digits(len(t)) != nil { // Python reads no more
			return int64(0)
		}
		if n, ok := new(big.Int).SetString(t, 10); ok {
			return py.Int(n)
		}
		if f, _, err := big.ParseFloat(t, 10, 53, big.ToZero); err == nil && !f.IsInf() && !strings.ContainsAny(t, "xXpPbBoO") {
			n, _ := f.Int(nil)
			return py.Int(n)
		}
	}
	return int64(0)
}

// clusterFacts is the second half of pg_id: the pool as a whole, and v4.5's
// check of it.
func (w *world) clusterFacts(h *host) {
	pool := w.poolOf(h.name)
	if w.b.Spend(4*len(pool), budget.Times(len(pool), 12*budget.Item)) != nil {
		return
	}
	var seqs, primarySeqs []py.Value
	var names, replicas, primaries []string
	for _, m := range pool {
		names = append(names, m.inv.Name)
		role, _, _ := m.Attr("pg_role")
		seq, _, _ := m.Attr("pg_seq")
		if seq != nil {
			seqs = append(seqs, seq)
		}
		if py.Equal(role, "primary") {
			primaries = append(primaries, m.inv.Name)
			if seq != nil {
				primarySeqs = append(primarySeqs, seq)
			}
		} else {
			replicas = append(replicas, m.inv.Name)
		}
	}
	next, ok := w.nextSeq(h, seqs)
	if !ok {
		return
	}
	if !sortable(primarySeqs) {
		h.fail("pg_seq", "the primaries' pg_seq mix numbers and strings, which Pigsty cannot sort", "write every pg_seq as a number")
		return
	}
	if w.dialect == model.DialectV45 {
		w.assertPool(h, pool, primaries)
	}
	if h.failed != nil {
		return
	}
	role, _, _ := h.play.get("pg_role")
	h.setFact("pg_is_primary", py.Equal(role, "primary"))
	h.setFact("pg_cluster_size", py.Computed(fmt.Sprint(len(pool))))
	h.setFact("pg_cluster_members", list(names))
	h.setFact("pg_cluster_replicas", list(replicas))
	h.setFact("pg_seq_next", next)
	h.setFact("pg_primary_list", list(primaries))
	ip, seq, ins := "unknown", "unknown", "unknown"
	if len(primaries) == 1 {
		ip = primaries[0]
	}
	if u := unique(primarySeqs, w.b); len(u) == 1 {
		seq = py.PrintIn(w.b, u[0])
		ins = h.name + "-" + seq
	}
	h.setFact("pg_primary_ip", py.Computed(ip))
	h.setFact("pg_primary_seq", py.Computed(seq))
	h.setFact("pg_primary_ins", py.Computed(ins))
}

func list(names []string) []py.Value {
	sort.Strings(names)
	out := make([]py.Value, 0, len(names))
	for _, n := range names {
		out = append(out, py.Computed(n))
	}
	return out
}

func unique(l []py.Value, b *budget.Budget) []py.Value {
	var out []py.Value
	for _, v := range l {
		if !py.ContainsIn(b, out, v) {
			out = append(out, v)
		}
	}
	return out
}

func sortable(l []py.Value) bool {
	for i := 1; i < len(l); i++ {
		if _, err := py.Compare(l[0], l[i]); err != nil {
			return false
		}
	}
	return true
}

// nextSeq is pg_seq_next. Up to v3.6.1 it is max() of JMESPath, which fails
// on a mix of numbers and strings.
func (w *world) nextSeq(h *host, seqs []py.Value) (py.Value, bool) {
	next := big.NewInt(0)
	old := w.dialect == model.DialectV20 || w.dialect == model.DialectV27
	texts, numbers := 0, 0
	for _, s := range seqs {
		if _, ok := py.Text(s); ok {
			texts++
		} else if _, isBool := s.(bool); !isBool && py.IsNumber(s) {
			numbers++
		}
		if n, ok := toBig(w.intFilter(s)); ok && n.Cmp(next) > 0 {
			next = n
		}
	}
	if old && (texts != 0 && numbers != 0 || texts+numbers != len(seqs)) {
		h.fail("pg_seq", fmt.Sprintf("cluster %s mixes quoted and unquoted pg_seq, which this Pigsty version cannot compare: it writes no files", h.name),
			"write every pg_seq as a number without quotes")
		return nil, false
	}
	if !old && len(seqs) == 0 && len(w.poolOf(h.name)) > 0 {
		h.fail("pg_seq", fmt.Sprintf("no member of cluster %s has a pg_seq", h.name), "give every member a pg_seq of its own")
		return nil, false
	}
	return py.Computed(new(big.Int).Add(next, big.NewInt(1)).String()), true
}

func toBig(v py.Value) (*big.Int, bool) {
	switch x := v.(type) {
	case int64:
		return big.NewInt(x), true
	case *big.Int:
		return x, true
	}
	return nil, false
}

// assertPool is v4.5's check of the whole cluster; it fails every host of it.
func (w *world) assertPool(h *host, pool []*host, primaries []string) {
	seen := map[py.Key]bool{}
	for _, m := range pool {
		if w.b.Spend(2, 0) != nil {
			return
		}
		role, ok, err := m.Attr("pg_role")
		if role == nil || !knownRole(role) {
			h.failAt(m, "pg_role", fmt.Sprintf("pg_role of host %s %s: expected primary, replica, standby, offline or delayed", m.inv.Name, found(role, ok, err)))
			return
		}
		seq, ok, err := m.Attr("pg_seq")
		if seq == nil || !seqPattern.MatchString(py.StrIn(w.b, seq)) {
			h.failAt(m, "pg_seq", fmt.Sprintf("pg_seq of host %s %s: expected a number, 0 or above", m.inv.Name, found(seq, ok, err)))
			return
		}
		n := w.intFilter(seq)
		k, _ := py.KeyOf(n)
		if seen[k] {
			h.failAt(m, "pg_seq", fmt.Sprintf("pg_seq %s of host %s is taken by another member of %s", py.Cut(py.Str(seq)), m.inv.Name, h.name))
			return
		}
		seen[k] = true
	}
	if len(primaries) != 1 {
		what := fmt.Sprintf("cluster %s has no primary: expected exactly one host with pg_role: primary", h.name)
		if len(primaries) > 1 {
			what = fmt.Sprintf("cluster %s has %d primaries (%s): expected exactly one", h.name, len(primaries), py.Cut(strings.Join(primaries, ", ")))
		}
		h.fail("pg_role", what, "give one member pg_role: primary, the others replica")
	}
}

// failAt takes h out of the play for something wrong with member m.
func (h *host) failAt(m *host, variable, what string) {
	h.fail(variable, what, "correct it: no host of the cluster gets any file")
	h.failed.At = m.at(variable)
}
