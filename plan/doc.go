// Package plan is what a reload would do, as a value: which files change on which
// node, what HAProxy must show afterwards, which files differ from the inventory,
// the risks, and the record of what was done. It is pure.
package plan
