// Package proc reads the kernel's record of one process.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Stat is the part of /proc/PID/stat that pgtui uses.
type Stat struct {
	Parent, Group, Session int
	CPU                    time.Duration // used so far, in user and kernel mode
}

// tick is the unit of times in /proc on Linux.
const tick = 10 * time.Millisecond

// Read is the record of a process. It is an error when the process does not run
// or the system has no /proc.
func Read(pid int) (Stat, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Stat{}, err
	}
	return parse(string(b))
}

// parse reads the text after the program's name, which may contain anything.
func parse(text string) (Stat, error) {
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	var n [13]int
	for i := 1; i < len(n); i++ { // the first field is the state, a letter
		if i >= len(f) {
			return Stat{}, fmt.Errorf("/proc: %d fields, expected %d", len(f), len(n))
		}
		var err error
		if n[i], err = strconv.Atoi(f[i]); err != nil {
			return Stat{}, fmt.Errorf("/proc: %w", err)
		}
	}
	return Stat{Parent: n[1], Group: n[2], Session: n[3], CPU: time.Duration(n[11]+n[12]) * tick}, nil
}
