package cmd

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/guard"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/board"
	"pgtui/render/emit"
	"pgtui/source"
)

func (a *app) accessCmd() *cobra.Command {
	var output, format string
	var scheme, prove bool
	var count int
	c := &cobra.Command{
		Use:   "access <cluster>",
		Short: "Every way in, and where it leads: hosts by ports, DSNs, which port to use",
		Long: "access lists every host and port that clients of the cluster may use, what each should reach\n" +
			"and what it reaches now: names are resolved by the system and by Pigsty's DNS servers, and every\n" +
			"entry is connected to and asked for TLS. It changes nothing, and prints no password. Exit codes:\n" +
			"0 every known entry leads where it should, 1 one does not, 2 no service entry leads to the primary, 3 unknown.",
		Args: needs(1, "cluster", "pgtui access pg-test"),
		RunE: func(cmd *cobra.Command, args []string) error {
			unknown := int(model.HealthUnknown)
			if err := cmp.Or(expect("-o", output, "table", "json", "dsn"), within("--count", count, 1, mostConnections)); err != nil {
				return err
			}
			if output == "dsn" && scheme {
				return wrong("-o dsn and --scheme exclude each other")
			}
			if cmd.Flags().Changed("emit") && !slices.Contains(emit.Kinds(), emit.Kind(format)) {
				return misuse("pgtui access "+args[0]+" --emit pgservice", "--emit %s: expected %s", text.Line(format, 60), emit.Names())
			}
			inv, err := a.load(cmd.Context())
			if err != nil {
				return exit(unknown, err)
			}
			cls, err := clusters(inv, args)
			if err != nil {
				return exit(unknown, err)
			}
			if format != "" {
				return a.emitAccess(emit.Kind(format), inv, cls[0])
			}
			if !prove {
				count = 0
			}
			acc, board, err := a.accessOf(cmd.Context(), inv, nil, cls[0], count)
			if err != nil {
				return exit(unknown, err)
			}
			if err := a.printAccess(inv, &board, &acc, output, scheme, board.Judged); err != nil {
				return err
			}
			health, _ := access.Health(&acc)
			return exit(int(health), nil)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "table", "table, json, or dsn: every connection string in every form")
	c.Flags().StringVar(&format, "emit", "", "write the ways in for another program, by the inventory alone: "+emit.Names())
	c.Flags().BoolVar(&scheme, "scheme", false, "compare the schemes to bring clients here, and what this cluster has of each")
	c.Flags().BoolVar(&prove, "prove", false, "connect through every entry as the monitoring user, and say who really answers")
	c.Flags().IntVar(&count, "count", 1, "with --prove: connections through each entry")
	return c
}

// vipLook is how long the nodes may take to say over SSH whether they have the
// VIP; the rest of the answer does not need them.
const vipLook = 3 * time.Second

// accessOf is every way into a cluster with where each leads now: each entry is
// resolved and connected to, and logged in through proofs times. snap is what
// the nodes said a moment ago; they are asked where it does not say enough.
func (a *app) accessOf(ctx context.Context, inv *model.Inventory, snap *model.Snapshot, c *model.Cluster, proofs int) (access.Access, board.Board, error) {
	p, cls := a.prober(), []*model.Cluster{c}
	if !answers(snap, inv, cls) {
		var err error
		if snap, err = p.Probe(ctx, inv, only(cls)...); err != nil {
			return access.Access{}, board.Board{}, err
		}
	}
	board := boardsOf(snap, cls, now())[0]
	plan := access.Of(snap, &board, access.Live{})
	ends := make([]model.Endpoint, len(plan.Entries))
	for i := range plan.Entries {
		ends[i] = plan.Entries[i].Endpoint
	}
	var live access.Live
	seen := *snap
	var g guard.Group
	if c.VIP != "" {
		g.Go("asking who has "+c.VIP, func() {
			ctx, cancel := context.WithTimeout(ctx, vipLook)
			defer cancel()
			seen.Nodes = a.nodes().Addresses(ctx, vipNodes(inv, cls))
		}, func(err error) {
			seen.Nodes = map[model.Host]source.Observed[model.NodeFacts]{}
			for _, n := range vipNodes(inv, cls) {
				seen.Nodes[n.Host] = source.Observed[model.NodeFacts]{Err: err, Tried: now()}
			}
		})
	}
	live.Checks = p.CheckEntries(ctx, inv, c, ends)
	if proofs > 0 {
		live.Proofs = p.ProveEntries(ctx, inv, c, ends, proofs)
	}
	g.Wait()
	snap = &seen
	board = boardsOf(snap, cls, now())[0]
	return access.Of(snap, &board, live), board, nil
}

// answers reports whether a snapshot is of this inventory, recent, and of
// every node of the clusters.
func answers(snap *model.Snapshot, inv *model.Inventory, cls []*model.Cluster) bool {
	return snap != nil && snap.Inventory == inv && snap.Complete(cls) && now().Sub(snap.TakenAt) < source.StaleAfter/2
}

// emitAccess writes the ways into a cluster for another program. It asks no node.
func (a *app) emitAccess(k emit.Kind, inv *model.Inventory, c *model.Cluster) error {
	snap := &model.Snapshot{Inventory: inv, TakenAt: now()}
	boards := boardsOf(snap, []*model.Cluster{c}, snap.TakenAt)
	acc := access.Of(snap, &boards[0], access.Live{})
	text, err := emit.Text(k, inv, &acc)
	if err != nil {
		return exit(int(model.HealthUnknown), err)
	}
	_, err = io.WriteString(a.io.Out, text)
	return err
}

func (a *app) printAccess(inv *model.Inventory, b *board.Board, acc *access.Access, output string, scheme bool, at time.Time) error {
	switch {
	case output == "json":
		enc := json.NewEncoder(a.io.Out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(jsonv1.NewAccess(inv, b, acc, at))
	case output == "dsn":
		printDSNs(a.io.Out, acc)
	case scheme:
		printSchemes(a.io.Out, access.SchemesOf(acc))
	default:
		printMatrix(a.io.Out, acc)
	}
	return nil
}

func printMatrix(w io.Writer, acc *access.Access) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "HOST\tPORT\tNAME\tSHOULD\tNOW\tVERDICT\tDSN\tWHY")
	for i := range acc.Entries {
		e := &acc.Entries[i]
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", text.Line(e.Host, 60), e.Port, text.Line(e.At.Name, 30), dash(shouldText(e)), dash(model.Join(e.Now.Instances)),
			e.Now.Verdict, text.Line(e.DSN.Text(access.FormURI), 200), text.Line(e.Now.Why, 200))
	}
	tw.Flush()
	fmt.Fprintln(w, "\nwhich port should my app use?")
	for _, x := range access.AdviceOf(acc) {
		fmt.Fprintf(w, "  %s: %s\n    %s\n", x.Need, x.Endpoint, x.Why)
	}
	fmt.Fprintln(w, "\nclients that choose themselves")
	for _, u := range acc.Smart {
		fmt.Fprintf(w, "  %s\n    %s; needs %s\n", text.Line(u.Text(access.FormURI), 600), u.Why, u.Needs)
	}
	for _, n := range acc.Notes {
		fmt.Fprintf(w, "\n%s\n", text.Line(n, 300))
	}
	health, summary := access.Health(acc)
	fmt.Fprintf(w, "\n%s %s  %s\n", mark(health), health, text.Line(summary, 300))
}

