package render

import "pgtui/model"

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
