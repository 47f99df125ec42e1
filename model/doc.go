// Package model holds what pgtui knows about a Pigsty deployment: the inventory,
// and one immutable snapshot of what the nodes answered. The judgements about it
// have rooms of their own below: board, access, trace, failover and check. All of
// it is pure: no network, no files, no processes, no clock. Whatever a function
// needs to know, time included, is an argument.
package model
