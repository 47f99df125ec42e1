package cmd

import (
	"runtime/debug"
	"testing"
)

// TestBuilt: what the toolchain recorded is the version of a build without `make dist`.
func TestBuilt(t *testing.T) {
	vcs := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.time", Value: "2026-11-30T10:00:00Z"}}
	for _, tt := range []struct {
		name string
		info *debug.BuildInfo
		want build
	}{
		{"no build information", nil, build{Version: "devel"}},
		{"outside a repository", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, build{Version: "devel"}},
		{"in a repository, by an older toolchain", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs}, build{"devel-0123456789ab", vcs[0].Value, vcs[1].Value}},
		{"in a repository", &debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261130100000-0123456789ab"}, Settings: vcs},
			build{"v0.0.0-20261130100000-0123456789ab", vcs[0].Value, vcs[1].Value}},
	} {
		if got := built(tt.info, tt.info != nil); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
