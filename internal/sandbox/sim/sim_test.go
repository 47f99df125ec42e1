package sim

import (
	"slices"
	"testing"
	"time"
)

func TestEventsComeInOrder(t *testing.T) {
	w := NewWorld(time.Unix(0, 0))
	var got []string
	w.Settle = func(at time.Time) { got = append(got, "settle "+at.Sub(time.Unix(0, 0)).String()) }
	say := func(what string) func() { return func() { got = append(got, what) } }
	w.After(2*time.Second, say("second"))
	w.After(time.Second, func() { got = append(got, "first"); w.After(-time.Hour, say("at once")) })
	w.After(2*time.Second, say("third"))
	w.After(time.Minute, say("never"))
	w.Advance(time.Unix(3, 0))
	want := []string{"settle 1s", "first", "settle 1s", "at once", "settle 2s", "second", "settle 2s", "third"}
	if !slices.Equal(got, want) || !w.Now().Equal(time.Unix(3, 0)) {
		t.Errorf("%v at %v, expected %v", got, w.Now(), want)
	}
	if next, ok := w.Next(); !ok || !next.Equal(time.Unix(60, 0)) {
		t.Errorf("next at %v, %v", next, ok)
	}
}

func TestLinks(t *testing.T) {
	a, b := &Machine{Name: "a"}, &Machine{Name: "b"}
	w := NewWorld(time.Unix(0, 0))
	w.Etcd, w.EtcdUp = a, true
	if !w.Linked(a, b) || !w.DCS(b) {
		t.Error("two machines are not linked")
	}
	b.Cut = true
	if w.Linked(a, b) || w.DCS(b) || !w.Linked(b, b) || !w.DCS(a) {
		t.Error("a cut machine reaches only itself")
	}
	if w.EtcdUp = false; w.DCS(a) {
		t.Error("the DCS is reached while etcd is down")
	}
}
