package jsonv1

import "pgtui/model"

// Version is what `pgtui version -o json` prints.
type Version struct {
	Version int    `json:"version"` // 1
	Pgtui   string `json:"pgtui"`   // of the program, "v1.2.0" or "devel-" and the revision
	Go      string `json:"go"`      // of the toolchain that built it
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	// Dialect is the Pigsty generation whose rules apply, DialectFrom where that is
	// known from, and Core the ansible-core that the preview is meant for; null
	// without an inventory, and Core where it is unknown.
	Dialect     *string `json:"dialect"`
	DialectFrom *string `json:"dialect_from"`
	Core        *string `json:"ansible_core"`
}

// NewVersion makes the document; inv is nil without an inventory.
func NewVersion(pgtui, toolchain, os, arch string, inv *model.Inventory) Version {
	out := Version{Version: 1, Pgtui: pgtui, Go: toolchain, OS: os, Arch: arch}
	if inv != nil {
		dialect := string(inv.Dialect)
		out.Dialect, out.DialectFrom, out.Core = &dialect, &inv.DialectFrom, orNull(inv.Core)
	}
	return out
}
