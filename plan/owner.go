package plan

import (
	"slices"
	"strings"

	"pgtui/model"
)

// header is the content of the comment at the top of a rendered file.
type header struct {
	proxy string     // the service's section, "pg-test-primary"
	host  model.Host // the host whose variables produced the file
}

// parseHeader reads "# service: <section> @ <host>:<port>" from the comment
// lines that a file begins with. ok is false when there is no such line.
func parseHeader(data []byte) (h header, ok bool) {
	n := 0
	for line := range strings.Lines(string(data[:min(len(data), 4096)])) {
		if n++; n > 8 || !strings.HasPrefix(line, "#") {
			break
		}
		rest, found := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "# service: ")
		if !found {
			continue
		}
		at := strings.LastIndex(rest, " @ ")
		colon := strings.LastIndexByte(rest, ':')
		if at <= 0 || colon < at+len(" @ ")+1 {
			return header{}, false
		}
		return header{proxy: rest[:at], host: model.Host(rest[at+len(" @ ") : colon])}, true
	}
	return header{}, false
}

// OwnerOf is the cluster of the inventory that a file in an HAProxy directory
// belongs to, "" when it is unknown.
//
// The header decides first: the file belongs to the cluster whose instance runs
// on the host it was rendered for, if the file's name begins with the name of
// that cluster. Otherwise only a file that cluster c declares now can be c's, and
// only if no other cluster has a longer matching name: by name alone, Pigsty's
// "pg-test-*" matches the files of pg-test-2 too.
func OwnerOf(inv *model.Inventory, c *model.Cluster, name string, data []byte, wanted bool) model.ClusterName {
	if !strings.HasSuffix(name, ".cfg") || strings.HasPrefix(name, ".") {
		return ""
	}
	if h, ok := parseHeader(data); ok {
		if owner := clusterOn(inv, h.host, name); owner != "" {
			return owner
		}
	}
	longest := model.ClusterName("")
	for i := range inv.Clusters {
		if n := inv.Clusters[i].Name; len(n) > len(longest) && named(name, n) {
			longest = n
		}
	}
	if longest != "" && longest != c.Name {
		return longest
	}
	if wanted {
		return c.Name
	}
	return ""
}

// clusterOn is the cluster with an instance on host whose name, followed by a
// dash, begins the file name; the longest such name, "" when there is none.
func clusterOn(inv *model.Inventory, host model.Host, file string) model.ClusterName {
	owner := model.ClusterName("")
	for i := range inv.Clusters {
		c := &inv.Clusters[i]
		if len(c.Name) <= len(owner) || !named(file, c.Name) {
			continue
		}
		if slices.ContainsFunc(c.Instances, func(in model.Instance) bool { return in.Host == host }) {
			owner = c.Name
		}
	}
	return owner
}

// named reports whether the file name begins with the cluster's and a dash.
func named(file string, c model.ClusterName) bool {
	return len(file) > len(c) && file[len(c)] == '-' && file[:len(c)] == string(c)
}
