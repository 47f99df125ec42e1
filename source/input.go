package source

import "slices"

// Input is one file, directory or program that an inventory was read from, or
// was looked for and not there.
type Input struct {
	Path string // absolute
	Name string // as messages call it
	// Stamp changes with its state, and needs no reading of it: inode, size and
	// time of a file, the names in a directory; "" where there is none.
	Stamp string
	Runs  bool // it is a program that was run, and not read
}

// Unread is why an inventory could not be read, with what was read of it until
// then: when that changes, it is worth another try.
type Unread struct {
	Err    error
	Inputs []Input
}

// Error is the cause's own text.
func (u *Unread) Error() string { return u.Err.Error() }

// Unwrap gives the cause.
func (u *Unread) Unwrap() error { return u.Err }

// RunsProgram reports whether one of the inputs is a program: reading them again would
// run it.
func RunsProgram(in []Input) bool {
	return slices.ContainsFunc(in, func(i Input) bool { return i.Runs })
}

// ChangedInputs are the names of the inputs that are not as they were. now has
// the same paths as was, in the same order.
func ChangedInputs(was, now []Input) []string {
	var out []string
	for i := range was {
		if i < len(now) && now[i].Path == was[i].Path && now[i].Stamp != was[i].Stamp {
			out = append(out, was[i].Name)
		}
	}
	return out
}
