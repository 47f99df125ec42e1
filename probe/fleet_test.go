package probe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgtui/model"
	"pgtui/source"
)

// fleet is any number of simulated nodes behind a Dial function. Connections
// are pipes in memory, so that it works on synctest's clock.
type fleet struct {
	mu      sync.Mutex
	dead    map[string]bool          // by host: nothing answers a connection
	hang    map[string]bool          // by "host path": connects, never answers
	delay   map[string]time.Duration // by "host path"
	role    map[string]string        // by host: of its Patroni; "replica" unless set
	page    []byte                   // of every HAProxy
	config  map[string]string        // GET /config by host; 503 unless set
	dials   map[string][]time.Time   // by host
	now     map[string]int           // requests in flight by host
	most    int                      // in flight on one host
	mostAll int                      // in flight on all
}

func newFleet(page []byte) *fleet {
	return &fleet{
		dead: map[string]bool{}, hang: map[string]bool{}, delay: map[string]time.Duration{}, role: map[string]string{},
		page: page, dials: map[string][]time.Time{}, now: map[string]int{},
	}
}

func (f *fleet) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// dialled is when connections to the host were opened.
func (f *fleet) dialled(host string) []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.dials[host])
}

// dial implements DialFunc.
func (f *fleet) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	host, port, _ := net.SplitHostPort(addr)
	f.mu.Lock()
	f.dials[host] = append(f.dials[host], time.Now())
	dead := f.dead[host]
	f.mu.Unlock()
	if dead {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	client, server := net.Pipe()
	go f.answer(server, host, port)
	f.count(host, 1)
	return &counted{Conn: client, closed: sync.OnceFunc(func() { f.count(host, -1) })}, nil
}

// counted tells when the prober closes its side.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (f *fleet) count(host string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now[host] += n
	all := 0
	for _, n := range f.now {
		all += n
	}
	f.most, f.mostAll = max(f.most, f.now[host]), max(f.mostAll, all)
}

func (f *fleet) answer(c net.Conn, host, port string) {
	defer c.Close()
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	path := req.URL.Path
	f.mu.Lock()
	hang, delay, role := f.hang[host+" "+path], f.delay[host+" "+path], f.role[host]
	f.mu.Unlock()
	if hang {
		io.Copy(io.Discard, c)
		return
	}
	time.Sleep(delay)
	code, body := f.say(host, port, path, role)
	fmt.Fprintf(c, "HTTP/1.0 %d X\r\nContent-Type: text/plain\r\n\r\n%s", code, body)
}

func (f *fleet) say(host, port, path, role string) (int, string) {
	f.mu.Lock()
	dials := len(f.dials[host])
	f.mu.Unlock()
	if role == "" {
		role = "replica"
	}
	switch {
	case port == "9101":
		return 200, string(f.page)
	case path == "/config" && f.config[host] != "":
		return 200, f.config[host]
	case path == "/patroni":
		return 200, `{"state":"running","role":"` + role + `","patroni":{"version":"4.0.7","scope":"c"},"xlog":{"location":` + fmt.Sprint(dials) + `}}`
	case path == "/cluster":
		return 200, `{"members":[{"name":"` + host + `","role":"replica","state":"streaming","lag":0}],"scope":"c"}`
	case path == "/primary" && role == "primary", path == "/read-only", path == "/replica" && role == "replica":
		return 200, ""
	default:
		return 503, ""
	}
}

// inventory has clusters of n nodes each, with two services of their own.
func inventory(clusters, n int) *model.Inventory {
	inv := &model.Inventory{}
	for ci := range clusters {
		c := model.Cluster{Name: model.ClusterName(fmt.Sprintf("c%d", ci))}
		var servers []model.Server
		for i := range n {
			host := model.Host(fmt.Sprintf("10.%d.0.%d", ci, i+1))
			name := model.InstanceName(fmt.Sprintf("c%d-%d", ci, i+1))
			c.Instances = append(c.Instances, model.Instance{Name: name, Host: host, PatroniPort: 8008})
			servers = append(servers, model.Server{Name: name, Host: host})
			inv.Nodes = append(inv.Nodes, model.Node{Host: host, HAProxy: model.HAProxyAccess{
				Port: 9101, User: "admin", URIs: []string{"/haproxy/" + string(name) + "/"},
			}})
		}
		for i := range n {
			c.LoadBalancers = append(c.LoadBalancers, model.LoadBalancer{Host: c.Instances[i].Host, Services: []model.Service{
				{Cluster: c.Name, Name: "primary", Check: "/primary", Members: servers},
				{Cluster: c.Name, Name: "default", Check: "/primary", Members: servers},
				{Cluster: c.Name, Name: "replica", Check: "/read-only", Members: servers},
				{Cluster: c.Name, Name: "offline", Check: "replica", Members: servers[n-1:]},
			}})
		}
		inv.Clusters = append(inv.Clusters, c)
	}
	return inv
}

const captures = "../testdata/captures"

// page is a small stats page.
const page = "# pxname,svname,type,status,weight,bck,\nc0-primary,FRONTEND,0,OPEN,,,\nc0-primary,c0-1,2,UP,100,0,\nc0-primary,BACKEND,1,UP,100,0,\n"

func keys(m map[string]source.Observed[int]) string {
	var out []string
	for _, k := range []string{"/primary", "/read-only", "replica", "/replica"} {
		if _, ok := m[k]; ok {
			out = append(out, k)
		}
	}
	return strings.Join(out, " ")
}

func tester(f *fleet) *Prober {
	return New(Options{Dial: f.dial, Jitter: func() float64 { return 0.5 }})
}

func known(t *testing.T, s *model.Snapshot, name model.InstanceName) {
	t.Helper()
	v := s.Patroni[name]
	if !v.Status.Known() || !v.Cluster.Known() {
		t.Errorf("%s is not known: %v, %v", name, v.Status.Err, v.Cluster.Err)
	}
	for path, c := range v.Checks {
		if !c.Known() {
			t.Errorf("%s %s is not known: %v", name, path, c.Err)
		}
	}
}
