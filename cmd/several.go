package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/session"
	"pgtui/source"
)

// matching is open of a command that takes several clusters, and patterns of them.
func (a *app) matching(ctx context.Context, code int, names ...string) (*model.Inventory, []*model.Cluster, error) {
	inv, err := a.load(ctx)
	if err != nil {
		return nil, nil, exit(code, err)
	}
	cls, err := session.Matching(inv, names...)
	if err != nil {
		return nil, nil, exit(code, err)
	}
	return inv, cls, nil
}

// several reports whether names may pick more than one cluster: their answers are
// one document then, however many there are.
func several(names []string) bool { return len(names) != 1 || session.Pattern(names[0]) }

// answer is what a command replies about one cluster.
type answer struct {
	code int
	doc  func() any
	text func(show.Out)
	err  error // printed after the text, on standard error
}

// most is how many clusters are examined at the same time.
const most = 8

// question is what a command finds out about each of several clusters.
type question struct {
	output format
	many   bool               // the answers are one document
	fail   int                // the exit code of a cluster without an answer
	worse  func(x, y int) int // of two exit codes
	alone  bool               // one cluster at a time
	ask    func(*model.Cluster) (answer, error)
}

// replies examines each cluster, and prints the answers in their order. A
// cluster that fails does not keep the others from being answered.
func (a *app) replies(q question, cls []*model.Cluster) error {
	output, fail := q.output, q.fail
	answers, errs := make([]answer, len(cls)), make([]error, len(cls))
	var g guard.Group
	turn := make(chan struct{}, most)
	if q.alone {
		turn = make(chan struct{}, 1)
	}
	for i, c := range cls {
		g.Go("examining "+string(c.Name), func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			answers[i], errs[i] = q.ask(c)
		}, func(err error) { errs[i] = err })
	}
	g.Wait()
	if !q.many {
		if errs[0] != nil {
			return exit(fail, errs[0])
		}
		x := &answers[0]
		if output.document() {
			x.err = nil // the document has it
		}
		return cmp.Or(x.print(a, output), exit(x.code, x.err))
	}
	code := 0
	docs := []any{}
	for i, c := range cls {
		x := &answers[i]
		if err := errs[i]; err != nil {
			if errors.Is(err, source.ErrUsage) {
				return err
			}
			name := string(c.Name)
			x.code, x.err = fail, err
			x.doc = func() any {
				return jsonv1.Failed{Version: 1, Cluster: name, ExitCode: fail, Error: text.Line(source.Words(err), 600)}
			}
		}
		code = q.worse(code, x.code)
		if output.document() {
			docs = append(docs, x.doc())
			continue
		}
		if i > 0 {
			fmt.Fprintln(a.io.Out)
		}
		fmt.Fprintf(a.io.Out, "== %s\n", c.Name)
		if x.text != nil {
			x.text(a.to(output))
		}
		if x.err != nil {
			printError(a.io.Out, x.err)
		}
	}
	if output.document() {
		if err := printDocument(a.io.Out, output, jsonv1.Several{Version: 1, ExitCode: code, Clusters: docs}); err != nil {
			return err
		}
	}
	return exit(code, nil)
}

// print prints the answer about the only cluster.
func (x *answer) print(a *app, output format) error {
	if output.document() {
		return printDocument(a.io.Out, output, x.doc())
	}
	x.text(a.to(output))
	return nil
}

// worseHealth is the worse of two exit codes that are healths.
func worseHealth(x, y int) int { return int(model.Worse(model.Health(x), model.Health(y))) }

// worseCode is the worse of two exit codes, the higher one.
func worseCode(x, y int) int { return max(x, y) }
