package lint

import (
	"math/big"
	"regexp"
	"strings"

	"pgtui/ansible/py"
	"pgtui/model"
)

// printed is a value as a file would show it.
func printed(v py.Value) string { return py.Print(v) }

// asserted is the severity of what v4.5.0 refuses and older versions let pass.
func (in *Input) asserted() Severity {
	if in.Model.Dialect == model.DialectV45 {
		return Error
	}
	return Warning
}

const assertedWhy = "Pigsty refuses the whole cluster: no host of it gets any file"

var digits = regexp.MustCompile(`^[0-9]+$`)

// seqOf is a pg_seq as pg_id compares it; ok is false when it is not one.
func seqOf(v py.Value) (n string, ok bool) {
	s := strings.TrimSpace(py.Str(v))
	if !digits.MatchString(s) {
		return "", false
	}
	b, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return "", false
	}
	return b.String(), true
}
