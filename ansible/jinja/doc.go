// Package jinja resolves the templates in an inventory's values the way
// Ansible (core 2.14 to 2.18) does: Jinja2's grammar, Python's arithmetic,
// types and errors, and Ansible's rule for what a template becomes.
//
// It is its own small engine. gonja's parser does not read an inline "if"
// inside brackets, an expression over several lines or a chained comparison,
// takes None for undefined, and fails in other places than Python does; and
// where Python fails is exactly what decides whether Pigsty writes a file or
// leaves a value as it was written.
package jinja
