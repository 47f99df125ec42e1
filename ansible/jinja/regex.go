package jinja

import (
	"regexp"
	"regexp/syntax"
	"strings"

	"pgtui/ansible/py"
	"pgtui/source/budget"
)

// compiledPattern is a regular expression, and how many instructions it has: a
// byte may be looked at by each of them.
type compiledPattern struct {
	re   *regexp.Regexp
	size int
	err  error
}

// pattern compiles a Python regular expression, as far as Go's are the same,
// each text once.
func (e *Engine) pattern(s string, anchored bool) (compiledPattern, error) {
	if anchored {
		s = `\A(?:` + s + `)`
	}
	if p, ok := e.patterns[s]; ok {
		return p, p.err
	}
	per := 64 // bytes for a character
	if strings.Contains(s, `\p`) || strings.Contains(s, `\P`) {
		per = 2048 // classes of Unicode are long
	}
	if err := e.spent().Spend(1+len(s), budget.Times(len(s), per)); err != nil {
		return compiledPattern{}, err
	}
	p := compiledPattern{err: &Unknowable{"the regular expression " + py.Cut(s)}}
	text := strings.ReplaceAll(s, `\Z`, `\z`)
	if tree, err := syntax.Parse(text, syntax.Perl); err == nil {
		p.size = instructions(tree)
		if err := e.spent().Spend(p.size, budget.Times(p.size, 128)); err != nil {
			return compiledPattern{}, err
		}
		if p.re, err = regexp.Compile(text); err == nil {
			p.err = nil
		}
	}
	if e.patterns == nil {
		e.patterns = map[string]compiledPattern{}
	}
	e.patterns[s] = p
	return p, p.err
}

// instructions is about how many a pattern is compiled to.
func instructions(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n = budget.Plus(n, instructions(sub))
	}
	if re.Op == syntax.OpRepeat {
		n = budget.Times(n, max(re.Max, re.Min, 1))
	}
	return n
}

// find is FindAllStringSubmatchIndex within a budget: it searches for more matches
// as long as there are some, and each search is paid for before.
func (p compiledPattern) find(s string, most int, b *budget.Budget) ([][]int, error) {
	want := 4
	if most >= 0 {
		want = min(want, most)
	}
	for {
		// Each match may read to the end of the text again.
		if err := b.Spend(budget.Times(budget.Plus(1, budget.Times(len(s), p.size)>>6), want), budget.Times(want, 64)); err != nil {
			return nil, err
		}
		found := p.re.FindAllStringSubmatchIndex(s, want)
		if len(found) < want || want == most {
			return found, nil
		}
		if want *= 4; most >= 0 {
			want = min(want, most)
		}
	}
}

// replace is Python's re.sub.
func (p compiledPattern) replace(s, by string, b *budget.Budget) (py.Value, error) {
	all, err := p.find(s, -1, b)
	if err != nil {
		return nil, err
	}
	if err := b.Spend(1+len(by)>>4, budget.Times(len(by), 8)); err != nil {
		return nil, err
	}
	by = goReplacement(by)
	groups := strings.Count(by, "$")
	size := len(s)
	for _, m := range all {
		size = budget.Plus(size, len(by), budget.Times(groups, m[1]-m[0]))
	}
	if err := b.Spend(1+size>>6, budget.Times(size, 2)); err != nil {
		return nil, err
	}
	var out []byte
	end := 0
	for _, m := range all {
		out = p.re.ExpandString(append(out, s[end:m[0]]...), by, s, m)
		end = m[1]
	}
	return py.Computed(append(out, s[end:]...)), nil
}
