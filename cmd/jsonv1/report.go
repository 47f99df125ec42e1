package jsonv1

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgtui/model"
	"pgtui/plan"
	"pgtui/source"
)

// Report is what `pgtui report -o json` prints, and report.json of its archive.
type Report struct {
	Version     int              `json:"version"` // 1
	TakenAt     time.Time        `json:"taken_at"`
	Anonymised  bool             `json:"anonymised"` // names and addresses of the inventory are replaced
	Pgtui       ReportProgram    `json:"pgtui"`
	Machine     ReportMachine    `json:"machine"` // on which pgtui runs
	Environment []ReportVariable `json:"environment"`
	Config      ReportConfig     `json:"config"`
	Inventory   *ReportInventory `json:"inventory"` // null: it could not be read
	Observed    []ReportAnswer   `json:"observed"`  // of each node and instance; []: no node was probed
	Status      *Status          `json:"status"`    // as of status, findings included; null: no node was probed
	Runs        []ReportRun      `json:"runs"`      // the newest in the audit file, oldest first
	Errors      []ReportError    `json:"errors"`    // what the report could not read, and why
	Parts       []ReportPart     `json:"parts"`
	LeftOut     []string         `json:"left_out"` // what is never in a report
}

// ReportProgram is how pgtui was built.
type ReportProgram struct {
	Version    string  `json:"version"`
	Commit     *string `json:"commit"`      // null: the build recorded none
	CommitDate *string `json:"commit_date"` // RFC 3339; null: the build recorded none
	Go         string  `json:"go"`
}

// ReportMachine is the machine that pgtui runs on.
type ReportMachine struct {
	OS       string         `json:"os"` // as /etc/os-release names it; else of the build, "linux"
	Kernel   string         `json:"kernel"`
	Arch     string         `json:"arch"`
	CPUs     int            `json:"cpus"`
	SSH      string         `json:"ssh"` // what ssh -V prints; "" where there is none
	Language string         `json:"language"`
	Terminal ReportTerminal `json:"terminal"`
}

// ReportTerminal is where pgtui was typed.
type ReportTerminal struct {
	Input   bool   `json:"input"`  // standard input is a terminal
	Output  bool   `json:"output"` // standard output is
	Type    string `json:"type"`   // $TERM
	Columns int    `json:"columns"`
	Rows    int    `json:"rows"`
}

// ReportVariable is a variable of the environment that pgtui reads, and that is set.
type ReportVariable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ReportConfig is pgtui's own configuration.
type ReportConfig struct {
	File     string   `json:"file"`
	Exists   bool     `json:"exists"`
	Settings []string `json:"settings"` // in effect, a line each, as config show prints them
}

// ReportInventory is the shape of the inventory: counts, and no value of a variable.
type ReportInventory struct {
	Source      string          `json:"source"`
	Files       int             `json:"files"` // that it was read from
	Dialect     string          `json:"dialect"`
	DialectFrom string          `json:"dialect_from"`
	Core        *string         `json:"ansible_core"` // null: unknown
	Nodes       int             `json:"nodes"`
	Clusters    []ReportCluster `json:"clusters"`
	Problems    []string        `json:"problems"`
}

// ReportCluster is the shape of one cluster.
type ReportCluster struct {
	Name      string `json:"name"`
	Instances int    `json:"instances"`
	HAProxies int    `json:"haproxies"`
	Services  int    `json:"services"`
	Databases int    `json:"databases"`
	Users     int    `json:"users"`
	Etcd      int    `json:"etcd"` // members of its etcd; 0 where the inventory has none
	VIP       bool   `json:"vip"`
	Standby   bool   `json:"standby"`
	Problems  int    `json:"problems"`
}

// ReportAnswer is what came of one thing that was probed.
type ReportAnswer struct {
	Cluster  string `json:"cluster"`
	Host     string `json:"host"`
	Instance string `json:"instance,omitempty"`
	What     string `json:"what"`    // haproxy, patroni, dcs, check /primary, port 6432, pgbouncer, vip
	AgeMs    *int64 `json:"age_ms"`  // of the last answer; null: never answered
	TookMs   int64  `json:"took_ms"` // the latest attempt
	Runs     string `json:"runs,omitempty"`
	Error    string `json:"error,omitempty"` // why the latest attempt failed
}

// ReportRun is one run of the audit file.
type ReportRun struct {
	Began       time.Time `json:"began"`
	Action      string    `json:"action"`
	Cluster     string    `json:"cluster"`
	Outcome     string    `json:"outcome,omitempty"`
	TookMs      int64     `json:"took_ms,omitempty"`
	Interrupted bool      `json:"interrupted"`
	Error       string    `json:"error,omitempty"`
}

