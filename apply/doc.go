// Package apply changes the HAProxy service files of nodes: the only package
// of pgtui that writes anything outside its own process. An Applier makes plans from
// what the nodes have and runs them, one node after the other.
//
// What happens on a node is one script, node.sh. It has two parts. The first
// stages the new configuration beside the live one and has the node's haproxy
// check it; whatever happens to it, the node does not change. The second compares,
// backs up, swaps and reloads. It runs in a session of its own, so that a lost
// connection cannot stop it, and restores the old files when the reload fails.
package apply