// shouldText is what an entry should reach, with the instances where they are known.
func shouldText(e *access.Entry) string {
	text := string(e.At.Target)
	if len(e.Should) > 0 {
		text += ": " + model.Join(e.Should)
	}
	return text
}

func printDSNs(w io.Writer, acc *access.Access) {
	say := func(head string, d access.DSN) {
		fmt.Fprintf(w, "# %s\n", text.Line(head, 200))
		for _, f := range access.Forms() {
			fmt.Fprintln(w, text.Line(d.Text(f), 1000))
		}
	}
	for i := range acc.Entries {
		say(acc.Entries[i].String()+"  "+acc.Entries[i].Way, acc.Entries[i].DSN)
	}
	for _, u := range acc.Smart {
		say("every "+u.Port+", "+u.Attrs+": "+u.Why, u.DSN)
	}
}

func printSchemes(w io.Writer, schemes []access.Scheme) {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "SCHEME\tHERE\tSINGLE POINT\tHOPS\tCLIENT IP\tFAILOVER\tDNS CACHE\tDECLARED\tNOW")
	for _, s := range schemes {
		here, failover := "–", "–"
		if s.InUse {
			here = "yes"
		}
		if s.Failover > 0 {
			failover = "≤" + strconv.Itoa(int(s.Failover.Seconds())) + " s"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", s.Name, here, s.SinglePoint, s.Hops, s.ClientIP, failover, s.DNSCache, text.Line(s.Declared, 120), dash(text.Line(s.Live, 200)))
	}
	tw.Flush()
	for _, s := range schemes {
		fmt.Fprintf(w, "\n%s: %s\n  %s\n", s.Name, s.Path, s.Limits)
	}
}
