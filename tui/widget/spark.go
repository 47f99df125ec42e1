package widget

// Spark draws the newest w of the values as bars of eight heights, the oldest
// on the left, against a scale that begins at 0; the greatest value fills a
// cell. Values below 0 are gaps. It is "" when there is none.
func Spark(values []int64, w int) string {
	if len(values) > w {
		values = values[len(values)-max(w, 0):]
	}
	high := int64(1)
	for _, v := range values {
		high = max(high, v)
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	out := make([]rune, 0, len(values))
	for _, v := range values {
		if v < 0 {
			out = append(out, ' ')
			continue
		}
		out = append(out, bars[min(v*int64(len(bars)-1)/high, int64(len(bars)-1))])
	}
	return string(out)
}
