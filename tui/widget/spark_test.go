package widget

import "testing"

func TestSparkScalesFromZeroAndKeepsTheNewest(t *testing.T) {
	for _, tt := range []struct {
		values []int64
		w      int
		want   string
	}{
		{nil, 8, ""}, {[]int64{0, 0}, 8, "▁▁"}, {[]int64{0, 7, 14}, 8, "▁▄█"}, {[]int64{100, 1, 2, 4}, 3, "▂▄█"},
		{[]int64{3, -1, 3}, 3, "█ █"}, {[]int64{1, 2}, 0, ""},
	} {
		if got := Spark(tt.values, tt.w); got != tt.want {
			t.Errorf("%v in %d cells: %q, want %q", tt.values, tt.w, got, tt.want)
		}
	}
}
