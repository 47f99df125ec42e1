package model

import "time"

// Ran is one command that pgtui ran, or refused to run.
type Ran struct {
	At    time.Time
	Node  string // address; "" is the machine pgtui runs on
	Argv  []string
	Took  time.Duration
	Exit  int   // of the command; 0 when Err says that it did not end
	Err   error // it was refused, not started, or cut short
	Reads bool  // it changes nothing
}
