package jsonv1

import (
	"pgtui/model"
	"pgtui/model/board"
)

// Roles is what `pgtui roles -o json` prints.
type Roles struct {
	Version   int    `json:"version"` // 1
	Inventory string `json:"inventory"`
	Cluster   string `json:"cluster"`
	InStep    bool   `json:"in_step"`   // every pg_role is what it should be; false when that is unknown
	ExitCode  int    `json:"exit_code"` // 0 up to date, 1 it differs, 2 unknown
	Roles     []Role `json:"roles"`     // in inventory order
	Error     string `json:"error"`     // why the roles are unknown; "" when they are known
}

// Role is one instance.
type Role struct {
	Instance string `json:"instance"`
	Host     string `json:"host"`
	Declared string `json:"declared"` // pg_role as the inventory has it
	Live     string `json:"live"`     // leader, standby_leader, replica …; "" when it is unknown
	Want     string `json:"want"`     // what pg_role should be; "" when the roles are unknown
	Known    bool   `json:"known"`
	Why      string `json:"why"`
	At       string `json:"at"` // file:line of the pg_role that counts; "" when there is none
}

// NewRoles makes the document; at gives the place of a host's pg_role.
func NewRoles(inv *model.Inventory, c *model.Cluster, code int, rows []board.RoleChange, at func(model.Host) string, err error) Roles {
	out := Roles{Version: 1, Inventory: inv.Source, Cluster: string(c.Name), InStep: code == 0, ExitCode: code, Roles: []Role{}}
	if err != nil {
		out.Error = err.Error()
	}
	for _, r := range rows {
		out.Roles = append(out.Roles, Role{Instance: string(r.Instance), Host: string(r.Host), Declared: r.Declared, Live: r.Live, Want: r.Want,
			Known: r.Known, Why: r.Why, At: at(r.Host)})
	}
	return out
}
