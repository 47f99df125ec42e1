// Package pgtui is the root of the module and holds no code: start with
// cmd/pgtui for the program, model for what it knows and judges, README.md for
// everything else.
package pgtui
