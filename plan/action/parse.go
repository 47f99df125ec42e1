package action

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
)

// Takes is what a command of an action is given.
type Takes struct {
	Kind Kind
	Name string // as it is typed: "drain", "patroni reload"
	// On is what its first argument names: "cluster", "instance", "node", or
	// "member" for a cluster or an instance.
	On    string
	More  string   // how the arguments behind it, or a flag it needs, are written; "" for none
	Flags []string // those of the command, without dashes
	Help  string   // a clause
}

// Commands are the commands of all actions, as the command line and the console's
// palette write them.
func Commands() []Takes {
	patroni := func(more ...string) []string { return append(more, "ssh", "why") }
	servers := func(more ...string) []string { return append(more, "service", "haproxy") }
	return []Takes{
		{Switchover, "switchover", "member", "", patroni("candidate", "schedule"), "another member leads, with the leader's help"},
		{Failover, "failover", "member", "", patroni("candidate"), "a member leads without the old leader"},
		{Restart, "restart", "member", "", patroni("pending", "switchover", "schedule"), "restart PostgreSQL"},
		{Reinit, "reinit", "instance", "", patroni("from-leader"), "copy the data of a replica again"},
		{Pause, "pause", "cluster", "", patroni("until"), "no automatic failover"},
		{Resume, "resume", "cluster", "", patroni(), "automatic failover again"},
		{PatroniConfig, "patroni config", "cluster", "--set KEY=VALUE", patroni("set"), "change Patroni's configuration"},
		{PatroniReload, "patroni reload", "cluster", "", patroni(), "every Patroni reads its file again"},
		{Flush, "patroni flush", "cluster", "switchover|restart INSTANCE", patroni(), "cancel what is scheduled"},
		{Drain, "drain", "instance", "", servers("until", "why", "timeout", "cut"), "no new sessions, keep those that run"},
		{Undrain, "undrain", "instance", "", servers(), "new sessions again, after a drain"},
		{Maint, "maint", "instance", "", servers("until", "why"), "no sessions and no checks: running sessions are cut"},
		{Ready, "ready", "instance", "", servers(), "serve again, once its check has passed"},
		{Weight, "weight", "instance", "0-256", servers("until", "why"), "its share of new sessions, 0 to 256"},
		{EnableFrontend, "enable", "cluster", "--service SERVICE", servers(), "open a port that was closed by hand"},
		{Cancel, "cancel", "instance", "PID", []string{"why"}, "end the query that a session runs"},
		{Terminate, "terminate", "instance", "PID", []string{"why"}, "end a session of PostgreSQL"},
		{Maintenance, "maintenance", "node", "", []string{"end", "until", "why", "timeout", "cut"}, "empty a node until it is safe to stop"},
	}
}

// MaintenanceWaits is how long a maintenance waits for sessions unless --timeout is
// given.
const MaintenanceWaits = time.Minute

// ErrNoAction is in the error of a line that does not begin with an action.
var ErrNoAction = errors.New("is not an action")

// Parse is a line such as "drain pg-test-2 --until 2h --why 'patch'" as a request.
// Names are those of the inventory; times are relative to now. "pgtui" in front
// of it is passed over.
func Parse(line string, inv *model.Inventory, now time.Time) (Request, error) {
	words, err := split(line)
	if err != nil {
		return Request{}, err
	}
	if len(words) > 0 && words[0] == "pgtui" {
		words = words[1:]
	}
	c, rest := commandOf(words)
	if c == nil {
		return Request{}, fmt.Errorf("%q %w", text.Line(line, 60), ErrNoAction)
	}
	p := parser{r: Request{Kind: c.Kind}, takes: c, now: now}
	if err := p.flags(rest); err != nil {
		return Request{}, err
	}
	if err := p.names(inv); err != nil {
		return Request{}, err
	}
	return p.r, nil
}

