package model

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"pgtui/haproxy"
	"pgtui/source"
	"pgtui/source/refs"
)

// ClusterName is Pigsty's pg_cluster, for example "pg-test".
type ClusterName string

// InstanceName is pg_cluster and pg_seq joined by a dash, "pg-test-1": the
// name Patroni and HAProxy know the member by.
type InstanceName string

// ServiceName is the name of a Pigsty service without its cluster: "primary".
type ServiceName string

// Host is a node's inventory_hostname. Pigsty requires it to be the address
// that the node's components listen on.
type Host string

// Role is the declared pg_role of an instance. It is what the inventory
// promised, never what the instance is now.
type Role string

// The roles Pigsty accepts (roles/pg_id).
const (
	RolePrimary Role = "primary"
	RoleReplica Role = "replica"
	RoleStandby Role = "standby"
	RoleOffline Role = "offline"
	RoleDelayed Role = "delayed"
)

// Inventory is the declared world: what pigsty.yml promises.
type Inventory struct {
	Source string // path it was read from, as given
	// Path is what the inventory is known by: the absolute path without symbolic
	// links of every source, with commas between; "" when it was read from memory.
	Path    string
	Hash    string  // SHA-256 of every byte read, in hex
	Dialect Dialect // the Pigsty generation whose rules apply
	// DialectFrom says how the dialect was found, "version: v4.5.0 in
	// pigsty.yml:93".
	DialectFrom string
	// Language is the variable language of the inventory, "en" or "zh" with Pigsty; ""
	// when it has none.
	Language string
	// Core is the ansible-core the preview is meant for, "2.14.18"; "" when
	// that is unknown.
	Core     string
	CAFile   string           // CA certificate of the Pigsty checkout; "" when none was found
	Clusters []Cluster        // in order of first appearance
	Nodes    []Node           // every host of the inventory, in order of first appearance
	Problems []source.Problem // what is wrong with it and does not stop the rest
	// EntryPoints are endpoints that pgtui's configuration adds.
	EntryPoints []EntryPoint
	LoadedAt    time.Time // when it was read
	// Inputs are the files it was read from, as they were then; nil when it was
	// read from none.
	Inputs []source.Input
}

// Cluster is one PostgreSQL cluster and its endpoints.
type Cluster struct {
	Name      ClusterName
	Instances []Instance // in inventory order
	// Fronts are the HAProxy nodes that expose the cluster's services, in
	// inventory order: its own nodes, or the hosts of the provider group.
	LoadBalancers []LoadBalancer
	Provider      string // pg_service_provider group in force; "" means the cluster's own nodes
	VIP           string // pg_vip_address without its prefix length; "" when pg_vip_enabled is false
	// VIPManager is what keeps VIP on the leader's node; zero when there is none.
	VIPManager VIPManager
	Standby    bool // pg_upstream on the declared primary: a standby cluster
	// Scope is Patroni's name for the cluster: pg_shard in Citus, else pg_cluster.
	Scope   string
	Monitor Login // how its ports are tried
	API     REST  // the login that Patroni's REST API takes writes with
	DNS     DNSName
	Admin   User // pg_admin_username
	// Operator is the login of Admin, for actions on sessions of PostgreSQL.
	Operator Login
	Users    []User // pg_users, in order, without their passwords
	// Databases are pg_databases, in order.
	Databases []Database
	// TTL is how long Patroni's leader key outlives a dead leader, by pg_rto; 0
	// when that cannot be determined.
	TTL time.Duration
	// Patroni is what Pigsty writes into Patroni's dynamic configuration when it
	// makes the cluster; what is there now may have been edited since.
	Patroni PatroniConf
	// PatroniFrom is the inventory's word for Patroni, "pg_rpo 1048576, pg_conf
	// oltp.yml"; "" when there is none.
	PatroniFrom string
	// Etcd are the members of the etcd that Patroni keeps its state in, in the
	// order of the inventory; nil when the inventory has none.
	Etcd []Endpoint
	// Problems name the services and hosts that could not be rendered, and why.
	Problems []source.Problem
}

// REST is the login of Patroni's REST API.
type REST struct {
	User     string // patroni_username
	Password Secret // patroni_password
}

