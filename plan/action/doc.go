// Package action is the plans of actions on a running cluster: Patroni's
// (switchover, failover, restart, reinit, pause, configuration) and those on
// HAProxy's servers (drain, maint, weight). A plan is a value: its steps in
// order, its risks by name, why it must not run. It is pure; apply/act carries
// it out.
package action
