package model

// Unfit says why a server is not what target_session_attrs requires; "" when it is.
func (a Answer) Unfit(attrs string) string {
	switch {
	case attrs == "primary" && a.Recovery:
		return "in recovery, but target_session_attrs requires the primary"
	case attrs == "standby" && !a.Recovery:
		return "not in recovery, but target_session_attrs requires a standby"
	case attrs == "read-write" && a.ReadOnly:
		return "read only, but target_session_attrs requires read-write"
	case attrs == "read-only" && !a.ReadOnly:
		return "takes writes, but target_session_attrs requires read-only"
	}
	return ""
}

// EndsIt reports whether libpq gives up with this fault instead of trying the
// next host. It continues where no connection comes about or the server reports
// that it cannot take one now; once somebody has answered, even by hanging up
// as HAProxy does without a server, it does not.
func (f Fault) EndsIt() bool {
	return f != FaultRefused && f != FaultTimeout && f != FaultStarting && f != FaultNotTried
}
