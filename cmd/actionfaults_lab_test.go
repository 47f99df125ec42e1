//go:build lab

package cmd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/labtest"
)

// blow is one thing that goes wrong while an action runs.
type blow struct {
	name   string
	args   []string // the action
	at     string   // a regular expression of the line at which strike comes
	strike func(*reload)
	after  func() // undoes what strike did; nil is nothing
	codes  []int  // exit codes that are true; none when pgtui is killed
	long   bool   // left out of the short form
}

// blows are the rows. Each begins with pg-test-1 as the leader.
func blows(t *testing.T) []blow {
	kill := func(r *reload) { _ = r.cmd.Process.Kill() }
	link := func(node string) (strike func(*reload), after func()) {
		return func(*reload) { lab(t, "partition", node) }, func() { lab(t, "heal", node) }
	}
	sshd := func(*reload) {
		lab(t, "exec", "pg-test-2", "sh", "-c", "pkill -9 -f '^sshd(-session)?: dba'; pkill -9 -x sshd; true")
	}
	sshdBack := func() { lab(t, "start", "pg-test-2", "sshd") }
	switchover := []string{"switchover", "pg-test", "--candidate", "pg-test-2", "--yes"}
	drain := []string{"drain", "pg-test-3", "--yes"}
	maintenance := []string{"maintenance", "pg-test-3", "--yes", "--timeout", "20s"}
	restart := []string{"restart", "pg-test-3", "--yes"}
	var out []blow
	for _, at := range []string{"sent", "demoting|no-leader", "promoted", "routed"} {
		out = append(out, blow{name: "pgtui is killed once a switchover is at " + at, args: switchover, at: `  (` + at + `) `, strike: kill, long: at != "sent"})
	}
	cut, heal := link("pg-test-2")
	out = append(out, blow{name: "the candidate is lost after the call", args: switchover, at: `  sent `, strike: cut, after: heal, codes: []int{1, 2}, long: true})
	cut3, heal3 := link("pg-test-3")
	out = append(out,
		blow{name: "the member that got the call is lost", args: switchover, at: `  sent `, strike: cut3, after: heal3, codes: []int{0, 1, 2}, long: true},
		blow{name: "pgtui is killed during a drain", args: drain, at: ` (sent|proven) +10\.10\.10\.11`, strike: kill},
		blow{name: "SSH to a HAProxy is lost during a drain", args: drain, at: ` (sent|proven) +10\.10\.10\.11`, strike: sshd, after: sshdBack, codes: []int{0, 1, 2}, long: true},
		blow{name: "a HAProxy node is lost during a drain", args: drain, at: ` (sent|proven) +10\.10\.10\.11`, strike: cut, after: heal, codes: []int{0, 1, 2}},
		blow{name: "pgtui is killed during a restart", args: restart, at: `  sent `, strike: kill, long: true},
		blow{name: "pgtui is killed during a maintenance", args: maintenance, at: ` (sent|proven) +10\.10\.10\.12`, strike: kill, long: true})
	return out
}

// TestLabActionFaults: whatever goes wrong at whatever moment of an action, pgtui
// reports the cluster's state as it is, and an action that was cut off is a
// finding with what to type. PGTUI_FAULTS=all is the long form; another value is a
// regular expression of names.
func TestLabActionFaults(t *testing.T) {
	bin, which := program(t), os.Getenv("PGTUI_FAULTS")
	var table []string
	for _, b := range blows(t) {
		if which == "" && b.long || which != "" && which != "all" && !regexp.MustCompile(which).MatchString(b.name) {
			continue
		}
		t.Run(strings.ReplaceAll(b.name, " ", "_"), func(t *testing.T) {
			needLab(t)
			audit := filepath.Join(t.TempDir(), "audit.jsonl")
			common := []string{"-i", labInventory(t), "--ssh-config", labtest.SSHConfig(t)}
			labtest.Step(t, b.name)
			r, code, struck := struckAt(t, bin, append(slices.Clone(common), b.args...), audit, regexp.MustCompile(b.at), b.strike)
			if b.after != nil {
				b.after()
			}
			text := r.said()
			switch {
			case !struck:
				t.Fatalf("%q never came\n%s", b.at, text)
			case len(b.codes) > 0 && !slices.Contains(b.codes, code):
				t.Errorf("exit %d, want one of %v\n%s", code, b.codes, text)
			case len(b.codes) > 0 && code != 0 && !strings.Contains(text, "try: "):
				t.Errorf("it names nothing to type\n%s", text)
			}
			killed := len(b.codes) == 0
			var last string
			labtest.Until(t, "the next start reports the truth", func() bool {
				last = untrue(t, bin, common, audit, b.args[0], killed)
				return last == ""
			}, func() string { return last + "\n" + text })
			table = append(table, fmt.Sprintf("%-52s exit %2d  %s", b.name, code, lastWords(text)))
		})
	}
	t.Log("\n" + strings.Join(table, "\n"))
}

// untrue is how the next start of pgtui differs from the lab, "" when it does not.
func untrue(t *testing.T, bin string, common []string, audit, kind string, killed bool) string {
	t.Helper()
	r, _, _ := struckAt(t, bin, append(slices.Clone(common), "doctor", "pg-test", "-o", "json"), audit, nil, nil)
	var doc jsonv1.Doctor
	if err := json.Unmarshal([]byte(r.said()), &doc); err != nil {
		return err.Error() + "\n" + r.said()
	}
	c, _ := status(t)
	if leads := lab(t, "leader", "pg-test"); c.Leader == nil || *c.Leader != leads {
		return fmt.Sprintf("status does not report that %s leads: %+v", leads, c)
	}
	text := r.said()
	open := strings.Contains(text, `"action-open"`)
	switch {
	case killed && !open:
		return "no finding action-open\n" + text
	case killed && !strings.Contains(text, kind):
		return "the finding does not name the " + kind + "\n" + text
	case !killed && open:
		return "an action that has ended is still open\n" + text
	}
	// what is drained on the nodes is what the doctor reports
	for _, node := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		bits := lab(t, "exec", node, "sh", "-c", `echo 'show servers state pg-test-replica' | socat - /run/haproxy.sock | awk '$4 == "pg-test-3" { print $7 }'`)
		if bits != "0" && !strings.Contains(text, "server-by-hand") && !strings.Contains(text, "drain-hidden") {
			return node + " has pg-test-3 in state " + bits + ", and no finding reports it\n" + text
		}
	}
	return ""
}
