package cmd

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/lang"
	"pgtui/model"
	"pgtui/probe/transport"
	"pgtui/session"
	"pgtui/source"
)

// reportName is the command that works with a wrong configuration and without an inventory.
const reportName = "report"

// formatArchive is the format of a report that is a file.
const formatArchive format = "tgz"

type reportOptions struct {
	output    format
	out       string
	anonymise bool
	noProbe   bool
}

func (a *app) reportCmd() *cobra.Command {
	var o reportOptions
	c := &cobra.Command{
		Use:   "report [cluster…]",
		Short: "Collect what a bug report needs into one file, without secrets",
		Long: "report writes pgtui-report-TIME.tgz into the current directory: the versions of pgtui, of the system\n" +
			"and of the SSH client, the settings and the environment variables that pgtui reads, the shape of the\n" +
			"inventory, what each node answered and when, the findings, and the newest runs of the audit file.\n" +
			"The nodes are probed as status does. MANIFEST.txt in it lists its parts, and what is left out:\n" +
			"passwords, keys, values of variables, files of nodes, texts of queries. With --anonymise, names and\n" +
			"addresses are replaced too. A report is in English. Read it before you send it.\n\n" +
			"A configuration or an inventory that cannot be read does not stop it: its error is in the report.",
		Args: cobra.ArbitraryArgs,
		RunE: verb(&o, a.bugReport),
	}
	outputFlag(c, &o.output, "", string(formatArchive), "text", "json")
	c.Flags().StringVar(&o.out, "out", "", "write the archive to this `file`, which must not exist; - is standard output")
	c.Flags().BoolVar(&o.anonymise, "anonymise", false, "replace the names and addresses of the inventory, each by the same word everywhere")
	c.Flags().BoolVar(&o.noProbe, "no-probe", false, "contact no node")
	return c
}

// prepareReport prepares a run as for any command; only wrong usage ends it.
func (a *app) prepareReport(c *cobra.Command) error {
	err := a.prepare(c)
	if errors.Is(err, source.ErrUsage) {
		return err
	}
	a.unprepared = err
	return nil
}

func (a *app) bugReport(ctx context.Context, o *reportOptions, names []string) error {
	at := now()
	if err := a.checkReport(o, at); err != nil {
		return err
	}
	doc, err := a.gather(ctx, o, names, at)
	if err != nil {
		return err
	}
	if o.output != formatArchive {
		return a.reply(o.output, 0, func() any { return doc }, func(show.Out) { printReport(a.io.Out, doc) })
	}
	data, files, err := archive(doc, strings.TrimSuffix(filepath.Base(defaultArchive(at)), ".tgz"))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if o.out == "-" {
		_, err = a.io.Out.Write(data)
		return err
	}
	if err := createFile(o.out, data); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	w := lang.NewLines(a.io.Out)
	fmt.Fprintf(w, "wrote %s: %s, %s\n", o.out, text.Bytes(int64(len(data))), strings.Join(files, ", "))
	fmt.Fprintf(w, "read it before you send it: tar xzf %s\n", o.out)
	return nil
}

// defaultArchive is the name of an archive.
func defaultArchive(at time.Time) string {
	return "pgtui-report-" + at.UTC().Format("20060102T150405Z") + ".tgz"
}

// checkReport refuses what cannot be done, before anything is probed.
func (a *app) checkReport(o *reportOptions, at time.Time) error {
	if o.output != formatArchive {
		if o.out != "" {
			return misuse("pgtui report --out "+text.Word(o.out), "--out cannot be combined with -o %s: it names an archive", o.output)
		}
		return nil
	}
	if f, ok := a.out.(*os.File); ok && o.out == "-" && term.IsTerminal(f.Fd()) {
		return misuse("pgtui report -o text", "--out -: an archive is not printed to a terminal")
	}
	if o.out == "-" {
		return nil
	}
	if by := a.ReadOnlyBy(); by != "" {
		return exit(3, &source.Hint{Err: transport.Refusal(by), Try: "pgtui report --out - >report.tgz, or pgtui report -o text"})
	}
	o.out = cmp.Or(o.out, defaultArchive(at))
	if _, err := os.Lstat(o.out); err == nil {
		return &source.Hint{Err: fmt.Errorf("%s already exists: it was not changed", o.out), Try: "pgtui report --out another.tgz"}
	}
	return nil
}

