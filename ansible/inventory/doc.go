// Package inventory reads a YAML inventory as Ansible does: groups, hosts in
// order of first appearance, and every variable with the place it was written.
// It resolves which definition of a variable wins, not what the templates
// inside it mean. It is pure: files come from an fs.FS.
package inventory
