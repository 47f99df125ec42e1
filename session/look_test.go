package session

import (
	"errors"
	"testing"

	"pgtui/model"
	"pgtui/source"
)

// TestNodesOfAnInstance whose name is not the one of its node.
func TestNodesOfAnInstance(t *testing.T) {
	inv := &model.Inventory{
		Nodes:    []model.Node{{Host: "10.0.0.1", Name: "db-a"}, {Host: "10.0.0.2", Name: "db-b"}},
		Clusters: []model.Cluster{{Name: "pg-test", Instances: []model.Instance{{Name: "pg-test-1", Host: "10.0.0.1"}, {Name: "pg-test-2", Host: "10.0.0.2"}}}},
	}
	for _, name := range []string{"pg-test-2", "db-b", "10.0.0.2"} {
		nodes, err := NodesOf(inv, name)
		if err != nil || len(nodes) != 1 || nodes[0].Host != "10.0.0.2" {
			t.Errorf("%s: %v, %v", name, nodes, err)
		}
	}
	if _, err := NodesOf(inv, "pg-test-4"); !errors.Is(err, source.ErrUsage) {
		t.Errorf("a name that is nowhere: %v", err)
	}
}
