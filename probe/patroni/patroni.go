// Package patroni reads what Patroni's REST API answers. It is pure.
package patroni

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"pgtui/internal/text"
	"pgtui/model"
)

// patroniBody is GET /patroni as it is written.
type patroniBody struct {
	Role        scalar  `json:"role"`
	State       scalar  `json:"state"`
	Timeline    integer `json:"timeline"`
	Version     integer `json:"server_version"`
	SystemID    scalar  `json:"database_system_identifier"`
	Start       scalar  `json:"postmaster_start_time"`
	Replication scalar  `json:"replication_state"`
	Pause       flag    `json:"pause"`
	Unlocked    flag    `json:"cluster_unlocked"`
	Failsafe    flag    `json:"failsafe_mode_is_active"`
	Restart     flag    `json:"pending_restart"`
	Reasons     reasons `json:"pending_restart_reason"`
	Scheduled   at      `json:"scheduled_restart"`
	Sync        flag    `json:"sync_standby"`
	Quorum      flag    `json:"quorum_standby"`
	DCSLastSeen integer `json:"dcs_last_seen"`
	Watchdog    flag    `json:"watchdog_failed"`
	Tags        tags    `json:"tags"`
	Patroni     struct {
		Version scalar `json:"version"`
		Scope   scalar `json:"scope"`
		Name    scalar `json:"name"`
	} `json:"patroni"`
	XLog struct {
		Location integer `json:"location"`
		Received integer `json:"received_location"`
		Replayed integer `json:"replayed_location"`
		Commit   scalar  `json:"replayed_timestamp"`
		Paused   flag    `json:"paused"`
	} `json:"xlog"`
	Streams []struct {
		Application scalar `json:"application_name"`
		Addr        scalar `json:"client_addr"`
		State       scalar `json:"state"`
		Sync        scalar `json:"sync_state"`
	} `json:"replication"`
}

// ParseStatus reads the body of GET /patroni as Patroni 2.1 to 4.1 write it.
// Unknown keys are ignored, missing ones get the zero value that the field of
// model.PatroniStatus documents. An answer without a state is an error: it is
// not Patroni's.
func ParseStatus(body []byte) (model.PatroniStatus, error) {
	var w patroniBody
	if err := Decode(body, &w); err != nil {
		return model.PatroniStatus{}, err
	}
	if w.State == "" {
		return model.PatroniStatus{}, errors.New("the answer has no state: this is not Patroni's")
	}
	s := model.PatroniStatus{
		Role:             string(w.Role),
		State:            string(w.State),
		Timeline:         int(w.Timeline.or(0)),
		ServerVersion:    int(w.Version.or(0)),
		Version:          string(w.Patroni.Version),
		Scope:            string(w.Patroni.Scope),
		Name:             string(w.Patroni.Name),
		Location:         w.XLog.Location.or(-1),
		Received:         w.XLog.Received.or(-1),
		Replayed:         w.XLog.Replayed.or(-1),
		ReplicationState: string(w.Replication),
		SystemID:         string(w.SystemID),
		PostmasterStart:  string(w.Start),
		Paused:           bool(w.Pause),
		Unlocked:         bool(w.Unlocked),
		Failsafe:         bool(w.Failsafe),
		PendingRestart:   bool(w.Restart),
		PendingReasons:   w.Reasons,
		ScheduledRestart: string(w.Scheduled),
		SyncStandby:      bool(w.Sync),
		QuorumStandby:    bool(w.Quorum),
		DCSLastSeen:      w.DCSLastSeen.or(0),
		ReplayPaused:     bool(w.XLog.Paused),
		WatchdogFailed:   bool(w.Watchdog),
		Tags:             w.Tags.text,
		Untrue:           w.Tags.untrue,
	}
	if at, err := time.Parse("2006-01-02 15:04:05.999999999Z07:00", string(w.XLog.Commit)); err == nil {
		s.ReplayedAt = at.Unix()
	}
	if s.Role == "master" {
		s.Role = "primary"
	}
	for _, r := range w.Streams {
		s.Streams = append(s.Streams, model.Stream{
			Application: string(r.Application), ClientAddr: string(r.Addr),
			State: string(r.State), SyncState: string(r.Sync),
		})
	}
	return s, nil
}

// ParseCluster reads the body of GET /cluster as Patroni 2.1 to 4.1 write it.
// A lag of "unknown", or none, is -1. An answer without a list of members is
// an error; an empty list is not.
func ParseCluster(body []byte) (model.PatroniCluster, error) {
	var w struct {
		Scope   scalar     `json:"scope"`
		Pause   flag       `json:"pause"`
		Switch  switchover `json:"scheduled_switchover"`
		Members *[]struct {
			Name     scalar   `json:"name"`
			Role     scalar   `json:"role"`
			State    scalar   `json:"state"`
			Host     scalar   `json:"host"`
			Timeline integer  `json:"timeline"`
			Lag      integer  `json:"lag"`
			Receive  *integer `json:"receive_lag"`
			Replay   *integer `json:"replay_lag"` // 4.1: lag may count WAL received and not replayed yet
			APIURL   scalar   `json:"api_url"`
			Restart  at       `json:"scheduled_restart"`
		} `json:"members"`
	}
	if err := Decode(body, &w); err != nil {
		return model.PatroniCluster{}, err
	}
	if w.Members == nil {
		return model.PatroniCluster{}, errors.New("the answer has no members: this is not Patroni's")
	}
	c := model.PatroniCluster{Scope: string(w.Scope), Paused: bool(w.Pause),
		Switch: model.ScheduledSwitchover(w.Switch)}
	for _, m := range *w.Members {
		behind := m.Lag // up to 4.0 what counts is the larger of received and replayed
		if m.Receive != nil {
			behind = *m.Receive
		}
		if m.Replay != nil {
			m.Lag = *m.Replay
		}
		if m.Role == "master" {
			m.Role = "leader"
		}
		c.Members = append(c.Members, model.PatroniMember{
			Name: model.InstanceName(m.Name), Role: string(m.Role), State: string(m.State),
			Host: string(m.Host), Timeline: int(m.Timeline.or(0)), Lag: m.Lag.or(-1),
			Behind: behind.or(-1), APIURL: string(m.APIURL), Restart: string(m.Restart),
		})
	}
	return c, nil
}

