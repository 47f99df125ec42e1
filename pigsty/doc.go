// Package pigsty turns an inventory, as Ansible reads it, into the clusters,
// services and nodes that Pigsty's playbook would make of it: who is a member,
// which HAProxy serves whom, and every field of every service as it will be
// printed. What the playbook would fail on becomes a problem with the place
// it was written; everything else is still produced.
package pigsty
