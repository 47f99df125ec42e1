package transport

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Exchange is one command that a Replay expects, and its answer.
type Exchange struct {
	Address string // of the target
	Script  string // text that the script must contain
	Args    []string
	Stdin   string // text that the input must contain
	Output  Output
	Err     error
}

// Replay answers from a list, for tests. Each exchange is used once; a command
// that none of them expects fails. It is safe for concurrent use.
type Replay struct {
	mu   sync.Mutex
	left []Exchange
	ran  []Cmd
}

// NewReplay makes a Replay of the exchanges.
func NewReplay(exchanges ...Exchange) *Replay { return &Replay{left: exchanges} }

// Run implements Runner.
func (r *Replay) Run(_ context.Context, c Cmd) (Output, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ran = append(r.ran, c)
	for i, e := range r.left {
		if !e.expects(c) {
			continue
		}
		r.left = append(r.left[:i:i], r.left[i+1:]...)
		if e.Err == nil && c.OnLine != nil {
			for line := range strings.Lines(string(e.Output.Stdout)) {
				c.OnLine(strings.TrimSuffix(line, "\n"))
			}
		}
		return e.Output, e.Err
	}
	return Output{}, fmt.Errorf("replay: %s: unexpected script with arguments %q: %.200s: %w", c.Target.Address, c.Args, c.Script, ErrNotStarted)
}

func (e Exchange) expects(c Cmd) bool {
	return slices.Equal(e.Args, c.Args) && e.Address == c.Target.Address && strings.Contains(c.Script, e.Script) && strings.Contains(string(c.Stdin), e.Stdin)
}

// Left is how many exchanges were not used.
func (r *Replay) Left() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.left)
}

// Ran lists the commands that were run, unexpected ones included.
func (r *Replay) Ran() []Cmd {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Cmd(nil), r.ran...)
}