// ReportError is something that could not be read.
type ReportError struct {
	What  string `json:"what"`
	Error string `json:"error"`
	Try   string `json:"try,omitempty"`
}

// ReportPart is a part of the report.
type ReportPart struct {
	Name string `json:"name"` // of the field, or of the file in an archive
	What string `json:"what"`
}

// NewReport is the frame of a report; what was read is filled in.
func NewReport(b Build, at time.Time) Report {
	return Report{
		Version: 1, TakenAt: at.UTC().Truncate(time.Millisecond),
		Pgtui:       ReportProgram{Version: b.Pgtui, Commit: orNull(b.Commit), CommitDate: orNull(b.Date), Go: b.Go},
		Environment: []ReportVariable{}, Config: ReportConfig{Settings: []string{}},
		Observed: []ReportAnswer{}, Runs: []ReportRun{}, Errors: []ReportError{}, Parts: []ReportPart{}, LeftOut: []string{},
	}
}

// Shape is the shape of an inventory.
func Shape(inv *model.Inventory) *ReportInventory {
	out := &ReportInventory{Source: inv.Source, Dialect: string(inv.Dialect), DialectFrom: inv.DialectFrom,
		Core: orNull(inv.Core), Nodes: len(inv.Nodes), Clusters: []ReportCluster{}, Problems: []string{}}
	for _, f := range inv.Inputs {
		if f.Stamp != "" {
			out.Files++
		}
	}
	problem := func(p source.Problem) { out.Problems = append(out.Problems, placed(p)) }
	for _, p := range inv.Problems {
		problem(p)
	}
	for _, c := range inv.Clusters {
		out.Clusters = append(out.Clusters, ReportCluster{Name: string(c.Name), Instances: len(c.Instances), HAProxies: len(c.LoadBalancers), Services: len(c.Services()),
			Databases: len(c.Databases), Users: len(c.Users), Etcd: len(c.Etcd), VIP: c.VIP != "", Standby: c.Standby, Problems: len(c.Problems)})
		for _, p := range c.Problems {
			problem(p)
		}
	}
	return out
}

// placed is a problem with its place and its subject.
func placed(p source.Problem) string {
	at := ""
	if p.At.File != "" {
		at = fmt.Sprintf("%s:%d", p.At.File, p.At.Line)
	}
	return strings.Join(slices.DeleteFunc([]string{at, p.Subject, p.What}, func(w string) bool { return w == "" }), ": ")
}

// Answers are what came of everything that was probed for the clusters.
func Answers(s *model.Snapshot, cls []*model.Cluster, now time.Time) []ReportAnswer {
	out := []ReportAnswer{}
	for _, c := range cls {
		for i := range c.LoadBalancers {
			h := c.LoadBalancers[i].Host
			out = append(out, answer(ReportAnswer{Cluster: string(c.Name), Host: string(h), What: "haproxy"}, s.HAProxy[h], now))
		}
		for i := range c.Instances {
			in := &c.Instances[i]
			at := func(what string) ReportAnswer {
				return ReportAnswer{Cluster: string(c.Name), Host: string(in.Host), Instance: string(in.Name), What: what}
			}
			v := s.Patroni[in.Name]
			patroni := at("patroni")
			if v.Status.Ever() && v.Status.Value.Version != "" {
				patroni.Runs = "Patroni " + v.Status.Value.Version
			}
			out = append(out, answer(patroni, v.Status, now), answer(at("dcs"), v.Cluster, now))
			for _, path := range slices.Sorted(maps.Keys(v.Checks)) {
				out = append(out, answer(at("check "+path), v.Checks[path], now))
			}
			for _, p := range v.Ports {
				out = append(out, answer(at("port "+p.Port), p.Observed, now))
			}
			if !v.Pool.Tried.IsZero() {
				out = append(out, answer(at("pgbouncer"), v.Pool, now))
			}
		}
		if vip, ok := s.VIP[c.Name]; ok {
			out = append(out, answer(ReportAnswer{Cluster: string(c.Name), Host: c.VIP, What: "vip"}, vip, now))
		}
	}
	return out
}

// answer fills in an observation.
func answer[T any](a ReportAnswer, o source.Observed[T], now time.Time) ReportAnswer {
	a.AgeMs, a.TookMs = age(o.At, now), o.Took.Milliseconds()
	if o.Err != nil {
		a.Error = o.Err.Error()
	}
	return a
}

// ReportRuns are runs of the audit file, without who did them, why and with what.
func ReportRuns(runs []plan.Run) []ReportRun {
	out := []ReportRun{}
	for i := range runs {
		r := &runs[i]
		out = append(out, ReportRun{Began: r.Began, Action: r.Action, Cluster: string(r.Cluster), Outcome: r.Outcome, TookMs: r.TookMs, Interrupted: r.Interrupted, Error: r.Error})
	}
	return out
}
