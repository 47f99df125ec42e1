// Package model holds what pgtui knows about a Pigsty deployment and every
// judgement it makes about it: the inventory, one immutable snapshot of what
// the nodes answered, the routes that follow from both, the findings and the
// plans. It is pure: no network, no files, no processes, no clock. Whatever a
// function needs to know, time included, is an argument.
package model
