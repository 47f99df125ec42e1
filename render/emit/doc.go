// Package emit writes the endpoints of a cluster in the formats of other
// programs, by the inventory alone. It is pure.
package emit
