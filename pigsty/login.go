package pigsty

import (
	"pgtui/ansible/py"
	"pgtui/model"
)

// login is Pigsty's monitoring user, and the databases it can connect to: the
// one that every PostgreSQL has, then the first that the cluster declares,
// which its pooler knows for certain.
func (h *host) login() model.Login {
	l := model.Login{User: h.text("pg_monitor_username", "dbuser_monitor"), Databases: []string{"postgres"},
		Password: model.Secret(h.text("pg_monitor_password", "DBUser.Monitor"))}
	v, ok, err := h.play.get("pg_databases")
	list, _ := v.([]py.Value)
	if !ok || err != nil || len(list) == 0 {
		return l
	}
	first, ok := list[0].(*py.Dict)
	if !ok {
		return l
	}
	if name, ok := first.Get("name"); ok {
		if s, ok := py.Text(name); ok && s != "" && s != "postgres" {
			l.Databases = append(l.Databases, s)
		}
	}
	return l
}
