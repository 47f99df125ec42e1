package haproxy

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgtui/internal/fuzz"
	"pgtui/internal/text"
)

// statesIn is the answer to "show servers state" that was recorded in a
// situation.
func statesIn(tb testing.TB, situation string) []byte {
	tb.Helper()
	return read(tb, "../testdata/captures/"+situation+"/haproxy-pg-test-1-show_servers_state.txt")
}

func TestServerStates(t *testing.T) {
	const head = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_port\n"
	drained := ServerState{Proxy: "pg-test-primary", Server: "pg-test-3", Bits: ForcedDrain, Weight: 100, Configured: 100}
	for _, tt := range []struct {
		name, text string
		count      int
		want       []ServerState
		err        string
	}{
		{name: "HAProxy 2.6: a replica put in maintenance, another drained, a weight of 0", text: string(statesIn(t, "bookworm/maint-drain")), count: 11, want: []ServerState{
			{Proxy: "pg-test-default", Server: "pg-test-1", Weight: 0, Configured: 100},
			{Proxy: "pg-test-offline", Server: "pg-test-3", Weight: 100, Configured: 100, Unchecked: true},
			{Proxy: "pg-test-replica", Server: "pg-test-2", Bits: ForcedMaint, Weight: 100, Configured: 100},
			{Proxy: "pg-test-replica", Server: "pg-test-3", Bits: ForcedDrain, Weight: 100, Configured: 100}}},
		{name: "HAProxy 3.0: a weight of 0 as well", text: string(statesIn(t, "trixie/maint-drain")), count: 11, want: []ServerState{
			{Proxy: "pg-test-default", Server: "pg-test-3", Bits: ForcedMaint, Weight: 100, Configured: 100},
			{Proxy: "pg-test-offline", Server: "pg-test-3", Weight: 0, Configured: 100},
			{Proxy: "pg-test-offline", Server: "pg-test-2", Weight: 100, Configured: 100, Unchecked: true},
			{Proxy: "pg-test-replica", Server: "pg-test-2", Bits: ForcedMaint, Weight: 100, Configured: 100},
			{Proxy: "pg-test-replica", Server: "pg-test-3", Bits: ForcedDrain, Weight: 100, Configured: 100}}},
		{name: "checks switched off in a drain", text: strings.TrimSuffix(head, "\n") + " srv_check_state\n5 p 3 s - 0 8 100 100 6432 2\n5 p 4 t - 0 1 100 100 6432 14\n5 p 5 u - 0 0 100 100 6432 6\n5 p 6 v - 0 0 100 100 6432 0\n", count: 4, want: []ServerState{
			{Proxy: "p", Server: "s", Bits: ForcedDrain, Weight: 100, Configured: 100, Unchecked: true}, {Proxy: "p", Server: "t", Bits: ForcedMaint, Weight: 100, Configured: 100}}},
		{name: "nothing was done", text: string(statesIn(t, "bookworm/healthy")), count: 11},
		{name: "a server that is down and drained", text: head + "5 pg-test-primary 3 pg-test-3 10.10.10.13 0 8 100 100 6432\n", count: 1, want: []ServerState{drained}},
		{name: "columns in another order, and one more", text: "1\n# srv_iweight srv_uweight srv_admin_state srv_name be_name new\n100 100 8 pg-test-3 pg-test-primary x\n", count: 1, want: []ServerState{drained}},
		{name: "bits that say nothing of connections", text: head + "5 p 3 s - 0 68 100 100 6432\n5 p 4 t - 0 256 100 100 6432\n", count: 2},
		{name: "no server", text: head, count: 0},
		{name: "another version", text: "2\n# be_id\n", err: "not of version 1"},
		{name: "an error of HAProxy's", text: "Can't find backend.\n", err: "not of version 1"},
		{name: "nothing", text: "", err: "not of version 1"},
		{name: "no column", text: "1\n# be_id be_name srv_name srv_uweight srv_iweight\n", err: "no column srv_admin_state"},
		{name: "cut", text: head + "5 pg-test-primary 3 pg-test-3 10.1", err: "5 columns"},
		{name: "no number", text: head + "5 p 3 s - 0 x 100 100 6432\n", err: "number"},
		{name: "negative", text: head + "5 p 3 s - 0 -8 100 100 6432\n", err: "number"},
		{name: "too many", text: head + strings.Repeat("5 p 3 s - 0 8 100 100 6432\n", MaxServers+1), err: "more than 40000 servers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseServerStates([]byte(tt.text))
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("%v, want %q", err, tt.err)
			}
			if got.Count != tt.count || !slices.Equal(got.Touched, tt.want) {
				t.Errorf("%+v\nwant %d %+v", got, tt.count, tt.want)
			}
		})
	}
}

func FuzzServerStates(f *testing.F) {
	fuzz.Target(f)
	f.Add(statesIn(f, "bookworm/maint-drain"))
	f.Add(statesIn(f, "trixie/maint-drain"))
	f.Add([]byte("1\n# be_name srv_name srv_admin_state srv_uweight srv_iweight\np s 8 1 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseServerStates(b)
		if err != nil {
			if s.Count != 0 || s.Touched != nil || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("%+v, %v", s, err)
			}
			return
		}
		if s.Count > MaxServers || len(s.Touched) > s.Count {
			t.Fatalf("%d of %d", len(s.Touched), s.Count)
		}
		for _, st := range s.Touched {
			if st.Weight < 0 || st.Configured < 0 || !st.Touched() || len(st.Proxy) > 4*text.MaxName || strings.ContainsFunc(st.Proxy+st.Server, unicode.IsControl) {
				t.Fatalf("%+v", st)
			}
		}
	})
}
