package probe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"pgtui/internal/safe"
	"pgtui/model"
	"pgtui/probe/transport"
)

// ReadServers asks HAProxy on the nodes over SSH what was done to its servers,
// several at once and each within 8 s. It changes nothing. A node that cannot be
// read is there with its error.
func (p *Prober) ReadServers(ctx context.Context, r transport.Runner, nodes []*model.Node) map[model.Host]model.Observed[model.ServerStates] {
	return askNodes(ctx, p, nodes, func(ctx context.Context, n *model.Node) (model.ServerStates, error) {
		run, err := readRuntime(ctx, r, n.SSH, 0)
		if err == nil {
			err = run.NoServers
		}
		return run.Servers, err
	})
}

// maxServers bounds the servers that are read of one HAProxy.
const maxServers = 40000

// parseServerStates reads the answer to "show servers state": a version, a line
// with the columns' names, and a line for each server (HAProxy's
// doc/management.txt and SRV_STATE_FILE_FIELD_NAMES in server-t.h). The columns
// are found by name.
func parseServerStates(b []byte) (model.ServerStates, error) {
	var out model.ServerStates
	cut := func(why string) (model.ServerStates, error) {
		return model.ServerStates{}, errors.New("HAProxy's servers: show servers state " + why)
	}
	text := strings.TrimRight(string(b), "\n")
	version, rest, _ := strings.Cut(text, "\n")
	header, rows, _ := strings.Cut(rest, "\n")
	if version != "1" {
		return cut(fmt.Sprintf("is not of version 1: %q", safe.Text(version, 80)))
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
			return cut("has no column " + name)
		}
		last = max(last, i)
	}
	if len(b) >= maxStates {
		return cut("is too long")
	}
	for line := range strings.Lines(rows) {
		w := strings.Fields(line)
		if len(w) == 0 {
			continue
		}
		if len(w) <= last {
			return cut(fmt.Sprintf("has a line with %d columns of %d", len(w), len(names)))
		}
		if out.Count++; out.Count > maxServers {
			return cut(fmt.Sprintf("lists more than %d servers", maxServers))
		}
		bits, err := strconv.ParseUint(w[col["srv_admin_state"]], 10, 32)
		uweight, err2 := strconv.ParseUint(w[col["srv_uweight"]], 10, 16)
		iweight, err3 := strconv.ParseUint(w[col["srv_iweight"]], 10, 16)
		if err := errors.Join(err, err2, err3); err != nil {
			return cut("has a number that is none: " + safe.Text(err.Error(), 160))
		}
		st := model.ServerState{Proxy: safe.Text(w[col["be_name"]], maxName), Server: safe.Text(w[col["srv_name"]], maxName),
			Bits: model.AdminBits(bits & 0xff), Weight: int(uweight), Configured: int(iweight)}
		if st.Touched() {
			out.Touched = append(out.Touched, st)
		}
	}
	return out, nil
}
