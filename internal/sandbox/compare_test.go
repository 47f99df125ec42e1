package sandbox

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

func compareCodes(t *testing.T, s *Sandbox, dir string, skip []string) {
	f, err := os.ReadFile(filepath.Join(dir, "patroni-codes.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	type answerTo struct {
		node, path string
		want, have [3]string
	}
	var all []*answerTo
	for _, line := range strings.Split(strings.TrimSpace(string(f)), "\n")[1:] {
		c := strings.Split(line, "\t")
		all = append(all, &answerTo{node: c[0], path: c[1], want: [3]string{c[2], c[3], c[4]}})
	}
	limit := make(chan struct{}, 16)
	done := make(chan struct{})
	for _, a := range all {
		go func() {
			limit <- struct{}{}
			for i, method := range []string{"OPTIONS", "GET", "HEAD"} {
				wait := patient
				if strings.HasPrefix(a.want[i], "ERR") {
					wait = silent
				}
				code, _ := request(method, "http://"+s.Addr(a.node)+":8008"+a.path, "", "", wait)
				a.have[i] = strconv.Itoa(code)
			}
			<-limit
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
	if len(all) < 15 {
		t.Errorf("only %d paths in the capture", len(all))
	}
	for _, a := range all {
		for i, w := range a.want {
			if strings.HasPrefix(w, "ERR") {
				w = "0"
			}
			if w != a.have[i] && !slices.Contains(skip, "codes") {
				t.Errorf("%s %s %s: have %s, the real one %s", a.node, []string{"OPTIONS", "GET", "HEAD"}[i], a.path, a.have[i], w)
			}
		}
	}
}

// captured is the body of one captured GET, nil when nothing was answered;
// ok is false when it was not captured at all.
func captured(t *testing.T, file string) (body map[string]any, ok bool) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, false
	}
	_, text, found := strings.Cut(string(b), "\n\n")
	if !found || strings.Contains(string(b), "ERR:") {
		return nil, true
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return body, true
}

func comparePatroni(t *testing.T, s *Sandbox, dir string, skip []string) {
	for _, d := range s.hosts {
		for doc, facts := range map[string]func(map[string]any) []string{"patroni": statusFacts, "cluster": clusterFacts} {
			want, ok := captured(t, filepath.Join(dir, "patroni-"+d.name()+"-"+doc+".http"))
			if !ok {
				continue
			}
			wait := patient
			if want == nil {
				wait = silent
			}
			_, b := request("GET", "http://"+d.addr+":8008/"+doc, "", "", wait)
			var have map[string]any
			if len(b) > 0 {
				if err := json.Unmarshal(b, &have); err != nil {
					t.Errorf("%s /%s: %v", d.name(), doc, err)
				}
			}
			w, h := facts(want), facts(have)
			for i := range max(len(w), len(h)) {
				a, b := at(w, i), at(h, i)
				if a != b && !slices.Contains(skip, "/"+doc) {
					t.Errorf("%s /%s: have %q, the real one %q", d.name(), doc, b, a)
				}
			}
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// statusFacts are the keys of GET /patroni, and the values that matter.
func statusFacts(v map[string]any) []string {
	if v == nil {
		return []string{"no answer"}
	}
	var out []string
	for k, x := range v {
		switch k {
		case "state", "role", "pause", "cluster_unlocked", "failsafe_mode_is_active", "replication_state",
			"sync_standby", "quorum_standby", "server_version", "tags":
			out = append(out, fmt.Sprint(k, " = ", x))
		case "xlog", "patroni":
			out = append(out, fmt.Sprint(k, " has ", keys(x)))
		case "timeline":
			out = append(out, fmt.Sprint(k, " null: ", x == nil))
		case "replication":
			for _, r := range x.([]any) {
				r := r.(map[string]any)
				out = append(out, fmt.Sprint("replication of ", r["application_name"], " ", r["state"], " ", r["sync_state"], " ", keys(r)))
			}
		case "logger_queue_size": // how busy the log of that moment was
		default:
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

// clusterFacts is GET /cluster without addresses: timelines and lag as they
// are to the leader's.
func clusterFacts(v map[string]any) []string {
	if v == nil {
		return []string{"no answer"}
	}
	newest := 0.0
	members, _ := v["members"].([]any)
	for _, m := range members {
		if tl, ok := m.(map[string]any)["timeline"].(float64); ok {
			newest = max(newest, tl)
		}
	}
	out := []string{fmt.Sprint("keys ", keys(v)), fmt.Sprint("pause ", v["pause"]), fmt.Sprint("scope ", v["scope"])}
	for _, m := range members {
		m := m.(map[string]any)
		tl := "no timeline"
		if x, ok := m["timeline"].(float64); ok {
			tl = fmt.Sprint("timeline ", x-newest)
		}
		out = append(out, fmt.Sprint(m["name"], " ", m["role"], " ", m["state"], " ", m["port"], " ", tl, " lag ", m["lag"], " ", keys(m)))
	}
	return out
}

func keys(v any) []string {
	m, _ := v.(map[string]any)
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// rowFields are compared in every row of the stats CSV.
func rowFields() []string {
	return []string{
		"status", "check_status", "check_code", "check_desc", "last_chk", "check_health", "check_rise", "check_fall",
		"act", "bck", "uweight", "type", "mode", "slim", "qlimit", "iid", "sid", "pid",
	}
}

func compareStats(t *testing.T, s *Sandbox, dir string, skip []string) {
	for _, d := range s.hosts {
		b, err := os.ReadFile(filepath.Join(dir, "haproxy-"+d.name()+"-stats.csv"))
		if err != nil {
			continue
		}
		wait := patient
		if !strings.HasPrefix(string(b), "#") {
			wait = silent
		}
		code, body := request("GET", "http://"+d.addr+":9101/haproxy/"+d.name()+"/;csv", "admin", "pigsty", wait)
		if wait == silent {
			if code != 0 {
				t.Errorf("haproxy of %s: have an answer, the real one %.40q", d.name(), b)
			}
			continue
		}
		if code != 200 {
			t.Errorf("haproxy of %s: code %d", d.name(), code)
			continue
		}
		want, have := rows(t, b), rows(t, body)
		if strings.Join(have.header, ",") != strings.Join(want.header, ",") {
			t.Errorf("haproxy of %s: other columns", d.name())
		}
		if strings.Join(have.order, " ") != strings.Join(want.order, " ") {
			t.Errorf("haproxy of %s: rows\nhave %v\nreal %v", d.name(), have.order, want.order)
		}
		for name, w := range want.rows {
			h := have.rows[name]
			atRest(w)
			atRest(h)
			var diff []string
			for _, f := range append(rowFields(), weights(w, h)...) {
				if h[f] != w[f] && !(w["inflight"] != "" && (f == "check_code" || f == "last_chk")) {
					diff = append(diff, fmt.Sprintf("%s have %q, the real one %q", f, h[f], w[f]))
				}
			}
			if len(diff) > 0 && !slices.Contains(skip, "stats") {
				t.Errorf("haproxy of %s: %s: %s", d.name(), name, strings.Join(diff, "; "))
			}
		}
	}
}

// atRest takes the mark of a check in flight off a row: it is there for the
// milliseconds of a check, and the code and text are empty then.
func atRest(row map[string]string) {
	if s, ok := strings.CutPrefix(row["check_status"], "* "); ok {
		row["check_status"], row["inflight"] = s, "yes"
	}
}

// weights is "weight" where neither side is or was in a slowstart: while DOWN
// a server keeps the weight it had on its way up.
func weights(a, b map[string]string) []string {
	if a["throttle"] != "" || b["throttle"] != "" || a["svname"] == "BACKEND" || !strings.HasPrefix(a["status"], "UP") {
		return nil
	}
	return []string{"weight"}
}

type sheet struct {
	header, order []string
	rows          map[string]map[string]string
}

func rows(t *testing.T, b []byte) sheet {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	s := sheet{header: all[0], rows: map[string]map[string]string{}}
	for _, r := range all[1:] {
		m := map[string]string{}
		for i, h := range all[0] {
			if _, dup := m[h]; !dup {
				m[strings.TrimPrefix(h, "# ")] = r[i]
			}
		}
		name := m["pxname"] + "/" + m["svname"]
		s.order = append(s.order, name)
		s.rows[name] = m
	}
	return s
}
