// Package apply changes the HAProxy service files of nodes: the only package
// of pgtui that writes anything outside its own process. Build turns what is
// wanted and what is there into a plan and touches nothing; an Applier makes
// plans from the nodes and runs them, one node after the other.
//
// What happens on a node is one script, node.sh. It has two parts. The first
// stages the would-be configuration beside the live one and lets the node's
// own haproxy check it; whatever happens to it, the node stays as it was. The
// second compares, backs up, swaps and reloads; it runs in a session of its
// own, so that a lost connection cannot stop it half-way, and takes its
// changes back when the reload is refused.
package apply
