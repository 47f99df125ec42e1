package emit

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"pgtui/model"
	"pgtui/model/access"
)

// The figures of the AWS templates.
const (
	recordTTL   = 30  // seconds a resolver keeps a Route 53 record
	checkEvery  = 10  // seconds between two health checks
	checkFails  = 3   // of them in a row that make a Route 53 record unhealthy
	alarmEvery  = 60  // seconds between two values of a metric, the least that Route 53 takes
	nlbFails    = 2   // of them in a row that make a target unhealthy, the least there is
	nlbTimeout  = 6   // seconds a target has to respond
	nlbIdle     = 350 // seconds after which an NLB drops an idle connection
	nlbDraining = 30  // seconds for which a removed target keeps its connections
)

// logicalNames gives resources the names that CloudFormation allows, each once.
type logicalNames map[string]bool

func (l logicalNames) of(parts ...string) string {
	var b strings.Builder
	up, number := true, false
	for _, r := range strings.Join(parts, "-") {
		switch {
		case r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			up = true
			continue
		case up && number && unicode.IsDigit(r): // 10.1 and 1.01 are two
			b.WriteByte('x')
		case up:
			r = unicode.ToUpper(r)
		}
		up, number = false, unicode.IsDigit(r)
		b.WriteRune(r)
	}
	name := b.String()
	for n := 2; l[name]; n++ {
		name = b.String() + "N" + strconv.Itoa(n)
	}
	l[name] = true
	return name
}

// resource is one of a template.
func resource(name, kind string, properties fields, why string) field {
	return field{name, fields{{"Type", kind, ""}, {"Properties", properties, ""}}, why}
}

// parameter is one of a template; def is "" for one that must be given.
func parameter(name, kind, about, def string) field {
	fs := fields{{"Type", kind, ""}, {"Description", about, ""}}
	if def != "" {
		fs = append(fs, field{"Default", def, ""})
	}
	return field{name, fs, ""}
}

// template writes a whole one below what b has already.
func template(b *strings.Builder, about string, parameters, resources, outputs fields) error {
	fs := fields{{"AWSTemplateFormatVersion", "2010-09-09", ""}, {"Description", about, ""}, {"Parameters", parameters, ""}, {"Resources", resources, ""}}
	if len(outputs) > 0 {
		fs = append(fs, field{"Outputs", outputs, ""})
	}
	return writeYAML(b, fs)
}

