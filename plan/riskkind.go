package plan

// RiskKind is what a risk means, whichever plan has it.
type RiskKind struct {
	Name  string
	Stops bool   // a run does not begin unless the name was accepted
	When  string // a plan has it
	Do    string // about it; "" when the operator can only wait, or nothing is wrong
	// OfAction says that actions on a cluster have it, and not reloads alone.
	OfAction bool
}

// RiskKinds are all of them, in the order of display.
func RiskKinds() []RiskKind {
	return []RiskKind{
		{Name: RiskRejected, Stops: true,
			When: "the node's HAProxy refuses the planned configuration, whichever file causes it; cannot be accepted",
			Do:   "correct the file and line it names"},
		{Name: RiskLastServer, Stops: true,
			When: "a section loses its last server, or the last one that serves now",
			Do:   "`pgtui diff`; check selectors and roles"},
		{Name: RiskDisjoint, Stops: true,
			When: "none of a section's servers stays",
			Do:   "check that it is the right inventory"},
		{Name: RiskGone, Stops: true,
			When: "a port with sessions, or with an unknown number of sessions, is removed",
			Do:   "move its clients first"},
		{Name: RiskCollision, Stops: true,
			When: "a port of the plan is bound by another section too: HAProxy accepts that and gives each some connections",
			Do:   "another `src_port`"},
		{Name: RiskNoLeader, Stops: true,
			When: "the leader is unknown",
			Do:   "`pgtui doctor`"},
		{Name: RiskForeign, Stops: true,
			When: "another cluster's Patroni answers at a member's address, or its cluster is unknown",
			Do:   "`pgtui doctor`"},
		{Name: RiskFailover, Stops: true,
			When: "the leader key is changing hands, two members report that they are primary, or a member starts or stops",
			Do:   "wait"},
		{Name: RiskSoon, Stops: true,
			When: "Patroni will switch over or restart a member within 30 minutes, or at a time that cannot be read",
			Do:   "wait, or `pgtui patroni flush`"},
		{Name: RiskPaused, Stops: true,
			When: "Patroni is paused: no member takes over meanwhile",
			Do:   "`pgtui resume`"},
		{Name: RiskDisagree, Stops: true,
			When: "HAProxies send one port to different servers",
			Do:   "`pgtui routes`"},
		{Name: RiskReopens, Stops: true,
			When: "a frontend of this HAProxy, of any cluster, was closed by hand (`disable frontend`, `shutdown frontend`); the new worker opens it",
			Do:   "find out who closed it, and why"},
		{Name: RiskSettling, Stops: true,
			When: "a server's first check since the last reload has not completed",
			Do:   "wait some seconds"},
		{Name: RiskHandEdited, Stops: true,
			When: "the cluster's files on a node differ from what every run of pgtui there found or left",
			Do:   "`pgtui diff`, `pgtui history`"},
		{Name: RiskUnloaded, Stops: true,
			When: "files of others in the same directory were edited and not loaded; this reload would load them",
			Do:   "find out who edited them"},
		{Name: RiskEndsDrain, Stops: true,
			When: "a reload without hand-over ends what was set by hand on servers of that HAProxy, of any cluster: drain, maintenance, weight 0; also behind the status DOWN",
			Do:   "find out who set it; `pgtui states CLUSTER --enable`"},
		{Name: RiskUnseen, Stops: true,
			When: "the stats page, the directory, or the cluster could not be read, so the risks are incomplete"},
		{Name: RiskScheduled,
			When: "Patroni will switch over or restart a member later than that"},
		{Name: RiskStaleRoles,
			When: "`pg_role` is out of date, and the files follow the inventory",
			Do:   "`pgtui roles --edit`, or `--live-roles`"},
		{Name: RiskIdle,
			When: "a port without sessions is removed"},
		{Name: RiskMisroute,
			When: "the new worker treats every server as up until its first check completes: 0.2 to 1 s, measured"},
		{Name: RiskKeepsDrain,
			When: "the servers' states are handed over (`pgtui states`): what was set by hand stays",
			Do:   "`pgtui doctor` has the command that ends it"},
		{Name: RiskDrainUnread,
			When: "no socket of HAProxy answers `show servers state`: whether the reload ends a drain of a server that is DOWN is unknown"},
		{Name: RiskOldWorkers,
			When: "sessions stay on the old HAProxy process, which makes no checks"},
		{Name: RiskGhosts,
			When: "old HAProxy processes of earlier reloads still run"},
		{Name: RiskUnarmed,
			When: "the node has no systemd: a power cut during the reload is undone by the next run of pgtui there, not at boot",
			Do:   "`docs/reload.md`, \"A power cut\""},
		{Name: RiskPatroniRefuses, Stops: true, OfAction: true,
			When: "a gate of Patroni's refuses the candidate, or every candidate",
			Do:   "`pgtui candidates` has the gate and its number"},
		{Name: RiskAsync, Stops: true, OfAction: true,
			When: "synchronous mode is on and the candidate of a failover is not a synchronous standby",
			Do:   "a synchronous standby; what was confirmed to clients may be lost otherwise"},
		{Name: RiskDataLoss, Stops: true, OfAction: true,
			When: "a failover loses what the candidate has not received, or how much that is is unknown",
			Do:   "another candidate; a switchover where the leader answers"},
		{Name: RiskUnrouted, Stops: true, OfAction: true,
			When: "a HAProxy would not route to the candidate: drain, also one that a status of DOWN hides, maint, weight 0",
			Do:   "`pgtui undrain`, `pgtui ready`"},
		{Name: RiskPort, Stops: true, OfAction: true,
			When: "PostgreSQL or pgbouncer of the candidate takes no login",
			Do:   "`pgtui doctor`"},
		{Name: RiskUnfitRole, Stops: true, OfAction: true,
			When: "the candidate's `pg_role` is offline or delayed: Pigsty sets no tag that keeps it from leading",
			Do:   "another candidate"},
		{Name: RiskBacklog, Stops: true, OfAction: true,
			When: "the candidate must replay for more than ten seconds before it opens",
			Do:   "wait until it has replayed"},
		{Name: RiskArchiver, Stops: true, OfAction: true,
			When: "`archive_command` fails on the leader: its shutdown waits for it",
			Do:   "repair the archive first"},
		{Name: RiskUnproven, Stops: true, OfAction: true,
			When: "a gate of the candidate could not be read"},
		{Name: RiskSystemSession, Stops: true, OfAction: true,
			When: "the session that ends is a walsender, Patroni's, pgbackrest's or PostgreSQL's own",
			Do:   "leave it, unless this session hangs"},
		{Name: RiskSessionsCut, OfAction: true,
			When: "sessions end"},
		{Name: RiskBlocksFailover, OfAction: true,
			When: "a server in drain or maint in a primary backend: HAProxy would not route to it after a failover",
			Do:   "end it before a failover"},
		{Name: RiskHiddenUntilUp, OfAction: true,
			When: "the server is DOWN: its new state is set, and does not show until it is UP"},
		{Name: RiskStartTimeout, OfAction: true,
			When: "a leader that is not up again within `primary_start_timeout` demotes itself"},
		{Name: RiskTransactions, OfAction: true,
			When: "the leader has prepared transactions, or some that run for more than a minute"},
		{Name: RiskNoStandby, OfAction: true,
			When: "no other member can take over while this runs"},
		{Name: RiskRestartOrder, OfAction: true,
			When: "the members must restart in a certain order"},
	}
}

// RiskNames are all names, in the order of display.
func RiskNames() []string {
	var out []string
	for _, k := range RiskKinds() {
		out = append(out, k.Name)
	}
	return out
}

// RiskStops reports whether risks of that name stop a run.
func RiskStops(name string) bool {
	for _, k := range RiskKinds() {
		if k.Name == name {
			return k.Stops
		}
	}
	return true
}
