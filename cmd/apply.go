package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pgtui/cmd/jsonv1"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/plan"
	"pgtui/render"
	"pgtui/source"
)

// maxPlanFile bounds a saved plan, in bytes.
const maxPlanFile = 64 << 20

func (a *app) applyCmd() *cobra.Command {
	var yes bool
	var roll rollFlags
	c := &cobra.Command{
		Use:   "apply <plan.json>",
		Short: "Run exactly a plan that reload --out saved, or refuse it as stale",
		Long: "apply reads a plan that `pgtui reload <cluster> --out plan.json` saved, plans again, and runs\n" +
			"when that comes to the same work, file for file. Otherwise it says what has changed and\n" +
			"does nothing. A plan that was edited, or has no digest, is refused. The risks are judged\n" +
			"again. Exit codes are reload's.",
		Args: needs(1, "plan", "pgtui reload pg-test --dry-run --out plan.json; pgtui apply plan.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := roll.check(); err != nil {
				return exit(reloadRefused, err)
			}
			saved, err := a.readPlan(args[0])
			if err != nil {
				return exit(reloadRefused, err)
			}
			var on []model.Host
			for _, n := range saved.Nodes {
				on = append(on, model.Host(n.Host))
			}
			for _, h := range hosts(roll.order) {
				if !slices.Contains(on, h) {
					return wrong("--order: %s is not in the plan of %s", h, text.Word(args[0]))
				}
			}
			if len(roll.order) == 0 {
				for _, h := range on {
					roll.order = append(roll.order, string(h))
				}
			}
			ap, inv, plan, err := a.planFor(cmd.Context(), saved.Cluster, on, roll, saved.Force, saved.LiveRoles)
			if err != nil {
				return exit(reloadRefused, fmt.Errorf("the plan of %s cannot be made again, nothing was changed: %w", saved.MadeAt.Local().Format(time.DateTime), answered(err)))
			}
			why := stale(&saved, &plan)
			if len(why) == 0 {
				why = shown(&saved, a.planJSON(inv, &plan))
			}
			if len(why) > 0 {
				for _, w := range why {
					fmt.Fprintln(a.io.Out, text.Line(w, 400))
				}
				return exit(reloadRefused, &source.Hint{
					Err: fmt.Errorf("plan %s of %s is stale: nothing was changed", saved.Plan, saved.MadeAt.Local().Format(time.DateTime)),
					Try: a.plansAgain(&saved, args[0]) + ", and look at it again",
				})
			}
			a.showPlan(inv, &plan)
			return a.runPlan(cmd.Context(), ap, inv, plan, roll, yes)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	roll.add(c)
	return writes(c)
}

// planJSON is the document of a plan.
func (a *app) planJSON(inv *model.Inventory, p *plan.Plan) jsonv1.Plan {
	return jsonv1.FromPlan(inv, p, planCode(p), func(dir string, c plan.FileChange) ([]string, string) {
		return render.Summary(c.Before, c.After), render.Unified(strings.TrimPrefix(path.Join(dir, c.Name), "/"), c.Before, c.After)
	})
}

// savePlan writes a plan for apply. A plan that must not run is not saved.
func (a *app) savePlan(file string, inv *model.Inventory, p *plan.Plan) error {
	if err := p.Refusal(); err != nil {
		return fmt.Errorf("--out %s: not saved: %w", file, err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err == nil {
		err = errors.Join(printJSON(f, a.planJSON(inv, p)), f.Close())
		if err == nil {
			err = os.Rename(f.Name(), file)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// readPlan reads what savePlan wrote, and nothing else.
func (a *app) readPlan(file string) (jsonv1.Plan, error) {
	var p jsonv1.Plan
	f, err := os.Open(file)
	if err != nil {
		return p, fmt.Errorf("the plan cannot be read: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxPlanFile+1))
	switch {
	case err != nil:
		return p, fmt.Errorf("the plan cannot be read: %w", err)
	case len(raw) > maxPlanFile:
		return p, fmt.Errorf("the plan %s is larger than 64 MB: nothing was changed", text.Line(file, 200))
	}
	if p, err = jsonv1.ReadPlan(raw); err != nil {
		return p, &source.Hint{Err: fmt.Errorf("%s %s: nothing was changed", text.Line(file, 200), text.Line(err.Error(), 200)), Try: a.plansAgain(&p, file)}
	}
	return p, nil
}

// plansAgain is the command that makes a plan like p once more, in that file; of
// a cluster that p does not name, the one that the documentation has.
func (a *app) plansAgain(p *jsonv1.Plan, file string) string {
	words := []string{"pgtui"}
	if path, err := a.findInventory(); err == nil {
		words = []string{a.called(path)}
	}
	words = append(words, "reload", text.Word(cmp.Or(p.Cluster, "pg-test")), "--dry-run")
	if p.Force {
		words = append(words, "--force")
	}
	if p.LiveRoles {
		words = append(words, "--live-roles")
	}
	return strings.Join(append(words, "--out", text.Word(file)), " ")
}

// shown says where a saved plan shows other changes than those that the same
// plan makes now; nil when it shows these.
func shown(saved *jsonv1.Plan, now jsonv1.Plan) []string {
	var out []string
	for _, n := range now.Nodes {
		at := slices.IndexFunc(saved.Nodes, func(s jsonv1.PlanNode) bool { return s.Host == n.Host })
		if at < 0 || !reflect.DeepEqual(saved.Nodes[at].Files, n.Files) {
			out = append(out, n.Host+": the changes that the saved plan shows are not those it would make")
		}
	}
	return out
}

// stale says how the work of a saved plan differs from what a plan made now
// would do; nil when it does not.
func stale(saved *jsonv1.Plan, now *plan.Plan) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	seen := map[string]bool{}
	for i := range now.Nodes {
		n := &now.Nodes[i]
		seen[string(n.Host)] = true
		at := slices.IndexFunc(saved.Nodes, func(x jsonv1.PlanNode) bool { return x.Host == string(n.Host) })
		switch {
		case at < 0:
			add("%s: provides the cluster now, and did not when the plan was made", n.Host)
		case n.Err != nil:
			add("%s: cannot be read: %v", n.Host, n.Err)
		default:
			s := &saved.Nodes[at]
			differ(s.Have, n.Have, func(name, how string) { add("%s: %s %s on the node since the plan was made", n.Host, name, how) })
			differ(s.Want, n.Want, func(name, how string) {
				add("%s: what the inventory makes of %s %s since the plan was made", n.Host, name, how)
			})
			if s.ConfDir != n.ConfDir {
				add("%s: the files belong to %s now, and to %s when the plan was made", n.Host, n.ConfDir, s.ConfDir)
			}
		}
	}
	for _, s := range saved.Nodes {
		if !seen[s.Host] {
			add("%s: does not provide the cluster any more", s.Host)
		}
	}
	if len(out) == 0 && saved.Plan != now.ID {
		add("the plan would be %s now: its nodes are reached another way, or the file was edited", now.ID)
	}
	if len(out) > 0 && saved.InventoryHash != now.Inventory {
		add("the inventory was changed since the plan was made")
	}
	return out
}

// differ tells of every name whose hash is another.
func differ(was, is map[string]string, tell func(name, how string)) {
	all := maps.Clone(was)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w, had := was[name]
		v, has := is[name]
		switch {
		case !had:
			tell(name, "has appeared")
		case !has:
			tell(name, "has gone")
		case w != v:
			tell(name, "has changed")
		}
	}
}

// loadLive reads the inventory as if it had the roles that Patroni tells now.
func (a *app) loadLive(ctx context.Context, cluster string) (*model.Inventory, error) {
	play, err := a.play(ctx)
	if err != nil {
		return nil, err
	}
	r, err := a.rolesOf(ctx, play, []string{cluster})
	if err == nil {
		err = r.err
	}
	if err != nil {
		return nil, fmt.Errorf("--live-roles: %w", err)
	}
	b := *a // the roles of one look are nobody else's
	b.roles = map[model.Host]string{}
	for _, x := range board.RolesChanged(r.rows) {
		b.roles[x.Host] = x.Want
		fmt.Fprintf(a.io.Err, "pgtui: pg_role of %s taken as %s: %s\n", x.Instance, x.Want, x.Why)
	}
	return b.load(ctx)
}