// Decode fills v from a JSON object and reports in few words what is wrong.
func Decode(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if err == nil {
		return nil
	}
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		what := "the answer"
		if te.Field != "" {
			what = strconv.Quote(text.Line(te.Field, 60))
		}
		return fmt.Errorf("%s is a JSON %s where another type belongs", what, text.Line(te.Value, 20))
	}
	if len(body) == 0 {
		return errors.New("the answer is empty")
	}
	// Only the beginning goes through the filter: the body may be large.
	return fmt.Errorf("the answer is not JSON: it begins with %q", text.Line(string(body[:min(len(body), 400)]), 40))
}

// scalar is a JSON string, number or boolean as harmless text; anything else is "".
type scalar string

// UnmarshalJSON takes whatever is there.
func (t *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		if inner := b[1 : len(b)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
			*t = scalar(text.Line(string(inner), text.MaxNote)) // as nearly every answer is
			return nil
		}
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*t = scalar(text.Line(s, text.MaxNote))
	case '{', '[', 'n':
		*t = ""
	default:
		*t = scalar(text.Line(string(b), text.MaxName))
	}
	return nil
}

// integer is a JSON number, or a string that holds one; "unknown", null and
// anything else mean that it was not reported.
type integer struct {
	n  int64
	ok bool
}

// UnmarshalJSON takes whatever is there.
func (i *integer) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	*i = integer{n, err == nil && n >= 0}
	return nil
}

// or is the number, or missing when none was reported.
func (i integer) or(missing int64) int64 {
	if i.ok {
		return i.n
	}
	return missing
}

// flag is true for a JSON true, and false for anything else.
type flag bool

// UnmarshalJSON takes whatever is there.
func (f *flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true"
	return nil
}

// object reads a JSON object; any other value leaves v as it is.
func object(b []byte, v any) error {
	if b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, v)
}

// tags are Patroni's tags, whose values are of any type: their text, and which
// of them count as false.
type tags struct {
	text   map[string]string
	untrue map[string]bool
}

// UnmarshalJSON takes an object; anything else means no tags.
func (t *tags) UnmarshalJSON(b []byte) error {
	*t = tags{}
	if b[0] != '{' {
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	t.text = make(map[string]string, len(raw))
	for k, v := range raw {
		k = text.Line(k, text.MaxName)
		var s scalar
		if err := s.UnmarshalJSON(v); err != nil {
			return err
		}
		t.text[k] = string(s)
		if untrue(v) {
			if t.untrue == nil {
				t.untrue = map[string]bool{}
			}
			t.untrue[k] = true
		}
	}
	return nil
}

// switchover is one that is scheduled.
type switchover model.ScheduledSwitchover

// UnmarshalJSON takes an object; anything else means that none is.
func (v *switchover) UnmarshalJSON(b []byte) error {
	var w struct {
		At   scalar `json:"at"`
		From scalar `json:"from"`
		To   scalar `json:"to"`
	}
	if err := object(b, &w); err != nil {
		return err
	}
	*v = switchover{At: string(w.At), From: model.InstanceName(w.From), To: model.InstanceName(w.To)}
	return nil
}

// at is when something is scheduled: the schedule of an object; "" when there
// is none.
type at scalar

// UnmarshalJSON takes an object with a schedule; anything else means none.
func (a *at) UnmarshalJSON(b []byte) error {
	var w struct {
		Schedule scalar `json:"schedule"`
	}
	err := object(b, &w)
	*a = at(w.Schedule)
	return err
}

// maxReasons bounds the settings that are kept of those that wait for a restart.
const maxReasons = 20

// reasons are the settings that wait for a restart, "max_connections: 100 → 200".
type reasons []string

// UnmarshalJSON takes an object; anything else means that none is reported.
func (r *reasons) UnmarshalJSON(b []byte) error {
	*r = nil
	var w map[string]json.RawMessage
	if err := object(b, &w); err != nil {
		return err
	}
	for name, raw := range w {
		var v struct {
			Old scalar `json:"old_value"`
			New scalar `json:"new_value"`
		}
		line := text.Line(name, text.MaxName)
		if json.Unmarshal(raw, &v) == nil && (v.Old != "" || v.New != "") {
			line += fmt.Sprintf(": %s → %s", v.Old, v.New)
		}
		*r = append(*r, line)
	}
	slices.Sort(*r)
	*r = (*r)[:min(len(*r), maxReasons)]
	return nil
}

// untrue reports whether Python takes a JSON value for false: null, false, a
// zero, and whatever is empty.
func untrue(v json.RawMessage) bool {
	switch s := string(v); s {
	case "null", "false", `""`:
		return true
	default:
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && f == 0
	}
}
