package page

import (
	"pgtui/model"
	"pgtui/model/access"
	"pgtui/model/trace"
)

// DSNOf is how a client reaches what is at a place, as a URI without a password:
// the service, else the instance itself, else the first service of the cluster.
// "" when there is none.
func DSNOf(e Env, at Place) string {
	if e.Inv == nil {
		return ""
	}
	c := e.Inv.Cluster(at.Cluster)
	if c == nil {
		return ""
	}
	if in := c.Instance(at.Instance); in != nil && at.Service == "" {
		p := model.EntryPort{Port: in.PgPort, Name: "postgres", Target: model.TargetInstance}
		return access.DsnOf(c, p, in.PgPort, string(in.Host)).Text(access.FormURI)
	}
	d, err := trace.DSN(c, string(e.ServiceOf(at)))
	if err != nil {
		return ""
	}
	return d.Text(access.FormURI)
}
