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

// Age is how long a process has run, by the kernel. It is an error when it does
// not run or the system has no /proc.
func Age(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	up, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, err
	}
	return age(string(b), string(up))
}

// age reads the start of a process, in ticks since the boot, and how long the
// machine runs, in seconds.
func age(stat, uptime string) (time.Duration, error) {
	const startTime = 19 // after the program's name
	f, up := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]), strings.Fields(uptime)
	if len(f) <= startTime || len(up) == 0 {
		return 0, fmt.Errorf("/proc: %d fields, expected more than %d", len(f), startTime)
	}
	ticks, err := strconv.ParseUint(f[startTime], 10, 63)
	if err != nil {
		return 0, fmt.Errorf("/proc: %w", err)
	}
	seconds, err := strconv.ParseFloat(up[0], 64)
	if err != nil || seconds < 0 || seconds > 1e9 {
		return 0, fmt.Errorf("/proc/uptime: %q is not a number of seconds", up[0])
	}
	return time.Duration(seconds*float64(time.Second)) - time.Duration(ticks)*tick, nil
}
