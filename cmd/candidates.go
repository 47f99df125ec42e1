package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/model/candidate"
	"pgtui/model/check"
)

type candidatesOptions struct {
	output     format
	noSSH, all bool
	past       pastOptions
}

func (a *app) candidatesCmd() *cobra.Command {
	var o candidatesOptions
	c := &cobra.Command{
		Use:   "candidates <cluster…>",
		Short: "Who can take over the leader's role: every gate with its number, Patroni's and HAProxy's",
		Long: "candidates shows, for every member that does not lead, the values that Patroni checks before a switchover, how its\n" +
			"ports answer a login, and what each HAProxy does with it once it leads. For the leader it shows the\n" +
			"archive and the transactions that delay it. It changes nothing. Exit codes: 0 a member can take over, 1 only with\n" +
			"a risk, 2 no member can, 3 that is unknown.",
		Args: needs(0, "cluster", "pgtui candidates pg-test"),
		RunE: verb(&o, a.candidates),
	}
	outputFlag(c, &o.output, "", "table", "json")
	c.Flags().BoolVar(&o.all, "all", false, "show the gates that are passed too")
	c.Flags().BoolVar(&o.noSSH, "no-ssh", false, "probe over the network only: whether a server that is DOWN is in drain is unknown then")
	return pastFlags(c, &o.past)
}

func (a *app) candidates(ctx context.Context, o *candidatesOptions, names []string) error {
	if o.past.given() {
		m, err := a.moment(ctx, &o.past, names)
		if err != nil {
			return err
		}
		return a.candidatesOf(o, names, m.cls, m.past, func(c *model.Cluster) (candidate.Table, error) {
			b := check.Board(m.snap, c, m.judged)
			return candidate.Of(m.snap, &b, m.judged), nil
		})
	}
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	return a.candidatesOf(o, names, cls, jsonv1.Past{}, func(c *model.Cluster) (candidate.Table, error) { return a.CandidatesOf(ctx, inv, c, !o.noSSH) })
}

// candidatesOf replies who can take over, cluster by cluster.
func (a *app) candidatesOf(o *candidatesOptions, names []string, cls []*model.Cluster, when jsonv1.Past, table func(*model.Cluster) (candidate.Table, error)) error {
	return a.replies(question{output: o.output, many: several(names), fail: healthUnknown, worse: worseHealth, ask: func(c *model.Cluster) (answer, error) {
		t, err := table(c)
		if err != nil {
			return answer{}, err
		}
		doc := func() any {
			d := jsonv1.NewCandidates(&t)
			d.Past = when
			return d
		}
		return answer{code: t.Code(), doc: doc, text: func(w show.Out) { show.Candidates(w, &t, o.all || w.Wide) }}, nil
	}}, cls)
}
