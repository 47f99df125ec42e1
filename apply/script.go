package apply

import (
	"context"
	_ "embed" // node.sh
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/plan"
	"pgtui/probe/transport"
	"pgtui/source"
)

//go:embed node.sh
var nodeScript string

// script is the input of the node's shell: node.sh as a value, so that it can
// start its second part, and then as a program. Nothing runs until the last line
// has arrived.
func script() string {
	const end = "PGTUI_END_OF_SCRIPT"
	return "pgtui_node() {\ncat <<'" + end + "'\n" + nodeScript + end + "\n}\nself=$(pgtui_node)\neval \"$self\"\n"
}

// payload lists for node.sh the previewed files and the planned ones, with the new
// files when data is set. See node.sh for the format.
func payload(n *plan.Node, prefix string, data bool) []byte {
	var b strings.Builder
	changed := map[string]bool{}
	for _, ch := range n.Changes {
		changed[ch.Name] = true
		fmt.Fprintf(&b, "file %s %s %s\n", sumOrDash(ch.Before), sumOrDash(ch.After), ch.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(n.Have)) {
		if !changed[name] {
			fmt.Fprintf(&b, "keep %s %s %s\n", n.Have[name], n.Have[name], name)
		}
	}
	for _, name := range n.Foreign {
		if strings.HasPrefix(name, prefix) && !strings.ContainsFunc(name, unicode.IsControl) {
			fmt.Fprintf(&b, "seen - - %s\n", name)
		}
	}
	for _, ch := range n.Changes {
		if !data || ch.After == nil {
			continue
		}
		fmt.Fprintf(&b, "data %s\n", ch.Name)
		for chunk := range slices.Chunk(ch.After, 57) {
			b.WriteString(base64.StdEncoding.EncodeToString(chunk))
			b.WriteByte('\n')
		}
		b.WriteString(".\n")
	}
	b.WriteString("end\n")
	return []byte(b.String())
}

func sumOrDash(data []byte) string {
	if data == nil {
		return "-"
	}
	return plan.Sum(data)
}

// run follows one script on one node through what it prints.
type run struct {
	host model.Host
	dir  string // the node's directory of service files, as operators know it
	root string // the directory used as the node's "/"; "" except in a sandbox
	now  func() time.Time
	emit func(plan.StepResult)

	mu      sync.Mutex // the transport may print from another goroutine
	closed  bool
	staged  string // the staging directory, as the node's haproxy names it
	step    string // the step that has begun last
	began   time.Time
	texts   []string // what the commands of the step printed, bounded
	failed  string   // the first step that failed
	err     error    // why
	reached map[string]bool
	backup  string
	loaded  time.Time // when the reload ended; zero when that was not reported
	outcome string    // of "@end"
	state   string    // of "@state"
	edited  string    // of "@edited": the plan whose files were changed since
	handed  string    // of "@statefile": where a reload hands the servers' states over
	ended   string    // of "@closed": how many sessions were ended, and how many are left
	renewed bool      // the master showed a new worker after the reload
	unarmed string    // of "@unarmed": why the node would not recover at boot

	recovered []plan.Recovery // of "@recovered": the interrupted runs that the script ended
}

// maxTexts bounds how many lines of a step's output are kept.
const maxTexts = 60

func (r *run) line(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	switch e := parseEvent(s); e.kind {
	case "begin":
		r.step, r.began, r.texts = e.step, r.now(), nil
		r.reached[e.step] = true
		r.tell(plan.StepResult{Step: e.step})
	case "text":
		if len(r.texts) < maxTexts {
			r.texts = append(r.texts, r.rename(e.text))
		}
	case "ok":
		if e.step == plan.StepBackup || e.step == stepSettle && e.text != "" {
			r.backup = e.text
		}
		if e.step == plan.StepReload {
			r.loaded, r.renewed = r.now(), strings.Contains(e.text, " took over from ")
		}
		r.tell(plan.StepResult{Step: e.step, Done: true, Detail: e.text, Took: r.took()})
	case "fail":
		r.fail(e.step, r.rename(e.text))
	case "staged":
		r.staged = e.text
	case "end":
		r.outcome = e.text
	case "state":
		r.state = e.text
	case "statefile":
		r.handed = text.Line(e.text, 200)
	case "closed":
		r.ended = text.Line(e.text, 40)
	case "edited":
		r.edited = text.Line(e.text, 40)
	case "unarmed":
		r.unarmed = text.Line(e.text, 100)
	case "recovered":
		if x, ok := parseRecovery(e.text); ok && len(r.recovered) < maxTexts {
			x.Why = r.rename(x.Why)
			r.recovered = append(r.recovered, x)
		}
	}
}

// parseRecovery reads "PLAN OUTCOME BACKUP WHY"; BACKUP is "-" where there is
// none. ok is false when it is not one.
func parseRecovery(raw string) (x plan.Recovery, ok bool) {
	w := strings.SplitN(raw, " ", 4)
	if len(w) != 4 {
		return x, false
	}
	x = plan.Recovery{Plan: text.Line(w[0], 40), Outcome: plan.NodeOutcome(w[1]), Backup: text.Line(w[2], 200), Why: text.Line(w[3], 300)}
	if x.Backup == "-" {
		x.Backup = ""
	}
	switch x.Outcome {
	case plan.Applied, plan.Untouched, plan.Restored, plan.Broken, plan.Undecided:
		return x, true
	}
	return x, false
}

// recovery is how the script ended an interrupted run of a plan, "" when it did not
// report one.
func (r *run) recovery(plan string) plan.NodeOutcome {
	for _, x := range r.recovered {
		if x.Plan == plan {
			return x.Outcome
		}
	}
	return ""
}

func (r *run) fail(step, why string) {
	detail := strings.Join(r.texts, "\n")
	err := errors.New(why)
	if step == plan.StepCheck {
		err = checkError(why, r.texts)
	} else if strings.HasPrefix(why, "locked by ") {
		err = &source.Hint{Err: err, Try: "wait until that run has ended, then plan again; pgtui takes over the lock of a run that died or has hung for 15 minutes"}
	} else if len(r.texts) > 0 {
		err = fmt.Errorf("%s: %s", why, r.texts[0])
	}
	r.tell(plan.StepResult{Step: step, Done: true, Err: err, Detail: detail, Took: r.took()})
	if r.err == nil {
		r.failed, r.err = step, err
	} else {
		r.err = fmt.Errorf("%w; then %s: %w", r.err, step, err)
	}
}

func (r *run) took() time.Duration { return max(0, r.now().Sub(r.began)) }

func (r *run) tell(s plan.StepResult) {
	if r.emit == nil || hidden(s.Step) {
		return
	}
	s.Host = r.host
	r.emit(s)
}

// rename replaces paths of the staging directory with the real ones. In a sandbox
// they may have its root as a prefix.
func (r *run) rename(s string) string {
	if r.staged != "" {
		s = strings.ReplaceAll(s, strings.TrimPrefix(r.staged, r.root), r.dir)
	}
	if r.root != "" {
		s = strings.ReplaceAll(s, r.root+r.dir, r.dir)
	}
	return s
}

func (r *run) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
}

