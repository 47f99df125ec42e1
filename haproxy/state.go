package haproxy

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"pgtui/internal/text"
	"pgtui/source"
)

// Admin is what was done to a server through HAProxy's own controls. The stats
// page shows it unless the server is down: the status is DOWN then in any case,
// and only "show servers state" shows the difference.
type Admin string

// The administrative states.
const (
	AdminUnknown Admin = ""      // the server is down and "show servers state" was not read
	AdminReady   Admin = "ready" // in service
	AdminDrain   Admin = "drain" // keeps its connections, gets no new ones
	AdminMaint   Admin = "maint" // no connections and no checks
)

// AdminBits is the column srv_admin_state of "show servers state": HAProxy's
// enum srv_admin (include/haproxy/server-t.h).
type AdminBits uint8

// The bits. 0x40 means that the server's name was changed, which does not affect
// connections.
const (
	ForcedMaint     AdminBits = 0x01 // by hand
	InheritedMaint  AdminBits = 0x02 // from the server it tracks
	ConfiguredMaint AdminBits = 0x04 // "disabled" in the configuration, which sets ForcedMaint too; without it, no effect
	ForcedDrain     AdminBits = 0x08 // by hand
	InheritedDrain  AdminBits = 0x10 // from the server it tracks
	ResolvingMaint  AdminBits = 0x20 // its name has no address
)

// Admin is the state that the bits amount to: maintenance outranks drain, as in
// HAProxy.
func (b AdminBits) Admin() Admin {
	switch {
	case b&(ForcedMaint|InheritedMaint|ResolvingMaint) != 0:
		return AdminMaint
	case b&(ForcedDrain|InheritedDrain) != 0:
		return AdminDrain
	}
	return AdminReady
}

// ByHand reports whether an operator set the state through HAProxy's controls,
// not the configuration, another server or a resolver. A reload ends it.
func (b AdminBits) ByHand() bool {
	return b&ConfiguredMaint == 0 && b&(ForcedMaint|ForcedDrain) != 0
}

// Origin says where the state comes from.
func (b AdminBits) Origin() string {
	switch {
	case b&ConfiguredMaint != 0 && b&ForcedMaint != 0:
		return "by its configuration"
	case b&(ForcedMaint|ForcedDrain) != 0:
		return "by hand"
	case b&ResolvingMaint != 0:
		return "because its name has no address"
	}
	return "through the server it tracks"
}

// ServerState is one line of "show servers state".
type ServerState struct {
	Proxy, Server string
	Bits          AdminBits
	Weight        int // srv_uweight: the weight in use
	Configured    int // srv_iweight: the weight in the configuration
	// Unchecked reports that it has a health check and that somebody switched it
	// off ("disable health"): it keeps the state it had, UP for a server that was up.
	Unchecked bool
}

// The bits of srv_check_state: HAProxy's CHK_ST_CONFIGURED and CHK_ST_ENABLED
// (include/haproxy/check-t.h). "disable health" clears the second only.
const (
	checkConfigured = 0x02
	checkEnabled    = 0x04
)

// Touched reports whether the server is in another state than its configuration
// alone would put it in.
func (s *ServerState) Touched() bool {
	return s.Bits.Admin() != AdminReady || s.Weight != s.Configured || s.Unchecked
}

// ServerStates is what one HAProxy worker reports of its servers. The zero value
// is a HAProxy without servers.
type ServerStates struct {
	Count   int           // servers that were listed
	Touched []ServerState // those that differ from their configuration, in HAProxy's order
}

// Of is the state of a server, nil when nothing was done to it.
func (s *ServerStates) Of(proxy, server string) *ServerState {
	for i := range s.Touched {
		if t := &s.Touched[i]; t.Proxy == proxy && t.Server == server {
			return t
		}
	}
	return nil
}

// ByHand lists the servers that were taken out by hand, in words. A reload puts
// them back, unless the new worker loads the states of the old one.
func (s *ServerStates) ByHand() []string {
	var out []string
	for i := range s.Touched {
		if st := &s.Touched[i]; st.Bits.ByHand() && st.Bits.Admin() != AdminReady {
			out = append(out, fmt.Sprintf("%s/%s in %s", st.Proxy, st.Server, st.Bits.Admin()))
		} else if st.Weight == 0 && st.Configured > 0 && st.Bits.Admin() == AdminReady {
			out = append(out, fmt.Sprintf("%s/%s at weight 0", st.Proxy, st.Server))
		}
	}
	return out
}

