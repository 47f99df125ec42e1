package node

import (
	"fmt"
	"testing"

	"pgtui/model"
)

func TestParseReach(t *testing.T) {
	names := []model.InstanceName{"pg-test-2", "pg-test-3"}
	for _, tt := range []struct{ name, in, want string }{
		{"both", "pgtui-reach 1\nat 2 0 200\nat 1 0 503\nend\n", "map[pg-test-2: pg-test-3:] <nil>"},
		{"one refuses, one is silent", "pgtui-reach 1\nat 1 7 000\nat 2 28 000\nend\n", "map[pg-test-2:no connection pg-test-3:no answer within 2 s] <nil>"},
		{"TLS that curl does not speak shows nothing", "pgtui-reach 1\nat 1 35 000\nat 2 0 200\nend\n", "map[pg-test-3:] <nil>"},
		{"no curl", "pgtui-reach 1\nnone\nend\n", "map[] it has no curl"},
		{"cut", "pgtui-reach 1\nat 1 0 200\n", "map[] the answer is damaged"},
		{"nothing", "", "map[] the answer is not in the expected form"},
		{"a member that was not requested", "pgtui-reach 1\nat 3 0 200\nend\n", "map[] the answer is damaged"},
		{"more lines than members", "pgtui-reach 1\nat 1 0 200\nat 1 0 200\nat 1 0 200\nat 2 0 200\nend\n", "map[] the answer is not in the expected form"},
		{"no number", "pgtui-reach 1\nat 1 x 200\nend\n", "map[] the answer is damaged"},
	} {
		got, err := parseReach([]byte(tt.in), names)
		if s := fmt.Sprintf("%v %v", got, err); s != tt.want {
			t.Errorf("%s: %s, expected %s", tt.name, s, tt.want)
		}
	}
}
