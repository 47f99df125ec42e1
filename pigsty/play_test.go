package pigsty_test

import (
	"reflect"
	"testing"

	"pgtui/ansible/inventory"
	"pgtui/ansible/py"
	"pgtui/pigsty"
	"pgtui/source"
)

const refusedText = `
all:
  vars: { version: v4.5.0, base: 5000 }
  children:
    pg-a:
      hosts:
        10.0.0.1: { pg_seq: 1, pg_role: replica, w: "{{ groups['pg-a'] | length }}", ssl: "{{ 1.0 }}", word: "{{ 'True' }}" }
        10.0.0.2: { pg_role: replica, p: "{{ pg_port + 1 }}" }
      vars:
        pg_cluster: pg-a
        pg_services:
          - { name: x, port: 5439, dest: "{{ base + 1 }}", selector: "[]" }
          - name: y
            port: 5440
            check: "{{ nowhere }}"
            selector: "[]"
`

func play(t *testing.T) *pigsty.Play {
	t.Helper()
	inv, err := inventory.Parse("a.yml", []byte(refusedText), inventory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return pigsty.NewPlay(inv, pigsty.Options{})
}

// TestDrafts: a refused cluster has no services in the model and has them in
// the draft; drafting changes nothing of the play.
func TestDrafts(t *testing.T) {
	p, fresh := play(t), play(t)
	if c := p.Model.Clusters[0]; len(c.Services()) != 0 || len(c.Problems) == 0 {
		t.Fatalf("the model must refuse the cluster: %+v", c)
	}
	first := p.Drafts()
	if got := len(first[0].Services()); got != 6 {
		t.Errorf("%d services drafted, want 4 of Pigsty's and 2", got)
	}
	if !reflect.DeepEqual(p.Model, fresh.Model) {
		t.Error("drafting changed the model")
	}
	if !reflect.DeepEqual(first, p.Drafts()) {
		t.Error("drafting twice gives something else")
	}
	if _, ok, _ := p.Attr("10.0.0.2", "pg_seq"); ok {
		t.Error("the missing pg_seq stayed filled in")
	}
	if l := p.Services("10.0.0.1"); len(l) != 6 || l[5].Name != "y" {
		t.Errorf("declared services %+v", l)
	}
}

// TestRefusals: the place is that of the field which fails.
func TestRefusals(t *testing.T) {
	got := play(t).Refusals("10.0.0.1")
	if len(got) != 1 || got[0].Name != "pg_services" || !got[0].Undefined || got[0].At.Line != 15 {
		t.Errorf("refusals %+v", got)
	}
}

// TestNative: on ansible-core 2.19 a template keeps its type, and role defaults
// are not there for members.
func TestNative(t *testing.T) {
	p := play(t)
	for name, want := range map[string]py.Value{"w": int64(2), "ssl": 1.0, "word": "True", "base": int64(5000)} {
		v, err := p.Native("10.0.0.1", name, true)
		if err != nil || !py.Equal(v, want) || py.TypeName(v) != py.TypeName(want) {
			t.Errorf("%s is %s (%v), want %s", name, py.Repr(v), err, py.Repr(want))
		}
		if old, _, _ := p.Attr("10.0.0.1", name); name != "base" && py.TypeName(old) == py.TypeName(want) {
			t.Errorf("%s does not differ before 2.19: the case shows nothing", name)
		}
	}
	if v, err := p.Native("10.0.0.2", "p", true); err == nil {
		t.Errorf("p is %s without role defaults", py.Repr(v))
	}
	if v, err := p.Native("10.0.0.2", "p", false); err != nil || !py.Equal(v, int64(5433)) {
		t.Errorf("p is %s in the play, %v", py.Repr(v), err)
	}
	if at, ok := p.At("10.0.0.1", "base"); !ok || at != (source.Pos{File: "a.yml", Line: 3, Column: 28}) {
		t.Errorf("base is at %+v", at)
	}
}
