// Package render writes HAProxy service files byte for byte as Pigsty's own
// template does, for every generation since v2.0, and compares two versions of a
// file. It is pure.
package render
