package session

import (
	"strings"
	"testing"

	"pgtui/ansible/inventory"
	"pgtui/model/board"
	"pgtui/pigsty"
	"pgtui/source"
)

// TestUpstreamStays: the primary of a standby cluster is moved only to a host
// that has pg_upstream.
func TestUpstreamStays(t *testing.T) {
	for vars, refused := range map[string]bool{"": true, ", pg_upstream: 10.0.0.9": false, ", pg_upstream: ''": true} {
		text := "pg-b:\n  vars: { pg_cluster: pg-b }\n  hosts:\n    10.0.0.1: { pg_seq: 1, pg_role: primary, pg_upstream: 10.0.0.9 }\n    10.0.0.2: { pg_seq: 2, pg_role: replica" + vars + " }\n"
		inv, err := inventory.Parse("pigsty.yml", []byte(text), inventory.Options{})
		if err != nil {
			t.Fatal(err)
		}
		play := pigsty.NewPlay(inv, pigsty.Options{})
		r := &Roles{Play: play, Cluster: play.Model.Cluster("pg-b"), Rows: []board.RoleChange{
			{Instance: "pg-b-1", Host: "10.0.0.1", Declared: "primary", Want: "replica"}, {Instance: "pg-b-2", Host: "10.0.0.2", Declared: "replica", Want: "primary"}}}
		err = r.KeepsUpstream()
		if refused != (err != nil) || err != nil && (!strings.Contains(err.Error(), "pg-b is a standby cluster, and its leader pg-b-2 has no pg_upstream") || !strings.Contains(source.TryOf(err), "10.0.0.2")) {
			t.Errorf("%q: %v", vars, err)
		}
	}
}
