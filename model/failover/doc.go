// Package failover works out who would take over, by Patroni's own rules, and what
// each service would do then.
package failover