// alert is the place of an error in HAProxy's output: "[/etc/…/file.cfg:12]".
var alert = regexp.MustCompile(`^\[ALERT\].*?\[([^\[\]]+):(\d+)\] ?: (.*)$`)

// CheckError is HAProxy's refusal of a configuration, with the place.
type CheckError struct {
	File string // path on the node; "" when HAProxy named none
	Line string // line in File
	Text string // HAProxy's own words
	More int    // how many errors follow
}

// Error is "file:line: text".
func (e *CheckError) Error() string {
	s := e.Text
	if e.File != "" {
		s = e.File + ":" + e.Line + ": " + e.Text
	}
	if e.More > 0 {
		s += fmt.Sprintf(" (and %d more)", e.More)
	}
	return s
}

// checkError finds the first error with a place in what haproxy -c printed.
func checkError(why string, texts []string) error {
	var found *CheckError
	for _, t := range texts {
		m := alert.FindStringSubmatch(t)
		switch {
		case m == nil:
		case found == nil:
			found = &CheckError{File: m[1], Line: m[2], Text: strings.TrimSpace(m[3])}
		default:
			found.More++
		}
	}
	if found != nil {
		return fmt.Errorf("haproxy refuses the configuration: %w", found)
	}
	for _, t := range texts {
		if strings.Contains(t, "[ALERT]") {
			return fmt.Errorf("%s: %s", why, t)
		}
	}
	if len(texts) > 0 {
		return fmt.Errorf("%s: %s", why, texts[0])
	}
	return errors.New(why)
}

// runScript runs node.sh on the node of n and follows it. The error is the
// transport's: the script did not end, or its end was not reported.
func (a *Applier) runScript(ctx context.Context, n *plan.Node, emit func(plan.StepResult), stdin []byte, args ...string) (*run, error) {
	return a.follow(ctx, n, emit, transport.Cmd{Args: args, Stdin: stdin})
}

// readScript is runScript of a mode that changes nothing on the node.
func (a *Applier) readScript(ctx context.Context, n *plan.Node, stdin []byte, args ...string) (*run, error) {
	return a.follow(ctx, n, nil, transport.Cmd{Args: args, Stdin: stdin, Reads: true})
}

func (a *Applier) follow(ctx context.Context, n *plan.Node, emit func(plan.StepResult), c transport.Cmd) (*run, error) {
	r := &run{host: n.Host, dir: n.ConfDir, root: n.Target.Root, now: a.Now, emit: emit, reached: map[string]bool{}}
	defer r.close()
	c.Target, c.Script, c.OnLine = n.Target, script(), r.line
	var out transport.Output
	err := guard.Try("running a script on "+string(n.Host), func() (err error) { out, err = a.Runner.Run(ctx, c); return err })
	if _, fault := errors.AsType[*guard.Fault](err); fault && !errors.Is(err, transport.ErrNotStarted) {
		err = fmt.Errorf("%w: %w", err, transport.ErrInterrupted) // how far it came is unknown
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.outcome == "" && r.state == "" {
		why := transport.Words(tail(out.Stderr, 400), 4)
		err = fmt.Errorf("the script ended without a result (exit code %d) %s", out.Exit, why)
	}
	return r, err
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }
