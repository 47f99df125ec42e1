package node

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgtui/internal/fuzz"
	"pgtui/model"
)

const twoVolumes = "pgtui-store 1\ndf 1000 400 /data\ndf 500 100 /wal disk\n"

// backupJSON is what pgBackRest 2.5 prints, shortened.
const backupJSON = `[{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"00A","min":"001"}],"backup":[
{"label":"20260101-000000F","type":"full","timestamp":{"start":1767225600,"stop":1767225660},"info":{"size":5000,"delta":5000}},
{"label":"20260101-000000F_20260102-000000I","type":"incr","timestamp":{"start":1767312000,"stop":1767312060},"info":{"size":6000,"delta":10}}],
"name":"pg-test","status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}},{"name":"other","backup":[],"status":{"code":2,"message":"no valid backups"}}]`

func TestParseStore(t *testing.T) {
	for _, tt := range []struct{ name, text, stanza, want string }{
		{"backups", twoVolumes + "info\n" + backupJSON, "pg-test", "{/data 1024000 409600} {/wal disk 512000 102400} pg-test 0 ok 2 1767312060 1767225660 incr 6000"},
		{"no backup", twoVolumes + "info\n" + backupJSON, "other", "{/data 1024000 409600} {/wal disk 512000 102400} other 2 no valid backups 0 -62135596800 -62135596800  0"},
		{"another stanza", twoVolumes + "info\n" + backupJSON, "pg-x", "why pgbackrest has no stanza pg-x"},
		{"no pgbackrest", twoVolumes + "none\n", "pg-test", "why the node has no pgbackrest"},
		{"an error", twoVolumes + "info\nERROR: [103]: unable to find a valid repository:\x1b[2J\n more", "pg-test", "why pgbackrest answers: ERROR: [103]: unable to find a valid repository:[2J"},
		{"no directory", "pgtui-store 1\ndf \ndf 9 10 /\nnone\n", "pg-test", "why the node has no pgbackrest"},
		{"cut", "pgtui-store 1\ndf 1000 400 /data\n", "pg-test", "error the answer is cut"},
		{"cut before the end", twoVolumes, "pg-test", "error the answer is cut"},
		{"something else", "bash: pgtui\n", "pg-test", "error the answer is not in the expected form"},
	} {
		st, err := parseStore([]byte(tt.text), tt.stanza)
		b := &st.Backup
		got := fmt.Sprintf("%v %v %s %d %s %d %d %d %s %d", st.Data, st.WAL, b.Stanza, b.Code, b.Status, b.Count, b.Last.Unix(), b.LastFull.Unix(), b.Kind, b.Size)
		if b.Why != "" {
			got = "why " + b.Why
		}
		if err != nil {
			got = "error " + err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	st, _ := parseStore([]byte("pgtui-store 1\ndf \ndf 9 10 /\nnone\n"), "")
	if st.Data != (model.Volume{}) || st.WAL != (model.Volume{}) {
		t.Errorf("damaged volumes are kept: %+v", st)
	}
	if v := (model.Volume{Mount: "/", Total: 1000, Free: 50}); v.Used() != 95 {
		t.Errorf("%d %% used", v.Used())
	}
}

// FuzzParseStore: whatever a node sends is bounded and harmless.
func FuzzParseStore(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte(twoVolumes + "info\n" + backupJSON))
	f.Add([]byte(twoVolumes + "none\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := parseStore(b, "pg-test")
		if err != nil {
			return
		}
		fuzz.Harmless(t, st)
		if st.Data.Used() < 0 || st.Data.Used() > 100 || len([]rune(st.Backup.Why)) > 200 || st.Backup.Last.After(time.Unix(1<<40, 0)) {
			t.Errorf("%+v", st)
		}
		if strings.ContainsAny(st.Backup.Status, "\n\x1b") {
			t.Errorf("%q", st.Backup.Status)
		}
	})
}