// DNSName is the cluster's name as Pigsty registers it in dnsmasq. The zero
// value means that it registers none.
type DNSName struct {
	Name   string // pg_cluster and pg_dns_suffix
	Target string // the address it is bound to
	// From is the inventory's word for it, "pg_dns_target: auto".
	From string
	// Off is true where dns_enabled is false: no name is registered then, an
	// instance's neither.
	Off bool
}

// VIPManager is how vip-manager follows the leader, as Pigsty configures it.
type VIPManager struct {
	Prefix    string   // length of the prefix of VIP, "24"
	Interface string   // pg_vip_interface; "auto" is the one that has the node's address
	Key       string   // under which etcd has the leader's name
	Endpoints []string // of etcd, "https://10.10.10.10:2379"
	User      string   // at etcd; "" where the generation knows none
}

// NodeVIP is the address that keepalived keeps on one of several nodes
// (vip_address). The zero value means that the node takes part in none.
type NodeVIP struct {
	Address   string // without its prefix length
	Router    int    // vip_vrid; 0 when it is not declared
	Interface string // vip_interface; "auto" is the one that has the node's address
}

// Instance is one declared PostgreSQL server.
type Instance struct {
	Name         InstanceName
	Host         Host
	Seq          int
	Role         Role
	PgPort       uint16 // 5432 unless declared
	BouncerPort  uint16 // pgbouncer, 6432 unless declared
	PatroniPort  uint16 // 8008 unless declared
	PatroniTLS   bool   // patroni_ssl_enabled
	OfflineQuery bool   // pg_offline_query
	Logs         LogDirs
}

// LogDirs are the directories of an instance's log files; "" leaves them to Pigsty.
type LogDirs struct {
	Postgres  string // pg_log_dir
	Patroni   string // patroni_log_dir
	PgBouncer string // pgbouncer_log_dir
}

// Pools reports whether the port, as HAProxy has it, is the instance's pgbouncer;
// no port is one of the nil instance.
func (in *Instance) Pools(port string) bool {
	return in != nil && port == strconv.Itoa(int(in.BouncerPort))
}

// LoadBalancer is one HAProxy node of a cluster with the services it is given. Two load balancers of one cluster may differ: services are declared per host.
type LoadBalancer struct {
	Host     Host
	Services []Service // in the order Pigsty renders them; names are unique
}

// Service is one HAProxy listen section, resolved: every text field is what
// the file will say, byte for byte.
type Service struct {
	Cluster  ClusterName
	Name     ServiceName
	Rendered Host   // the host whose variables produced it, named in the file's header
	IP       string // bind address, "*" unless declared
	Port     string // bind port
	MaxConn  string
	Balance  string
	Check    string // path of the HTTP check, "/primary"
	NoCheck  bool   // none is declared: Check is Pigsty's default, which only the leader passes
	Options  string // arguments of default-server
	// CheckPort is the old dialects' trailing check_port; "" when absent.
	CheckPort string
	Dest      string     // dest as declared, "default" when absent
	Selector  string     // JMESPath as declared
	Backup    string     // JMESPath as declared; "" when absent
	Members   []Server   // result of Selector, in order
	Backups   []Server   // result of Backup, in order
	Line      source.Pos // where the service is declared; zero when it is one of Pigsty's own
	// Text is the whole file as the checkout's own template prints it, with
	// ManagedDate for the date; "" when the template is the dialect's.
	Text string
}

// ManagedDate stands for the date of the "ansible managed" line in a Service's
// Text.
const ManagedDate = "\x00date\x00"

// Server is one server line of a service.
type Server struct {
	Name      InstanceName
	Host      Host
	Port      string // where the traffic goes
	CheckPort string // where Patroni is probed, "8008" unless declared
	CheckTLS  bool   // the check speaks TLS
	Weight    string
}

// Node is one host of the inventory and how to reach what runs on it.
type Node struct {
	Host Host
	// Name is the nodename HAProxy's stats page is named after. "" when only
	// the node itself knows it (neither nodename nor pg_cluster+pg_seq declared).
	Name    string
	SSH     SSHTarget
	HAProxy HAProxyAccess
	VIP     NodeVIP
	// Components are what Pigsty runs here, in the order of Dialect.Parts.
	Components []Component
}

