package patroni

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"pgtui/internal/fuzz"
	"pgtui/model"
)

func FuzzParsePatroni(f *testing.F) {
	fuzz.Target(f)
	for i, file := range files(f, "patroni-*-patroni.http", 100) {
		if body := captured(f, file); body != nil && i%10 == 0 {
			f.Add(body)
		}
	}
	f.Add([]byte(`{"state":"\u001b[2J","role":"master","timeline":"x","xlog":null,"tags":{"a":1,"b":[],"c":null},"replication":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStatus(b)
		if err != nil {
			fuzz.Harmless(t, err.Error())
			return
		}
		fuzz.Harmless(t, s)
		if s.State == "" && !bytes.Contains(b, []byte("state")) || s.Role == "master" || s.Location < -1 || s.Timeline < 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func FuzzParseCluster(f *testing.F) {
	fuzz.Target(f)
	for i, file := range files(f, "patroni-*-cluster.http", 80) {
		if body := captured(f, file); body != nil && i%10 == 0 {
			f.Add(body)
		}
	}
	f.Add([]byte(`{"members":[{"name":"a","lag":"unknown"},{"lag":5,"replay_lag":"unknown"},{"lag":1e3},{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCluster(b)
		if err != nil {
			fuzz.Harmless(t, err.Error())
			return
		}
		fuzz.Harmless(t, c)
		for _, m := range c.Members {
			if m.Lag < -1 {
				t.Fatalf("%+v", m)
			}
		}
	})
}

func FuzzParseConfig(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte(`{"synchronous_mode":"quorum","maximum_lag_on_failover":"1e3","synchronous_node_count":-1,"standby_cluster":{"port":0},"check_timeline":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseConfig(b)
		if err != nil {
			fuzz.Harmless(t, err.Error())
			return
		}
		if c.SyncNodes < 1 || c.Quorum && !c.Sync || c.Sync && c.Standby {
			t.Errorf("%+v", c)
		}
	})
}

// What the versions that were not captured write.
func TestParsePatroniVersions(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       model.PatroniStatus
	}{
		{"2.1, SQL failed", `{"state":"starting","role":"replica","patroni":{"version":"2.1.7","scope":"a"}}`,
			model.PatroniStatus{State: "starting", Role: "replica", Version: "2.1.7", Scope: "a", Location: -1, Received: -1, Replayed: -1}},
		{"4.1 with everything", `{"state":"running","role":"primary","server_version":170011,"timeline":3,"xlog":{"location":9223372036854775807},
			"pending_restart":true,"pending_restart_reason":{"a":{"old_value":"1","new_value":"2"}},"cluster_unlocked":true,"failsafe_mode_is_active":true,
			"pause":true,"sync_standby":true,"dcs_last_seen":1795191434,"scheduled_restart":{"schedule":"2030-01-01T07:40:00+00:00"},"new_key":[1,{"b":2}],
			"tags":{"nofailover":true,"clonefrom":"yes","weight":1.5,"none":null},"patroni":{"version":"4.1.4","scope":"a","name":"a-1","new":1}}`,
			model.PatroniStatus{State: "running", Role: "primary", ServerVersion: 170011, Timeline: 3, Location: 1<<63 - 1, Received: -1, Replayed: -1,
				PendingRestart: true, PendingReasons: []string{"a: 1 → 2"}, ScheduledRestart: "2030-01-01T07:40:00+00:00", Unlocked: true, Failsafe: true, Paused: true, SyncStandby: true, DCSLastSeen: 1795191434,
				Tags: map[string]string{"nofailover": "true", "clonefrom": "yes", "weight": "1.5", "none": ""}, Untrue: map[string]bool{"none": true},
				Version: "4.1.4", Scope: "a", Name: "a-1"}},
	} {
		if got, err := ParseStatus([]byte(tc.body)); err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", tc.name, err, got, tc.want)
		}
	}
}

// What is scheduled; what is written another way is not.
func TestParseScheduled(t *testing.T) {
	c, err := ParseCluster([]byte(`{"members":[{"name":"a-1","scheduled_restart":{"schedule":"2030-01-01T07:40:00+00:00"}},{"name":"a-2","scheduled_restart":true}],
		"scheduled_switchover":{"at":"2030-01-01T07:41:00+00:00","from":"a-1","to":"a-2"}}`))
	if err != nil || c.Switch != (model.ScheduledSwitchover{At: "2030-01-01T07:41:00+00:00", From: "a-1", To: "a-2"}) ||
		c.Members[0].Restart != "2030-01-01T07:40:00+00:00" || c.Members[1].Restart != "" {
		t.Errorf("%v: %+v", err, c)
	}
	c, err = ParseCluster([]byte(`{"members":[],"scheduled_switchover":[1]}`))
	if err != nil || c.Switch != (model.ScheduledSwitchover{}) {
		t.Errorf("%v: %+v", err, c)
	}
	st, err := ParseStatus([]byte(`{"state":"running","pending_restart_reason":{"b":{"new_value":2},"a":[]},"scheduled_restart":"soon"}`))
	if err != nil || len(st.PendingReasons) != 2 || st.PendingReasons[0] != "a" || st.PendingReasons[1] != "b:  → 2" || st.ScheduledRestart != "" {
		t.Errorf("%v: %+v", err, st)
	}
}

func TestParseClusterLag(t *testing.T) {
	c, err := ParseCluster([]byte(`{"members":[
		{"name":"a-1","role":"leader","state":"running","timeline":2},
		{"name":"a-2","role":"replica","state":"streaming","lag":16},
		{"name":"a-3","role":"replica","state":"stopped","lag":"unknown"},
		{"name":"a-4","role":"replica","state":"streaming","lag":1,"receive_lag":1,"replay_lag":900,"lsn":"0/4000060"},
		{"name":"a-5","role":"replica","state":"stopped","lag":1,"replay_lag":"unknown"}],"pause":true}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, m := range c.Members {
		got = append(got, m.Lag)
	}
	if want := []int64{-1, 16, -1, 900, -1}; !reflect.DeepEqual(got, want) || !c.Paused {
		t.Errorf("lags %v, want %v; paused %v", got, want, c.Paused)
	}
	if c, err := ParseCluster([]byte(`{"members":[]}`)); err != nil || len(c.Members) != 0 {
		t.Errorf("a cluster without members: %v", err)
	}
}

func TestParseConfig(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{}`, "{Sync:false Quorum:false Strict:false SyncNodes:1 MaxLag:1048576 MaxSyncLag:-1 CheckTimeline:false Failsafe:false Standby:false}"},
		{`{"synchronous_mode":"on","synchronous_mode_strict":"yes","synchronous_node_count":2,"maximum_lag_on_failover":"33554432","maximum_lag_on_syncnode":5,"check_timeline":1,"failsafe_mode":"TRUE","postgresql":{"parameters":{"x":1}}}`,
			"{Sync:true Quorum:false Strict:true SyncNodes:2 MaxLag:33554432 MaxSyncLag:5 CheckTimeline:true Failsafe:true Standby:false}"},
		{`{"synchronous_mode":"Quorum","synchronous_node_count":0,"maximum_lag_on_failover":"1MB","failsafe_mode":"t","standby_cluster":{"host":""}}`,
			"{Sync:true Quorum:true Strict:false SyncNodes:1 MaxLag:1048576 MaxSyncLag:-1 CheckTimeline:false Failsafe:false Standby:false}"},
		{`{"synchronous_mode":true,"standby_cluster":{"host":"10.1.1.1"},"maximum_lag_on_failover":{"a":[]}}`,
			"{Sync:false Quorum:false Strict:false SyncNodes:1 MaxLag:1048576 MaxSyncLag:-1 CheckTimeline:false Failsafe:false Standby:true}"},
	} {
		got, err := ParseConfig([]byte(tt.body))
		if s := fmt.Sprintf("%+v", got); err != nil || s != tt.want {
			t.Errorf("%s: %v\n got %s\nwant %s", tt.body, err, s, tt.want)
		}
	}
	for _, body := range []string{``, `[]`, `null`, `{"a":`} {
		if _, err := ParseConfig([]byte(body)); err == nil {
			t.Errorf("%q is accepted", body)
		}
	}
}

// Tags keep what Python takes for false apart from the text "false".
func TestTagsAsPythonReadsThem(t *testing.T) {
	for v, want := range map[string]bool{`true`: true, `"on"`: true, `"false"`: true, `"0"`: true, `1`: true, `false`: false, `0`: false, `0.0`: false, `null`: false, `""`: false} {
		st, err := ParseStatus([]byte(`{"state":"running","tags":{"nofailover":` + v + `},"xlog":{"received_location":8,"replayed_location":4,"replayed_timestamp":"2026-11-30 06:00:00.5+00:00","paused":true},"watchdog_failed":true}`))
		if err != nil || st.NoFailover() != want {
			t.Errorf("nofailover: %s is %t (%v)", v, st.NoFailover(), err)
		}
		if st.ReplayedAt != 1796018400 || !st.ReplayPaused || !st.WatchdogFailed || st.Backlog() != 4 || st.Position() != 8 {
			t.Errorf("%+v", st)
		}
	}
}