// private reports whether AWS's public health checkers cannot reach the address.
func private(a netip.Addr) bool {
	shared := netip.MustParsePrefix("100.64.0.0/10")
	a = a.Unmap()
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// awsEntry is a HAProxy's port that Route 53 leads to.
type awsEntry struct {
	*access.Entry
	addr netip.Addr
}

// awsEntries are the service ports of every HAProxy with an address, and the
// hosts that are not addresses.
func awsEntries(a *access.Access) (out []awsEntry, names []string) {
	ports, _ := servicesOf(a)
	for i := range a.Entries {
		e := &a.Entries[i]
		known := slices.ContainsFunc(ports, func(p model.EntryPort) bool { return p.Name == e.At.Name && p.Port == e.At.Port })
		if !known || e.On.Kind != access.HostAddress && e.On.Kind != access.HostProvider {
			continue
		}
		addr, err := netip.ParseAddr(e.Host)
		if err != nil || addr.Zone() != "" {
			if !slices.Contains(names, e.Host) {
				names = append(names, e.Host)
			}
			continue
		}
		out = append(out, awsEntry{e, addr.Unmap()})
	}
	return out, names
}

// route53 is a multivalue record for each service port of each HAProxy,
// with a health check of its own.
func route53(a *access.Access) (string, error) {
	c := a.Cluster
	entries, names := awsEntries(a)
	if len(entries) == 0 {
		return "", noServices(Route53, c)
	}
	var hidden []string
	for _, e := range entries {
		if s := e.addr.String(); private(e.addr) && !slices.Contains(hidden, s) {
			hidden = append(hidden, s)
		}
	}
	b := &strings.Builder{}
	note(b, fmt.Sprintf("CloudFormation for %s: a name for each service in Route 53, with a record and a health check for each HAProxy.", c.Name))
	note(b, fmt.Sprintf("aws cloudformation deploy --stack-name %s-route53 --template-file FILE --parameter-overrides HostedZoneId=… ZoneName=…", c.Name))
	note(b, "What clients use afterwards: "+recordName(c, entries[0].Entry, "ZoneName")+":"+strconv.Itoa(int(entries[0].Port))+". A record has no port: it stays with the client.")
	if len(hidden) > 0 {
		lint(b, "private-address", strings.Join(hidden, ", ")+": Route 53's checkers are on the public Internet and cannot reach private addresses (RFC 1918). Their checks follow a CloudWatch alarm "+
			"on a metric that something inside the VPC must publish; until then they are unhealthy, and Route 53 returns all of them")
	}
	if len(hidden) < len(uniqueAddrs(entries)) {
		lint(b, "public-address", "public addresses are checked from the Internet: the service ports must be open to Route 53's checkers, so they are open to others too")
		lint(b, "tcp-check", "a TCP check passes while HAProxy runs, even when the port has no server")
	}
	lint(b, "all-unhealthy", "when every check of a name fails, Route 53 returns up to eight unhealthy records: clients get addresses that do not serve")
	after := fmt.Sprintf("%d × %d s of checks", checkEvery, checkFails)
	if len(hidden) > 0 {
		after = fmt.Sprintf("%d s of the alarm (a public address: %s)", alarmEvery, after)
	}
	lint(b, "dns-ttl", fmt.Sprintf("a dead HAProxy leaves the answers after %s and the TTL of %d s; a JVM or a pool that caches longer keeps using it. Clients must try the next address", after, recordTTL))
	lint(b, "failover", "the records point to HAProxy nodes, which follow the leader: a failover of PostgreSQL changes no record")
	if c.VIP != "" {
		lint(b, "vip", "the VIP "+c.VIP+" is not in the records: a VPC has no layer 2, and vip-manager does not work there")
	}
	awsNames(b, names, "an address")
	l := logicalNames{}
	var resources fields
	for _, e := range entries {
		resources = append(resources, e.resources(l, c)...)
	}
	err := template(b, fmt.Sprintf("Route 53 records and health checks for the services of %s", c.Name), fields{
		parameter("HostedZoneId", "AWS::Route53::HostedZone::Id", "the hosted zone that the names are in", ""),
		parameter("ZoneName", "String", "the name of that zone, without a dot at its end", ""),
		parameter("MetricNamespace", "String", "of the CloudWatch metric ServiceUp", "Pigsty"),
	}, resources, nil)
	return b.String(), err
}

func uniqueAddrs(es []awsEntry) []string {
	var out []string
	for _, e := range es {
		if s := e.addr.String(); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func awsNames(b *strings.Builder, names []string, what string) {
	if len(names) > 0 {
		lint(b, "no-address", strings.Join(names, ", ")+": left out, not "+what)
	}
}

// recordName is the name of a service below a zone: that of its HAProxy section.
func recordName(c *model.Cluster, e *access.Entry, zone string) string {
	return string(c.Name) + "-" + e.At.Name + "." + zone
}

// resources are the record of an entry and what it hangs on.
func (e awsEntry) resources(l logicalNames, c *model.Cluster) fields {
	service, host := e.At.Name, e.addr.String()
	var out fields
	config := fields{{"Type", "TCP", ""}, {"IPAddress", host, ""}, {"Port", int(e.Port), ""}, {"RequestInterval", checkEvery, ""}, {"FailureThreshold", checkFails, ""}}
	if private(e.addr) {
		alarm := l.of(service, host, "alarm")
		out = append(out, resource(alarm, "AWS::CloudWatch::Alarm", fields{
			{"AlarmDescription", fmt.Sprintf("HAProxy on %s has no server for %s of %s", host, service, c.Name), ""},
			{"Namespace", ref("MetricNamespace"), ""},
			{"MetricName", "ServiceUp", ""},
			{"Dimensions", list{
				fields{{"Name", "Cluster", ""}, {"Value", string(c.Name), ""}},
				fields{{"Name", "Service", ""}, {"Value", service, ""}},
				fields{{"Name", "Node", ""}, {"Value", host, ""}},
			}, ""},
			{"Statistic", "Minimum", ""},
			{"Period", alarmEvery, "Route 53 does not accept a higher resolution"},
			{"EvaluationPeriods", 1, ""},
			{"ComparisonOperator", "LessThanThreshold", ""},
			{"Threshold", 1, ""},
			{"TreatMissingData", "breaching", "a node that does not report is down"},
		}, fmt.Sprintf("publish every %d s, 1 while haproxy_backend_status{proxy=\"%s-%s\",state=\"UP\"} of the node's /metrics is 1, else 0: aws cloudwatch put-metric-data --namespace Pigsty "+
			"--metric-name ServiceUp --dimensions Cluster=%[2]s,Service=%[3]s,Node=%[4]s --value 1", alarmEvery, c.Name, service, host)))
		config = fields{
			{"Type", "CLOUDWATCH_METRIC", "the address is private: Route 53's checkers cannot reach it"},
			{"AlarmIdentifier", fields{{"Name", ref(alarm), ""}, {"Region", ref("AWS::Region"), ""}}, ""},
			{"InsufficientDataHealthStatus", "Unhealthy", ""},
		}
	}
	check := l.of(service, host, "check")
	kind := "A"
	if e.addr.Is6() {
		kind = "AAAA"
	}
	return append(out,
		resource(check, "AWS::Route53::HealthCheck", fields{{"HealthCheckConfig", config, ""}}, ""),
		resource(l.of(service, host, "record"), "AWS::Route53::RecordSet", fields{
			{"HostedZoneId", ref("HostedZoneId"), ""},
			{"Name", tagged{"!Sub", recordName(c, e.Entry, "${ZoneName}")}, ""},
			{"Type", kind, ""},
			{"TTL", strconv.Itoa(recordTTL), ""},
			{"MultiValueAnswer", true, "cannot be combined with weighted records of the same name"},
			{"SetIdentifier", host, ""},
			{"ResourceRecords", list{host}, ""},
			{"HealthCheckId", ref(check), ""},
		}, ""))
}

// networkLB is a Network Load Balancer in front of the servers. Its checks query
// Patroni for the role.
func networkLB(a *access.Access) (string, error) {
	c := a.Cluster
	ports, twice := servicesOf(a)
	t := nlb{l: logicalNames{}, c: c}
	for _, p := range ports {
		t.service(p, c.Service(p.Service))
	}
	if len(t.groups) == 0 {
		return "", noServices(NLB, c)
	}
	b := &strings.Builder{}
	note(b, fmt.Sprintf("CloudFormation for %s: a Network Load Balancer with a listener and a target group for each service port. Its health checks query Patroni for the role.", c.Name))
	note(b, fmt.Sprintf("aws cloudformation deploy --stack-name %s-nlb --template-file FILE --parameter-overrides VpcId=… SubnetIds=…,… ClientCidr=…", c.Name))
	t.head(b, twice)
	err := t.write(b)
	return b.String(), err
}

// nlb collects the parts of a template.
type nlb struct {
	l         logicalNames
	c         *model.Cluster
	ingress   list
	listeners fields
	groups    fields
	checks    []string // ports on which Patroni is queried
	tls       bool
	names     []string // hosts that are not addresses
	public    []string // addresses that no target group takes
	spare     []string // services whose backups are left out
	mixed     []string // services whose servers are checked on several ports
}

// service adds a target group and its listener.
func (t *nlb) service(p model.EntryPort, svc *model.Service) {
	servers, leftOut := directServers(svc)
	if len(leftOut) > 0 {
		t.spare = append(t.spare, fmt.Sprintf("%s (%s)", p.Name, model.Join(leftOut)))
	}
	var targets list
	var check string
	port, tls := 0, false
	for _, s := range servers {
		n, err := strconv.ParseUint(s.Port, 10, 16)
		addr, bad := netip.ParseAddr(string(s.Host))
		addr = addr.Unmap()
		switch {
		case err != nil:
			continue
		case bad != nil || !addr.Is4():
			t.names = add(t.names, string(s.Host))
			continue
		case !private(addr):
			t.public = add(t.public, string(s.Host))
		}
		switch {
		case check == "":
			check, port, tls = s.CheckPort, int(n), s.CheckTLS
		case check != s.CheckPort || tls != s.CheckTLS:
			t.mixed = add(t.mixed, p.Name)
		}
		targets = append(targets, fields{{"Id", addr.String(), ""}, {"Port", int(n), ""}})
	}
	if len(targets) == 0 {
		return
	}
	t.checks, t.tls = add(t.checks, check), t.tls || tls
	protocol := "HTTP"
	if tls {
		protocol = "HTTPS"
	}
	group := t.l.of(p.Name, "targets")
	attribute := func(key, value, why string) fields { return fields{{"Key", key, why}, {"Value", value, ""}} }
	t.groups = append(t.groups, resource(group, "AWS::ElasticLoadBalancingV2::TargetGroup", fields{
		{"VpcId", ref("VpcId"), ""},
		{"TargetType", "ip", ""},
		{"Protocol", "TCP", ""},
		{"Port", port, ""},
		{"Targets", targets, ""},
		{"HealthCheckProtocol", protocol, "GET on Patroni's port: an open pgbouncer port does not show the role"},
		{"HealthCheckPort", check, ""},
		{"HealthCheckPath", svc.Check, ""},
		{"HealthCheckIntervalSeconds", checkEvery, ""},
		{"HealthCheckTimeoutSeconds", nlbTimeout, ""},
		{"HealthyThresholdCount", nlbFails, ""},
		{"UnhealthyThresholdCount", nlbFails, fmt.Sprintf("when all targets are unhealthy the NLB fails open: each of them gets connections to %s", p.Name)},
		{"Matcher", fields{{"HttpCode", "200", ""}}, "an NLB accepts 200 to 399 by default"},
		{"TargetGroupAttributes", list{
			attribute("preserve_client_ip.enabled", "false", "true: pg_hba sees the client, and a node cannot reach itself through the NLB (hairpin)"),
			attribute("proxy_protocol_v2.enabled", "false", "pgbouncer and PostgreSQL do not support it"),
			attribute("target_health_state.unhealthy.connection_termination.enabled", "true", "an old primary's connections are cut"),
			attribute("deregistration_delay.timeout_seconds", strconv.Itoa(nlbDraining), ""),
		}, ""},
	}, fmt.Sprintf("%s: %s", p.Name, p.Use)))
	t.listeners = append(t.listeners, resource(t.l.of(p.Name, "listener"), "AWS::ElasticLoadBalancingV2::Listener", fields{
		{"LoadBalancerArn", ref("LoadBalancer"), ""},
		{"Protocol", "TCP", ""},
		{"Port", int(p.Port), ""},
		{"DefaultActions", list{fields{{"Type", "forward", ""}, {"TargetGroupArn", ref(group), ""}}}, ""},
	}, fmt.Sprintf("it silently drops a connection that is idle for %d s (tcp.idle_timeout.seconds, 60 to 6000)", nlbIdle)))
	t.ingress = append(t.ingress, fields{{"IpProtocol", "tcp", ""}, {"FromPort", int(p.Port), ""}, {"ToPort", int(p.Port), ""}, {"CidrIp", ref("ClientCidr"), ""}})
}

// add appends what is not there yet.
func add(to []string, s string) []string {
	if slices.Contains(to, s) {
		return to
	}
	return append(to, s)
}

// head lists the limits.
func (t *nlb) head(b *strings.Builder, twice []string) {
	lint(b, "fail-open", "when every target of a group is unhealthy, all of them get connections: during a failover, writers reach replicas, which refuse the writes. HAProxy refuses the connection instead")
	lint(b, "idle-timeout", fmt.Sprintf("a connection that is idle for %d s is dropped silently: set tcp_keepalives_idle to less (clients, pgbouncer, PostgreSQL), for example 60", nlbIdle))
	lint(b, "cross-zone", "cross-zone balancing is off by default: a zone without a healthy target disappears from the DNS name, and its clients keep the old address. It is on here, which costs money")
	lint(b, "hairpin", "with client address preservation a node cannot reach itself through the NLB. It is off here, so pg_hba sees the NLB's addresses: allow those")
	lint(b, "dns-ttl", "the NLB's name has a TTL of 60 s: a JVM that caches names forever keeps the address of a failed zone")
	lint(b, "failover", fmt.Sprintf("a new leader gets connections after Patroni's ttl and %d × %d s of checks", nlbFails, checkEvery))
	lint(b, "pooler", "the checks query Patroni, not pgbouncer: a pgbouncer that is down behind a healthy Patroni gets connections")
	lint(b, "patroni-open", fmt.Sprintf("the targets must allow the group LoadBalancerSecurityGroup on the service's ports and on Patroni's (%s), which can be read without a password", strings.Join(t.checks, ", ")))
	if t.tls {
		lint(b, "patroni-tls", "the checks use HTTPS and do not verify the certificate")
	}
	if len(t.public) > 0 {
		lint(b, "public-target", strings.Join(t.public, ", ")+": a target group accepts private addresses only")
	}
	if len(t.spare) > 0 {
		lint(b, "no-backup", "an NLB has no backup servers. Left out: "+strings.Join(t.spare, ", "))
	}
	if len(t.mixed) > 0 {
		lint(b, "mixed-checks", strings.Join(t.mixed, ", ")+": the servers are checked on different ports or by different protocols, and a target group has one of each: the first server's")
	}
	if len(twice) > 0 {
		lint(b, "port-twice", strings.Join(twice, ", ")+": left out because another service has the port")
	}
	if t.c.Provider != "" {
		lint(b, "provider", "this bypasses the HAProxy tier "+t.c.Provider+". To put an NLB in front of the tier: its nodes as targets, the service ports, and a check of 9101 /metrics; the service port itself is open with no server behind it")
	}
	awsNames(b, t.names, "an IPv4 address")
}

// write writes the template.
func (t *nlb) write(b *strings.Builder) error {
	resources := fields{
		resource("LoadBalancerSecurityGroup", "AWS::EC2::SecurityGroup", fields{
			{"GroupDescription", "clients of " + string(t.c.Name), ""}, {"VpcId", ref("VpcId"), ""}, {"SecurityGroupIngress", t.ingress, ""},
		}, "an NLB gets its security groups only when it is created"),
		resource("LoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", fields{
			{"Type", "network", ""},
			{"Scheme", "internal", ""},
			{"Subnets", ref("SubnetIds"), "one address per zone"},
			{"SecurityGroups", list{ref("LoadBalancerSecurityGroup")}, ""},
			{"LoadBalancerAttributes", list{fields{{"Key", "load_balancing.cross_zone.enabled", ""}, {"Value", "true", ""}}}, "off by default"},
		}, ""),
	}
	for i := range t.groups {
		resources = append(resources, t.groups[i], t.listeners[i])
	}
	return template(b, fmt.Sprintf("Network Load Balancer for the services of %s", t.c.Name), fields{
		parameter("VpcId", "AWS::EC2::VPC::Id", "where the instances are", ""),
		parameter("SubnetIds", "List<AWS::EC2::Subnet::Id>", "one in each zone that has instances", ""),
		parameter("ClientCidr", "String", "the clients that may connect, for example 10.0.0.0/16", ""),
	}, resources, fields{
		{"Address", fields{{"Description", "the name that clients use, with the service's port", ""}, {"Value", tagged{"!GetAtt", "LoadBalancer.DNSName"}, ""}}, ""},
		{"SecurityGroup", fields{{"Description", "the targets must allow it", ""}, {"Value", ref("LoadBalancerSecurityGroup"), ""}}, ""},
	})
}
