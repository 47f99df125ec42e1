package model

// Dialect is a Pigsty generation: the tags whose service template, role
// defaults and directories are the same (compared over all upstream tags).
type Dialect string

// The dialects, named after the first tag that has them.
const (
	DialectV20 Dialect = "v2.0" // v2.0.0 – v2.6.0
	DialectV27 Dialect = "v2.7" // v2.7.0 – v3.6.1
	DialectV37 Dialect = "v3.7" // v3.7.0
	DialectV40 Dialect = "v4.0" // v4.0.0 – v4.4.0
	DialectV45 Dialect = "v4.5" // v4.5.0 and newer
)

// ConfDir is the directory Pigsty writes the service files of this dialect to.
func (d Dialect) ConfDir() string {
	if d == DialectV45 || d == "" {
		return "/etc/haproxy/conf.d"
	}
	return "/etc/haproxy"
}
