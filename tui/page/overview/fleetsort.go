package overview

import (
	"cmp"
	"slices"
	"strings"

	"pgtui/model"
	"pgtui/model/board"
)

// column is the index of the column the rows are sorted by. The first key
// leaves STATE, which is how they come, and goes through the others in order.
func (p *Fleet) column() int { return fleetOrder()[p.sort] }

// fleetOrder are the columns in the order that the sort key goes through them.
func fleetOrder() []int {
	out := []int{1, 0}
	for i := 2; i < len(fleetColumns(0, 0)); i++ {
		out = append(out, i)
	}
	return out
}

// sorted puts rows, which come trouble first, in the chosen order. Equal
// rows keep their order.
func (p *Fleet) sorted(rows []*board.Board) {
	if p.sort > 0 {
		slices.SortStableFunc(rows, fleetCompare(p.column()))
	}
	if p.desc {
		slices.Reverse(rows)
	}
}

// fleetCompare compares two clusters by a column: names upwards, numbers and
// trouble downwards.
func fleetCompare(col int) func(a, b *board.Board) int {
	number := func(of func(*board.Board) int64) func(a, b *board.Board) int {
		return func(a, b *board.Board) int { return cmp.Compare(of(b), of(a)) }
	}
	switch col {
	case 0:
		return func(a, b *board.Board) int { return strings.Compare(string(a.Cluster.Name), string(b.Cluster.Name)) }
	case 2:
		return func(a, b *board.Board) int { return strings.Compare(string(a.Leader), string(b.Leader)) }
	case 3:
		return number(func(b *board.Board) int64 { return int64(b.Timeline) })
	case 4:
		return number(func(b *board.Board) int64 { return int64(len(b.Members) - b.KnownMembers()) })
	case 5:
		return number((*board.Board).WorstLag)
	}
	ports := wellKnown()
	if i := col - 6; i < len(ports) {
		return number(func(b *board.Board) int64 { return portTrouble(b, ports[i]) })
	}
	return number(func(b *board.Board) int64 {
		if len(b.Findings) == 0 {
			return 0
		}
		return int64(3-b.Findings[0].Severity)*1000 + int64(len(b.Findings))
	})
}

// portTrouble orders the services of one port: the more trouble the higher.
func portTrouble(b *board.Board, port string) int64 {
	for i := range b.Routes {
		r := &b.Routes[i]
		if r.Port != port {
			continue
		}
		switch {
		case r.Verdict == model.Serving && len(r.Silent) > 0:
			return 4
		case r.Verdict == model.Serving || b.ByDesign(r):
			return 1
		case r.Verdict == model.Settling:
			return 2
		case r.Verdict == model.BackupServing:
			return 3
		case r.Verdict == model.Unknown:
			return 4
		case r.Verdict == model.Empty:
			return 6
		}
		return 5
	}
	return 0
}
