package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"pgtui/ansible/inventory"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/render"
	"pgtui/source"
)

// Origins reads the inventory again and returns where the values of a cluster
// come from, of all clusters for "". inv is the inventory that is open; the hash
// differs when its file changed.
func (s *Session) Origins(ctx context.Context, _ *model.Inventory, name model.ClusterName) (source.Origins, error) {
	play, err := s.Play(ctx)
	if err != nil {
		return source.Origins{}, err
	}
	found, err := OriginsOf(play, string(name))
	return found, errors.Join(err, source.Ended(ctx))
}

// OriginsOf is where the values of a cluster, or of the hosts of a pattern, come
// from; of all hosts for "". The problems of the inventory are there even with
// an error. Secrets are masked.
func OriginsOf(play *pigsty.Play, name string) (source.Origins, error) {
	inv := play.Inventory
	out := source.Origins{Source: inv.Source, Hash: play.Model.Hash, Problems: slices.Clone(play.Model.Problems)}
	hosts, err := originHosts(play, cmp.Or(name, "all"))
	if err != nil {
		return out, err
	}
	out.Rows = inventory.Origins(inv, hosts)
	if err := play.Err(); err != nil {
		return out, err
	}
	for i := range out.Rows {
		o := &out.Rows[i]
		maskDefinition(&o.Definition)
		for k := range o.Hid {
			maskDefinition(&o.Hid[k])
		}
	}
	if len(out.Rows) == 0 {
		return out, errors.New("no cluster: no host has a pg_cluster")
	}
	for i := range play.Model.Clusters {
		c := &play.Model.Clusters[i]
		if slices.ContainsFunc(c.Instances, func(in model.Instance) bool {
			return slices.ContainsFunc(hosts, func(h *inventory.Host) bool { return h.Name == string(in.Host) })
		}) {
			out.Problems = append(out.Problems, c.Problems...)
		}
	}
	return out, nil
}

// originHosts are the hosts that a pattern matches, and the members of the
// cluster of that name.
func originHosts(play *pigsty.Play, name string) ([]*inventory.Host, error) {
	inv := play.Inventory
	hosts, err := inv.Match(name)
	if c := play.Model.Cluster(model.ClusterName(name)); c != nil {
		for _, in := range c.Instances {
			if h := inv.Host(string(in.Host)); h != nil && !slices.Contains(hosts, h) {
				hosts, err = append(hosts, h), nil
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if len(hosts) == 0 {
		return nil, &source.Hint{Err: fmt.Errorf("no host matches %q in %s", name, inv.Source), Try: "pgtui inventory --graph", Usage: true}
	}
	return hosts, nil
}

// maskDefinition masks what would be a secret in an HAProxy configuration.
func maskDefinition(d *source.Definition) {
	d.Value = render.MaskSecrets(d.Value)
	for i := range d.Text {
		d.Text[i] = render.MaskSecrets(d.Text[i])
	}
}
