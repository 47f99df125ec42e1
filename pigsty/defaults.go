package pigsty

import (
	_ "embed"
	"slices"
	"sync"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/model"
	"pgtui/source"
)

//go:embed defaults.yml
var defaultsYAML []byte

// baseDefaults reads the embedded defaults once; what it returns is never changed.
//
//nolint:gochecknoglobals // constant once made
var baseDefaults = sync.OnceValue(func() *py.Dict {
	v, err := inventory.Decode("defaults.yml", defaultsYAML)
	if err != nil {
		return &py.Dict{} // held by a test
	}
	d, _ := v.(*py.Dict)
	forgetPlaces(d)
	return d
})

// forgetPlaces takes the positions out of services that are Pigsty's own.
func forgetPlaces(d *py.Dict) {
	services, _ := d.Get("pg_default_services")
	l, _ := services.([]py.Value)
	for _, it := range l {
		if s, ok := it.(*py.Dict); ok {
			s.At = source.Pos{}
			for _, e := range slices.Clone(s.Entries()) {
				s.Set(e.Key, e.Value, source.Pos{})
			}
		}
	}
}

// roleDefaults are Pigsty's own values for a generation. The result is fresh.
func roleDefaults(d model.Dialect) *py.Dict {
	base := baseDefaults()
	out := py.NewDict(base.Len() + 2)
	for _, e := range base.Entries() {
		out.Set(e.Key, e.Value, source.Pos{})
	}
	none := source.Pos{}
	switch d {
	case model.DialectV20, model.DialectV27, model.DialectV37:
		out.Set("pg_rto", int64(30), none)
		out.Set("pg_vip_interface", "eth0", none)
	default:
		out.Set("pg_rto", "norm", none)
		plan := &py.Dict{}
		for _, p := range []struct {
			mode              string
			numbers           [5]int64
			inter, fast, down string
		}{
			{"fast", [5]int64{20, 5, 5, 15, 5}, "1s", "0.5s", "1s"},
			{"norm", [5]int64{30, 5, 10, 25, 5}, "2s", "1s", "2s"},
			{"safe", [5]int64{60, 10, 20, 45, 10}, "3s", "1.5s", "3s"},
			{"wide", [5]int64{120, 20, 30, 95, 15}, "4s", "2s", "4s"},
		} {
			var row []py.Value
			for _, n := range p.numbers {
				row = append(row, n)
			}
			plan.Set(p.mode, append(row, p.inter, p.fast, p.down, int64(3), int64(3)), none)
		}
		out.Set("pg_rto_plan", plan, none)
	}
	return out
}
