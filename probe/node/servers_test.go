package node

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgtui/haproxy"
)

// TestRuntimeServers finds the servers' states beside the processes, with a
// master socket and without.
func TestRuntimeServers(t *testing.T) {
	states := recorded(t, "bookworm/maint-drain/haproxy-pg-test-1-show_servers_state.txt")
	frame := fmt.Sprintf("servers %d\n%s\n", len(states), states)
	for _, tt := range []struct{ name, text, why string }{
		{"no master socket", "pgtui-haproxy 1\nnow 1000\nclient perl\nsocket 0\nage 9 3\n" + frame + "end\n", ""},
		{"with one", "pgtui-haproxy 1\nnow 1000\nclient perl\nsocket 1\n" + frame + "proc 1\n\n\nend\n", ""},
		{"no socket at all", "pgtui-haproxy 1\nnow 1000\nclient perl\nsocket 0\nend\n", "no socket answers"},
		{"no program", "pgtui-haproxy 1\nnow 1000\nclient none\nsocket 1\nend\n", "none of socat"},
		{"an answer that is none", "pgtui-haproxy 1\nnow 1000\nclient perl\nsocket 0\nservers 3\nno\n\nend\n", "not of version 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run, err := parseRuntime([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if (run.NoServers != nil) != (tt.why != "") || run.NoServers != nil && !strings.Contains(run.NoServers.Error(), tt.why) {
				t.Fatalf("%v, want %q", run.NoServers, tt.why)
			}
			want, _ := haproxy.ParseServerStates([]byte(states))
			if tt.why == "" && (!reflect.DeepEqual(run.Servers, want) || want.Count == 0) {
				t.Errorf("%+v", run.Servers)
			}
		})
	}
}
