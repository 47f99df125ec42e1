package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
)

type candidatesOptions struct {
	output     format
	noSSH, all bool
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
	return c
}

func (a *app) candidates(ctx context.Context, o *candidatesOptions, names []string) error {
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	return a.replies(question{output: o.output, many: several(names), fail: healthUnknown, worse: worseHealth, ask: func(c *model.Cluster) (answer, error) {
		t, err := a.CandidatesOf(ctx, inv, c, !o.noSSH)
		if err != nil {
			return answer{}, err
		}
		return answer{code: t.Code(), doc: func() any { return jsonv1.NewCandidates(&t) }, text: func(w show.Out) { show.Candidates(w, &t, o.all || w.Wide) }}, nil
	}}, cls)
}
