package render

import (
	"bytes"
	"strings"

	"pgtui/model"
)

const rule = "#---------------------------------------------------------------------\n"

// ServiceFile is the file that Pigsty's template makes of a service. managed is
// the date in the line "ansible managed", for example "2026-01-02 03:04:05": the
// only line that does not depend on s.
func ServiceFile(s *model.Service, d model.Dialect, managed string) []byte {
	if s.Text != "" {
		return []byte(strings.ReplaceAll(s.Text, model.ManagedDate, managed))
	}
	var b bytes.Buffer
	b.Grow(1024 + 160*(len(s.Members)+len(s.Backups)))
	put := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
	}
	put("# ansible managed: ", managed, "\n", rule)
	put("# service: ", s.Proxy(), " @ ", string(s.Rendered), ":", s.Port, "\n", rule)
	put("# service instances ", hosts(s.Members), "\n")
	put("# service backups   ", hosts(s.Backups), "\n")
	put("listen ", s.Proxy(), "\n")
	put("    bind ", s.IP, ":", s.Port, "\n")
	put("    mode tcp\n    maxconn ", s.MaxConn, "\n    balance ", s.Balance, "\n")
	put("    option httpchk\n    option http-keep-alive\n")
	put("    http-check send meth OPTIONS uri ", s.Check, "\n    http-check expect status 200\n")
	put("    default-server ", s.Options)
	if d == model.DialectV20 || d == model.DialectV27 {
		// The line ends with a tag in these templates, which removes the line feed.
		put(" ", s.CheckPort, "\n")
	} else {
		put("\n\n")
	}
	put("    # servers\n")
	line := func(srv model.Server, backup bool) {
		put("    server ", string(srv.Name), " ", string(srv.Host), ":", srv.Port)
		if srv.CheckTLS {
			put(" check-ssl ca-file ", CAFile(d))
		}
		put(" check port ", srv.CheckPort, " weight ", srv.Weight, " ")
		if backup {
			put("backup")
		}
		put("\n")
	}
	held := hostSet(s.Backups)
	for _, m := range s.Members {
		line(m, held[m.Host])
	}
	chosen := hostSet(s.Members)
	for _, m := range s.Backups {
		if !chosen[m.Host] {
			line(m, true)
		}
		put("\n") // one empty line for each, printed or not
	}
	return b.Bytes()
}

func hostSet(l []model.Server) map[model.Host]bool {
	out := make(map[model.Host]bool, len(l))
	for _, s := range l {
		out[s.Host] = true
	}
	return out
}

func hosts(l []model.Server) string {
	var b []byte
	for i, s := range l {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, s.Host...)
	}
	return string(b)
}

// CAFile is the CA that the dialect's health checks trust.
func CAFile(d model.Dialect) string {
	if d == model.DialectV20 {
		return "/etc/pki/ca.crt"
	}
	return "/pg/cert/ca.crt"
}

// File is one service file on one HAProxy node.
type File struct {
	Host model.Host // the HAProxy node it belongs on
	Name string     // its name in the dialect's directory, "pg-test-primary.cfg"
	Data []byte
}

// Files are the service files of a cluster on all its HAProxy nodes, in the
// order of the nodes and then of the services. managed is the date of the
// "ansible managed" line, as printed.
func Files(inv *model.Inventory, c *model.Cluster, managed string) []File {
	var out []File
	for i := range c.LoadBalancers {
		f := &c.LoadBalancers[i]
		for j := range f.Services {
			s := &f.Services[j]
			out = append(out, File{Host: f.Host, Name: s.FileName(), Data: ServiceFile(s, inv.Dialect, managed)})
		}
	}
	return out
}