// commandOf is the command that words begin with, and what follows it.
func commandOf(words []string) (*Takes, []string) {
	all := Commands()
	for i := range all {
		name := strings.Fields(all[i].Name)
		if len(words) >= len(name) && slices.Equal(words[:len(name)], name) {
			return &all[i], words[len(name):]
		}
	}
	return nil, nil
}

// HelpOf is the help of the command at the start of a line; "" without a command.
func HelpOf(line string) string {
	c, _ := commandOf(strings.Fields(line))
	if c == nil {
		return ""
	}
	return c.Help
}

// parser is a line that is being read.
type parser struct {
	r     Request
	takes *Takes
	args  []string
	now   time.Time
}

// flags takes the flags out of words; the others are arguments.
func (p *parser) flags(words []string) error {
	for i := 0; i < len(words); i++ {
		flag, ok := strings.CutPrefix(words[i], "--")
		if !ok {
			p.args = append(p.args, words[i])
			continue
		}
		name, value, has := strings.Cut(flag, "=")
		if !slices.Contains(p.takes.Flags, name) {
			return fmt.Errorf("%s has no --%s", p.takes.Name, text.Line(name, 30))
		}
		if p.turnsOn(name) {
			continue
		}
		if !has {
			if i++; i == len(words) {
				return fmt.Errorf("--%s needs a value", name)
			}
			value = words[i]
		}
		if err := p.set(name, value); err != nil {
			return fmt.Errorf("--%s: %w", name, err)
		}
	}
	return nil
}

// turnsOn sets a flag that has no value; false when it has one.
func (p *parser) turnsOn(name string) bool {
	switch name {
	case "pending":
		p.r.Pending = true
	case "switchover":
		p.r.SwitchFirst = true
	case "from-leader":
		p.r.FromLeader = true
	case "cut":
		p.r.Cut = true
	case "ssh":
		p.r.SSH = true
	case "end":
		p.r.Kind = EndMaintenance
	default:
		return false
	}
	return true
}

// set takes a flag with its value.
func (p *parser) set(name, value string) (err error) {
	switch name {
	case "candidate":
		p.r.Candidate = model.InstanceName(value)
	case "service":
		p.r.Service = model.ServiceName(value)
	case "haproxy":
		p.r.HAProxy = model.Host(value)
	case "set":
		p.r.Set = append(p.r.Set, value)
	case "why":
		p.r.Why = value
	case "until":
		p.r.Until, err = ParseUntil(value, p.now)
	case "schedule":
		p.r.At, err = ParseUntil(value, p.now)
	case "timeout":
		p.r.Wait, err = time.ParseDuration(value)
	}
	return err
}

// names checks the arguments against the inventory.
func (p *parser) names(inv *model.Inventory) error {
	if n := len(p.args); n == 0 || n > 1 && p.r.Kind != Weight && p.r.Kind != Flush && !p.r.OnSession() {
		return p.expected()
	}
	if err := p.subject(p.args[0], inv); err != nil {
		return err
	}
	if err := p.narrowed(inv); err != nil {
		return err
	}
	c, rest := inv.Cluster(p.r.Cluster), p.args[1:]
	switch {
	case p.r.Kind == Weight && len(rest) == 1:
		w, err := ParseWeight(rest[0])
		p.r.Weight = w
		return err
	case p.r.OnSession() && len(rest) == 1:
		pid, err := ParsePID(rest[0])
		p.r.PID = pid
		return err
	case p.r.Kind == Flush && (len(rest) == 1 && rest[0] == "switchover" || len(rest) == 2 && rest[0] == "restart"):
		p.r.Flush = rest[0]
		if len(rest) == 2 {
			p.r.Instance = model.InstanceName(rest[1])
			_, err := c.InstanceNamed(p.r.Instance)
			return err
		}
		return nil
	case p.r.Kind == Weight, p.r.OnSession(), p.r.Kind == Flush, p.r.Kind == PatroniConfig && len(p.r.Set) == 0, p.r.Kind == EnableFrontend && p.r.Service == "":
		return p.expected()
	case p.r.Kind == Switchover, p.r.Kind == Failover:
		return p.leads(c)
	case p.r.Kind == Maintenance && p.r.Wait == 0:
		p.r.Wait = MaintenanceWaits
	}
	return nil
}

