//go:build linux

package labtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// stepLimit is for one step. The longest that is measured, a leader that is
	// killed until 5433 serves again, takes 33 s on two cores.
	stepLimit = 5 * time.Minute
	// patience is the part of it that Until waits.
	patience = 150 * time.Second
	// reserve is what remains of -timeout, to name the step and to clean up.
	reserve = 10 * time.Second
	// grace is what a test has to end after its processes were killed.
	grace = 5 * time.Second
)

// slow multiplies the limits: LAB_SLOW=4 is for a machine that is four times
// slower.
func slow(t testing.TB, d time.Duration) time.Duration {
	v := os.Getenv("LAB_SLOW")
	if v == "" {
		return d
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || f <= 0 {
		t.Fatalf("LAB_SLOW=%q: expected a number above 0", v)
	}
	return time.Duration(f * float64(d))
}

// Patience is how long a test waits for something that happens in seconds.
func Patience(t testing.TB) time.Duration { return slow(t, patience) }

// watchdog bounds the steps of one test.
type watchdog struct {
	test  string
	limit time.Duration // of one step
	end   time.Time     // when -timeout leaves only the reserve; zero without one
	done  chan struct{} // closed when the test ends

	mu    sync.Mutex
	step  string
	timer *time.Timer
	hung  bool
}

// watchdogs are those of the tests that run, by the test's name.
var watchdogs sync.Map //nolint:gochecknoglobals // a helper is given the test only

// Step names what the test does from now on, and gives it the time limit of a
// step. A step that does not end in time fails the test with its name; so does
// the step that runs when -timeout has nearly passed. Every process that the
// test binary started is killed first.
func Step(t testing.TB, name string) {
	t.Helper()
	Long(t, name, 0)
}

// Long is Step for one that is meant to take some time, beside the time limit.
func Long(t testing.TB, name string, takes time.Duration) {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	w := &watchdog{test: test, limit: slow(t, stepLimit), done: make(chan struct{})}
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if end, ok := d.Deadline(); ok {
			w.end = end.Add(-reserve)
		}
	}
	if v, old := watchdogs.LoadOrStore(test, w); old {
		w = v.(*watchdog)
	} else {
		adoptOrphans(t)
		w.timer = time.AfterFunc(time.Hour, w.bark)
		t.Cleanup(func() {
			w.timer.Stop()
			watchdogs.Delete(test)
			close(w.done)
		})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hung {
		t.Fatalf("this step hung: %s", w.step)
	}
	w.step = name
	left := takes + w.limit
	if !w.end.IsZero() {
		left = min(left, time.Until(w.end))
	}
	w.timer.Reset(left)
}

// bark ends the test: what waits for a process continues when that is killed, and
// fails. A test that does not end even so takes the binary with it.
func (w *watchdog) bark() {
	w.mu.Lock()
	w.hung = true
	text := fmt.Sprintf("%s: this step hung: %s", w.test, w.step)
	w.mu.Unlock()
	fmt.Fprintln(os.Stderr, text)
	killAll()
	select {
	case <-w.done:
	case <-time.After(grace):
		killAll()
		panic(text)
	}
}

// adoptOrphans makes this process the parent of what daemonizes below it, so
// that killAll finds it: tmux's server, ssh's shared connections.
func adoptOrphans(t testing.TB) {
	t.Helper()
	const setChildSubreaper = 36
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		t.Fatalf("prctl: %v", errno)
	}
}

// killAll kills every process below this one. A process may start another one
// meanwhile, so it looks again until there is none.
func killAll() {
	for range 100 {
		below := descendants(os.Getpid())
		if len(below) == 0 {
			return
		}
		for _, pid := range below {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// descendants are the processes below one, without those that have ended.
func descendants(pid int) []int {
	var out []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, f := range strings.Fields(string(b)) {
			child, err := strconv.Atoi(f)
			if err != nil {
				continue
			}
			out = append(out, descendants(child)...)
			if !ended(child) {
				out = append(out, child)
			}
		}
	}
	return out
}

// ended reports whether a process is gone, or is left only for its parent to
// read how it ended.
func ended(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}