// SSHTarget is how the node's files are read and changed.
type SSHTarget struct {
	Local      bool   // ansible_connection: local, or the node is this machine
	Root       string // directory that stands for the node's "/"; "" except in a sandbox
	Address    string // ansible_host, else the inventory name
	Port       uint16 // 0 leaves it to ssh
	User       string // "" leaves it to ssh
	KeyFile    string // ansible_ssh_private_key_file; "" leaves it to ssh
	CommonArgs string // ansible_ssh_common_args, as declared
}

// HAProxyAccess is how the stats page of a node is probed.
type HAProxyAccess struct {
	Port     uint16 // haproxy_exporter_port, 9101 unless declared
	User     string
	Password Secret
	// URIs are the stats pages to try in order, for example
	// "/haproxy/pg-test-1/". A page that is not there answers 503.
	URIs []string
}

// Secret is a password. It never prints itself.
type Secret string

// String hides the secret.
func (Secret) String() string { return "********" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `"********"` }

// MarshalText hides the secret from JSON and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte("********"), nil }

// Unpredictable reports whether a problem of the inventory as a whole keeps
// anybody from saying what Ansible would write.
func (inv *Inventory) Unpredictable() bool {
	for _, p := range inv.Problems {
		if p.Fatal {
			return true
		}
	}
	return false
}

// Cluster returns the cluster of that name, or nil.
func (inv *Inventory) Cluster(name ClusterName) *Cluster {
	return refs.Find(inv.Clusters, func(c *Cluster) bool { return c.Name == name })
}

// Node returns the node of that host, or nil.
func (inv *Inventory) Node(h Host) *Node {
	return refs.Find(inv.Nodes, func(n *Node) bool { return n.Host == h })
}

// Is reports whether name is the node's address or its nodename.
func (n *Node) Is(name string) bool {
	return string(n.Host) == name || n.Name != "" && n.Name == name
}

// HostOf is the host of the node with that address or nodename, else of the
// instance of that name; "" when the inventory has neither.
func (inv *Inventory) HostOf(name string) Host {
	if n := refs.Find(inv.Nodes, func(n *Node) bool { return n.Is(name) }); n != nil {
		return n.Host
	}
	if _, in := inv.InstanceOf(InstanceName(name)); in != nil {
		return in.Host
	}
	return ""
}

// InstanceOf is the instance of that name with its cluster; nil when there is none.
func (inv *Inventory) InstanceOf(name InstanceName) (*Cluster, *Instance) {
	for i := range inv.Clusters {
		if in := inv.Clusters[i].Instance(name); in != nil {
			return &inv.Clusters[i], in
		}
	}
	return nil, nil
}

// InstanceOn is the instance of that name on a node, else the first instance there;
// nil when the node has none.
func (inv *Inventory) InstanceOn(h Host, name string) (c *Cluster, in *Instance) {
	for _, x := range inv.ClustersOn(h) {
		if on := x.OnHost(h); in == nil || string(on.Name) == name {
			c, in = x, on
		}
	}
	return c, in
}

// ClustersOn are the clusters that have an instance on the node.
func (inv *Inventory) ClustersOn(h Host) []*Cluster {
	var out []*Cluster
	for i := range inv.Clusters {
		if inv.Clusters[i].OnHost(h) != nil {
			out = append(out, &inv.Clusters[i])
		}
	}
	return out
}

// Label is a node as an operator knows it: "pg-test-1 (10.10.10.11)", the address
// alone where it has no other name.
func (inv *Inventory) Label(h Host) string {
	if n := inv.Node(h); n != nil {
		return Label(h, n.Name)
	}
	return string(h)
}

// Label is a node by its address and its nodename. See Inventory.Label.
func Label(h Host, nodename string) string {
	if nodename == "" || nodename == string(h) {
		return string(h)
	}
	return nodename + " (" + string(h) + ")"
}

// Instance returns the instance of that name, or nil.
func (c *Cluster) Instance(name InstanceName) *Instance {
	return refs.Find(c.Instances, func(in *Instance) bool { return in.Name == name })
}

// LoadBalancer returns the cluster's HAProxy on that host, or nil.
func (c *Cluster) LoadBalancer(h Host) *LoadBalancer {
	return refs.Find(c.LoadBalancers, func(f *LoadBalancer) bool { return f.Host == h })
}

