package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgtui/haproxy"
	"pgtui/internal/fuzz"
	"pgtui/model"
	"pgtui/probe/transport"
)

// showProc are the masters' answers that were recorded on the lab.
func showProc(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	files, err := filepath.Glob("../../testdata/captures/*/reload-in-progress/master-show_proc.txt")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(filepath.Dir(filepath.Dir(f)))] = b
	}
	return out
}

// recorded is a file of testdata/captures.
func recorded(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../testdata/captures", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestShowProc(t *testing.T) {
	pages := showProc(t)
	const hour = time.Hour
	for _, tt := range []struct {
		name, text string
		want       procs
		err        string
	}{
		{name: "HAProxy 2.6 with an old worker", text: string(pages["bookworm"]), want: procs{workers: []proc{
			{pid: 17142, uptime: time.Second, version: "2.6.12-1+deb12u4"},
			{pid: 38, old: true, uptime: 11*time.Minute + 40*time.Second, version: "2.6.12-1+deb12u4"}}}},
		{name: "HAProxy 3.0, nothing old", text: string(pages["trixie"]), want: procs{workers: []proc{{pid: 454, uptime: time.Second, version: "3.0.11-1+deb13u3"}}}},
		{name: "HAProxy 2.4 has another column; a reload failed", text: "#<PID>          <type>          <relative PID>  <reloads>       <uptime>        <version>\n" +
			"10 master 0 3 [failed: 2] 2d01h00m00s 2.4.22\n# workers\n11 worker 1 0 0d01h00m00s 2.4.22\n# old workers\n9 worker [was: 1] 1 2d01h00m00s 2.4.22\n# programs\n",
			want: procs{failed: 2, workers: []proc{{pid: 11, uptime: hour, version: "2.4.22"}, {pid: 9, old: true, uptime: 49 * hour, version: "2.4.22"}}}},
		{name: "a line that is cut", text: "#<PID> <type> <reloads> <uptime> <version>\n11 worker 1\n", err: "is not a process"},
		{name: "2.4 without old workers", text: "#<PID> <type> <relative PID> <reloads> <uptime> <version>\n10 master 0 3 [failed: 2] 2d01h00m00s 2.4.22\n# workers\n11 worker 1 0 0d01h00m00s 2.4.22\n",
			want: procs{failed: 2, workers: []proc{{pid: 11, uptime: hour, version: "2.4.22"}}}},
		{name: "the master is reloading: it hangs up", text: "\n", err: "no answer"},
		{name: "something else", text: "Unknown command\n", err: "no answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseProc([]byte(tt.text))
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("%v, want %q", err, tt.err)
			}
			if err == nil && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// ghostSess is what a real old worker of HAProxy 2.6 answered.
const ghostSess = `0x563568b7be40: proto=tcpv4 src=10.10.10.1:44964 fe=pg-test-replica be=pg-test-replica srv=pg-test-2 ts=00 epoch=0 age=4s calls=3 rate=0 cpu=0 lat=0 rq[f=848000h,i=0,an=00h,rx=23h59m,wx=,ax=] rp[f=80048000h,i=0,an=00h,rx=23h59m,wx=,ax=] scf=[8,0h,fd=19] scb=[8,1h,fd=20] exp=23h59m rc=0 c_exp=
0x563568ca6f90: proto=sockpair src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s calls=2 rate=1 cpu=0 lat=0 rq[f=c0c020h,i=0,an=00h,rx=,wx=,ax=] rp[f=80008002h,i=0,an=00h,rx=,wx=,ax=] scf=[8,0h,fd=6] scb=[8,1h,fd=-1] exp=10s rc=0 c_exp=
0x7f9448046eb0: proto=tcpv4 src=10.10.10.1:36044 fe=pg-test-primary be=pg-test-primary srv=pg-test-1 ts=00 epoch=0 age=1h2m calls=3 rate=0 cpu=0 lat=0 rq[f=848000h,i=0,an=00h,rx=23h59m,wx=,ax=] rp[f=80048000h,i=0,an=00h,rx=23h59m,wx=,ax=] scf=[8,0h,fd=17] scb=[8,1h,fd=18] exp=23h59m rc=0 c_exp=

`

// ghostStat is its "show stat", cut to the columns that are read.
const ghostStat = `# pxname,svname,scur,stot,status,weight,bck,type,check_status,
pg-test-primary,FRONTEND,1,4,STOP,,,0,,
pg-test-primary,pg-test-1,1,4,UP,100,0,2,L7OK,
pg-test-primary,pg-test-2,0,0,DOWN,100,0,2,L7STS,
pg-test-primary,BACKEND,1,4,UP,100,1,1,,
pg-test-replica,pg-test-2,1,2,UP,100,0,2,L7OK,

`

// listed is what haproxy.sh prints of a node with one ghost.
func listed(proc string) string {
	frame := func(name, text string) string { return fmt.Sprintf("%s %d\n%s\n", name, len(text), text) }
	return "pgtui-haproxy 1\nnow 1000000.5\nclient socat\nsocket 1\n" + frame("proc", proc) +
		"age 17142 1.25\nage 38 90000.00\n" + frame("stat 38", ghostStat) + frame("sess 38", ghostSess) + "end\n"
}

func TestProcesses(t *testing.T) {
	run, err := parseRuntime([]byte(listed(string(showProc(t)["bookworm"]))))
	if err != nil {
		t.Fatal(err)
	}
	p := run.Processes
	at := time.Unix(1000000, 500000000).UTC()
	want := haproxy.Processes{At: at, Socket: true, Workers: []haproxy.Worker{
		{PID: 17142, Started: at.Add(-1250 * time.Millisecond), Version: "2.6.12-1+deb12u4"},
		// The kernel's 90000 s cannot be: the master says 700.
		{PID: 38, Old: true, Known: true, Started: at.Add(-700 * time.Second), Version: "2.6.12-1+deb12u4", Oldest: 62 * time.Minute,
			Pins: []haproxy.Pin{{Proxy: "pg-test-primary", Server: "pg-test-1", Sessions: 1}, {Proxy: "pg-test-replica", Server: "pg-test-2", Sessions: 1}}},
	}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("%+v\nwant %+v", p, want)
	}
	if n := p.Workers[1].Sessions(); n != 2 {
		t.Errorf("%d sessions", n)
	}
}

func TestProcessesThatCannotBeAsked(t *testing.T) {
	for _, tt := range []struct {
		name, text, missing string
		workers             int
		err                 string
	}{
		{"no master socket: the youngest process serves", "pgtui-haproxy 1\nnow 1000\nclient perl\nsocket 0\nage 7 500\nage 9 3\nend\n", "no master socket", 2, ""},
		{"a sandbox", "pgtui-haproxy 1\nnow 1000\nclient perl\nsocket 0\nend\n", "no master socket", 0, ""},
		{"nothing to talk with", "pgtui-haproxy 1\nnow 1000\nclient none\nsocket 1\nend\n", "none of socat", 0, ""},
		{"the master hangs up", "pgtui-haproxy 1\nnow 1000\nclient socat\nsocket 1\nproc 1\n\n\nend\n", "does not answer", 0, ""},
		{"cut", "pgtui-haproxy 1\nnow 1000\nclient socat\nsocket 1\nproc 100\n", "", 0, "damaged"},
		{"no end", "pgtui-haproxy 1\nnow 1000\nclient socat\nsocket 0\n", "", 0, "cut"},
		{"not ours", "bash: no\n", "", 0, "not a list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run, err := parseRuntime([]byte(tt.text))
			p := run.Processes
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("%v, want %q", err, tt.err)
			}
			if !strings.Contains(p.Missing, tt.missing) || p.Missing != "" && p.Socket || len(p.Workers) != tt.workers {
				t.Fatalf("%+v", p)
			}
			if tt.workers == 2 && (!p.Workers[0].Old || p.Workers[1].Old || p.Workers[0].Known) {
				t.Errorf("%+v", p.Workers)
			}
		})
	}
}

