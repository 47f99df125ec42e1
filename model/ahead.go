package model

// TellsStreaming reports whether this version of Patroni reports replication_state:
// since 3.0.4.
func (s *PatroniStatus) TellsStreaming() bool { return s.Version != "" && s.Generation(3, 0, 4) }
