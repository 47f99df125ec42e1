// Package captures turns a folder of testdata/captures, what real Patroni and
// HAProxy answered in one situation, into the snapshot the prober would have
// made of it. Tests judge it.
package captures

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/model"
	"pgtui/probe/patroni"
	"pgtui/source"
)

// errNoAnswer stands for every way a node failed to answer while capturing.
func errNoAnswer() error { return errors.New("no answer was captured") }

// Load is the snapshot of one captured situation, taken at at. Nodes that did
// not answer are observed as failures.
func Load(dir fs.FS, inv *model.Inventory, at time.Time) (*model.Snapshot, error) {
	s := &model.Snapshot{Seq: 1, TakenAt: at, Inventory: inv,
		Patroni: map[model.InstanceName]model.PatroniView{}, HAProxy: map[model.Host]source.Observed[haproxy.Stats]{}}
	codes, err := checkCodes(dir)
	if err != nil {
		return nil, err
	}
	for _, c := range inv.Clusters {
		for _, in := range c.Instances {
			v := model.PatroniView{Checks: map[string]source.Observed[int]{}}
			v.Status = observe(dir, "patroni-"+string(in.Name)+"-patroni.http", at, true, patroni.ParseStatus)
			v.Cluster = observe(dir, "patroni-"+string(in.Name)+"-cluster.http", at, true, patroni.ParseCluster)
			for path, code := range codes[string(in.Name)] {
				v.Checks[path] = source.Observed[int]{Value: code, At: at, Tried: at}
			}
			if len(v.Checks) == 0 {
				v.Checks["/primary"] = source.Observed[int]{Err: errNoAnswer(), Tried: at}
			}
			s.Patroni[in.Name] = v
		}
	}
	for _, n := range inv.Nodes {
		s.HAProxy[n.Host] = observe(dir, "haproxy-"+n.Name+"-stats.csv", at, false, haproxy.ParseStats)
	}
	return s, nil
}

// observe parses one captured answer. Files of HTTP answers begin with a
// comment and the headers; a request that failed left no status line.
func observe[T any](dir fs.FS, name string, at time.Time, http bool, parse func([]byte) (T, error)) source.Observed[T] {
	body, err := fs.ReadFile(dir, name)
	if head, rest, ok := bytes.Cut(body, []byte("\n\n")); http && ok && bytes.Contains(head, []byte("HTTP/1.")) {
		body = rest
	} else if err != nil || http {
		return source.Observed[T]{Err: errNoAnswer(), Tried: at}
	}
	v, err := parse(body)
	return source.Observed[T]{}.Next(v, err, at, time.Millisecond)
}

// checkCodes are the answers to OPTIONS by node and path.
func checkCodes(dir fs.FS) (map[string]map[string]int, error) {
	out := map[string]map[string]int{}
	data, err := fs.ReadFile(dir, "patroni-codes.tsv")
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 || len(f) < 3 {
			continue
		}
		code, err := strconv.Atoi(f[2])
		if err != nil {
			continue // the request failed
		}
		if out[f[0]] == nil {
			out[f[0]] = map[string]int{}
		}
		out[f[0]][f[1]] = code
	}
	if len(out) == 0 && len(data) > 200 {
		return nil, fmt.Errorf("patroni-codes.tsv: no code could be read")
	}
	return out, nil
}
