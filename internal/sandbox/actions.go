package sandbox

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Action is one key of the demo: its label and its script.
type Action struct {
	Key     string
	Label   string
	Command string
}

// Actions are the demo's keys. They work on the cluster pg-test.
func (s *Sandbox) Actions() []Action {
	return []Action{
		{"f2", "fail leader", "fail leader:pg-test"},
		{"f3", "switchover", "switchover pg-test"},
		{"f4", "drain", "drain all pg-test-replica/pg-test-2"},
		{"f5", "cut off", "partition pg-test-2"},
		{"f6", "weight", "declare pg-test-2 pg_weight 50"},
		{"f7", "lock", "session leader:pg-test block 3"},
		{"f8", "undo all", "heal all\nstart all\nsession all free\nready all pg-test-replica/pg-test-2\ndeclare pg-test-2 pg_weight 100"},
	}
}

// declare changes a host's line in the inventory file and nothing else: the
// nodes change at the next apply.
func (s *Sandbox) declare(args []string) error {
	if len(args) != 3 || args[1] != "pg_weight" {
		return usage("declare", "NODE pg_weight N")
	}
	if _, err := weightOf(args[2]); err != nil {
		return fmt.Errorf("declare: %w", err)
	}
	addr := s.Addr(args[0])
	if addr == "" {
		return fmt.Errorf("declare: no node %q", args[0])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := os.ReadFile(s.InventoryPath())
	if err != nil {
		return fmt.Errorf("declare: %w", err)
	}
	lines := strings.Split(string(b), "\n")
	weight := regexp.MustCompile(` pg_weight: *[^,}]*,`)
	for i, l := range lines {
		if strings.HasPrefix(strings.TrimSpace(l), addr+": {") && strings.Contains(l, "pg_seq:") {
			l = weight.ReplaceAllString(l, "")
			lines[i] = strings.Replace(l, ", pgtui_root:", ", pg_weight: "+args[2]+", pgtui_root:", 1)
			return writeFile(s.InventoryPath(), strings.Join(lines, "\n"), 0o644)
		}
	}
	return fmt.Errorf("declare: %s no longer has a line for %s", s.InventoryPath(), args[0])
}
