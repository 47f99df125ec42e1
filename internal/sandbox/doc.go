// Package sandbox is a simulated Pigsty on loopback: four nodes, or a fleet,
// with real HTTP for Patroni's REST interface and HAProxy's stats pages, and
// the health rules, the failovers and the timing of the checks in memory.
// It feeds `pgtui demo`, tests and benchmarks.
//
// Node 127.X.10.10 is pg-meta-1, 127.X.10.11 to 13 are pg-test-1 to 3; X is 77
// or the next free number. The ports are Pigsty's: 8008 and 9101. Each node
// has a directory that stands for its "/", with the HAProxy configuration that
// its simulated HAProxy is started with, and with haproxy and systemctl that
// check and reload it for real.
//
// Scripts change it, one command a line; Help lists the commands:
//
//	kill patroni leader:pg-test   # the leader at that time
//	wait 40s
//	start all
//
// Time is simulated: nothing runs between two events, and nothing changes on the
// screens of an idle sandbox.
//
// The root package joins the parts: it binds the addresses, holds the lock, keeps
// the files and runs the scripts. The parts are haproxy, patroni, pg (PostgreSQL
// and pgbouncer) and sim (time, machines and links).
package sandbox
