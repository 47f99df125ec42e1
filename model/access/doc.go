// Package access is every endpoint of a cluster: host by port, the instance that it should reach,
// where it leads now, and the connection strings for it.
package access
