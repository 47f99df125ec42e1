package haproxy

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Program is one run of a node's haproxy program.
type Program struct {
	Root           string // directory that stands for the node's "/"
	Stdout, Stderr io.Writer
}

// alert prints one line as HAProxy does.
func (t Program) alert(format string, args ...any) {
	fmt.Fprintf(t.Stderr, "[ALERT]    (%d) : config : %s\n", os.Getpid(), fmt.Sprintf(format, args...))
}

// Run is `haproxy -c` and `haproxy -v`, the only two that are simulated. It
// returns the exit code.
func (t Program) Run(args []string) int {
	var paths []string
	check, quiet := false, false
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-f" && i+1 < len(args):
			i++
			paths = append(paths, args[i])
		case a == "--":
			paths = append(paths, args[i+1:]...)
			i = len(args)
		case slices.Contains([]string{"-S", "-p", "-C", "-L", "-n", "-N", "-x"}, a):
			i++
		case a == "-v" || a == "-vv":
			fmt.Fprintln(t.Stdout, "HAProxy version 2.6.12-1+deb12u4 (simulated) - https://haproxy.org/")
			return 0
		case a == "-c":
			check = true
		case a == "-q":
			quiet = true
		}
	}
	if !check {
		fmt.Fprintln(t.Stderr, "the simulated haproxy only checks configurations: use -c")
		return 1
	}
	return t.check(paths, quiet)
}

// check reads the files as HAProxy does and prints its alerts.
func (t Program) check(paths []string, quiet bool) int {
	var files []File
	for _, p := range paths {
		f, err := readFiles(t.path(p))
		if err != nil {
			t.alert("Cannot open configuration file/directory %s : No such file or directory", p)
			return 1
		}
		files = append(files, f...)
	}
	conf := Parse(files, t.Root)
	for _, a := range conf.Alerts {
		t.alert("%s", a)
	}
	switch {
	case len(conf.Alerts) > 0:
		return 1
	case !conf.listens():
		fmt.Fprintln(t.Stdout, "Configuration file has no error but will not start (no listener) => exit(2).")
		return 2
	case !quiet:
		fmt.Fprintln(t.Stdout, "Configuration file is valid")
	}
	return 0
}

// path is where a file of the node is on this machine. A path inside the root
// stays as it is.
func (t Program) path(p string) string {
	if !filepath.IsAbs(p) || p == t.Root || strings.HasPrefix(p, t.Root+string(filepath.Separator)) {
		return p
	}
	in := filepath.Join(t.Root, p)
	_, inside := os.Stat(in)
	if _, outside := os.Stat(p); inside != nil && outside == nil {
		return p
	}
	return in
}

// CheckOnDisk is the check of Pigsty's unit before a reload. It returns the exit
// code of haproxy.
func (t Program) CheckOnDisk() int { return t.check(startedWith(), true) }
