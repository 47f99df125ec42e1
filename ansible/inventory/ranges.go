package inventory

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"pgtui/source/budget"
)

// maxRange bounds how many hosts one pattern may stand for.
const maxRange = 65536

var (
	bracketPort = regexp.MustCompile(`^\[(.+)\]:([0-9]+)$`)
	hostPort    = regexp.MustCompile(`^((?:[^:\[\]]|\[[^\[\]]*\])*):([0-9]+)$`)
	hostName    = regexp.MustCompile(`^[\p{L}\p{N}_.:\-\[\]]+$`)
)

// expandHost turns a host pattern of the inventory into names: ranges in
// brackets are counted out, a :port at the end is split off. Port 0 means none.
func expandHost(pattern string, b *budget.Budget) (names []string, port int, err error) {
	name := pattern
	for _, p := range []*regexp.Regexp{bracketPort, hostPort} {
		if m := p.FindStringSubmatch(name); m != nil && hostName.MatchString(m[1]) {
			if n, err := strconv.Atoi(m[2]); err == nil {
				name, port = m[1], n
				break
			}
		}
	}
	if !strings.Contains(name, "[") {
		return []string{name}, port, nil
	}
	names, err = expandRange(name, nil, b)
	return names, port, err
}

func expandRange(line string, out []string, b *budget.Budget) ([]string, error) {
	head, rest, _ := strings.Cut(line, "[")
	span, tail, ok := strings.Cut(rest, "]")
	if !ok {
		return nil, errors.New("a host range must be closed with ]")
	}
	seq, err := countOut(span, b)
	if err != nil {
		return nil, err
	}
	if err := b.Spend(len(seq), budget.Times(len(seq), len(line)+budget.Item)); err != nil {
		return nil, err
	}
	for _, s := range seq {
		name := head + s + tail
		if strings.Contains(name, "[") {
			if out, err = expandRange(name, out, b); err != nil {
				return nil, err
			}
		} else {
			out = append(out, name)
		}
		if len(out) > maxRange {
			return nil, fmt.Errorf("a host range of more than %d hosts", maxRange)
		}
	}
	return out, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// countOut lists begin:end or begin:end:step.
func countOut(span string, bud *budget.Budget) ([]string, error) {
	b := strings.Split(span, ":")
	if len(b) != 2 && len(b) != 3 {
		return nil, errors.New("a host range must be begin:end or begin:end:step")
	}
	beg, end, step := b[0], b[1], 1
	if len(b) == 3 {
		n, err := strconv.Atoi(b[2])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("the step %q of a host range must be a number above 0", b[2])
		}
		step = n
	}
	if beg == "" {
		beg = "0"
	}
	if end == "" {
		return nil, errors.New("a host range must say where it ends")
	}
	width := 0
	if beg[0] == '0' && len(beg) > 1 {
		if width = len(beg); width != len(end) {
			return nil, errors.New("a host range that begins with 0 must have ends of the same length")
		}
	}
	i, j := strings.Index(letters, beg), strings.Index(letters, end)
	if i >= 0 && j >= 0 && len(beg) == 1 && len(end) == 1 {
		if i > j {
			return nil, errors.New("a host range must begin before it ends")
		}
		var out []string
		for ; i <= j; i += step {
			out = append(out, letters[i:i+1])
		}
		return out, nil
	}
	from, err1 := strconv.Atoi(beg)
	to, err2 := strconv.Atoi(end)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("the host range %q must be of numbers or of single letters", span)
	}
	if from > to {
		return nil, nil
	}
	many := new(big.Int).Sub(big.NewInt(int64(to)), big.NewInt(int64(from)))
	if many.Quo(many, big.NewInt(int64(step))).Cmp(big.NewInt(maxRange)) > 0 {
		return nil, fmt.Errorf("a host range of more than %d hosts", maxRange)
	}
	count := int(many.Int64()) + 1
	if err := bud.Spend(count, budget.Times(count, max(width, len(end))+budget.Item)); err != nil {
		return nil, err
	}
	out := make([]string, 0, count)
	for i := range count {
		n := strconv.Itoa(from + i*step)
		out = append(out, strings.Repeat("0", max(0, width-len(n)))+n)
	}
	return out, nil
}
