// Package source is the leaf that every room may import: places in files, errors
// with the next thing to type, and what an inventory was read from.
package source