// gather makes the report. Its errors are those of wrong usage, and of an interrupted run.
func (a *app) gather(ctx context.Context, o *reportOptions, names []string, at time.Time) (*jsonv1.Report, error) {
	b := built(debug.ReadBuildInfo())
	doc := jsonv1.NewReport(jsonv1.Build{Pgtui: b.Version, Commit: b.Commit, Date: b.Date, Go: runtime.Version()}, at)
	failed := func(what string, err error) {
		if err != nil {
			doc.Errors = append(doc.Errors, jsonv1.ReportError{What: what, Error: source.Words(err), Try: source.TryOf(err)})
		}
	}
	var err error
	doc.Machine, err = a.machine(ctx)
	failed("SSH client", err)
	doc.Environment, doc.Config = a.surroundings()
	failed("configuration", a.unprepared)

	var inv *model.Inventory
	path, err := a.Find()
	if a.unprepared == nil { // else it is unknown which inventory, and whether the run is read-only
		if err == nil {
			inv, err = a.load(ctx)
		}
		failed("inventory", err)
	}
	if ctx.Err() != nil {
		return nil, source.Ended(ctx)
	}
	if inv != nil {
		cls, err := session.Matching(inv, names...)
		if err != nil {
			return nil, err
		}
		doc.Inventory = jsonv1.Shape(inv)
		if !o.noProbe {
			failed("nodes", a.observe(ctx, &doc, inv, cls))
		}
		h, err := a.HistoryOf(path, inv.Path)
		failed("audit file", err)
		doc.Runs = jsonv1.ReportRuns(h.Runs[max(0, len(h.Runs)-mostRuns):])
	}
	if ctx.Err() != nil {
		return nil, source.Ended(ctx)
	}
	doc.Parts, doc.LeftOut, doc.Anonymised = reportParts(), leftOut(o.anonymise), o.anonymise
	var secrets []string
	for _, name := range []string{"PGPASSWORD"} { // for psql; pgtui does not use it
		secrets = append(secrets, a.Getenv(name))
	}
	r := newRedactor(inv, append(filesOf(inv, path), a.configFile()), secrets, a.Getenv("HOME"))
	if o.anonymise {
		r.anonymise(inv, a.ownNames()...)
	}
	r.all(reflect.ValueOf(&doc))
	return &doc, nil
}

// mostRuns is how many runs of the audit file a report has.
const mostRuns = 20

// observe probes the nodes of the clusters once.
func (a *app) observe(ctx context.Context, doc *jsonv1.Report, inv *model.Inventory, cls []*model.Cluster) error {
	snap, err := a.Probe(ctx, inv, cls, 0)
	if err != nil {
		return err
	}
	at := now()
	doc.Observed = jsonv1.Answers(snap, cls, at)
	status := jsonv1.NewStatus(inv, session.Boards(snap, cls, at), at, false)
	doc.Status = &status
	return nil
}

// machine is this machine; the error is why its SSH client is unknown.
func (a *app) machine(ctx context.Context) (m jsonv1.ReportMachine, err error) {
	m = jsonv1.ReportMachine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Language: lang.Current()}
	if b, err := readAtMost("/etc/os-release", maxConfig); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
				m.OS = strings.Trim(name, `"'`)
			}
		}
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	m.Terminal.Type = a.Getenv("TERM")
	for _, end := range []struct {
		of any
		is *bool
	}{{a.io.In, &m.Terminal.Input}, {a.out, &m.Terminal.Output}} {
		f, ok := end.of.(*os.File)
		if *end.is = ok && term.IsTerminal(f.Fd()); *end.is {
			if w, h, err := term.GetSize(f.Fd()); err == nil {
				m.Terminal.Columns, m.Terminal.Rows = w, h
			}
		}
	}
	m.SSH, err = transport.ClientVersion(ctx, a.SSHProgram)
	return m, err
}

// surroundings are the variables that pgtui reads, and its configuration.
func (a *app) surroundings() ([]jsonv1.ReportVariable, jsonv1.ReportConfig) {
	env := []jsonv1.ReportVariable{}
	for _, v := range environment() {
		if value := a.Getenv(v.Name); value != "" {
			env = append(env, jsonv1.ReportVariable{Name: v.Name, Value: value})
		}
	}
	c := jsonv1.ReportConfig{File: a.configFile(), Settings: []string{}}
	if _, err := os.Stat(c.File); err == nil {
		c.Exists = true
	}
	if a.unprepared == nil {
		var b bytes.Buffer
		a.showSettings(&b, func([]string) string { return "…" })
		c.Settings = append(c.Settings, strings.Split(strings.TrimSpace(b.String()), "\n")...)
	}
	return env, c
}

// ownNames are the names of this machine's side: contexts and logins.
func (a *app) ownNames() []swap {
	out := []swap{{a.Getenv("SUDO_USER"), "user"}, {filepath.Base(a.Getenv("HOME")), "user"}, {a.context.Environment, "environment"}}
	if h, err := os.Hostname(); err == nil {
		out = append(out, swap{h, "thishost"})
	}
	for i, name := range contextNames(a.config) {
		out = append(out, swap{name, fmt.Sprintf("context%d", i+1)})
	}
	for i, p := range a.EntryPoints {
		out = append(out, swap{p.Name, fmt.Sprintf("entry%d", i+1)}, swap{p.Host, fmt.Sprintf("entryhost%d", i+1)})
	}
	return out
}

// archive is the report as a compressed tar file with one folder, and the names of the
// files in it.
func archive(doc *jsonv1.Report, folder string) (data []byte, names []string, err error) {
	var asText, asJSON, manifest bytes.Buffer
	printReport(&asText, doc)
	if err := printJSON(&asJSON, doc); err != nil {
		return nil, nil, err
	}
	printManifest(&manifest, doc)
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	for _, f := range []struct {
		name string
		data []byte
	}{{"MANIFEST.txt", manifest.Bytes()}, {"report.txt", asText.Bytes()}, {"report.json", asJSON.Bytes()}} {
		names = append(names, f.name)
		h := &tar.Header{Name: folder + "/" + f.name, Mode: 0o600, Size: int64(len(f.data)), ModTime: doc.TakenAt, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return nil, nil, err
		}
		if _, err := io.Copy(t, bytes.NewReader(f.data)); err != nil {
			return nil, nil, err
		}
	}
	err = errors.Join(t.Close(), z.Close())
	return out.Bytes(), names, err
}
