package record

import (
	_ "embed"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"pgtui/internal/text"
)

//go:embed fields.txt
var fieldList string

// allowed are the fields of each type that a recording may hold, by the name of
// the type without its parameters.
var allowed = sync.OnceValue(func() map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for line := range strings.Lines(fieldList) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] == "#" || words[0] == "-" {
			continue
		}
		out[words[0]] = map[string]bool{}
		for _, f := range words[1:] {
			out[words[0]][f] = true
		}
	}
	return out
})

// typeName is a type as fields.txt has it: "source.Observed".
func typeName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.String(), "[")
	return name
}

// fieldsOf are the places of the fields of a struct that are recorded.
func fieldsOf(t reflect.Type) []int {
	if known, ok := fieldCache.Load(t); ok {
		return known.([]int)
	}
	may := allowed()[typeName(t)]
	var out []int
	for i := range t.NumField() {
		if may[t.Field(i).Name] && t.Field(i).IsExported() {
			out = append(out, i)
		}
	}
	fieldCache.Store(t, out)
	return out
}

var fieldCache sync.Map // of reflect.Type, []int

// hidden stands for what may be a secret.
const hidden = "********"

// What may be a secret in a text of another program: a password in a URL, and a
// setting of a connection string.
var (
	urlLogin = regexp.MustCompile(`(://[^\s/@:]*):[^\s@]*@`)
	setting  = regexp.MustCompile(`(?i)([\w.-]*(?:passw|pwd|secret|token|credential|apikey)[\w.-]*\s*[=:]\s*['"]?)[^\s'",;]+`)
	login    = regexp.MustCompile(`(?i)(\b(?:stats|http-request)\s+auth\s+[^\s:]+:)\S+`)
)

// harmless is a text as it is recorded: without control characters, and without what may
// be a secret.
func harmless(s string) string {
	s = text.Clean(s)
	if strings.ContainsAny(s, "=:") {
		s = urlLogin.ReplaceAllString(s, "${1}:"+hidden+"@")
		s = setting.ReplaceAllString(s, "${1}"+hidden)
		s = login.ReplaceAllString(s, "${1}"+hidden)
	}
	return s
}
