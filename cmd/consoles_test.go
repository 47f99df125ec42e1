package cmd_test

import (
	"bufio"
	"crypto/pbkdf2"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgtui/ansible/inventory"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/probe"
)

// played starts a sandbox of that many clusters in a process of its own, and
// returns its inventory.
func played(b *testing.B, clusters string) *model.Inventory {
	b.Helper()
	dir, bin := b.TempDir(), program(b)
	c := exec.Command(bin, "demo", "--serve", "--clusters", clusters, "--dir", filepath.Join(dir, "sb"))
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = c.Process.Signal(os.Interrupt); _ = c.Wait() })
	sc := bufio.NewScanner(out)
	for sc.Scan() && !strings.Contains(sc.Text(), "pigsty.yml") {
	}
	inv, err := inventory.Load(os.DirFS(filepath.Join(dir, "sb")), "pigsty.yml", inventory.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return pigsty.NewPlay(inv, pigsty.Options{}).Model
}

// used is the processor time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// BenchmarkConsoles: what the questions to the consoles of 1,000 pgbouncers cost
// beside the turn that asks everything else, in processor time of this process,
// both in the same run. A watch that asks every 5 s asks them in one turn of
// twelve. Budget of consoles/turn-%: 10. The sandbox's passwords are md5: scram-%
// is the same with the SCRAM proof that a real pgbouncer asks for.
func BenchmarkConsoles(b *testing.B) {
	inv := played(b, "333")
	silent := *inv
	silent.Clusters = append([]model.Cluster{}, inv.Clusters...)
	for i := range silent.Clusters {
		silent.Clusters[i].Monitor = model.Login{}
	}
	var took [2]time.Duration
	turn := func(i int, inv *model.Inventory) {
		p := probe.New(probe.Options{Timeout: time.Minute})
		for some := range slices.Chunk(inv.Clusters, 33) { // a look at more than 200 ports asks no console
			var names []model.ClusterName
			for k := range some {
				names = append(names, some[k].Name)
			}
			at := used(b)
			s, err := p.Probe(b.Context(), inv, names...)
			took[i] += used(b) - at
			if err != nil {
				b.Fatal(err)
			}
			for name, v := range s.Patroni {
				if !v.Status.Known() || v.Pool.Known() != (i == 1) {
					b.Fatalf("%s: %v, %v", name, v.Status.Err, v.Pool.Err)
				}
			}
		}
	}
	for b.Loop() {
		turn(0, &silent)
		turn(1, inv)
	}
	at := used(b)
	const proofs = 100
	for range proofs {
		if _, err := pbkdf2.Key(sha256.New, "DBUser.Monitor", []byte("sixteen bytes of"), 4096, 32); err != nil {
			b.Fatal(err)
		}
	}
	proof := (used(b) - at) / proofs
	n := float64(b.N)
	plain, more := took[0].Seconds()*1000/n, (took[1]-took[0]).Seconds()*1000/n
	scram := more + 1000*proof.Seconds()*1000
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(plain, "turn-ms")
	b.ReportMetric(more, "consoles-ms")
	b.ReportMetric(100*more/12/plain, "consoles/turn-%")
	b.ReportMetric(100*scram/12/plain, "scram-%")
	b.ReportMetric(proof.Seconds()*1000, "proof-ms")
}