// AdminOf is what was done to the server of a row. The stats page is newer than
// the list of states: it decides where it shows the state.
func AdminOf(row *ServerRow, states source.Observed[ServerStates], proxy string) (Admin, AdminBits) {
	switch {
	case strings.HasPrefix(row.Status, "MAINT"):
		return AdminMaint, 0
	case strings.HasPrefix(row.Status, "DRAIN"):
		return AdminDrain, 0
	case !IsDown(row.Status):
		return AdminReady, 0
	case !states.Ever():
		return AdminUnknown, 0
	}
	if st := states.Value.Of(proxy, row.Name); st != nil {
		return st.Bits.Admin(), st.Bits
	}
	return AdminReady, 0
}

// MaxServers bounds the servers that are read of one HAProxy.
const MaxServers = 40000

// ParseServerStates reads the answer to "show servers state": a version, a line
// with the columns' names, and a line for each server (HAProxy's
// doc/management.txt and SRV_STATE_FILE_FIELD_NAMES in server-t.h). The columns
// are found by name.
func ParseServerStates(b []byte) (ServerStates, error) {
	var out ServerStates
	all, err := ParseServers(b)
	if err != nil {
		return out, err
	}
	out.Count = len(all)
	for i := range all {
		if all[i].Touched() {
			out.Touched = append(out.Touched, all[i])
		}
	}
	return out, nil
}

// ParseServers is every server of an answer to "show servers state", in HAProxy's
// order. See ParseServerStates.
func ParseServers(b []byte) ([]ServerState, error) {
	bad := func(why string) ([]ServerState, error) {
		return nil, errors.New("HAProxy's servers: show servers state " + why)
	}
	raw := strings.TrimRight(string(b), "\n")
	version, rest, _ := strings.Cut(raw, "\n")
	header, rows, _ := strings.Cut(rest, "\n")
	if version != "1" {
		return bad(fmt.Sprintf("is not of version 1: %q", text.Line(version, 80)))
	}
	names := strings.Fields(strings.TrimPrefix(header, "#"))
	col := map[string]int{}
	for i, name := range names {
		col[name] = i
	}
	last := 0
	for _, name := range []string{"be_name", "srv_name", "srv_admin_state", "srv_uweight", "srv_iweight"} {
		i, ok := col[name]
		if !ok {
			return bad("has no column " + name)
		}
		last = max(last, i)
	}
	if len(b) >= MaxStates {
		return bad("is too long")
	}
	var out []ServerState
	for line := range strings.Lines(rows) {
		w := strings.Fields(line)
		if len(w) == 0 {
			continue
		}
		if len(w) <= last {
			return bad(fmt.Sprintf("has a line with %d columns of %d", len(w), len(names)))
		}
		if len(out) >= MaxServers {
			return bad(fmt.Sprintf("lists more than %d servers", MaxServers))
		}
		st, err := serverState(w, col)
		if err != nil {
			return bad("has a column that is not a number: " + text.Line(err.Error(), 160))
		}
		out = append(out, st)
	}
	return out, nil
}

// serverState reads the words of one line by the columns' places.
func serverState(w []string, col map[string]int) (ServerState, error) {
	bits, err := strconv.ParseUint(w[col["srv_admin_state"]], 10, 32)
	uweight, err2 := strconv.ParseUint(w[col["srv_uweight"]], 10, 16)
	iweight, err3 := strconv.ParseUint(w[col["srv_iweight"]], 10, 16)
	if err := errors.Join(err, err2, err3); err != nil {
		return ServerState{}, err
	}
	st := ServerState{Proxy: text.Line(w[col["be_name"]], text.MaxName), Server: text.Line(w[col["srv_name"]], text.MaxName),
		Bits: AdminBits(bits & 0xff), Weight: int(uweight), Configured: int(iweight)}
	if i, ok := col["srv_check_state"]; ok && i < len(w) {
		n, err := strconv.ParseUint(w[i], 10, 16)
		st.Unchecked = err == nil && n&checkConfigured != 0 && n&checkEnabled == 0
	}
	return st, nil
}

// MaxStates bounds "show servers state", in bytes: 30,000 servers.
const MaxStates = 4 << 20
