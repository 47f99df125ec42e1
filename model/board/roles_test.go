package board_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/internal/modeltest"
	"pgtui/model"
	"pgtui/model/board"
	"pgtui/source"
)

// TestRoles: what pg_role should be, by who leads.
func TestRoles(t *testing.T) {
	role := func(n int, role string) func(*modeltest.World) {
		return func(w *modeltest.World) {
			name := w.Cls.Instances[n-1].Name
			p := w.Snap.Patroni[name]
			p.Status.Value.Role = role
			w.Snap.Patroni[name] = p
		}
	}
	moved := func(w *modeltest.World) { w.Patroni(1, false); w.Patroni(2, true) }
	all := func(fs ...func(*modeltest.World)) func(*modeltest.World) {
		return func(w *modeltest.World) {
			for _, f := range fs {
				f(w)
			}
		}
	}
	declare := func(n int, r model.Role) func(*modeltest.World) {
		return func(w *modeltest.World) { w.Cls.Instances[n-1].Role = r }
	}
	for _, tt := range []struct {
		name, want, err string
		do              func(*modeltest.World)
	}{
		{"in step", "primary:primary replica:replica replica:replica", "", func(*modeltest.World) {}},
		{"after a failover", "primary:replica replica:primary replica:replica", "", moved},
		{"the offline instance leads", "primary:replica offline:primary delayed:delayed", "", all(moved, declare(2, model.RoleOffline), declare(3, model.RoleDelayed))},
		{"a standby follows as one", "primary:replica replica:primary standby:standby", "", all(moved, declare(3, model.RoleStandby))},
		{"two are declared primary", "primary:primary primary:replica replica:replica", "", declare(2, model.RolePrimary)},
		{"none is declared primary", "replica:primary replica:replica replica:replica", "", declare(1, model.RoleReplica)},
		{"a standby cluster's leader", "primary:replica replica:primary replica:replica", "", all(moved, func(w *modeltest.World) { w.Snap.Patroni["pg-test-2"].Checks["/primary"] = modeltest.Seen(503) }, role(2, "standby_leader"))},
		{"a synchronous standby", "primary:replica replica:primary replica:replica", "", all(moved, func(w *modeltest.World) {
			p := w.Snap.Patroni["pg-test-1"]
			p.Status.Value.SyncStandby = true
			w.Snap.Patroni["pg-test-1"] = p
		})},
		{"a node is gone", "primary: replica: replica:", "pg-test-3: Patroni does not answer", func(w *modeltest.World) { w.Silence(3, time.Minute) }},
		{"not probed", "primary: replica: replica:", "has not been probed yet", func(w *modeltest.World) { clear(w.Snap.Patroni) }},
		{"nobody leads", "primary: replica: replica:", "there is no leader", func(w *modeltest.World) { w.Patroni(1, false) }},
		{"two lead", "primary: replica: replica:", "pg-test-1, pg-test-2 each report that they lead", func(w *modeltest.World) { w.Patroni(2, true) }},
		{"an old primary still says so", "primary: replica: replica:", "pg-test-1, pg-test-2 each report that they lead", all(func(w *modeltest.World) { w.Snap.Patroni["pg-test-1"].Checks["/primary"] = modeltest.Seen(503) }, func(w *modeltest.World) { w.Patroni(2, true) })},
		{"whether it holds the key was not asked", "primary: replica: replica:", "the holder of the leader key is unknown", func(w *modeltest.World) { delete(w.Snap.Patroni["pg-test-1"].Checks, "/primary") }},
		{"before its promotion", "primary: replica: replica:", "pg-test-1 holds the leader key, but its PostgreSQL is still in recovery", role(1, "replica")},
		{"a member is neither", "primary: replica: replica:", `Patroni on pg-test-2 reports "demoted"`, role(2, "demoted")},
		{"no member at all", "", "the cluster has no instance", func(w *modeltest.World) { w.Cls.Instances = nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := modeltest.NewWorld()
			tt.do(w)
			b := board.Of(w.Snap, w.Cls, modeltest.T0)
			rows, err := board.Roles(&b)
			var got []string
			for i, r := range rows {
				got = append(got, r.Declared+":"+r.Want)
				if r.Instance != w.Cls.Instances[i].Name || r.Host != w.Cls.Instances[i].Host || r.Changed() != (r.Want != "" && r.Want != r.Declared) || r.Changed() && r.Why == "" || !r.Known && r.Why == "" {
					t.Errorf("row %d: %+v", i, r)
				}
			}
			modeltest.Equal(t, "roles", strings.Join(got, " "), tt.want)
			if fmt.Sprint(err) == "<nil>" != (tt.err == "") || err != nil && (!strings.Contains(err.Error(), tt.err) || source.TryOf(err) == "") {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if err != nil && len(board.RolesChanged(rows)) > 0 {
				t.Error("roles that cannot be told are to change")
			}
		})
	}
	w := modeltest.NewWorld()
	moved(w)
	b := board.Of(w.Snap, w.Cls, modeltest.T0)
	rows, _ := board.Roles(&b)
	changed := board.RolesChanged(rows)
	modeltest.Equal(t, "changed", fmt.Sprintf("%d %s %s %s", len(changed), changed[0].Instance, changed[1].Instance, changed[1].Why), "2 pg-test-1 pg-test-2 it leads, but is declared replica")
	modeltest.Equal(t, "live", rows[0].Live+" "+rows[1].Live, "replica leader")
}