// expected is the error of a line with other arguments than the command takes.
func (p *parser) expected() error { return fmt.Errorf("expected %s", p.takes.Usage()) }

// narrowed checks the service and the HAProxy that an action is narrowed to.
func (p *parser) narrowed(inv *model.Inventory) error {
	c := inv.Cluster(p.r.Cluster)
	if p.r.Service != "" {
		s, err := c.ServiceOf(string(p.r.Service))
		if err != nil {
			return err
		}
		p.r.Service = s.Name
	}
	if p.r.HAProxy == "" {
		return nil
	}
	h := inv.HostOf(string(p.r.HAProxy))
	if c.LoadBalancer(h) == nil {
		return c.NoHAProxy(string(p.r.HAProxy))
	}
	p.r.HAProxy = h
	return nil
}

// subject is what the action is on.
func (p *parser) subject(name string, inv *model.Inventory) error {
	if p.takes.On == "node" {
		return p.node(name, inv)
	}
	if c := inv.Cluster(model.ClusterName(name)); p.takes.On != "instance" && c != nil {
		p.r.Cluster = c.Name
		return nil
	}
	if c, in := inv.InstanceOf(model.InstanceName(name)); p.takes.On != "cluster" && c != nil {
		p.r.Cluster, p.r.Instance = c.Name, in.Name
		return nil
	}
	what, have := p.takes.On, inv.Members()
	switch what {
	case "cluster":
		have = model.Strings(inv.Names())
	case "instance":
		have = model.Strings(inv.InstanceNames())
	default:
		what = "cluster or instance"
	}
	return model.NotFound(fmt.Errorf("the inventory has no %s %q", what, text.Line(name, 60)), name, have, "pgtui status lists the names")
}

// node is the node of that address, name or instance, and the instance on it.
func (p *parser) node(name string, inv *model.Inventory) error {
	n, err := inv.NodeNamed(name)
	if err != nil {
		return err
	}
	c, in := inv.InstanceOn(n.Host, name)
	if c == nil {
		return fmt.Errorf("%s runs no instance: there is nothing to move away from it", text.Line(name, 60))
	}
	p.r.Node, p.r.Cluster, p.r.Instance = n.Host, c.Name, in.Name
	return nil
}

// leads makes an instance that was named the candidate.
func (p *parser) leads(c *model.Cluster) error {
	if p.r.Instance != "" {
		if p.r.Candidate != "" && p.r.Candidate != p.r.Instance {
			return fmt.Errorf("two candidates: %s and %s", p.r.Instance, text.Line(string(p.r.Candidate), 60))
		}
		p.r.Candidate, p.r.Instance = p.r.Instance, ""
	}
	switch {
	case p.r.Candidate != "":
		_, err := c.InstanceNamed(p.r.Candidate)
		return err
	case p.r.Kind == Failover:
		return errors.New("a failover needs a candidate")
	}
	return nil
}

// Usage is how the command is written.
func (t *Takes) Usage() string {
	on := map[string]string{"cluster": "CLUSTER", "instance": "INSTANCE", "node": "NODE", "member": "CLUSTER|INSTANCE"}[t.On]
	return strings.TrimSpace(t.Name + " " + on + " " + t.More)
}

// ParseWeight is a weight of HAProxy, 0 to 256.
func ParseWeight(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 256 {
		return 0, fmt.Errorf("weight %q: expected a number from 0 to 256", text.Line(s, 20))
	}
	return n, nil
}

// ParsePID is the process ID of a session.
func ParsePID(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1<<31-1 {
		return 0, fmt.Errorf("process ID %q: expected a number from 1", text.Line(s, 20))
	}
	return n, nil
}

