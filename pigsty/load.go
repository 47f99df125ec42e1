package pigsty

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"pgtui/ansible/inventory"
	"pgtui/model"
	"pgtui/source"
)

// Options says how an inventory becomes a model. The zero value detects the
// dialect and leaves vaulted values locked.
type Options struct {
	// Dialect is the Pigsty generation; "" takes the checkout's, else the
	// inventory's "version" variable, else the newest.
	Dialect model.Dialect
	// Checkout is the Pigsty checkout of this machine; nil when there is none.
	// Dialect, when it is given and another, leaves it out.
	Checkout *Checkout
	// Core is the version of ansible-core that runs the playbooks; "" when
	// unknown.
	Core string
	// VaultPassword decrypts !vault values; "" leaves them locked.
	VaultPassword string
	// Display is the directory fsys stands for, as the user named it; it is
	// put before file names in messages. "" leaves them as they are.
	Display string
	// CAFile is passed on to the model.
	CAFile string
	// LoadedAt is passed on to the model.
	LoadedAt time.Time
}

// Load reads the inventory called name, and the vars files beside it, from
// fsys, and makes the model of it. An error means that there is nothing to
// work with; whatever is wrong with a single cluster, service or host is a
// Problem in the result.
func Load(fsys fs.FS, name string, o Options) (*model.Inventory, error) {
	inv, err := inventory.Load(fsys, name, inventory.Options{VaultPassword: o.VaultPassword, Display: o.Display})
	if err != nil {
		return nil, err
	}
	return from(inv, o)
}

// Parse makes the model of an inventory in memory, with no files beside it.
func Parse(name string, data []byte, o Options) (*model.Inventory, error) {
	inv, err := inventory.Parse(name, data, inventory.Options{VaultPassword: o.VaultPassword, Display: o.Display})
	if err != nil {
		return nil, err
	}
	return from(inv, o)
}

func from(inv *inventory.Inventory, o Options) (*model.Inventory, error) {
	p := NewPlay(inv, o)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return p.Model, nil
}

// ParseDialect gives the dialect of a Pigsty tag such as "v4.5.0", or of a
// dialect's own name. Tags newer than the newest known use its rules.
func ParseDialect(tag string) (model.Dialect, error) {
	t := strings.TrimPrefix(strings.TrimSpace(tag), "v")
	if i := strings.IndexAny(t, "-+"); i >= 0 {
		t = t[:i]
	}
	parts := strings.Split(t, ".")
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := 0, error(nil)
	if len(parts) > 1 {
		minor, err2 = strconv.Atoi(parts[1])
	}
	if err1 != nil || err2 != nil || major < 0 || minor < 0 {
		return "", &source.Hint{Err: fmt.Errorf("%q is not a Pigsty version", tag), Try: "write it as in v4.5.0"}
	}
	switch v := major*1000 + minor; {
	case major < 2:
		return "", &source.Hint{Err: fmt.Errorf("Pigsty %s is not supported: it has no service files of its own", tag),
			Try: "v2.0.0 is the oldest that works"}
	case v < 2007:
		return model.DialectV20, nil
	case v < 3007:
		return model.DialectV27, nil
	case v < 4000:
		return model.DialectV37, nil
	case v < 4005:
		return model.DialectV40, nil
	}
	return model.DialectV45, nil
}
