package model

import "pgtui/source"

// RuleFacts is what was read about who may lead, beside the watch and once.
// The zero value means that nothing was read.
type RuleFacts struct {
	Conf source.Observed[PatroniConf] // GET /config
	By   InstanceName                 // whose Patroni answered it; "" when none did
	// Etcd is why a member of etcd takes no connections, by host; "" when it does.
	Etcd map[Host]source.Observed[string]
}
