package cmd

import "strings"

// ExitCodes are what some commands exit with, and what it means.
type ExitCodes struct {
	// Commands are those that share the codes: "status", or "roles --edit" with a flag;
	// "others" are all that no row names.
	Commands []string
	Means    [4]string // of 0 to 3; "" where there is no such code
}

// ExitCode is a code of every command.
type ExitCode struct {
	Code  int
	Means string
}

// Exits are the exit codes by command. Scripts rely on them: they do not change.
func Exits() []ExitCodes {
	row := func(commands string, means ...string) ExitCodes {
		r := ExitCodes{Commands: strings.Split(commands, ", ")}
		copy(r.Means[:], means)
		return r
	}
	return []ExitCodes{
		row("status, doctor",
			"ok, with or without drift",
			"degraded; with `--strict` also ok with drift",
			"down",
			"unknown, or the command could not start (bad inventory); with `--at`: no recording covers the time"),
		row("access",
			"every known endpoint reaches the right instance",
			"an endpoint does not",
			"no service endpoint reaches the primary",
			"nothing is known"),
		row("trace",
			"the connection reaches the right instance; with `--watch` every connection was served",
			"it works, and a hop failed; there was a gap",
			"no connection; none at the end",
			"the command could not start"),
		row("timeline",
			"every source was read",
			"a source was not read, or targets have no samples",
			"",
			"no store and no log was read; the command could not start"),
		row("candidates",
			"a member can take over",
			"one can, only with a risk",
			"no member can",
			"unknown, or the command could not start"),
		row("components",
			"every component is known to be healthy",
			"a component that only monitors is not healthy",
			"a component that carries traffic is not healthy",
			"nothing failed, and something is unknown"),
		row("pgbouncer",
			"clients get through",
			"clients wait for 3 s or longer, a database is paused or disabled, or `max_client_conn` is near (80 %)",
			"no client gets through",
			"the console does not answer or refuses the monitoring user; the command could not start"),
		row("postgres",
			"nothing needs attention",
			"something is: sessions wait 5 s or longer for a lock, `max_connections` is near (80 %), a transaction is open for an hour or idle for 10 minutes, a slot without a client retains 1 GB of WAL or is lost, the archive fails, a volume is 90 % full, pgbackrest reports an error",
			"PostgreSQL accepts no more sessions",
			"it does not answer or refuses the monitoring user; the command could not start"),
		row("logs",
			"every log was read; `-f` was ended by ctrl-c",
			"a log could not be read, or a unit of `--unit` has no log",
			"",
			"the node could not be reached; the command could not start"),
		row("diff",
			"the disks match the inventory",
			"something differs",
			"unknown (a node or the inventory could not be read)"),
		row("roles",
			"`pg_role` is up to date with the leader",
			"it differs",
			"unknown (a member does not answer, there is no leader, the inventory could not be read)"),
		row("roles --edit",
			"the inventory is up to date, or was written",
			"",
			"",
			"refused: nothing was written"),
		row("reload, apply, undo",
			"every node is as planned, or there is nothing to do; with `--dry-run`: the plan was made",
			"it failed at a node, or was interrupted; every node is restored or as planned",
			"a node is broken or uncertain: check it now",
			"refused before the first node was started: a risk that was not accepted, a plan that is stale, was edited or has no digest, an audit file that others can change, a node that cannot be read"),
		row("drain, undrain, maint, ready, weight, enable, maintenance",
			"done, and read back on every HAProxy; or there is nothing to do; with `--dry-run`: the plan may run",
			"not done as planned, and the state is known: sessions are left, a HAProxy was not reached",
			"unknown: a reply was lost, or what was sent could not be read back",
			"refused before anything was sent; with `--dry-run`: the plan must not run"),
		row("cancel, terminate",
			"`pg_stat_activity` shows that the query or the session has ended; with `--dry-run`: the plan may run",
			"PostgreSQL refused it, or it is still there after 10 s",
			"unknown: the reply was lost, or the result could not be read",
			"nothing was sent: no such session, it has ended meanwhile, the right is missing, a risk that was not accepted, read-only; with `--dry-run`: the plan must not run"),
		row("ghosts",
			"no session is stuck; with `--close`: none is left",
			"some are",
			"a node could not be read, or a session could not be closed",
			"`--close` was refused: nothing was changed"),
		row("states",
			"every node hands states over; with `--enable`: as `reload`",
			"one does not",
			"a node could not be read",
			"with `--enable`: refused before the first node"),
		row("lint",
			"no findings, or only *info*",
			"warnings",
			"errors",
			"the inventory could not be read"),
		row("history",
			"done",
			"the audit file cannot be read, or its chain of hashes is broken"),
		row("config check",
			"the file is valid, or there is none",
			"it has mistakes"),
		row("record",
			"the time of `--for` is over, or it was interrupted",
			"nothing could be recorded, or the recording stopped",
			"",
			"refused: read-only"),
		row("render",
			"everything is rendered",
			"a service or the inventory is wrong"),
		row("switchover, failover, restart, reinit, pause, resume, patroni config --set, patroni reload, patroni flush",
			"done and proven, or there is nothing to do; with `--dry-run`: the plan may run",
			"failed, and the state is known",
			"unknown: a reply was lost, or the end was not seen",
			"refused before anything was sent: read-only, a risk that was not accepted, a plan that must not run, is stale or was edited; the command could not start"),
		row("whatif, routes",
			"done; `routes` exits as `status`",
			"failed; `routes` exits as `status`",
			"`routes` exits as `status`",
			"with `--at`: no recording covers the time; `routes` exits as `status`"),
		row("others",
			"done",
			"failed"),
	}
}

// ExitsOfAll are the codes that mean the same for every command.
func ExitsOfAll() []ExitCode {
	return []ExitCode{
		{exitUsage, "Usage error: an unknown command, help topic, flag or flag value; a number or a duration out of range; a missing or extra argument; flags that cannot be combined; a cluster, instance, service, port or node that the inventory does not have; a pattern that no cluster matches. Nothing was probed and nothing was changed. Standard output is empty; the error, with the name that was probably meant, is on standard error."},
		{exitInterrupted, "A command that only reads was interrupted (ctrl-c, SIGTERM, SIGHUP). It prints no answer, only `interrupted, nothing concluded` on standard error."},
	}
}
