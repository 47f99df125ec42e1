// Package trace judges one connection hop by hop, from the name that the client
// resolves to the PostgreSQL session.
package trace
