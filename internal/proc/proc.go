// Package proc reads what the kernel reports about other processes.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// Stat is where a process belongs.
type Stat struct{ Parent, Group, Session int }

// Read is the Stat of a process; not ok when it cannot be read.
func Read(pid int) (s Stat, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Stat{}, false
	}
	var state string
	rest := b[bytes.LastIndexByte(b, ')')+1:] // the name before it may contain anything
	n, _ := fmt.Sscan(string(rest), &state, &s.Parent, &s.Group, &s.Session)
	return s, n == 4
}

// Environ is a variable in the environment of a process, "" when it cannot be
// read.
func Environ(pid int, name string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for v := range strings.SplitSeq(string(b), "\x00") {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}
