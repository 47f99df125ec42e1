package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"pgtui/internal/sandbox/sim"
)

// checked is for how many seconds after a change HAProxies write what their checks
// find, although no one queries them.
const checked = 12

// logged has the programs of every node write their logs from now on, where
// Pigsty has the files, beginning with a line each. HAProxy has no journal here.
func (s *Sandbox) logged(w *world) {
	w.Logs = func(m *sim.Machine, l sim.Line) {
		writeLog(m, l)
		for i := range checked { // the checks of HAProxies are simulated when something is due
			if l.Unit != "haproxy" {
				w.After(time.Duration(i+1)*time.Second, func() {})
			}
		}
	}
	for _, n := range w.nodes {
		n.ha.Logs = func(at time.Time, level, text string) {
			w.Logs(n.Machine, sim.Line{At: at, Unit: "haproxy", Level: level, Text: text})
		}
		n.m.Greet()
		w.Logs(n.Machine, sim.Line{At: w.Now(), Unit: "postgres", Level: "LOG", Text: "database system is ready to accept connections"})
		n.ha.Logs(w.Now(), "NOTICE", "Loading success.")
	}
}

// writeLog appends a line to the file of its program. A file that cannot be written
// is a log that is not there, and no reason to stop a node.
func writeLog(m *sim.Machine, l sim.Line) {
	var file, text string
	switch at := l.At; l.Unit {
	case "patroni":
		file, text = "pg/log/patroni/patroni.log", fmt.Sprintf("%s %s: %s", at.Format("2006-01-02 15:04:05 -0700"), l.Level, l.Text)
	case "postgres":
		file = "pg/log/postgres/postgresql-" + at.Format("Mon") + ".csv"
		text = fmt.Sprintf("%s,,,%d,,%x.1,1,,%s,,0,%s,00000,%q,,,,,,,,,\"\",\"postmaster\",,0",
			at.UTC().Format("2006-01-02 15:04:05.000 MST"), 700+sim.Hash(m.Name)%300, at.Unix(), at.UTC().Format("2006-01-02 15:04:05 MST"), l.Level, l.Text)
	default:
		file, text = "var/log/"+l.Unit+".log", fmt.Sprintf("%s %s %s[%d]: [%s]  (%d) : %s", at.Format("Jan _2 15:04:05"), m.Name, l.Unit, 812, l.Level, 812, l.Text)
	}
	path := filepath.Join(m.Dir, file)
	if os.MkdirAll(filepath.Dir(path), 0o755) != nil {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.WriteString(text + "\n")
}
