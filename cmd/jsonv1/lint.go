package jsonv1

import "pgtui/pigsty/lint"

// Lint is what `pgtui lint -o json` prints.
type Lint struct {
	Version   int           `json:"version"` // 1
	Inventory string        `json:"inventory"`
	Dialect   string        `json:"dialect"`   // the Pigsty generation whose rules apply, "v4.5"
	ExitCode  int           `json:"exit_code"` // 0 clean, 1 warnings, 2 errors
	Findings  []LintFinding `json:"findings"`  // by file and line; [] when there are none
}

// LintFinding is one mistake at one place.
type LintFinding struct {
	Code     string `json:"code"`     // of the rule, docs/lint.md
	Severity string `json:"severity"` // error, warning, info
	File     string `json:"file"`
	Line     int    `json:"line"`   // from 1
	Column   int    `json:"column"` // from 1
	Subject  string `json:"subject"`
	What     string `json:"what"`
	Why      string `json:"why"`
	Fix      string `json:"fix"`
}

// FromLint makes the document of the findings.
func FromLint(source, dialect string, code int, found []lint.Finding) Lint {
	out := Lint{Version: 1, Inventory: source, Dialect: dialect, ExitCode: code, Findings: []LintFinding{}}
	for _, f := range found {
		out.Findings = append(out.Findings, LintFinding{
			Code: f.Code, Severity: f.Severity.String(), File: f.At.File, Line: f.At.Line, Column: f.At.Column,
			Subject: f.Subject, What: f.What, Why: f.Why, Fix: f.Fix,
		})
	}
	return out
}
