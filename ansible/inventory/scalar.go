package inventory

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pgtui/ansible/py"
)

// The patterns of YAML 1.1 as PyYAML has them. They are fixed at build time
// and never change.
var (
	intPattern = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)

	floatPattern = regexp.MustCompile(`^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)

	timePattern = regexp.MustCompile(`^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(Z|([-+])(\d\d?)(?::(\d\d))?))?)?$`)
)

// plain gives a plain (unquoted, untagged) scalar its YAML 1.1 meaning.
// Anything that is not a number, a bool, a null or a time is a string.
func plain(s string) (py.Value, error) {
	if s == "" || s == "~" {
		return nil, nil
	}
	switch c := s[0]; {
	case c == 'y' || c == 'Y' || c == 'n' || c == 'N' || c == 't' || c == 'T' || c == 'f' || c == 'F' || c == 'o' || c == 'O':
		return word(s), nil
	case c == '=' && s == "=":
		return nil, fmt.Errorf(`a lone "=" has no meaning in YAML 1.1: put it in quotes`)
	case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return number(s)
	}
	return s, nil
}

// word resolves the bare words of YAML 1.1.
func word(s string) py.Value {
	switch s {
	case "null", "Null", "NULL":
		return nil
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return true
	case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return false
	}
	return s
}

func number(s string) (py.Value, error) {
	if intPattern.MatchString(s) {
		return parseInt(s)
	}
	if floatPattern.MatchString(s) {
		return parseFloat(s)
	}
	if len(s) >= 8 && s[4] == '-' {
		if m := timePattern.FindStringSubmatch(s); m != nil && (m[4] != "" || len(s) == 10) {
			return parseTime(m)
		}
	}
	return s, nil
}

// parseInt reads an integer of YAML 1.1: 010 is eight, 12:30 is 750.
func parseInt(s string) (py.Value, error) {
	t := strings.ReplaceAll(s, "_", "")
	neg := strings.HasPrefix(t, "-")
	t = strings.TrimLeft(t, "+-")
	base := 10
	switch {
	case t == "0" || t == "":
		return int64(0), nil
	case strings.HasPrefix(t, "0b"):
		t, base = t[2:], 2
	case strings.HasPrefix(t, "0x"):
		t, base = t[2:], 16
	case t[0] == '0':
		t, base = t[1:], 8
	case strings.Contains(t, ":"):
		return sexagesimalInt(t, neg)
	}
	if len(t) > mostDigits {
		return nil, errDigits
	}
	n, ok := new(big.Int).SetString(t, base)
	if !ok {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	if neg {
		n.Neg(n)
	}
	return py.Int(n), nil
}

// mostDigits is how many digits Python reads as a number.
const mostDigits = 4300

var errDigits = fmt.Errorf("a number of more than %d digits: put it in quotes", mostDigits)

func sexagesimalInt(t string, neg bool) (py.Value, error) {
	if len(t) > mostDigits {
		return nil, errDigits
	}
	n := new(big.Int)
	for part := range strings.SplitSeq(t, ":") {
		p, ok := new(big.Int).SetString(part, 10)
		if !ok {
			return nil, fmt.Errorf("%q is not a number", t)
		}
		n.Mul(n, big.NewInt(60)).Add(n, p)
	}
	if neg {
		n.Neg(n)
	}
	return py.Int(n), nil
}

func parseFloat(s string) (py.Value, error) {
	t := strings.ToLower(strings.ReplaceAll(s, "_", ""))
	sign := 1.0
	if strings.HasPrefix(t, "-") {
		sign = -1
	}
	t = strings.TrimLeft(t, "+-")
	switch {
	case t == ".inf":
		return math.Inf(int(sign)), nil
	case t == ".nan":
		return math.NaN(), nil
	case strings.Contains(t, ":"):
		f := 0.0
		for part := range strings.SplitSeq(t, ":") {
			p, err := strconv.ParseFloat(part, 64)
			if err != nil {
				return nil, fmt.Errorf("%q is not a number", s)
			}
			f = f*60 + p
		}
		return sign * f, nil
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, fmt.Errorf("%q is not a number", s)
	}
	return sign * f, nil
}

func parseTime(m []string) (py.Value, error) {
	n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v }
	y, mo, d := n(1), n(2), n(3)
	day := time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC)
	if day.Year() != y || int(day.Month()) != mo || day.Day() != d {
		return nil, fmt.Errorf("%s-%s-%s is not a date: put it in quotes", m[1], m[2], m[3])
	}
	if m[4] == "" {
		return py.Time{At: day, DateOnly: true}, nil
	}
	if n(4) > 23 || n(5) > 59 || n(6) > 59 {
		return nil, fmt.Errorf("%s is not a time: put it in quotes", m[0])
	}
	frac := (m[7] + "000000")[:6]
	us, _ := strconv.Atoi(frac)
	loc, zone := time.UTC, m[8] != ""
	if m[9] != "" {
		off := n(10)*3600 + n(11)*60
		if m[9] == "-" {
			off = -off
		}
		loc = time.FixedZone("", off)
	}
	return py.Time{At: time.Date(y, time.Month(mo), d, n(4), n(5), n(6), us*1000, loc), Zone: zone}, nil
}

// tagged gives a scalar with an explicit tag its value. vault decrypts.
func tagged(tag, s string, vault func(string) py.Vault) (py.Value, error) {
	switch tag {
	case "!!str":
		return s, nil
	case "!unsafe":
		return py.Unsafe(s), nil
	case "!vault", "!vault-encrypted":
		return vault(s), nil
	case "!!null":
		return nil, nil
	case "!!bool":
		switch v := word(strings.ToLower(s)).(type) {
		case bool:
			return v, nil
		}
		return nil, fmt.Errorf("%q is not a bool", s)
	case "!!int":
		if v, err := parseInt(s); err == nil {
			return v, nil
		}
		return nil, fmt.Errorf("%q is not an integer", s)
	case "!!float":
		if v, err := parseFloat(s); err == nil {
			return v, nil
		}
		return nil, fmt.Errorf("%q is not a number", s)
	case "!!timestamp":
		if m := timePattern.FindStringSubmatch(s); m != nil {
			return parseTime(m)
		}
		return nil, fmt.Errorf("%q is not a timestamp", s)
	case "!!binary":
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
		if err != nil {
			return nil, fmt.Errorf("!!binary value is not base64: %w", err)
		}
		return py.Bytes(b), nil
	}
	return nil, fmt.Errorf("unknown tag %s: Ansible knows !vault and !unsafe", tag)
}
