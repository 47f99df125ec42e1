// Package fuzz is what every fuzz target begins with.
package fuzz

import (
	"flag"
	"testing"
)

// minimize is how often Go may try to make one new input smaller.
const minimize = "10x"

// Target bounds, unless -fuzzminimizetime says otherwise, what Go does with each
// input that reaches new code: by default it tries for 60 s to make it smaller,
// byte by byte and part by part. Of an input of 1,000 bytes that is half a
// million executions which count as none, and the target stands still meanwhile.
func Target(f *testing.F) {
	f.Helper()
	if flag.Lookup("test.fuzzminimizetime") == nil || given("test.fuzzminimizetime") {
		return
	}
	if err := flag.Set("test.fuzzminimizetime", minimize); err != nil {
		f.Fatal(err)
	}
}

// given reports whether the flag is on the command line.
func given(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}
