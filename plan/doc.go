// Package plan is what a reload would do, as a value: which files change on which
// node, what HAProxy must show afterwards, where files differ from the inventory,
// the risks of going on, and the record of what was done. It is pure.
package plan
