package patroni

import (
	"encoding/json"
	"errors"
	"strings"

	"pgtui/model"
)

// ParseConfig reads the body of GET /config: of all that Patroni keeps there,
// what decides a failover. An answer that is no object is an error.
func ParseConfig(body []byte) (model.PatroniConf, error) {
	var w map[string]json.RawMessage
	if err := Decode(body, &w); err != nil {
		return model.PatroniConf{}, err
	}
	if w == nil {
		return model.PatroniConf{}, errors.New("the answer has no configuration")
	}
	get := func(key string) string {
		var t scalar
		if v := w[key]; len(v) == 0 || t.UnmarshalJSON(v) != nil {
			return ""
		}
		return string(t)
	}
	return model.PatroniConfOf(get, standbyCluster(w["standby_cluster"])), nil
}

// standbyCluster reports whether the section makes a standby cluster:
// patroni/global_config.py, is_standby_cluster.
func standbyCluster(raw json.RawMessage) bool {
	var w map[string]json.RawMessage
	if !strings.HasPrefix(string(raw), "{") || json.Unmarshal(raw, &w) != nil {
		return false
	}
	for _, key := range []string{"host", "port", "restore_command"} {
		if v, ok := w[key]; ok && !untrue(v) {
			return true
		}
	}
	return false
}
