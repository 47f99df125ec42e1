package main

import (
	"slices"
	"strings"
)

// The function keys of the demo, as a terminal sends them.
const (
	keyFail   = "\x1bOQ"   // f2: the leader dies
	keyWeight = "\x1b[17~" // f6: the inventory declares another weight
	keyEnter  = "\r"
)

// scene is one run of the demo, with its own sandbox.
type scene struct {
	args       []string // after `pgtui demo`
	cols, rows int
	steps      []step
}

// step is some keys and the words of the screen after them. A file is a picture
// of that screen.
type step struct {
	keys  string
	see   []string // all of these
	file  string   // in docs/shots; "" for none
	title string   // of the picture
}

// shown reports whether a screen is the one of the step.
func (s step) shown(text string) bool {
	return !slices.ContainsFunc(s.see, func(w string) bool { return !strings.Contains(text, w) })
}

// files are the pictures of a scene.
func (s scene) files() []string {
	var out []string
	for _, st := range s.steps {
		if st.file != "" {
			out = append(out, st.file)
		}
	}
	return out
}

// scenes are the scenes of all pictures.
func scenes() []scene {
	return []scene{outage(), reload(), entries(), takeover()}
}

// outage is the leader's failure on the fleet, the board and the findings.
func outage() scene {
	return scene{args: []string{"--clusters", "12"}, cols: 100, rows: 30, steps: []step{
		{see: []string{"● 13 ok"}},
		{keys: keyFail, see: []string{"✕ 1 DOWN", "▸pg-test", "5433 primary has no server", "2/3", "✕ 4"}, file: "fleet.svg",
			title: "pgtui, the fleet: pg-test is down and stands first, pg-meta is ok"},
		{keys: keyEnter, see: []string{"pgtui pg-test ", "5433 primary has no server", "5436 default has no server", "replica 0 B"}, file: "board.svg",
			title: "pgtui, the board of pg-test after its leader died: the primary port has no server, with the reason"},
		{keys: "6", see: []string{"› findings", "has no server"}, file: "findings.svg",
			title: "pgtui, the findings of pg-test after its leader died, worst first"},
	}}
}

// reload is a change of the inventory on its way to HAProxy.
func reload() scene {
	return scene{args: []string{"pg-test"}, cols: 100, rows: 30, steps: []step{
		{see: []string{"every service is served as declared", "VIP"}},
		{keys: "3", see: []string{"› topology", "async"}, file: "topology.svg",
			title: "pgtui, the topology of pg-test: replication with lag and sync state"},
		{keys: "9", see: []string{"› what if", "On paper"}, file: "whatif.svg",
			title: "pgtui, what if pg-test-1 went down: the servers of each port, and the sessions that would be cut"},
		{keys: keyWeight, see: []string{"weight: done"}},
		{keys: "8", see: []string{"› diff", "3 of 3 nodes would change", "weight of pg-test-2: 100 → 50"}, file: "diff.svg",
			title: "pgtui, the diff of pg-test: the changes of a reload in HAProxy's files, and its risks"},
		{keys: "r", see: []string{"Type pg-test and Enter to reload.", "> ▏"}},
		{keys: "pg-test", see: []string{"> pg-test▏"}, file: "confirm.svg",
			title: "pgtui before a reload of pg-test: the typed name of the cluster confirms it"},
		{keys: keyEnter, see: []string{"back to the board"}, file: "run.svg",
			title: "pgtui, a reload of pg-test: each node checked, reloaded and verified"},
	}}
}

// entries are the ways into a cluster.
func entries() scene {
	return scene{args: []string{"pg-test"}, cols: 100, rows: 30, steps: []step{
		{see: []string{"every service is served as declared", "VIP"}},
		{keys: "a", see: []string{"› access", " ms)", ".10.3:5433  ● serving"}, file: "access.svg",
			title: "pgtui, access of pg-test: hosts by ports, the instance behind each, and the connection string of the entry under the cursor"},
	}}
}

// takeover is a switchover, from who can take over to the gap that clients see.
func takeover() scene {
	return scene{args: []string{"pg-test"}, cols: 100, rows: 30, steps: []step{
		{see: []string{"every service is served as declared", "VIP"}},
		{keys: "C", see: []string{"WHO CAN TAKE OVER", "▸pg-test-2", "without a leader"}, file: "candidates.svg",
			title: "pgtui, who of pg-test can take over: both replicas, the sessions that are cut, the expected gap"},
		{keys: keyEnter, see: []string{"Nothing has been sent yet"}},
		{keys: keyEnter, see: []string{"Type pg-test and Enter", "> ▏"}},
		{keys: "pg-test", see: []string{"> pg-test▏"}},
		{keys: keyEnter, see: []string{"routed", "served, gap"}, file: "timeline.svg",
			title: "pgtui, a switchover of pg-test as it runs: each state with its second, and the gap that clients see through each HAProxy"},
		{see: []string{"done and proven"}},
	}}
}
