package cmd

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"pgtui/internal/text"
	"pgtui/model"
)

// redactor takes out of a document what must not leave this machine. Nothing in a report
// is made from a secret: this is for what an error or a problem may quote.
type redactor struct {
	words     []swap // the longest first
	addresses map[string]string
}

// swap is a word and what stands in its place.
type swap struct{ from, to string }

// stars stands in the place of a secret.
const stars = "********"

// leastSecret is the length from which a known secret is replaced wherever it is a word
// of its own: a shorter one is part of too much.
const leastSecret = 5

// newRedactor knows the secrets of an inventory, read or not, and those of the environment.
// inv is nil when it could not be read.
func newRedactor(inv *model.Inventory, files []string, env []string, home string) *redactor {
	r := &redactor{}
	if len(home) > 1 {
		r.words = append(r.words, swap{strings.TrimSuffix(home, "/"), "~"})
	}
	secrets := slices.Clone(env)
	if inv != nil {
		secrets = append(secrets, secretsIn(reflect.ValueOf(inv))...)
	}
	for _, name := range files {
		if b, err := readAtMost(name, maxScanned); err == nil {
			secrets = append(secrets, text.Secrets(string(b))...)
		}
	}
	for _, s := range secrets {
		// pigsty, a default password of Pigsty, is also in every path
		if len(s) >= leastSecret && s != "pigsty" {
			r.words = append(r.words, swap{s, stars})
		}
	}
	r.sort()
	return r
}

// maxScanned is the largest file that is searched for secrets.
const maxScanned = 16 << 20

func (r *redactor) sort() {
	slices.SortStableFunc(r.words, func(a, b swap) int { return len(b.from) - len(a.from) })
	r.words = slices.Compact(r.words)
}

// secretsIn are the values of all model.Secret below v.
func secretsIn(v reflect.Value) (out []string) {
	seen := map[any]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		if v.IsValid() && v.Type() == reflect.TypeFor[model.Secret]() {
			out = append(out, v.String())
			return
		}
		switch v.Kind() {
		case reflect.Pointer:
			if v.IsNil() || seen[v.Pointer()] {
				return
			}
			seen[v.Pointer()] = true
			walk(v.Elem())
		case reflect.Interface:
			walk(v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				walk(it.Value())
			}
		}
	}
	walk(v)
	return out
}

// anonymise replaces the names and addresses of the inventory too, each by the same word
// wherever it is.
func (r *redactor) anonymise(inv *model.Inventory, more ...swap) {
	r.addresses = map[string]string{}
	put := func(from, format string, args ...any) {
		if from != "" && !slices.Contains(common(), from) && !slices.ContainsFunc(r.words, func(s swap) bool { return s.from == from }) {
			r.words = append(r.words, swap{from, fmt.Sprintf(format, args...)})
		}
	}
	if inv != nil {
		put(inv.Path, "INVENTORY")
		put(inv.Source, "INVENTORY")
		for i, f := range inv.Inputs {
			put(f.Path, "FILE%d", i+1)
			put(f.Name, "FILE%d", i+1)
		}
		for i, c := range inv.Clusters {
			for k := range c.Instances {
				put(string(c.Instances[k].Name), "cluster%d-%d", i+1, c.Instances[k].Seq)
			}
			put(c.DNS.Name, "cluster%d.dns", i+1)
			put(c.Scope, "cluster%d", i+1)
			put(string(c.Name), "cluster%d", i+1)
			put(c.VIP, "vip%d", i+1)
			for k, d := range c.Databases {
				put(d.Name, "cluster%d-db%d", i+1, k+1)
			}
			for k, u := range c.Users {
				put(u.Name, "cluster%d-user%d", i+1, k+1)
			}
			for _, name := range []string{c.Monitor.User, c.Operator.User, c.API.User} {
				put(name, "cluster%d-login", i+1)
			}
		}
		for i := range inv.Nodes {
			n := &inv.Nodes[i]
			put(string(n.Host), "node%d", i+1)
			put(n.Name, "node%d", i+1)
			put(n.SSH.Address, "node%d", i+1)
			put(n.SSH.User, "login")
			put(n.VIP.Address, "nodevip%d", n.VIP.Router)
		}
	}
	for _, s := range more {
		put(s.from, "%s", s.to)
	}
	r.sort()
}

// common are names that every Pigsty has, or that are also words of a message.
func common() []string {
	return []string{"*", "postgres", "admin", "root", "pigsty", "meta", "primary", "replica", "default", "offline", "pgbouncer", "patroni", "haproxy"}
}

// ipv4 is an address that may be one of IPv4.
var ipv4 = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b`)

// clean is a text without what must not leave this machine.
func (r *redactor) clean(s string) string {
	s = text.Masked(s)
	for _, w := range r.words {
		s = replaceWord(s, w)
	}
	if r.addresses != nil {
		s = ipv4.ReplaceAllStringFunc(s, func(ip string) string {
			if _, ok := r.addresses[ip]; !ok {
				r.addresses[ip] = fmt.Sprintf("address%d", len(r.addresses)+1)
			}
			return r.addresses[ip]
		})
	}
	return text.Line(s, mostReported)
}

// mostReported is the longest text in a report, in characters.
const mostReported = 2000

// replaceWord replaces a word where neither a letter nor a digit is beside it.
func replaceWord(s string, w swap) string {
	if w.from == "" || !strings.Contains(s, w.from) {
		return s
	}
	part := func(b byte) bool { return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' }
	var out strings.Builder
	from := 0
	for from < len(s) {
		i := strings.Index(s[from:], w.from)
		if i < 0 {
			break
		}
		i += from
		end := i + len(w.from)
		inside := i > 0 && part(s[i-1]) && part(s[i]) || end < len(s) && part(s[end]) && part(s[end-1])
		out.WriteString(s[from:i])
		if inside {
			out.WriteString(w.from)
		} else {
			out.WriteString(w.to)
		}
		from = end
	}
	out.WriteString(s[from:])
	return out.String()
}

// all cleans every text below v, which is a pointer.
func (r *redactor) all(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.clean(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			r.all(v.Elem())
		}
	case reflect.Interface:
		if s, ok := v.Interface().(string); ok {
			v.Set(reflect.ValueOf(r.clean(s)))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				r.all(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.all(v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if s, ok := it.Value().Interface().(string); ok {
				v.SetMapIndex(it.Key(), reflect.ValueOf(r.clean(s)))
			}
		}
	}
}

// filesOf are the files that an inventory was read from; those that path names when it
// could not be read.
func filesOf(inv *model.Inventory, path string) (out []string) {
	if inv == nil {
		out = strings.Split(path, ",")
	} else {
		out = make([]string, 0, len(inv.Inputs))
		for _, f := range inv.Inputs {
			if !f.Runs {
				out = append(out, f.Path)
			}
		}
	}
	return slices.DeleteFunc(out, func(name string) bool {
		st, err := os.Stat(name)
		return err != nil || !st.Mode().IsRegular()
	})
}
