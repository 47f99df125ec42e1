// Package act carries out actions on a running cluster: it calls Patroni and
// HAProxy as a plan/action.Plan has it, once, and judges by what is observed
// afterwards. Every action goes through Actor.Run, which is the one gate: a
// read-only run, a plan that must not run, a risk that was not accepted and a
// record that cannot be written are refused there, before anything is sent.
package act