// Service returns the service of that name as this load balancer has it, or nil.
func (f *LoadBalancer) Service(name ServiceName) *Service {
	return refs.Find(f.Services, func(s *Service) bool { return s.Name == name })
}

// Services are the cluster's services over all load balancers, each name once, in the
// order they first appear. A service that load balancers declare differently is
// returned as the first load balancer has it.
func (c *Cluster) Services() []*Service {
	var out []*Service
	seen := map[ServiceName]bool{}
	for i := range c.LoadBalancers {
		for j := range c.LoadBalancers[i].Services {
			s := &c.LoadBalancers[i].Services[j]
			if !seen[s.Name] {
				seen[s.Name] = true
				out = append(out, s)
			}
		}
	}
	return out
}

// Proxy is the name of the service's HAProxy section: "pg-test-primary".
func (s *Service) Proxy() string { return string(s.Cluster) + "-" + string(s.Name) }

// FileName is the name of the service's file in the HAProxy directory.
func (s *Service) FileName() string { return s.Proxy() + ".cfg" }

// Server is the server of that instance; nil when the service has none.
func (s *Service) Server(name InstanceName) *Server {
	named := func(sv *Server) bool { return sv.Name == name }
	return cmp.Or(refs.Find(s.Members, named), refs.Find(s.Backups, named))
}

// onHost reports whether any of the servers is on that host. The lists are as
// long as a cluster has members: a map would cost more than it saves.
func onHost(servers []Server, h Host) bool {
	for i := range servers {
		if servers[i].Host == h {
			return true
		}
	}
	return false
}

// Servers are the server lines in file order: members first, then those that
// are backup only. backup is which of them carry the backup keyword.
func (s *Service) Servers() (servers []Server, backup []bool) {
	n := len(s.Members) + len(s.Backups)
	servers, backup = make([]Server, 0, n), make([]bool, 0, n)
	for i := range s.Members {
		servers, backup = append(servers, s.Members[i]), append(backup, onHost(s.Backups, s.Members[i].Host))
	}
	for i := range s.Backups {
		if !onHost(s.Members, s.Backups[i].Host) {
			servers, backup = append(servers, s.Backups[i]), append(backup, true)
		}
	}
	return servers, backup
}

// Join lists names or hosts with commas.
func Join[S ~string](names []S) string { return strings.Join(Strings(names), ", ") }

// Strings are names or hosts as text, never nil.
func Strings[S ~string](names []S) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return out
}

// OnHost returns the instance on that node, or nil.
func (c *Cluster) OnHost(h Host) *Instance {
	return refs.Find(c.Instances, func(in *Instance) bool { return in.Host == h })
}

// Pooled reports whether the service's servers are poolers.
func (c *Cluster) Pooled(svc *Service) bool {
	servers, _ := svc.Servers()
	for _, s := range servers {
		in := c.Instance(s.Name)
		if in.Pools(s.Port) && in.BouncerPort != in.PgPort {
			return true
		}
	}
	return len(servers) == 0 && svc.Dest == "pgbouncer"
}

// Service returns the service of that name as the first load balancer that has it
// declares it, or nil.
func (c *Cluster) Service(name ServiceName) *Service {
	for i := range c.LoadBalancers {
		if s := c.LoadBalancers[i].Service(name); s != nil {
			return s
		}
	}
	return nil
}

// ServiceNames are the names of Services.
func (c *Cluster) ServiceNames() []ServiceName {
	var out []ServiceName
	for _, s := range c.Services() {
		out = append(out, s.Name)
	}
	return out
}

// HAProxies are the hosts of the cluster's load balancers.
func (c *Cluster) HAProxies() []Host {
	out := make([]Host, len(c.LoadBalancers))
	for i := range c.LoadBalancers {
		out[i] = c.LoadBalancers[i].Host
	}
	return out
}

// Names are the cluster's instances.
func (c *Cluster) Names() []InstanceName {
	out := make([]InstanceName, len(c.Instances))
	for i := range c.Instances {
		out[i] = c.Instances[i].Name
	}
	return out
}

// ZeroedByHand reports whether the weight 0 of a server is not the declared one.
func (s *Service) ZeroedByHand(name InstanceName) bool {
	sv := s.Server(name)
	return sv != nil && haproxy.WeightDiffers(sv.Weight, 0)
}