// TestHAProxyScript runs the script where there is no HAProxy.
func TestHAProxyScript(t *testing.T) {
	run, err := ReadRuntime(t.Context(), transport.Local{}, model.SSHTarget{Root: t.TempDir()})
	p := run.Processes
	if err != nil || p.Missing != "no master socket /run/haproxy-master.sock" || p.At.IsZero() || len(p.Workers) > 0 {
		t.Errorf("%+v, %v", p, err)
	}
	lost := errors.New("lost")
	r := transport.NewReplay(transport.Exchange{Address: "a", Args: []string{"20", "524288", "4194304"}, Err: lost})
	if _, err := ReadRuntime(t.Context(), r, model.SSHTarget{Address: "a"}); !errors.Is(err, lost) {
		t.Error(err)
	}
}

func FuzzProcesses(f *testing.F) {
	fuzz.Target(f)
	for _, b := range showProc(f) {
		f.Add([]byte(listed(string(b))))
	}
	f.Add([]byte("pgtui-haproxy 1\nnow 1000\nclient perl\nsocket 0\nage 7 500\nage 9 3\nend\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		run, err := parseRuntime(b)
		p := run.Processes
		if err != nil {
			return
		}
		old := 0
		for _, w := range p.Workers {
			if w.PID <= 0 || w.Sessions() < 0 || w.Oldest < 0 || w.Known && !w.Old || strings.ContainsFunc(w.Version+w.Err, unicode.IsControl) {
				t.Fatalf("%+v", w)
			}
			for _, pin := range w.Pins {
				if pin.Sessions <= 0 || strings.ContainsFunc(pin.Proxy+pin.Server, unicode.IsControl) {
					t.Fatalf("%+v", pin)
				}
			}
			if w.Old {
				old++
			}
		}
		if p.Missing != "" && p.Socket || len(p.Workers) > 2*maxWorkers || p.Current() == nil && old < len(p.Workers) {
			t.Fatalf("%+v", p)
		}
	})
}

func FuzzMasterSession(f *testing.F) {
	fuzz.Target(f)
	f.Add([]byte(ghostSess))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range parseSess(b) {
			if s.age < 0 || !strings.HasPrefix(s.id, "0x") || strings.ContainsFunc(s.src+s.server+s.backend, unicode.IsControl) {
				t.Fatalf("%+v", s)
			}
		}
	})
}
