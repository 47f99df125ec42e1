package session

import (
	"context"
	"errors"
	"path/filepath"

	"pgtui/pigsty"
	"pgtui/source/budget"
)

// errRuns is why there are no names: they would need a program.
var errRuns = errors.New("the inventory, or its vault password, is a program")

// Names are the hosts of the inventory by their variables alone, for completing a
// word: the files are read, no playbook runs on paper, and no program runs at all.
func (s *Session) Names(ctx context.Context) ([]pigsty.Named, error) {
	path, err := s.Find()
	if err != nil {
		return nil, err
	}
	quiet := s.Another(s.Options)
	quiet.AskVault, quiet.Notice, quiet.runsNothing = false, nil, true
	inv, _, err := quiet.readFile(ctx, budget.New(), path, filepath.Dir(path), newInputs())
	if err != nil {
		return nil, err
	}
	return pigsty.NamesIn(inv), nil
}