// Line is the request as it is typed behind "pgtui". Times are absolute.
func (r *Request) Line() string {
	all := Commands()
	i := slices.IndexFunc(all, func(t Takes) bool { return t.Kind == r.Kind || t.Kind == Maintenance && r.Kind == EndMaintenance })
	if i < 0 {
		return string(r.Kind)
	}
	out := []string{all[i].Name, text.Word(r.on())}
	add := func(flag, value string) {
		if value != "" {
			out = append(out, "--"+flag, text.Word(value))
		}
	}
	on := func(flag string, is bool) {
		if is {
			out = append(out, "--"+flag)
		}
	}
	switch r.Kind {
	case Weight:
		out = append(out, strconv.Itoa(r.Weight))
	case Cancel, Terminate:
		out = append(out, strconv.Itoa(r.PID))
	case Flush:
		out = append(out, r.Flush)
		if r.Instance != "" {
			out = append(out, text.Word(string(r.Instance)))
		}
	}
	add("candidate", string(r.Candidate))
	add("service", string(r.Service))
	add("haproxy", string(r.HAProxy))
	for _, s := range r.Set {
		add("set", s)
	}
	on("pending", r.Pending)
	on("switchover", r.SwitchFirst)
	on("from-leader", r.FromLeader)
	on("end", r.Kind == EndMaintenance)
	add("schedule", flagTime(r.At))
	add("until", flagTime(r.Until))
	add("why", r.Why)
	if r.Wait > 0 && (r.Kind != Maintenance || r.Wait != MaintenanceWaits) {
		add("timeout", flagDuration(r.Wait))
	}
	on("cut", r.Cut)
	on("ssh", r.SSH)
	return strings.Join(out, " ")
}

// Undo is the command that undoes what the request sets, as it is typed; "" where there
// is none.
func (r *Request) Undo() string {
	u := Request{Cluster: r.Cluster, Instance: r.Instance, Service: r.Service, HAProxy: r.HAProxy, SSH: r.SSH}
	switch r.Kind {
	case Drain:
		u.Kind = Undrain
	case Maint:
		u.Kind = Ready
	case Maintenance:
		u = Request{Kind: EndMaintenance, Cluster: r.Cluster, Node: r.Node}
	case Pause:
		u.Kind = Resume
	default:
		return ""
	}
	return "pgtui " + u.Line()
}

// on is what the action is on, by its name.
func (r *Request) on() string {
	switch {
	case r.Node != "":
		return string(r.Node)
	case r.Instance != "" && r.Kind != Flush:
		return string(r.Instance)
	}
	return string(r.Cluster)
}

// flagTime is a time as a flag takes it, "" for none.
func flagTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// flagDuration is a duration as a flag takes it, without what is zero: 5m, not 5m0s.
func flagDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Find is the first action that a text such as a finding's hint names behind
// "pgtui", with as many words as make sense.
func Find(hint string, inv *model.Inventory, now time.Time) (Request, bool) {
	for _, words := range Named(hint) {
		if _, r, ok := Begins(words, inv, now); ok {
			return r, true
		}
	}
	return Request{}, false
}

// Named are the commands that a text names, each from the word behind "pgtui" to the
// end of the text: where it ends is for the reader of the words to decide.
func Named(hint string) (out [][]string) {
	for rest := hint; ; {
		_, after, ok := strings.Cut(rest, "pgtui ")
		if !ok {
			return out
		}
		out, rest = append(out, strings.Fields(after)), after
	}
}

// Begins is the longest action that words begin with, as it is typed.
func Begins(words []string, inv *model.Inventory, now time.Time) (line string, r Request, ok bool) {
	for n := min(len(words), 16); n > 0; n-- {
		line := Bare(words[:n])
		if r, err := Parse(line, inv, now); err == nil {
			return line, r, true
		}
	}
	return "", Request{}, false
}

// Bare are words of a sentence without the punctuation behind them.
func Bare(words []string) string { return strings.TrimRight(strings.Join(words, " "), ",;:.)`") }

// split is a line as words, as a shell quotes them.
func split(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	quote, open := rune(0), false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ' || c == '\t':
			if open {
				out = append(out, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(c)
			open = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	}
	if open {
		out = append(out, word.String())
	}
	return out, nil
}
