package model_test

import (
	"testing"

	"pgtui/model"
	"pgtui/source"
)

// TestNoneSelected: a service without a server by the inventory names what no instance has.
func TestNoneSelected(t *testing.T) {
	for selector, want := range map[string]string{
		"[? pg_role == `offline` || pg_offline_query ]": "no instance of pg-meta has pg_role offline or pg_offline_query: true",
		"[? pg_role == 'delayed' ]":                     "no instance of pg-meta has pg_role delayed",
		"[? pg_seq > `1` ]":                             "the selector [? pg_seq > `1` ] matches no instance of pg-meta",
		"[? a || b || c ]":                              "the selector [? a || b || c ] matches no instance of pg-meta",
		"[? a && b ]":                                   "the selector [? a && b ] matches no instance of pg-meta",
		"[5:]":                                          "the selector [5:] matches no instance of pg-meta",
	} {
		if got := model.NoneSelected(&model.Service{Cluster: "pg-meta", Selector: selector}); got != want {
			t.Errorf("%s: got %q, want %q", selector, got, want)
		}
	}
	at := &model.Service{Cluster: "pg-meta", Selector: "[? x ]", Line: source.Pos{File: "pigsty.yml", Line: 9}}
	if got := model.NoneSelected(at); got != "no instance of pg-meta has x: true (pigsty.yml:9)" {
		t.Error(got)
	}
}
