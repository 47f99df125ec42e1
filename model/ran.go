package model

import "time"

// Ran is one command that pgtui ran, or refused to run.
type Ran struct {
	At     time.Time
	Node   string   // address; "" is the machine pgtui runs on
	Argv   []string // of a script: sh -c, the comment it begins with, its arguments
	Script string   // what that shell was given to run; "" when Argv is all there was
	Took   time.Duration
	Exit   int   // of the command; 0 when Err says that it did not end
	Err    error // it was refused, not started, or cut short
	Reads  bool  // it changes nothing
}
