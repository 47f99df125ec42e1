package jsonv1

import (
	"time"

	"pgtui/model/board"
)

// Routes is what `pgtui routes -o json` prints: the views of status, flat.
type Routes struct {
	Version int `json:"version"` // 1
	Past
	TakenAt time.Time `json:"taken_at"`
	Routes  []Route   `json:"routes"`
}

// Route is one service port on one HAProxy node.
type Route struct {
	Cluster string `json:"cluster"`
	Service string `json:"service"`
	Port    any    `json:"port"`
	View
}

// NewRoutes is the JSON of the boards' routes, judged at now.
func NewRoutes(boards []board.Board, now time.Time) Routes {
	out := Routes{Version: 1, TakenAt: now.UTC().Truncate(time.Millisecond), Routes: []Route{}}
	for i := range boards {
		for j := range boards[i].Routes {
			r := &boards[i].Routes[j]
			for _, v := range newService(nil, r, now).Views {
				out.Routes = append(out.Routes, Route{Cluster: string(boards[i].Cluster.Name), Service: string(r.Service), Port: port(r.Port), View: v})
			}
		}
	}
	return out
}
