// Package modeltest is the cluster that the tests of the model and of its rooms
// share: pg-test in good health, and the ways to damage it.
package modeltest
