package proc

import (
	"os"
	"testing"
)

func TestRead(t *testing.T) {
	if got, ok := Read(os.Getpid()); !ok || got.Parent != os.Getppid() || got.Group == 0 || got.Session == 0 {
		t.Errorf("%+v, %v, want parent %d", got, ok, os.Getppid())
	}
	if got := Environ(os.Getpid(), "HOME"); got == "" || got != os.Getenv("HOME") {
		t.Errorf("HOME of this process is %q", got)
	}
	if _, ok := Read(1 << 30); ok || Environ(1<<30, "PATH") != "" {
		t.Error("a process that does not exist has neither an environment nor a parent")
	}
}
