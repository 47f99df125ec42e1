package apply

import (
	"context"
	"testing"

	"pgtui/model"
)

// TestSurveyQuestion: a node of a former provider may be asked for, a stranger
// may not; a plan takes HAProxy nodes only.
func TestSurveyQuestion(t *testing.T) {
	t.Parallel()
	inv, c := world()
	c.LoadBalancers = c.LoadBalancers[:1]
	if _, err := question(inv, "pg-test", []model.Host{"10.10.10.12"}, true); err != nil {
		t.Error(err)
	}
	if _, err := question(inv, "pg-test", []model.Host{"10.10.10.12"}, false); err == nil {
		t.Error("a reload of a node that is no front must be refused")
	}
	a := Applier{}
	if _, _, err := a.Survey(context.Background(), inv, "pg-test", []model.Host{"10.9.9.9"}); err == nil {
		t.Error("a stranger was accepted")
	}
}
