package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pgtui/internal/text"
)

// parameters are the PostgreSQL parameters in Patroni's configuration: their names
// may have dots.
const parameters = "postgresql.parameters."

// keyPath is a key as the operator writes it, as a path in the configuration.
func keyPath(key string) []string {
	if name, ok := strings.CutPrefix(key, parameters); ok {
		return []string{"postgresql", "parameters", name}
	}
	return strings.Split(key, ".")
}

// Setting is one key of Patroni's configuration that is set.
type Setting struct {
	Key   string // "postgresql.parameters.max_connections"
	Value any    // null removes the key
}

// ParseSettings reads "key=value" as patronictl edit-config --set does: the value is
// a YAML scalar, or JSON where it begins with { or [.
func ParseSettings(set []string) ([]Setting, error) {
	var out []Setting
	for _, s := range set {
		key, value, ok := strings.Cut(s, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" || slices.Contains(keyPath(key), "") {
			return nil, fmt.Errorf("--set %s: expected key=value", text.Line(s, 80))
		}
		v, err := scalarOf(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("--set %s: %w", text.Line(key, 80), err)
		}
		if slices.ContainsFunc(out, func(x Setting) bool { return x.Key == key }) {
			return nil, fmt.Errorf("--set %s: given twice", text.Line(key, 80))
		}
		out = append(out, Setting{key, v})
	}
	return out, nil
}

// scalarOf is a YAML 1.1 scalar as PyYAML, and so Patroni, reads it.
func scalarOf(s string) (any, error) {
	switch low := strings.ToLower(s); {
	case s == "" || s == "~" || low == "null":
		return nil, nil //nolint:nilnil // null is the value
	case slices.Contains([]string{"true", "yes", "on"}, low):
		return true, nil
	case slices.Contains([]string{"false", "no", "off"}, low):
		return false, nil
	case strings.HasPrefix(s, "{") || strings.HasPrefix(s, "["):
		var v any
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return nil, errors.New("the value begins as JSON and is not JSON")
		}
		return v, nil
	}
	for _, q := range []string{`"`, `'`} {
		if len(s) >= 2 && strings.HasPrefix(s, q) && strings.HasSuffix(s, q) {
			return s[1 : len(s)-1], nil
		}
	}
	plain := strings.TrimLeft(s, "+-")
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && (plain == "0" || !strings.HasPrefix(plain, "0")) {
		return n, nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && strings.Contains(s, ".") && strings.Trim(plain, "0123456789.eE+-") == "" {
		return f, nil
	}
	return s, nil
}

// PatchOf is the body of the PATCH that makes the settings.
func PatchOf(set []Setting) map[string]any {
	out := map[string]any{}
	for _, s := range set {
		at, path := out, keyPath(s.Key)
		for _, name := range path[:len(path)-1] {
			next, ok := at[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[name] = next
			}
			at = next
		}
		at[path[len(path)-1]] = s.Value
	}
	return out
}

// ValueAt is the value of a key in a configuration; ok is false when it has none.
func ValueAt(conf json.RawMessage, key string) (v any, ok bool) {
	var at any
	d := json.NewDecoder(strings.NewReader(string(conf)))
	d.UseNumber()
	if d.Decode(&at) != nil {
		return nil, false
	}
	for _, name := range keyPath(key) {
		m, is := at.(map[string]any)
		if !is {
			return nil, false
		}
		if at, ok = m[name]; !ok {
			return nil, false
		}
	}
	return at, at != nil
}

// Holds reports whether a configuration has the patch in it.
func Holds(conf json.RawMessage, patch map[string]any) bool {
	var have any
	if json.Unmarshal(conf, &have) != nil {
		return false
	}
	b, err := json.Marshal(patch)
	var want any
	if err != nil || json.Unmarshal(b, &want) != nil {
		return false
	}
	return holds(have, want)
}

func holds(have, want any) bool {
	m, ok := want.(map[string]any)
	if !ok {
		return fmt.Sprint(have) == fmt.Sprint(want)
	}
	h, ok := have.(map[string]any)
	if !ok {
		return len(m) == 0
	}
	for k, v := range m {
		got, has := h[k]
		if v == nil && has && got != nil || v != nil && (!has || !holds(got, v)) {
			return false
		}
	}
	return true
}

// ShowValue is a value for a screen; a secret is masked by its key.
func ShowValue(key string, v any) string {
	if secretKey(key) && v != nil {
		return "********"
	}
	switch v := Masked(v).(type) {
	case nil:
		return "not set"
	case string:
		return text.Line(v, 120)
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return "unreadable"
		}
		return text.Line(string(b), 120)
	}
}

// Masked is a decoded JSON document with every secret in it masked.
func Masked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		for k, x := range out {
			if out[k] = Masked(x); secretKey(k) && x != nil {
				out[k] = "********"
			}
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = Masked(out[i])
		}
		return out
	}
	return v
}

// secretKey reports whether a key of the configuration may have a secret.
func secretKey(key string) bool {
	low := strings.ToLower(key)
	for _, w := range []string{"password", "passwd", "secret", "token", "passfile", "conninfo", "private_key", "keyfile"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}
