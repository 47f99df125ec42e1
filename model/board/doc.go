// Package board judges a snapshot: who leads, which instance serves each service
// on each HAProxy node and why, and where the answers disagree.
package board
