package check_test

// situation is a folder of captures and what pgtui must make of it.
type situation struct{ dir, want string }

func capturedSituations() []situation {
	return []situation{
		{"bookworm/after-switchover", "ok leader=2/self primary=2:serving replica=2+3:serving default=2:serving offline=3:serving [stale-roles]"},
		{"bookworm/backup-serving", "degraded leader=1/self primary=1:serving replica=1:backup-serving default=1:serving offline=nobody:empty [service-empty patroni-silent patroni-silent service-on-backup]"},
		{"bookworm/dcs-down-failsafe-docs", "degraded leader=2/self primary=2:serving replica=2+3:serving default=2:serving offline=3:serving [dcs-trouble dcs-unreachable stale-roles]"},
		{"bookworm/dcs-down-nofailsafe-28s", "down leader=none primary=nobody:empty replica=2+3:serving default=nobody:empty offline=3:serving [no-leader service-empty service-empty dcs-unreachable dcs-trouble]"},
		{"bookworm/healthy", "ok leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving []"},
		{"bookworm/leader-patroni-killed-after", "degraded leader=3/self primary=3:serving replica=3:serving default=3:serving offline=nobody:empty [service-empty patroni-silent stale-roles]"},
		{"bookworm/leader-patroni-killed-mid", "down leader=2/dcs primary=nobody:empty replica=3:serving default=nobody:empty offline=3:serving [leader-silent service-empty service-empty patroni-silent stale-roles]"},
		{"bookworm/leader-postmaster-killed-mid", "down leader=3/self primary=3:serving replica=2+3:serving default=3:serving offline=2:backup-serving [member-state service-on-backup stale-roles]"},
		{"bookworm/offline-backup-serving", "degraded leader=1/self primary=1:serving replica=2:serving default=1:serving offline=2:backup-serving [patroni-silent service-on-backup]"},
		{"bookworm/old-leader-rejoins-2s", "degraded leader=3/self primary=3:serving replica=3:serving default=3:serving offline=nobody:empty [service-empty replica-not-streaming stale-roles]"},
		{"bookworm/paused", "degraded leader=3/self primary=3:serving replica=2+3:serving default=3:serving offline=2:backup-serving [service-on-backup paused stale-roles]"},
		{"bookworm/paused-replica-postgres-stopped-state", "degraded leader=3/self primary=3:serving replica=3:serving default=3:serving offline=nobody:empty [service-empty member-state paused stale-roles]"},
		{"bookworm/replica-postmaster-killed-mid", "degraded leader=3/self primary=3:serving replica=2+3:serving default=3:serving offline=2:backup-serving [member-state service-on-backup stale-roles]"},
		{"bookworm/synchronous-mode", "degraded leader=3/self primary=3:serving replica=2+3:serving default=3:serving offline=2:backup-serving [service-on-backup stale-roles]"},
		{"bookworm/tls-healthy", "ok leader=2/self primary=2:serving replica=2+3:serving default=2:serving offline=3:serving [stale-roles]"},
		{"trixie/after-switchover", "ok leader=2/self primary=2:serving replica=2+3:serving default=2:serving offline=3:serving [stale-roles]"},
		{"trixie/backup-serving", "degraded leader=1/self primary=1:serving replica=1:backup-serving default=1:serving offline=nobody:empty [service-empty patroni-silent patroni-silent service-on-backup]"},
		{"trixie/dcs-down-failsafe-18s", "degraded leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving [dcs-trouble dcs-unreachable]"},
		{"trixie/dcs-down-failsafe-40s", "degraded leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving [dcs-trouble dcs-unreachable]"},
		{"trixie/healthy", "ok leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving []"},
		{"trixie/leader-patroni-killed-after", "degraded leader=3/self primary=3:serving replica=2+3:serving default=3:serving offline=2:backup-serving [patroni-silent service-on-backup stale-roles]"},
		{"trixie/leader-patroni-killed-mid", "down leader=1/dcs primary=nobody:empty replica=2+3:serving default=nobody:empty offline=3:serving [leader-silent service-empty service-empty patroni-silent]"},
		{"trixie/paused", "degraded leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving [paused]"},
		{"trixie/quorum-mode", "ok leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving []"},
		{"trixie/replica-postmaster-killed", "degraded leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving [member-state]"},
		{"trixie/synchronous-mode", "ok leader=1/self primary=1:serving replica=2+3:serving default=1:serving offline=3:serving []"},
	}
}
