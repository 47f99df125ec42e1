package jsonv1

import "pgtui/model"

// Version is what `pgtui version -o json` prints.
type Version struct {
	Version int    `json:"version"` // 1
	Pgtui   string `json:"pgtui"`   // of the program, "v1.2.0" or "devel-" and the revision
	// Commit is the whole id of the commit that it was built from, and CommitDate the
	// date of that commit in RFC 3339; null where the build recorded none.
	Commit     *string `json:"commit"`
	CommitDate *string `json:"commit_date"`
	Go         string  `json:"go"` // of the toolchain that built it
	OS         string  `json:"os"`
	Arch       string  `json:"arch"`
	// Dialect is the Pigsty generation whose rules apply, DialectFrom where that is
	// known from, and Core the ansible-core that the preview is meant for; null
	// without an inventory, and Core where it is unknown.
	Dialect     *string `json:"dialect"`
	DialectFrom *string `json:"dialect_from"`
	Core        *string `json:"ansible_core"`
}

// Build is how the program was built.
type Build struct{ Pgtui, Commit, Date, Go, OS, Arch string }

// NewVersion makes the document; inv is nil without an inventory.
func NewVersion(b Build, inv *model.Inventory) Version {
	out := Version{Version: 1, Pgtui: b.Pgtui, Commit: orNull(b.Commit), CommitDate: orNull(b.Date), Go: b.Go, OS: b.OS, Arch: b.Arch}
	if inv != nil {
		dialect := string(inv.Dialect)
		out.Dialect, out.DialectFrom, out.Core = &dialect, &inv.DialectFrom, orNull(inv.Core)
	}
	return out
}
