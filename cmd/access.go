package cmd

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/cmd/show"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/model/check"
	"pgtui/render/emit"
)

type accessOptions struct {
	output        format
	emit          string
	scheme, prove bool
	count         int
	past          pastOptions
}

func (a *app) accessCmd() *cobra.Command {
	var o accessOptions
	c := &cobra.Command{
		Use:   "access <cluster…>",
		Short: "Every endpoint and the instance it reaches: hosts by ports, DSNs, which port to use",
		Long: "access lists every host and port that clients of the cluster may use, what each should reach\n" +
			"and what it reaches now: names are resolved by the system and by Pigsty's DNS servers, and every\n" +
			"endpoint is connected to and probed for TLS. It changes nothing, and prints no password. Exit codes:\n" +
			"0 every endpoint reaches the right instance, 1 one does not, 2 no service endpoint reaches the primary,\n" +
			"3 unknown.",
		Args: needs(0, "cluster", "pgtui access pg-test"),
		RunE: verb(&o, a.access),
	}
	outputFlag(c, &o.output, "dsn is every connection string in every form", "table", "json", "dsn")
	var kinds []string
	for _, k := range emit.Kinds() {
		kinds = append(kinds, string(k))
	}
	c.Flags().Var(&choice{"--emit", &o.emit, kinds, "pgtui access pg-test --emit pgservice"}, "emit", "write the endpoints for another program, from the inventory alone: "+emit.Names())
	c.Flags().BoolVar(&o.scheme, "scheme", false, "compare the schemes that bring clients to a cluster, and what this one has of each")
	c.Flags().BoolVar(&o.prove, "prove", false, "connect through every endpoint as the monitoring user, and show which instance answers")
	c.Flags().IntVar(&o.count, "count", 1, "with --prove: connections through each endpoint")
	return pastFlags(c, &o.past)
}

func (a *app) access(ctx context.Context, o *accessOptions, names []string) error {
	if err := within("--count", o.count, 1, mostConnections); err != nil {
		return err
	}
	if o.output == "dsn" && o.scheme {
		return wrong("-o dsn cannot be combined with --scheme")
	}
	if o.past.given() {
		if o.prove || o.emit != "" {
			return wrong("--at cannot be combined with --prove or --emit: it contacts no node")
		}
		m, err := a.moment(ctx, &o.past, names)
		if err != nil {
			return err
		}
		return a.accessOf(o, names, m.inv, m.cls, m.past, func(c *model.Cluster) (access.Access, board.Board, error) {
			b := check.Board(m.snap, c, m.judged)
			return access.Of(m.snap, &b, access.Live{}), b, nil
		})
	}
	inv, cls, err := a.matching(ctx, healthUnknown, names...)
	if err != nil {
		return err
	}
	if o.emit != "" && len(cls) > 1 {
		return misuse("pgtui access "+string(cls[0].Name)+" --emit "+o.emit, "--emit takes one cluster, and got %d", len(cls))
	}
	if o.emit != "" {
		return a.emitAccess(emit.Kind(o.emit), inv, cls[0])
	}
	proofs := 0
	if o.prove {
		proofs = o.count
	}
	return a.accessOf(o, names, inv, cls, jsonv1.Past{}, func(c *model.Cluster) (access.Access, board.Board, error) {
		return a.AccessOf(ctx, inv, nil, c, proofs)
	})
}

// accessOf replies the endpoints, cluster by cluster.
func (a *app) accessOf(o *accessOptions, names []string, inv *model.Inventory, cls []*model.Cluster, when jsonv1.Past, find func(*model.Cluster) (access.Access, board.Board, error)) error {
	return a.replies(question{output: o.output, many: several(names), fail: healthUnknown, worse: worseHealth, ask: func(c *model.Cluster) (answer, error) {
		acc, b, err := find(c)
		if err != nil {
			return answer{}, err
		}
		health, _ := access.Health(&acc)
		return answer{code: int(health), doc: func() any {
			d := jsonv1.NewAccess(inv, &b, &acc, b.Judged)
			d.Past = when
			return d
		}, text: func(w show.Out) {
			switch {
			case o.output == "dsn":
				show.DSNs(w, &acc)
			case o.scheme:
				show.Schemes(w, access.SchemesOf(&acc))
			default:
				show.Matrix(w, &acc)
			}
		}}, nil
	}}, cls)
}

// emitAccess writes the endpoints of a cluster for another program. It probes no
// node.
func (a *app) emitAccess(k emit.Kind, inv *model.Inventory, c *model.Cluster) error {
	acc := a.Declared(inv, c)
	out, err := emit.Text(k, inv, &acc)
	if err != nil {
		return exit(healthUnknown, err)
	}
	_, err = io.WriteString(a.io.Out, out)
	return err
}
