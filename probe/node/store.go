package node

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
)

//go:embed store.sh
var storeScript string

// Store is the space of an instance's data directory, and the backups of its stanza
// as pgBackRest on its node reports them. A node without pgBackRest is no error.
func (r Reader) Store(ctx context.Context, n *model.Node, stanza string) (model.NodeStore, error) {
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	out, err := r.Runner.Run(ctx, transport.Cmd{Target: n.SSH, Script: storeScript, Reads: true})
	if err != nil {
		return model.NodeStore{}, fmt.Errorf("space and backups: %w", err)
	}
	st, err := parseStore(out.Stdout, stanza)
	if err != nil {
		return st, fmt.Errorf("%s: space and backups: %w", text.Line(string(n.Host), 80), err)
	}
	return st, nil
}

// parseStore reads what store.sh prints: "pgtui-store 1", twice "df TOTAL FREE MOUNT" in
// kB, then "none", or "info" and pgBackRest's JSON.
func parseStore(b []byte, stanza string) (model.NodeStore, error) {
	var st model.NodeStore
	rest, ok := bytes.CutPrefix(b, []byte("pgtui-store 1\n"))
	if !ok {
		return st, errors.New("the answer is not in the expected form")
	}
	for _, v := range []*model.Volume{&st.Data, &st.WAL} {
		var line []byte
		if line, rest, ok = bytes.Cut(rest, []byte("\n")); !ok || !bytes.HasPrefix(line, []byte("df ")) {
			return st, errors.New("the answer is cut")
		}
		*v = volumeOf(string(line[3:]))
	}
	what, info, _ := bytes.Cut(rest, []byte("\n"))
	switch string(what) {
	case "none":
		st.Backup.Why = "the node has no pgbackrest"
	case "info":
		st.Backup = parseBackup(info, stanza)
	default:
		return st, errors.New("the answer is cut")
	}
	return st, nil
}

// volumeOf reads "TOTAL FREE MOUNT", kB.
func volumeOf(line string) model.Volume {
	w := strings.Fields(line)
	if len(w) < 3 {
		return model.Volume{}
	}
	total, err := strconv.ParseInt(w[0], 10, 64)
	free, err2 := strconv.ParseInt(w[1], 10, 64)
	if err != nil || err2 != nil || total <= 0 || free < 0 || free > total || total > 1<<50 {
		return model.Volume{}
	}
	return model.Volume{Mount: text.Line(strings.Join(w[2:], " "), 80), Total: total << 10, Free: free << 10}
}

// parseBackup reads the JSON of `pgbackrest info`: the stanza of that name, else the
// only one.
func parseBackup(b []byte, stanza string) model.Backup {
	type info struct {
		Name   string `json:"name"`
		Status struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"status"`
		Backup []struct {
			Type string `json:"type"`
			Time struct {
				Stop int64 `json:"stop"`
			} `json:"timestamp"`
			Info struct {
				Size int64 `json:"size"`
			} `json:"info"`
		} `json:"backup"`
	}
	var all []info
	if err := json.Unmarshal(b, &all); err != nil {
		line, _, _ := strings.Cut(strings.TrimSpace(string(b[:min(len(b), 400)])), "\n")
		return model.Backup{Why: "pgbackrest answers: " + text.Line(line, 160)}
	}
	i := slices.IndexFunc(all, func(x info) bool { return x.Name == stanza })
	if i < 0 && len(all) == 1 {
		i = 0
	}
	if i < 0 {
		return model.Backup{Why: "pgbackrest has no stanza " + text.Line(stanza, 60)}
	}
	s := &all[i]
	out := model.Backup{Stanza: text.Line(s.Name, 60), Code: s.Status.Code, Status: text.Line(s.Status.Message, 100), Count: len(s.Backup)}
	for _, x := range s.Backup {
		at := time.Unix(x.Time.Stop, 0)
		if x.Time.Stop <= 0 || x.Time.Stop > 1<<40 {
			continue
		}
		if at.After(out.Last) {
			out.Last, out.Kind, out.Size = at, text.Line(x.Type, 20), x.Info.Size
		}
		if x.Type == "full" && at.After(out.LastFull) {
			out.LastFull = at
		}
	}
	return out
}
