package jsonv1

import (
	"time"

	"pgtui/model"
	"pgtui/model/setup"
)

// Setup is what `pgtui doctor --setup -o json` prints.
type Setup struct {
	Version   int          `json:"version"` // 1
	TakenAt   time.Time    `json:"taken_at"`
	Inventory string       `json:"inventory"`
	ExitCode  int          `json:"exit_code"` // 0 nothing is missing, 1 something is, 3 something could not be checked
	Checks    []SetupCheck `json:"checks"`
	Sudoers   []string     `json:"sudoers"` // the lines that the logins on the nodes need; empty where they are root
}

// SetupCheck is one check of this machine, of a node or of an instance.
type SetupCheck struct {
	Host     string `json:"host,omitempty"` // absent for this machine
	Node     string `json:"node,omitempty"`
	Instance string `json:"instance,omitempty"`
	Check    string `json:"check"` // ssh-client, ssh, haproxy-files, master-socket, haproxy-stats, patroni, postgres, pgbouncer, clock
	State    string `json:"state"` // ok, missing, unknown
	Why      string `json:"why,omitempty"`
	Try      string `json:"try,omitempty"`
}

// NewSetup makes the document.
func NewSetup(inv *model.Inventory, items []setup.Item, sudoers []string, at time.Time, code int) Setup {
	out := Setup{Version: 1, TakenAt: at.UTC(), Inventory: inv.Source, ExitCode: code, Checks: make([]SetupCheck, len(items)), Sudoers: append([]string{}, sudoers...)}
	for i := range items {
		it := &items[i]
		c := SetupCheck{Host: string(it.Host), Instance: string(it.Instance), Check: it.Check, State: string(it.State), Why: it.Says, Try: it.Try}
		if n := inv.Node(it.Host); n != nil {
			c.Node = n.Name
		}
		out.Checks[i] = c
	}
	return out
}
