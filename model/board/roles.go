package board

import (
	"errors"
	"fmt"

	"pgtui/model"
	"pgtui/source"
)

// RoleChange is one instance of a cluster with the role that the inventory
// declares, the one it has, and the one that pg_role should name.
type RoleChange struct {
	Instance model.InstanceName
	Host     model.Host
	Declared string // pg_role as the inventory has it
	Live     string // Member.Role: leader, standby_leader, replica …; "" when it is unknown
	Want     string // what pg_role should be; "" when the cluster's roles cannot be determined
	Known    bool   // Live is what the instance's own Patroni reports now
	Why      string // why it should change, or why it is unknown; "" when there is nothing to say
}

// Changed reports whether pg_role should be another than it is.
func (r *RoleChange) Changed() bool { return r.Want != "" && r.Want != r.Declared }

// RolesChanged are the rows whose pg_role should be another.
func RolesChanged(rows []RoleChange) []RoleChange {
	var out []RoleChange
	for i := range rows {
		if rows[i].Changed() {
			out = append(out, rows[i])
		}
	}
	return out
}

// Roles reports for each instance of the board's cluster, in inventory order,
// what pg_role should be: primary for the one that leads, replica for one that
// is declared primary and follows; every other keeps its role. The error says
// why that cannot be determined: no member leads or two do, a promotion is under way, or
// a member's role is unknown. Then no row has a Want.
func Roles(b *Board) ([]RoleChange, error) {
	rows := make([]RoleChange, 0, len(b.Members))
	for i := range b.Members {
		m := &b.Members[i]
		rows = append(rows, RoleChange{Instance: m.Instance, Host: m.Host, Declared: string(m.Declared), Live: m.Role, Known: m.Known, Why: m.Why})
	}
	if err := rolesUnknown(b); err != nil {
		return rows, &source.Hint{Err: err, Try: "pgtui status " + string(b.Cluster.Name)}
	}
	for i := range rows {
		r := &rows[i]
		switch {
		case r.Instance == b.Leader && r.Declared != string(model.RolePrimary):
			r.Want, r.Why = string(model.RolePrimary), "it leads, but is declared "+r.Declared
		case r.Instance == b.Leader:
			r.Want = string(model.RolePrimary)
		case r.Declared == string(model.RolePrimary):
			r.Want, r.Why = string(model.RoleReplica), "it is declared primary, but follows "+string(b.Leader)
		default:
			r.Want = r.Declared
		}
	}
	return rows, nil
}

// rolesUnknown is why the roles are uncertain; nil when the board
// knows them of every member.
func rolesUnknown(b *Board) error {
	var leads []model.InstanceName
	for i := range b.Members {
		m := &b.Members[i]
		switch m.Role {
		case "leader", "standby_leader", "primary":
			leads = append(leads, m.Instance)
		case "replica", "sync_standby", "quorum_standby":
		default:
			if m.Known {
				return fmt.Errorf("cannot determine roles: Patroni on %s reports %q, %s", m.Instance, m.Role, m.State)
			}
		}
		if !m.Known {
			return fmt.Errorf("cannot determine roles: %s: %s", m.Instance, m.Why)
		}
		if m.Role == "leader" && m.State == "in recovery" {
			return fmt.Errorf("cannot determine roles: %s holds the leader key, but its PostgreSQL is still in recovery", m.Instance)
		}
	}
	switch {
	case len(b.Members) == 0:
		return errors.New("cannot determine roles: the cluster has no instances")
	case len(leads) > 1:
		return fmt.Errorf("cannot determine roles: %s each report that they lead", model.Join(leads))
	case b.Leader == "" && b.LeaderUnsure:
		return errors.New("cannot determine roles: the holder of the leader key is unknown")
	case b.Leader == "":
		return errors.New("cannot determine roles: there is no leader")
	case len(leads) == 0 || leads[0] != b.Leader:
		return fmt.Errorf("cannot determine roles: the DCS names %s as leader, but its Patroni does not confirm it", b.Leader)
	}
	return nil
}
