// Package history makes transitions out of what others stored: samples of
// metrics, sentences of logs, Patroni's history and pgtui's own audit file. It
// merges them into one list, each event with its sources, and reports what a port
// and its clients went through. What no source covers is unknown, never healthy. It
// is pure.
package history
