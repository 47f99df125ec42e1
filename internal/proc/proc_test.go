package proc

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	got, err := parse("42 (a) b (c)) S 7 8 9 34816 42 4194304 500 0 0 0 120 30 0 0 20 0 1 0 900 1000 200\n")
	if want := (Stat{Parent: 7, Group: 8, Session: 9, CPU: 1500 * time.Millisecond}); err != nil || got != want {
		t.Errorf("%+v, %v, expected %+v", got, err, want)
	}
	for _, text := range []string{"", "42 (sh) S 7 8", "42 (sh) S x 8 9 0 0 0 0 0 0 0 0 0 0", ")"} {
		if got, err := parse(text); err == nil {
			t.Errorf("%q: %+v, expected an error", text, got)
		}
	}
}

func TestRead(t *testing.T) {
	got, err := Read(os.Getpid())
	if err != nil || got.Parent != os.Getppid() || got.Group != syscall.Getpgrp() {
		t.Errorf("%+v, %v, expected parent %d", got, err, os.Getppid())
	}
	if got, err := Read(0); err == nil {
		t.Errorf("no process has the number 0: %+v", got)
	}
}

func TestAge(t *testing.T) {
	const stat = "42 (a) b (c)) S 7 8 9 34816 42 4194304 500 0 0 0 120 30 0 0 20 0 1 0 900 1000 200\n"
	if got, err := age(stat, "12.50 40.00\n"); err != nil || got != 3500*time.Millisecond {
		t.Errorf("%s, %v", got, err)
	}
	for _, tt := range [][2]string{{"42 (sh) S 7", "12.5 1"}, {stat, ""}, {stat, "x"}, {stat, "-1"}} {
		if got, err := age(tt[0], tt[1]); err == nil {
			t.Errorf("%q: %s, expected an error", tt, got)
		}
	}
	if got, err := Age(os.Getpid()); err != nil || got < 0 || got > time.Hour {
		t.Errorf("this process: %s, %v", got, err)
	}
}
