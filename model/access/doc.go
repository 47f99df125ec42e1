// Package access is every endpoint of a cluster: host by port, where it should lead,
// where it leads now, and the connection strings for it.
package access
