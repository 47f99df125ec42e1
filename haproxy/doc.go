// Package haproxy knows HAProxy and nothing of pgtui's inventory: the words and
// sections of its files, the rows of its stats page and of "show servers
// state", and which servers get new connections. It is pure.
package haproxy
