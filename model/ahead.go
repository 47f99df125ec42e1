package model

// TellsStreaming reports whether this Patroni tells whether a replica streams:
// since 3.0.4.
func (s *PatroniStatus) TellsStreaming() bool { return s.Version != "" && s.Generation(3, 0, 4) }
