package sandbox

import (
	"fmt"
	"path/filepath"

	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/render"
)

// managedLayout is how Pigsty prints the date in a file's first line.
const managedLayout = "2006-01-02 15:04:05"

// writeServices renders the service files of every node from the inventory
// file, as a first run of pgsql.yml would.
func (s *Sandbox) writeServices() error {
	inv, err := pigsty.Parse(s.InventoryPath(), []byte(s.inventoryText()), pigsty.Options{})
	if err != nil {
		return fmt.Errorf("sandbox: own inventory: %w", err)
	}
	root := map[model.Host]string{}
	for _, d := range s.hosts {
		root[model.Host(d.addr)] = nodeDir(s.dir, d.name())
	}
	managed := s.opt.Now().Format(managedLayout)
	for i := range inv.Clusters {
		for _, f := range render.Files(inv, &inv.Clusters[i], managed) {
			path := filepath.Join(root[f.Host], inv.Dialect.ConfDir(), f.Name)
			if err := writeFile(path, string(f.Data), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
